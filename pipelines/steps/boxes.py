"""Boxes beside the article, told by their heading ("Sur le même sujet") or by being cards of other articles."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from pipelines.steps.layout import INLINE
from pipelines.steps.lines import opening_group, plain_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.html import HtmlElement

    from kiosque.common_rules import CommonRules
    from pipelines.steps.layout import Layout

_HEADINGS = frozenset({"h2", "h3", "h4", "h5", "h6"})
_LABELS = frozenset({"p", "div", "span", "strong", "b", "a", "header", "legend", "dt", "li", "label", "em", "summary"})
_LISTS = frozenset({"ul", "ol"})
_PARAGRAPHS = frozenset({"p", "li", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6"})
# A box never grows to these: they hold the page.
_FRAME = frozenset({"html", "body", "main", "article"})
_LABEL_LENGTH = 60
_HEADING_LENGTH = 120
_CAPSULES = frozenset({"span", "strong", "b", "em", "i", "small"})
_CAPSULE_LENGTH = 300
_LABEL_LINK = 15
_SLACK = 3
_OFFER_LENGTH = 1500
PAYWALL = re.compile(
    r"paywall|premium|piano|poool|qiota|restricted|offers?\b|offre|subscri|abonn|abo[_-]|teaser-?end|wall\b"
)
_OFFER = re.compile(
    r"\d ?€|€ ?/|abonn(?:é|ez|ement)|sans engagement|essai|résiliable|réservée? aux|déjà (?:un )?compte"
    r"|identifiez-vous|connectez-vous",
    re.IGNORECASE,
)
_CARD_LENGTH = 600
_SHORT_BOX = 300
_LONG = 80
_SEVERAL = 3
_NEARLY_ALL = 0.8
_MOSTLY = 0.6


def find_boxes(layout: Layout, common: CommonRules) -> Iterator[HtmlElement]:
    """Yield elements that a heading or their make tells to be no part of the article; the tree is left as it was."""
    titles: list[HtmlElement] = []
    in_body = False
    for element in layout.elements:
        tag, length = element.tag, layout.length[element]
        in_body = in_body or (tag == "p" and layout.prose.get(element, 0) >= _LONG)
        # A wrapper around one element says nothing that the element does not.
        if not length or (len(element) == 1 and tag not in _HEADINGS and layout.length[element[0]] == length):
            continue
        if tag in _HEADINGS:
            if group := _group_of(element, length, _HEADING_LENGTH, common):
                yield from _box_of(element, group if in_body else "top", layout, common)
            elif _is_linked(element, layout):
                titles.append(element)
        elif tag in _LISTS:
            if is_link_list(element, layout):
                yield element
        elif tag in _LABELS and (group := _group_of(element, length, _LABEL_LENGTH, common)):
            yield from _box_of(element, group if in_body else "top", layout, common)
    yield from _cards(titles, layout)
    yield from _capsules(layout, common)


def _capsules(layout: Layout, common: CommonRules) -> Iterator[HtmlElement]:
    """Yield "Lire aussi" and its link where they stand inside a paragraph, as one element of their own."""
    for element in layout.root.iter(*_CAPSULES):
        linked, length = layout.linked[element], layout.length[element]
        if not linked or not _LABEL_LINK < length <= min(2 * linked, _CAPSULE_LENGTH):
            continue
        if next(element.iter("a"), None) is not None:  # not itself part of a link
            text = " ".join(" ".join(element.itertext()).split())
            if opening_group(text, plain_line(text), common) is not None:
                yield element


def is_offer(element: HtmlElement, length: int) -> bool:
    """Tell whether an element named after a paywall sells a subscription; one that holds the article sells nothing."""
    return 0 < length <= _OFFER_LENGTH and _OFFER.search(" ".join(element.itertext())) is not None


def _group_of(element: HtmlElement, length: int, most: int, common: CommonRules) -> str | None:
    if length > most:
        return None
    text = " ".join(element.itertext()) if len(element) else element.text
    return heading_group(text, common) if text else None


@lru_cache(maxsize=16384)
def heading_group(text: str, common: CommonRules) -> str | None:
    """Return the group of a text that heads a box of links, comments or offers; None for any other text."""
    plain = plain_line(text).rstrip(" :!?.")
    return next((group for group, pattern in common.headings if pattern.fullmatch(plain)), None) if plain else None


def _box_of(heading: HtmlElement, group: str, layout: Layout, common: CommonRules) -> Iterator[HtmlElement]:
    """Yield the widest element that the heading opens, or the heading and the links right after it."""
    box = _whole_block(heading, layout)
    if box is None:
        return
    while (parent := box.getparent()) is not None and parent.tag not in _FRAME and _is_first(box, parent, layout):
        if common.elements.body.search(layout.names[parent]) or not _can_be_box(parent, group, layout):
            break
        box = parent
    if _heads_prose(box, layout):
        return
    yield heading
    yield box
    if box.tag in _HEADINGS or box.tag == "p":
        for sibling in box.itersiblings():
            if not _is_links(sibling, layout):
                return
            yield sibling


def _heads_prose(box: HtmlElement, layout: Layout) -> bool:
    """Tell whether a box is part of the article after all: an intertitre that happens to read "Les réactions".

    Then a paragraph follows the heading, or the box is one of several sections of one make, the others with prose.
    """
    if box.tag in _HEADINGS or box.tag == "p":
        after = next((one for one in box.itersiblings() if layout.length[one]), None)
        return after is not None and after.tag == "p" and layout.prose.get(after, 0) >= _LONG
    if layout.linked[box] * 3 > layout.length[box]:
        return False
    make = (box.tag, layout.names[box])
    return any(
        (one.tag, layout.names[one]) == make and layout.length[one] - layout.linked[one] >= 2 * _LONG
        for one in islice(box.itersiblings(preceding=True), _SEVERAL)
    )


def _can_be_box(element: HtmlElement, group: str, layout: Layout) -> bool:
    """Tell whether an element is what such a heading opens: other articles and comments may be of any length.

    An offer is short; a share bar above the body ("top") must not take the body with it.
    """
    length = layout.length[element]
    return length <= _SHORT_BOX or group in {"comments", "related"} or (group == "follow" and length <= _CARD_LENGTH)


def _whole_block(label: HtmlElement, layout: Layout) -> HtmlElement | None:
    """Return the block that a label is the whole of, None when it is some words of a sentence."""
    block, most = label, layout.length[label] + _SLACK
    while block.tag in INLINE and (parent := block.getparent()) is not None:
        if layout.length[parent] > most:
            return None if parent.tag in _PARAGRAPHS or parent.tag in INLINE else block
        block = parent
    return block


def _is_first(element: HtmlElement, parent: HtmlElement, layout: Layout) -> bool:
    """Tell whether no text stands before an element in its parent."""
    if parent.text and parent.text.strip():
        return False
    before = element.itersiblings(preceding=True)
    return not any(layout.length[one] or (one.tail and one.tail.strip()) for one in before)


def _is_links(element: HtmlElement, layout: Layout) -> bool:
    """Tell whether an element is empty or mostly links."""
    return layout.linked[element] >= _MOSTLY * layout.length[element]


def is_link_list(element: HtmlElement, layout: Layout) -> bool:
    """Tell whether nearly every item of a list is little more than a link."""
    if not _is_links(element, layout):
        return False
    items = [item for item in element if item.tag == "li" and layout.length[item]]
    return len(items) > 1 and sum(_is_links(item, layout) for item in items) >= _NEARLY_ALL * len(items)


def _is_linked(heading: HtmlElement, layout: Layout) -> bool:
    return 0 < layout.length[heading] * _NEARLY_ALL <= layout.linked[heading]


def _cards(titles: list[HtmlElement], layout: Layout) -> Iterator[HtmlElement]:
    """Yield the cards of other articles: elements of one make that hold one linked heading and little else."""
    by_make: dict[tuple[str, str], list[HtmlElement]] = defaultdict(list)
    among = frozenset(titles)
    for title in titles:
        card = _card_of(title, among, layout)
        by_make[str(card.tag), layout.names[card]].append(card)
    for cards in by_make.values():
        if len(cards) >= _SEVERAL:
            yield from cards


def _card_of(title: HtmlElement, titles: frozenset[HtmlElement], layout: Layout) -> HtmlElement:
    """Climb from a linked heading to the widest element that holds no other one and little text."""
    card = title
    for up in title.iterancestors():
        if up.tag in {"html", "body", "main"} or layout.length[up] > _CARD_LENGTH or up in layout.page:
            break
        if any(one in titles and one is not title for one in up.iter(*_HEADINGS)):
            break
        card = up
    return card
