"""Take the article's blocks out of a page: clutter elements pruned by their names, then trafilatura on what is left."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lxml.html import HtmlElement

    from kiosque.common_rules import CommonRules, ElementRules

# Names in these elements never condemn the page: they carry it.
_FRAME = {"html", "body", "main", "h1"}
_SHARE_THAT_CARRIES = 0.4
_TOO_LITTLE = 250
_MIN_PROSE = 40
_SCRIPTS = ("script", "style", "noscript", "template", "svg", "iframe", "head")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One block of text as the page shows it."""

    text: str
    kind: str = "p"
    """`p`, `head`, `item`, `quote` or `row`."""


def extract_blocks(
    root: HtmlElement, *, common: CommonRules, drop_css: Iterable[str] = (), body_css: str | None = None
) -> tuple[Block, ...]:
    """Return the article's blocks in page order. The tree is consumed.

    `body_css` is tried first; trafilatura reads the whole page when it gives little.
    """
    prune(root, common.elements, drop_css)
    if body_css and (bodies := root.cssselect(body_css)):
        blocks = _run_trafilatura(_page_around(bodies))
        if sum(len(block.text) for block in blocks) >= _TOO_LITTLE:
            return blocks
    return _run_trafilatura(root)


def prune(root: HtmlElement, rules: ElementRules, drop_css: Iterable[str] = ()) -> None:
    """Remove clutter elements, and never one that carries the page: its h1 or much of its prose."""
    etree.strip_elements(root, *_SCRIPTS, with_tail=False)
    condemned = list(_condemned(root, rules))
    for css in rules.css:
        condemned += root.cssselect(css)
    prose = _prose(root)
    for element in condemned:
        if element.getparent() is not None and _prose(element) <= prose * _SHARE_THAT_CARRIES and not _has_h1(element):
            element.drop_tree()
    for css in drop_css:
        for element in root.cssselect(css):
            if element.getparent() is not None:
                element.drop_tree()


def _condemned(root: HtmlElement, rules: ElementRules) -> Iterator[HtmlElement]:
    for element in root.iter():
        tag = element.tag
        if tag in rules.tags:
            yield element
        elif tag not in _FRAME:
            names = f"{element.get('class') or ''} {element.get('id') or ''}"
            if names != " " and _is_clutter_name(names, rules):
                yield element


@lru_cache(maxsize=8192)
def _is_clutter_name(names: str, rules: ElementRules) -> bool:
    folded = names.lower()
    if not rules.words.isdisjoint(folded.split()):
        return True
    return rules.parts is not None and rules.parts.search(folded) is not None


def _prose(element: HtmlElement) -> int:
    """Return how many characters of paragraphs an element holds; short ones are furniture."""
    lengths = (len("".join(paragraph.itertext())) for paragraph in element.iter("p"))
    return sum(length for length in lengths if length >= _MIN_PROSE)


def _has_h1(element: HtmlElement) -> bool:
    return element.tag == "h1" or element.find(".//h1") is not None


def _page_around(bodies: list[HtmlElement]) -> HtmlElement:
    page = etree.fromstring("<html><body><article/></body></html>", parser=etree.HTMLParser())
    article = page.find(".//article")
    if article is not None:
        article.extend(bodies)
    return page


def _run_trafilatura(root: HtmlElement) -> tuple[Block, ...]:
    from trafilatura import bare_extraction  # noqa: PLC0415  (0.3 s to import: only who reads a page pays it)
    from trafilatura.metadata import Document  # noqa: PLC0415

    document = bare_extraction(root, fast=True, include_comments=False)
    if not isinstance(document, Document) or document.body is None:
        return ()
    return tuple(_blocks(document.body))


def _blocks(body: etree._Element) -> Iterator[Block]:
    """Yield trafilatura's simplified elements as blocks, a line break inside one starting another."""
    for element in body:
        if element.tag == "list":
            for item in element.iter("item"):
                yield from _lines(item, "item")
        elif element.tag == "table":
            for row in element.iter("row"):
                cells = [" ".join("".join(map(str, cell.itertext())).split()) for cell in row.iter("cell")]
                yield Block(text=" | ".join(cell for cell in cells if cell), kind="row")
        else:
            kind = {"head": "head", "quote": "quote"}.get(str(element.tag), "p")
            yield from _lines(element, kind)
        if element.tail and element.tail.strip():
            yield Block(text=element.tail)


def _lines(element: etree._Element, kind: str) -> Iterator[Block]:
    text = "".join(_with_breaks(element))
    for line in text.split("\n"):
        if line.strip():
            yield Block(text=line, kind=kind)


def _with_breaks(element: etree._Element) -> Iterator[str]:
    if element.text:
        yield element.text.replace("\n", " ")
    for child in element:
        if child.tag in {"lb", "p", "item", "quote", "head"}:
            yield "\n"
        yield from _with_breaks(child)
        if child.tag in {"p", "item", "quote", "head"}:
            yield "\n"
        if child.tail:
            yield child.tail.replace("\n", " ")
