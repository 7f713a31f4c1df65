"""Take the article's blocks out of a page: clutter elements pruned by their names, then trafilatura on what is left."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from typing import TYPE_CHECKING

from lxml import etree
from lxml.html import Element

from pipelines.steps.layout import INLINE
from pipelines.steps.survey import survey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lxml.html import HtmlElement
    from trafilatura.settings import Extractor

    from kiosque.common_rules import CommonRules
    from pipelines.steps.layout import Layout

_TOO_LITTLE = 250
"""Characters under which a body selector's find is doubted."""
_SMALL = 5000
_SENTENCE = 80
_HEADINGS = frozenset({"h2", "h3", "h4", "h5", "h6"})
_SCRIPTS = ("script", "style", "noscript", "template", "svg", "iframe", "head")
# Elements that trafilatura deletes with their text, or makes blocks of, although sentences run through them.
_WOVEN = frozenset({"time", "label", "legend", "article", "q"})
_QUOTES = tuple('«»“”„"‹›')


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One block of text as the page shows it."""

    text: str
    kind: str = "p"
    """`p`, `head`, `item`, `quote` or `row`."""


def extract_blocks(
    layout: Layout,
    *,
    common: CommonRules,
    lead: HtmlElement | None = None,
    drop_css: Iterable[str] = (),
    body_css: str | None = None,
) -> tuple[Block, ...]:
    """Return the article's blocks in page order, without the chapô's element. The tree is consumed.

    `body_css` is tried first, then the element that carries the prose, then the whole page.
    """
    root = layout.root
    dropped = [element for css in (*common.elements.css, *drop_css) for element in root.cssselect(css)]
    found = survey(layout, common, dropped=dropped, lead=lead)
    bodies = root.cssselect(body_css) if body_css else []
    frames = [body for body in bodies if not any(up in bodies for up in body.iterancestors())]
    for element in (*found.clutter, *([] if lead is None else [lead])):
        _drop(element)
    if frames:
        blocks = _run_trafilatura(_page_around(frames))
        if sum(len(block.text) for block in blocks) >= _TOO_LITTLE:
            return blocks
    if found.core is not None:
        return _run_trafilatura(_page_around(_with_neighbours(found.core, layout)))
    # trafilatura would take a text out of the scripts too, paid for or not.
    etree.strip_elements(root, *_SCRIPTS, with_tail=False)
    # A page without a paragraph is seldom an article: the last try is for small ones.
    return _run_trafilatura(root) if len(layout.elements) <= _SMALL else ()


def _with_neighbours(core: HtmlElement, layout: Layout) -> list[HtmlElement]:
    """Return the core with the paragraphs right before and after it: a paywall's box parts an article in two."""
    before = list(takewhile(lambda one: _is_paragraph(one, layout), core.itersiblings(preceding=True)))
    after = takewhile(lambda one: _is_paragraph(one, layout), core.itersiblings())
    return [*reversed(before), core, *after]


def _is_paragraph(element: HtmlElement, layout: Layout) -> bool:
    return element.tag == "p" and element in layout.prose


def _drop(element: HtmlElement) -> None:
    if element.getparent() is not None:
        element.drop_tree()


def _page_around(frames: list[HtmlElement]) -> HtmlElement:
    """Return a page of these elements alone, bare of the names that would make trafilatura doubt them."""
    page = frames[0].makeelement("html")
    article = etree.SubElement(etree.SubElement(page, "body"), "article")
    article.extend(frames)
    etree.strip_elements(article, *_SCRIPTS, with_tail=False)
    for element in article.iterdescendants():
        if element.tag == "q":
            _show_quotes(element)
        if element.tag in _WOVEN or (element.tag == "a" and not element.get("href")):
            element.tag = "div" if element.tag == "article" else "span"
        if element.tag in _HEADINGS and _reads_as_sentence("".join(map(str, element.itertext()))):
            element.tag = "p"
        for name in ("class", "id", "style", "role", "itemprop"):
            if name in element.attrib:
                del element.attrib[name]
    _wrap_bare_text(article)
    return page


def _show_quotes(element: HtmlElement) -> None:
    """Write the quotation marks that a browser puts around a `<q>`, unless they stand in its text."""
    text = "".join(map(str, element.itertext())).strip()
    if text and not text.startswith(_QUOTES):
        element.text = f"« {element.text or ''}"
        if len(element):
            element[-1].tail = f"{element[-1].tail or ''} »"
        else:
            element.text = f"{element.text} »"


def _reads_as_sentence(text: str) -> bool:
    return len(text) >= _SENTENCE and text.rstrip().endswith((".", "…", "»", "”"))


def _wrap_bare_text(article: HtmlElement) -> None:
    """Give text that stands bare in a container a paragraph of its own: old CMS part their paragraphs by breaks."""
    for container in list(article.iter("div", "section", "td", "article", "center", "main")):
        run: HtmlElement | None = None
        if container.text and container.text.strip():
            run = Element("p")
            run.text, container.text = container.text, None
            container.insert(0, run)
        for child in list(container):
            if child is run:
                continue
            if child.tag in INLINE and run is not None:
                run.append(child)  # with its tail
                continue
            run = None
            if child.tail and child.tail.strip():
                run = Element("p")
                run.text, child.tail = child.tail, None
                child.addnext(run)


def _run_trafilatura(root: HtmlElement) -> tuple[Block, ...]:
    from trafilatura import bare_extraction  # noqa: PLC0415  (0.3 s to import: only who reads a page pays it)
    from trafilatura.metadata import Document  # noqa: PLC0415

    document = bare_extraction(root, options=_options())
    if not isinstance(document, Document) or document.body is None:
        return ()
    return tuple(_blocks(document.body))


@lru_cache(maxsize=1)
def _options() -> Extractor:
    """Return how trafilatura is to read; made once, for it asks its configuration file for each number."""
    from trafilatura.settings import Extractor  # noqa: PLC0415

    # Its elements are what is wanted: as "python" it would write them out as text, too.
    return Extractor(fast=True, comments=False, output_format="xml")


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
