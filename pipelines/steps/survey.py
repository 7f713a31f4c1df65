"""Where does the article stand on the page? One pass measures the prose and finds the element that carries it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from pipelines.steps.blocks import INLINE, PARAGRAPHS, SILENT
from pipelines.steps.boxes import find_boxes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.html import HtmlElement

    from kiosque.common_rules import CommonRules, ElementRules

# A link around one of these is a card of another article.
_CARD_PARTS = frozenset({"p", "div", "h2", "h3", "h4", "h5", "li", "section", "article", "time"})
_OTHERS = frozenset({"article", "li"})
# Their names never condemn these.
_FRAME = frozenset({"html", "body", "main", "h1"})
_PROSE = 50
"""Characters outside links from which a block counts as prose."""
_WEIGHTS = {"li": 0.5, "dd": 0.3, "td": 0.7, "h2": 0.5, "h3": 0.5, "h4": 0.5}
"""What a character counts in a block that is seldom a paragraph."""
_ABOVE = 0.3
"""What a character counts above the title."""
_ASIDE = 0.4
"""What a character counts in an article or list item that the title does not stand in."""
_PRAISED = 1.6
"""How much more a body's name makes its votes count."""
_LONG = 80
"""Characters of a block that is a paragraph beyond doubt."""
_MORE = 0.2
"""A wider element is taken when it adds this share of prose."""
_CARRIES = 0.4
"""A named element with this share of the page's prose is the page, whatever its name."""
_LINKED = 0.8
"""A heading with this share of its text in a link is another article's title."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What one pass over a page tells."""

    core: HtmlElement | None
    """The element that carries the article."""
    prose: dict[HtmlElement, int]
    """Prose characters by the block that holds them directly, in page order, clutter left out."""
    clutter: frozenset[HtmlElement]
    """Elements whose tag or names make them clutter, those that carry the page's prose or title acquitted."""


def survey(root: HtmlElement, common: CommonRules, *, title: HtmlElement | None = None, lead: HtmlElement | None = None) -> Survey:
    """Measure a page; the tree is left as it was. The chapô's element votes for nothing: it often stands apart."""
    prose, suspects = _measure(root, common.elements)
    for box in find_boxes(root, common):
        suspects.setdefault(box, False)
    page = frozenset(title.iterancestors()) if title is not None else frozenset()
    total = sum(prose.values())
    inside = dict.fromkeys(suspects, 0)
    for block, length in prose.items():
        for up in (block, *block.iterancestors()):
            if up in inside:
                inside[up] += length
    clutter = frozenset(
        element
        for element, sure in suspects.items()
        if inside[element] <= total * _CARRIES or (sure and (title is None or element not in page))
    )
    apart = clutter if lead is None else clutter | {lead}
    clean = {block: size for block, size in prose.items() if apart.isdisjoint((block, *block.iterancestors()))}
    return Survey(core=_core(clean, root, common, title), prose=clean, clutter=clutter)


def _measure(root: HtmlElement, rules: ElementRules) -> tuple[dict[HtmlElement, int], dict[HtmlElement, bool]]:
    """Return the prose by block, and the suspects with whether they are sure; both in page order."""
    lengths: dict[HtmlElement, int] = {}
    block_of: dict[HtmlElement, HtmlElement | None] = {}
    suspects: dict[HtmlElement, bool] = {}
    for element in root.iter():
        parent = element.getparent()
        around = block_of[parent] if parent is not None else root
        if around is not None and element.tail:
            lengths[around] = lengths.get(around, 0) + len(element.tail.strip())
        if around is None or element.tag in SILENT:
            block_of[element] = None
            continue
        verdict = _verdict(element, rules)
        if verdict is not None and not (element.tag in INLINE and around.tag in PARAGRAPHS and _runs_on(element)):
            suspects[element] = verdict
        if element.tag == "a" and element.get("href"):
            block_of[element] = None
            if any(child.tag in _CARD_PARTS for child in element.iterdescendants()):
                suspects[element] = False
            continue
        block_of[element] = block = around if element.tag in INLINE else element
        if element.text:
            lengths[block] = lengths.get(block, 0) + len(element.text.strip())
    return {block: length for block, length in lengths.items() if length >= _PROSE}, suspects


