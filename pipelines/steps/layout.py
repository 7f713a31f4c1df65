"""One pass over a page that the later steps share: how much text stands where, and what is around the title."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.html import HtmlElement

# Elements whose text belongs to the block around them.
INLINE = frozenset(
    """a abbr acronym b bdi bdo big br cite code data del dfn em font i img ins kbd label mark q s samp small span
    strike strong sub sup time tt u var wbr amp-link""".split()  # noqa: SIM905  (a column of names reads best)
)
# Blocks that hold a paragraph; any other block with text of its own is a container whose text is bare.
PARAGRAPHS = frozenset({"p", "li", "blockquote", "dd", "h2", "h3", "h4", "pre"})
# Elements that carry no article text whatever they hold.
SILENT = frozenset({"script", "style", "title", "button", "textarea", "option"})
PROSE = 50
"""Characters outside links from which a block counts as prose."""
_FRAME = frozenset({"html", "body", "main", "article"})
_AWAY = frozenset({"nav", "footer", "aside", "select", "form"})
_OTHERS = re.compile(
    r"comment|related|sidebar|footer|most-?read|recommend|menu|breaking|ticker|live-?feed|latest|teaser|card|snippet"
    r"|listing|author-?list"
)
_CLOSE = 4
"""An element above the title is the article's when it shares an ancestor this near to the title."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A page measured."""

    root: HtmlElement
    heading: HtmlElement | None
    """The heading that shows the title."""
    page: frozenset[HtmlElement]
    """The elements around the heading."""
    elements: tuple[HtmlElement, ...]
    """Every element in page order."""
    names: dict[HtmlElement, str]
    """Class and id, lower case; `" "` when it has neither."""
    length: dict[HtmlElement, int]
    """Characters of text in an element, silent ones left out."""
    linked: dict[HtmlElement, int]
    """Characters of text in an element that stand in links."""
    prose: dict[HtmlElement, int]
    """Characters outside links by the block that holds them directly, where they make prose; page order."""
    below: tuple[HtmlElement, ...]
    """Elements that follow the heading and belong to no other article; without a heading, all of those."""
    above: tuple[HtmlElement, ...]
    """Elements before the heading and close to it."""


def lay_out(elements: tuple[HtmlElement, ...], heading: HtmlElement | None) -> Layout:
    """Measure a page, given every element of its tree in page order; the tree is left as it was."""
    names = {one: _names(one) for one in elements}
    length, linked, prose = _measure(elements)
    page = frozenset(heading.iterancestors()) if heading is not None else frozenset()
    below, above = _near(elements, heading, page, names)
    return Layout(
        root=elements[0],
        heading=heading,
        page=page,
        elements=elements,
        names=names,
        length=length,
        linked=linked,
        prose=prose,
        below=below,
        above=above,
    )


def text_of(element: HtmlElement) -> str:
    """Return an element's text with spaces collapsed; scripts and styles inside it do not count."""
    if next(element.iter("script", "style"), None) is None:  # nearly always; XPath takes three times as long
        return " ".join("".join(element.itertext()).split())
    parts = element.xpath(".//text()[not(parent::script) and not(parent::style)]")
    return " ".join("".join(parts).split())


def _names(element: HtmlElement) -> str:
    kind, name = element.get("class"), element.get("id")
    return " " if kind is None and name is None else f"{kind or ''} {name or ''}".lower()


Lengths = dict["HtmlElement", int]


def _measure(elements: tuple[HtmlElement, ...]) -> tuple[Lengths, Lengths, Lengths]:
    length: Lengths = dict.fromkeys(elements, 0)
    linked: Lengths = dict.fromkeys(elements, 0)
    direct: Lengths = {}
    block_of: dict[HtmlElement, HtmlElement | None] = {}
    for element in elements:
        parent = element.getparent()
        around = element if parent is None else block_of[parent]
        if parent is not None and (text := element.tail) and (size := len(text.strip())):
            length[parent] += size
            if around is None:
                linked[parent] += size
            else:
                direct[around] = direct.get(around, 0) + size
        tag = element.tag
        size = 0 if tag in SILENT or not (text := element.text) else len(text.strip())
        length[element] += size
        if around is None or (tag == "a" and element.get("href")):
            block_of[element] = None  # in a link
            linked[element] += size
            continue
        block_of[element] = block = around if tag in INLINE else element
        if size:
            direct[block] = direct.get(block, 0) + size
    for element in reversed(elements):
        parent = element.getparent()
        if parent is not None and (size := length[element]):
            length[parent] += size
            linked[parent] += linked[element]
    return length, linked, {block: size for block, size in direct.items() if size >= PROSE}


def _near(
    elements: tuple[HtmlElement, ...],
    heading: HtmlElement | None,
    page: frozenset[HtmlElement],
    names: dict[HtmlElement, str],
) -> tuple[tuple[HtmlElement, ...], tuple[HtmlElement, ...]]:
    """Return what stands below the heading and close above it, without what belongs to other articles."""
    close = frozenset(list(heading.iterancestors())[:_CLOSE]) if heading is not None else frozenset()
    away: set[HtmlElement] = set()
    beside: set[HtmlElement] = set(close)
    below: list[HtmlElement] = []
    above: list[HtmlElement] = []
    met = heading is None
    for element in elements:
        parent = element.getparent()
        if parent in away or (element not in page and (element.tag in _AWAY or _is_of_others(element, names[element]))):
            away.add(element)
            continue
        if parent in beside:
            beside.add(element)
        if element is heading:
            met = True
        elif met:
            below.append(element)
        elif element in beside and element not in close:
            above.append(element)
    return tuple(below), tuple(above)


def _is_of_others(element: HtmlElement, names: str) -> bool:
    return element.tag not in _FRAME and _name_of_others(names)


@lru_cache(maxsize=8192)
def _name_of_others(names: str) -> bool:
    return _OTHERS.search(names) is not None
