"""The text of an article: chapô, extraction, cleaning and typography, in that order."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipelines.steps.clean import clean_blocks, take_signature
from pipelines.steps.extract import Block, extract_blocks
from pipelines.steps.language import detect_language
from pipelines.steps.lead import find_lead, put_lead_first, repeats
from pipelines.steps.lines import words_of
from pipelines.steps.structured import plain
from pipelines.steps.typography import mend

if TYPE_CHECKING:
    from kiosque.common_rules import CommonRules
    from kiosque.model import Outlet, ReadRules
    from pipelines.steps.metadata import Metadata
    from pipelines.steps.parse import Document


_PARAGRAPH = 80
_DECLARED = 500
_MAX_DECLARED = 200_000
_FAR_LESS = 0.4
BYLINE = "byline"
"""The rule that took a line which only names the authors."""
_BYLINE_WORDS = frozenset({"par", "et", "avec", "afp", "m", "mme"})
_EDGE = 3
"""How many lines at either end of a text can be a byline or the title once more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """An article's text with what was found and dropped on the way."""

    blocks: tuple[Block, ...]
    """The chapô's blocks first."""
    lead: str | None
    signature: str | None
    """The raw last line when it signs the text: "A. Lo."."""
    removed: tuple[tuple[str, str], ...]
    language: str | None
    """ISO 639-1, None when it cannot be told."""

    @property
    def text(self) -> str:
        """One block a line."""
        return "\n".join(block.text for block in self.blocks)


def read_body(
    document: Document,
    found: Metadata,
    *,
    outlet: Outlet,
    rules: ReadRules,
    common: CommonRules,
    learned: frozenset[str],
    paywalled: bool,
) -> Body:
    """Read the whole text of a page. The document's tree is consumed."""
    label = document.root.get("lang") or found.structured.first("og:locale", "content-language")
    shown = find_lead(found.layout, description=found.description, css=rules.lead_css, drop_css=outlet.clean.drop_css)
    lead = tuple(line for line in shown.lines if found.title is None or not repeats(line, found.title))
    blocks = extract_blocks(
        found.layout,
        common=common,
        lead=shown.element,
        drop_css=outlet.clean.drop_css,
        body_css=rules.body_css,
    )
    mended = tuple(replace(block, text=mend(block.text)) for block in blocks)
    mended = _or_declared(mended, found, paywalled=paywalled)
    named, bylines = _without_names(_without_title(mended, found.title), found.byline.authors)
    whole = put_lead_first(named, lead)
    cleaned = clean_blocks(whole, rules=outlet.clean, common=common, learned=learned)
    rest, signature = take_signature(_trim(cleaned.blocks))
    kept = _trim(rest)
    # A chapô introduces something: alone, it is the text.
    alone = all(block.kind == "lead" for block in kept)
    leads = [] if alone else [block.text for block in kept if block.kind == "lead"]
    text = "\n".join(block.text for block in kept)
    return Body(
        blocks=kept,
        lead="\n".join(leads) or None,
        signature=signature,
        removed=(*((line, BYLINE) for line in bylines), *cleaned.removed),
        language=detect_language(text, label=label),
    )


def _or_declared(blocks: tuple[Block, ...], found: Metadata, *, paywalled: bool) -> tuple[Block, ...]:
    """Return the text that the structured data declares where the page shows far less: a script would fill it in.

    Never for a paywalled article: what its outlet does not show is not ours to take.
    """
    declared = found.structured.node.get("articleBody")
    if paywalled or not isinstance(declared, str) or len(declared) < _DECLARED:
        return blocks
    if sum(len(block.text) for block in blocks) >= _FAR_LESS * len(declared):
        return blocks
    lines = (mend(plain(line) or "") for line in re.split(r"\s*(?:\n|<br ?/?>|</p>)\s*", declared[:_MAX_DECLARED]))
    return tuple(Block(text=line) for line in lines if line)


def _without_title(blocks: tuple[Block, ...], title: str | None) -> tuple[Block, ...]:
    """Drop the title where it opens the text."""
    if title is None:
        return blocks
    return tuple(block for i, block in enumerate(blocks) if i > _EDGE or not repeats(block.text, title))


def _without_names(blocks: tuple[Block, ...], authors: tuple[str, ...]) -> tuple[tuple[Block, ...], tuple[str, ...]]:
    """Drop the lines that only name the authors where text begins or ends; return the rest and these lines."""
    names = {word for author in authors for word in words_of(author)} | _BYLINE_WORDS
    edge = (_EDGE, len(blocks) - _EDGE - 1)
    bylines = {
        i
        for i, block in enumerate(blocks)
        if authors and (i < edge[0] or i > edge[1]) and names.issuperset(words_of(block.text))
    }
    kept = tuple(block for i, block in enumerate(blocks) if i not in bylines)
    return kept, tuple(blocks[i].text for i in sorted(bylines) if blocks[i].text)


def _trim(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """Drop empty blocks, repeated ones (short lines only right after themselves), and headings that nothing follows."""
    kept: list[Block] = []
    paragraphs: set[str] = set()
    for block in blocks:
        if block.text and block.text not in paragraphs and not (kept and kept[-1].text == block.text):
            kept.append(block)
            if len(block.text) >= _PARAGRAPH:
                paragraphs.add(block.text)
    while kept and kept[-1].kind == "head":
        kept.pop()
    return tuple(kept)
