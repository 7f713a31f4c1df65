"""The chapô: found where the page shows it, and put back first when extraction dropped it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.steps.extract import Block
from pipelines.steps.lines import words_of
from pipelines.steps.typography import mend

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.html import HtmlElement

# How French sites and their CMS name the chapô, in a class, id or itemprop; lower case.
_NAMES = re.compile(
    r"chap[oô](?!\w*logo)|chapeau|standfirst|article[_-]*(?:lead|lede|desc|hat|intro|excerpt|summary|header__intro)|"
    r"(?:^|[\s_-])(?:hat|lede|lead|excerpt|intro|introduction|desc|descriptif|accroche|subheadline|"
    r"sub-?headline|subtitle|sous-?titre|dek|deck|kicker-text|abstract|resume|article-summary)(?:$|[\s_-])|"
    r"(?:entry|post|content|app_entry|single|news|story)[_-]*(?:lead|excerpt|intro|desc|summary|subtitle)|"
    r"articlehat|heading__top__intro|introtext|field-name-field-chap"
)
_BAD = re.compile(
    r"related|sidebar|footer|comment|newsletter|card|teaser|most|recommend|listing|menu|author|auteur|share"
)
_MIN, _MAX = 30, 1600
_MAX_BLOCKS = 6
_OVERLAP = 0.8
_MANY = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """The chapô as the page shows it."""

    lines: tuple[str, ...] = ()
    element: HtmlElement | None = None


def find_lead(
    root: HtmlElement, *, title: HtmlElement | None, description: str | None, css: str | None = None
) -> Lead:
    """Return the chapô, an empty one when the page shows none.

    An element named as a chapô comes first; else the block that repeats the page's own description.
    """
    for element in _candidates(root, title, css):
        lines = tuple(_split(element))
        if lines and _MIN <= sum(map(len, lines)) <= _MAX and len(lines) <= _MAX_BLOCKS:
            return Lead(lines=lines, element=element)
    return _shown_description(root, title, description)


def _candidates(root: HtmlElement, title: HtmlElement | None, css: str | None) -> Iterator[HtmlElement]:
    if css:
        yield from root.cssselect(css)
    page = _around(title)
    for element in _after(title, root, "p", "div", "h2", "h3", "span", "section", "ul", "strong", "header"):
        names = " ".join(filter(None, (element.get("class"), element.get("id"), element.get("itemprop")))).lower()
        if names and _NAMES.search(names) and not _BAD.search(names) and not _elsewhere(element, page):
            yield element


def _around(title: HtmlElement | None) -> frozenset[HtmlElement]:
    return frozenset(title.iterancestors()) if title is not None else frozenset()


def _after(title: HtmlElement | None, root: HtmlElement, *tags: str) -> Iterator[HtmlElement]:
    met = title is None
    for element in root.iter("h1", *tags):
        if element is title:
            met = True
        elif met and element.tag != "h1":
            yield element


def _elsewhere(element: HtmlElement, page: frozenset[HtmlElement]) -> bool:
    """Tell whether an element stands in another article's teaser or outside the article.

    `page` holds what is around the title too: nothing there speaks against the element.
    """
    for up in element.iterancestors():
        if up in page:
            return False
        if up.tag in {"nav", "footer", "aside", "a", "li"}:
            return True
        names = f"{up.get('class') or ''} {up.get('id') or ''}".lower()
        if up.tag not in {"body", "html", "main", "article"} and _BAD.search(names):
            return True
    return False


def _split(element: HtmlElement) -> Iterator[str]:
    """Yield an element's lines: one a paragraph or list item inside it, else its whole text."""
    parts = [one for one in element.iterdescendants("p", "li", "div") if one.find("p") is None and one.find("div") is None]
    for part in parts or [element]:
        text = mend(" ".join("".join(part.xpath(".//text()[not(parent::script) and not(parent::style)]")).split()))
        if text:
            yield text


def _shown_description(root: HtmlElement, title: HtmlElement | None, description: str | None) -> Lead:
    wanted = words_of((description or "").rstrip(". …"))
    if len(wanted) < _MANY:
        return Lead()
    page = _around(title)
    for element in root.iter("p", "h2", "div", "strong", "h3", "span"):
        if element.tag in {"div", "span"} and len(element) > _MANY:
            continue
        text = " ".join("".join(element.itertext()).split())
        if _MIN <= len(text) <= _MAX and _same(words_of(text), wanted) and not _elsewhere(element, page):
            return Lead(lines=(mend(text),), element=element)
    return Lead()


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
    one, two = words_of(text), words_of(other)
    return bool(one) and one == two
