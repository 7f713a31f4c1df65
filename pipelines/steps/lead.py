"""The chapô: found where the page shows it, and put back first when extraction dropped it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from pipelines.steps.extract import Block
from pipelines.steps.layout import text_of
from pipelines.steps.lines import words_of
from pipelines.steps.typography import mend

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from lxml.html import HtmlElement

    from pipelines.steps.layout import Layout

# How French sites and their CMS name the chapô, in a class, id or itemprop; lower case.
_NAMES = re.compile(
    r"chap[oô](?!\w*logo)|chapeau|standfirst|article[_-]*(?:lead|lede|desc|hat|intro|excerpt|summary|header__intro)|"
    r"(?:^|[\s_-])(?:hat|lede|lead|excerpt|intro|introduction|desc|descriptif|accroche|subheadline|"
    r"sub-?headline|sub-?title|preamble|sapo|catchline|sous-?titre|dek|deck|kicker-text|abstract|resume|article-summary)(?:$|[\s_-])|"
    r"(?:entry|post|content|app_entry|single|news|story|article|header|page)[_-]*(?:lead|excerpt|intro|desc(?:ription)?|summary|sub-?title)|"
    r"articlehat|heading__top__intro|introtext|field-name-field-chap"
)
_BAD = re.compile(
    r"related|sidebar|footer|comment|newsletter|card|teaser|most|recommend|listing|menu|author|auteur|share"
)
_TAGS = frozenset({"p", "div", "h2", "h3", "h4", "span", "section", "ul", "strong", "header"})
_BLOCKS = frozenset({"p", "h2", "div", "strong", "h3", "span"})
_SUBHEADINGS = frozenset({"h2", "h3", "h4"})
_LINKED = 0.5
_LONG = 80
_FAR = 300
"""Characters of prose after which the body has begun."""
_BESIDE = 3
_MIN, _MAX = 30, 1600
_MAX_BLOCKS = 6
_OVERLAP = 0.8
_MANY = 6
_SIGNS = 40
"""Characters of punctuation and spaces by which two lines of the same words may differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """The chapô as the page shows it."""

    lines: tuple[str, ...] = ()
    element: HtmlElement | None = None


def find_lead(layout: Layout, *, description: str | None, css: str | None = None, drop_css: Iterable[str] = ()) -> Lead:
    """Return the chapô, an empty one when the page shows none.

    An element named as a chapô comes first; else the block that repeats the page's own description. What `drop_css`
    selects is no chapô, nor a part of one: a label such as "L'essentiel" may stand inside it.
    """
    dropped = frozenset(element for one in drop_css for element in layout.root.cssselect(one))
    for element in _candidates(layout, css):
        lines = () if _is_within(element, dropped) else tuple(_split(element, dropped))
        if lines and _MIN <= sum(map(len, lines)) <= _MAX and len(lines) <= _MAX_BLOCKS:
            return Lead(lines=lines, element=element)
    return _subheading(layout, dropped) or _shown_description(layout, description)


def _candidates(layout: Layout, css: str | None) -> Iterator[HtmlElement]:
    if css:
        yield from layout.root.cssselect(css)
    for element in _before_body(layout):
        if element.tag in _TAGS and _MIN <= layout.length[element] <= _MAX and not _in_link_or_list(element, layout):
            names = f"{layout.names[element]} {(element.get('itemprop') or '').lower()}"
            if _is_name(names) and layout.linked[element] <= _LINKED * layout.length[element]:
                yield element


def _before_body(layout: Layout) -> Iterator[HtmlElement]:
    """Yield the elements between the title and the first paragraphs."""
    met = 0
    for element in layout.below:
        yield element
        met += layout.prose.get(element, 0)
        if met > _FAR:
            return


@lru_cache(maxsize=8192)
def _is_name(names: str) -> bool:
    return _NAMES.search(names) is not None and _BAD.search(names) is None


def _in_link_or_list(element: HtmlElement, layout: Layout) -> bool:
    """Tell whether an element stands in a link or list that the title does not stand in: a teaser."""
    return any(up.tag in {"a", "li"} and up not in layout.page for up in element.iterancestors())