def _runs_on(element: HtmlElement) -> bool:
    """Tell whether an inline element stands within a sentence, with words before or after it in its parent."""
    before = element.getprevious()
    beside = (before.tail if before is not None else element.getparent().text) or ""
    return len(beside.strip()) + len((element.tail or "").strip()) >= _PROSE / 2


def _verdict(element: HtmlElement, rules: ElementRules) -> bool | None:
    """Return None for no clutter; True when the tag or names make it clutter for sure, False when they hint at it.

    Even what is sure is acquitted later when it holds the prose and the h1: a navigation that nobody closed.
    """
    if element.tag in rules.tags:
        return True
    if element.tag in _FRAME:
        return None
    names = f"{element.get('class') or ''} {element.get('id') or ''}"
    return _name_verdict(names, rules) if names != " " else None


@lru_cache(maxsize=8192)
def _name_verdict(names: str, rules: ElementRules) -> bool | None:
    folded = names.lower()
    words = folded.split()
    if not rules.sure_words.isdisjoint(words) or (rules.sure_parts is not None and rules.sure_parts.search(folded)):
        return True
    if not rules.words.isdisjoint(words) or (rules.parts is not None and rules.parts.search(folded)):
        return False
    return None


def _core(
    prose: dict[HtmlElement, int], root: HtmlElement, common: CommonRules, title: HtmlElement | None
) -> HtmlElement | None:
    """Return the element that paragraphs point to: a full vote for their parent, half a vote for its parent.

    A name such as "article-body" counts for more; text before the title, lists and definitions for less.
    """
    votes: dict[HtmlElement, float] = {}
    below = _below(title, root, prose)
    page = frozenset(title.iterancestors()) if title is not None else frozenset()
    for block, length in prose.items():
        parent = block.getparent() if block.tag in PARAGRAPHS else block
        weight = length * _WEIGHTS.get(str(block.tag), 1.0) * (1.0 if block in below else _ABOVE)
        if title is not None and any(up.tag in _OTHERS and up not in page for up in block.iterancestors()):
            weight *= _ASIDE
        for share in (1.0, 0.5):
            if parent is not None:
                votes[parent] = votes.get(parent, 0) + weight * share
                parent = parent.getparent()
    if not votes:
        return None
    best = max(votes, key=lambda element: votes[element] * (_PRAISED if _is_praised(element, common) else 1.0))
    return _widen(best, prose)


def _is_praised(element: HtmlElement, common: CommonRules) -> bool:
    names = f"{element.get('class') or ''} {element.get('id') or ''} {element.get('itemprop') or ''}".lower()
    return element.tag == "article" or (names != "  " and common.elements.body.search(names) is not None)


def _below(
    title: HtmlElement | None, root: HtmlElement, prose: dict[HtmlElement, int]
) -> frozenset[HtmlElement]:
    """Return the blocks that follow the title; all of them when there is none, or nothing follows."""
    after: set[HtmlElement] = set()
    met = False
    for element in root.iter():
        met = met or element is title
        if met and element in prose:
            after.add(element)
    return frozenset(after or prose)


def _widen(core: HtmlElement, prose: dict[HtmlElement, int]) -> HtmlElement:
    """Climb to a wider element while it adds paragraphs of the same make."""
    makes = {(block.tag, block.get("class")) for block in prose if block is core or core in block.iterancestors()}
    alike = {block: size for block, size in prose.items() if (block.tag, block.get("class")) in makes and size >= _LONG}
    inside = _inside(core, alike)
    for up in core.iterancestors():
        if up.tag in {"body", "html"}:
            break
        more = _inside(up, alike)
        if more - inside >= _MORE * inside and _is_one_article(up):
            core, inside = up, more
    return core


def _inside(element: HtmlElement, prose: dict[HtmlElement, int]) -> int:
    return sum(length for block, length in prose.items() if block is element or element in block.iterancestors())


def _is_one_article(element: HtmlElement) -> bool:
    """Tell whether an element holds one article and no list of them."""
    return sum(1 for _ in _headlines(element)) <= 1 and len(element.findall(".//article")) <= 1


def _headlines(element: HtmlElement) -> Iterator[HtmlElement]:
    """Yield headings that are links to elsewhere: the titles of other articles."""
    for heading in element.iter("h2", "h3", "h4"):
        links = sum(len("".join(link.itertext())) for link in heading.iter("a"))
        if links > len("".join(heading.itertext())) * _LINKED:
            yield heading
