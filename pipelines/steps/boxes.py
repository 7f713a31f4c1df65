"""Boxes beside the article, told by their heading ("Sur le même sujet") or by being cards of other articles."""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING

from pipelines.steps.blocks import INLINE
from pipelines.steps.lines import plain_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.html import HtmlElement

    from kiosque.common_rules import CommonRules

_HEADINGS = frozenset({"h2", "h3", "h4", "h5", "h6"})
_LABELS = frozenset({"p", "div", "span", "strong", "b", "a", "header", "legend", "dt", "li", "label", "em", "summary"})
_LISTS = frozenset({"ul", "ol"})
_PARAGRAPHS = frozenset({"p", "li", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6"})
_SLACK = 3
_LONGEST_LABEL = 60
# A box never grows to these: they hold the page.
_FRAME = frozenset({"html", "body", "main", "article"})
_CARD_PROSE = 600
_SEVERAL = 3
_LINKED = 0.8
_MOSTLY = 0.6


def find_boxes(root: HtmlElement, common: CommonRules) -> Iterator[HtmlElement]:
    """Yield elements that a heading or their make tells to be no part of the article; the tree is left as it was."""
    linked: list[HtmlElement] = []
    for element in root.iter():
        if element.tag in _HEADINGS:
            text = " ".join(element.itertext())
            if len(text) <= 2 * _LONGEST_LABEL and opens_box(text, common):
                yield from _box_of(element, common)
            elif _is_linked(element, text):
                linked.append(element)
        elif element.tag in _LISTS:
            if is_link_list(element):
                yield element
        elif element.tag in _LABELS and element.text and len(element.text) <= _LONGEST_LABEL:
            text = " ".join(element.itertext())
            if len(text) <= 2 * _LONGEST_LABEL and opens_box(text, common):
                yield from _box_of(element, common)
    yield from _cards(linked)


@lru_cache(maxsize=16384)
def opens_box(text: str, common: CommonRules) -> bool:
    """Tell whether a text is the heading of a box of links, comments or offers."""
    plain = plain_line(text).rstrip(" :!?.")
    return bool(plain) and any(pattern.fullmatch(plain) for _, pattern in common.headings)


def _box_of(heading: HtmlElement, common: CommonRules) -> Iterator[HtmlElement]:
    """Yield the widest element that the heading opens, or the heading and the links right after it."""
    box = _whole_block(heading)
    if box is None:
        return
    while (parent := box.getparent()) is not None and parent.tag not in _FRAME and _is_first(box, parent):
        if common.elements.body.search(f"{parent.get('class') or ''} {parent.get('id') or ''}".lower()):
            break
        box = parent
    yield box
    if box.tag in _HEADINGS or box.tag == "p":
        for sibling in box.itersiblings():
            if not _is_links(sibling):
                return
            yield sibling


def _whole_block(label: HtmlElement) -> HtmlElement | None:
    """Return the block that a label is the whole of, None when it is some words of a sentence."""
    block = label
    while block.tag in INLINE and (parent := block.getparent()) is not None:
        if _length(parent) > _length(label) + _SLACK and parent.tag in _PARAGRAPHS | INLINE:
            return None
        block = parent
    return block if _length(block) <= _length(label) + _SLACK else label


def _length(element: HtmlElement) -> int:
    return len("".join(element.itertext()).strip())


def _is_first(element: HtmlElement, parent: HtmlElement) -> bool:
    """Tell whether no text stands before an element in its parent."""
    if parent.text and parent.text.strip():
        return False
    return not any(
        (one.tail and one.tail.strip()) or any(text.strip() for text in one.itertext())
        for one in element.itersiblings(preceding=True)
    )


def _is_links(element: HtmlElement) -> bool:
    """Tell whether an element is empty or mostly links."""
    text = len("".join("".join(element.itertext()).split()))
    links = sum(len("".join("".join(link.itertext()).split())) for link in element.iter("a") if link.get("href"))
    return links >= _MOSTLY * text


def _is_linked(heading: HtmlElement, text: str) -> bool:
    if any(up.tag == "a" for up in heading.iterancestors()):
        return True
    links = sum(len("".join(link.itertext())) for link in heading.iter("a") if link.get("href"))
    return links > 0 and links >= _LINKED * len(text.strip())


def is_link_list(element: HtmlElement) -> bool:
    """Tell whether nearly every item of a list is little more than a link."""
    items = [item for item in element if item.tag == "li" and _length(item)]
    linked = sum(_is_links(item) for item in items)
    return len(items) > 1 and linked >= _LINKED * len(items) and _is_links(element)


def _cards(linked: list[HtmlElement]) -> Iterator[HtmlElement]:
    """Yield the cards of other articles: elements of one make that hold one linked heading and little else."""
    by_make: dict[tuple[str, str | None], list[HtmlElement]] = defaultdict(list)
    headings = frozenset(linked)
    for heading in linked:
        card = _card_of(heading, headings)
        by_make[str(card.tag), card.get("class")].append(card)
    for cards in by_make.values():
        if len(cards) >= _SEVERAL:
            yield from cards


def _card_of(heading: HtmlElement, headings: frozenset[HtmlElement]) -> HtmlElement:
    """Climb from a linked heading to the widest element that holds no other one and little text."""
    card = heading
    for up in heading.iterancestors():
        if up.tag in {"html", "body", "main"} or len("".join(up.itertext())) > _CARD_PROSE or up.find(".//h1") is not None:
            break
        if any(one in headings and one is not heading for one in up.iter(*_HEADINGS)):
            break
        card = up
    return card