def _is_within(element: HtmlElement, dropped: Collection[HtmlElement]) -> bool:
    return bool(dropped) and (element in dropped or any(up in dropped for up in element.iterancestors()))


def _split(element: HtmlElement, dropped: Collection[HtmlElement]) -> Iterator[str]:
    """Yield an element's lines: one a paragraph, list item or innermost block inside it, else its whole text."""
    parts = [one for one in element.iterdescendants("p", "li", "div") if _is_innermost(one)]
    whole = _text_of(element, dropped)
    lines = [line for one in parts if (line := _text_of(one, dropped))]
    # Text beside the parts would be lost: the element is then one line.
    yield from lines if sum(map(len, lines)) >= len(whole) - len(lines) - 1 else [whole] if whole else []


def _is_innermost(element: HtmlElement) -> bool:
    """Tell whether no block inside an element holds text: an empty one is decoration."""
    inner = element.iterdescendants("p", "li", "div")
    return not any(text.strip() for one in inner for text in one.itertext())


def _text_of(element: HtmlElement, dropped: Collection[HtmlElement]) -> str:
    if not dropped:
        return mend(text_of(element))
    texts = element.xpath(".//text()[not(parent::script) and not(parent::style)]")
    # The text after an element is not within it.
    owners = ((text, text.getparent() if text.is_text else text.getparent().getparent()) for text in texts)
    return mend(" ".join("".join(text for text, owner in owners if not _is_within(owner, dropped)).split()))


def _subheading(layout: Layout, dropped: Collection[HtmlElement]) -> Lead | None:
    """Return the long heading right under or over the title as the chapô; intertitres are short and further down."""
    heading = layout.heading
    if heading is None:
        return None
    after, before = heading.itersiblings(), heading.itersiblings(preceding=True)
    for beside in (*islice(after, _BESIDE), *islice(before, _BESIDE)):
        if beside.tag in _SUBHEADINGS and _LONG <= layout.length.get(beside, 0) <= _MAX:
            return Lead(lines=tuple(_split(beside, dropped)), element=beside)
    return None


def _shown_description(layout: Layout, description: str | None) -> Lead:
    wanted = words_of((description or "").rstrip(". …"))
    if len(wanted) < _MANY:
        return Lead()
    # An element far shorter than the description cannot hold most of its words.
    least = max(_MIN, sum(map(len, set(wanted))) // 2)
    for element in (*layout.below, *layout.above):
        if element.tag not in _BLOCKS or not least <= layout.length[element] <= _MAX or len(element) > _MANY:
            continue
        text = " ".join("".join(element.itertext()).split())
        if _same(words_of(text), wanted) and not _in_link_or_list(element, layout):
            if _is_one_of_many(element, layout):
                return Lead()
            return Lead(lines=(mend(text),), element=element)
    return Lead()


def _is_one_of_many(element: HtmlElement, layout: Layout) -> bool:
    """Tell whether an element is the first of the body's paragraphs: the description only repeats its beginning."""
    make = (element.tag, layout.names[element])

    def is_alike(one: HtmlElement) -> bool:
        return (one.tag, layout.names[one]) == make and one in layout.prose

    return any(is_alike(one) for one in (*element.itersiblings(preceding=True), *element.itersiblings()))


def _same(shown: list[str], wanted: list[str]) -> bool:
    """Tell whether a block is the description: the same words, or the description is a cut of it."""
    if not shown or len(shown) > 2 * len(wanted) + _MANY:
        return False
    both = len(set(shown) & set(wanted))
    return both >= _OVERLAP * len(set(wanted)) and both >= _OVERLAP * min(len(set(shown)), len(set(wanted)))


def put_lead_first(blocks: tuple[Block, ...], lead: tuple[str, ...]) -> tuple[Block, ...]:
    """Return the blocks with the chapô first, once."""
    rest = [block for block in blocks if not any(repeats(block.text, line) for line in lead)]
    return (*(Block(text=line, kind="lead") for line in lead), *rest)


def repeats(text: str, other: str) -> bool:
    """Tell whether two lines are the same words."""
    if not len(other) / 2 - _SIGNS < len(text) < 2 * len(other) + _SIGNS:  # a paragraph is no title
        return False
    one, two = words_of(text), words_of(other)
    return bool(one) and one == two
