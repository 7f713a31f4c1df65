"""What stands around the title: byline and date lines that belong to this article and to no other."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipelines.steps.authors import is_person, read_byline
from pipelines.steps.title import element_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.html import HtmlElement

_AUTHOR_NAMES = re.compile(r"auth?eur|author|byline|signature|journalist|contribut|redacteur|r[ée]dig[ée]|vcard|writer")
_AUTHOR_LINKS = re.compile(r"/(?:auteurs?|authors?|journalistes?|signataires?|redacteurs?|profil|la-redaction|biographie)/")
_OTHERS = re.compile(
    r"comment|related|sidebar|footer|most|recommend|menu|breaking|ticker|live-?feed|latest|teaser|card|snippet|listing|author-?list"
)
_AWAY = frozenset({"nav", "footer", "aside", "ul", "ol", "select", "form"})
_BYLINE_LENGTH = 160
_MANY = 40
_NEAR = 4
"""A line above the title is the article's when it shares an ancestor this close to it."""


def read_visible_authors(root: HtmlElement, heading: HtmlElement | None) -> list[str]:
    """Return the byline's texts: the first element named so below the title, else near above it."""
    for count, element in enumerate(near_title(root, heading, "a", "address", "div", "p", "span", "strong", "li", "em")):
        if count > _MANY * _MANY:
            break
        if _is_byline(element):
            text = " ".join((element_text(element) or "").split())
            if 0 < len(text) <= _BYLINE_LENGTH and read_byline([text]).authors:
                return [text]
    return []


def _is_byline(element: HtmlElement) -> bool:
    if element.get("rel") == "author" or element.get("itemprop") == "author":
        return True
    names = f"{element.get('class') or ''} {element.get('id') or ''}".lower()
    if names != " " and _AUTHOR_NAMES.search(names):
        return True
    link = element.get("href") if element.tag == "a" else None
    return link is not None and _AUTHOR_LINKS.search(link) is not None and is_person(element_text(element) or "")


def near_title(root: HtmlElement, heading: HtmlElement | None, *tags: str) -> Iterator[HtmlElement]:
    """Yield elements below the title in page order, then those close above it; none of another article's.

    Without a heading, all that belong to no other article.
    """
    page = frozenset(heading.iterancestors()) if heading is not None else frozenset()
    close = frozenset(list(heading.iterancestors())[:_NEAR]) if heading is not None else frozenset()
    above: list[HtmlElement] = []
    met = heading is None
    for element in root.iter("h1", "h2", "h3", *tags):
        if element is heading:
            met = True
        elif element.tag in tags and not _of_other(element, page):
            if met:
                yield element
            elif any(up in close for up in element.iterancestors()):
                above.append(element)
    yield from above


def _of_other(element: HtmlElement, page: frozenset[HtmlElement]) -> bool:
    """Tell whether an element belongs to another article's teaser, the comments or the page's furniture."""
    for up in element.iterancestors():
        if up in page:
            return False
        if up.tag in _AWAY - {"ul", "ol"}:
            return True
        names = f"{up.get('class') or ''} {up.get('id') or ''}".lower()
        if up.tag not in {"body", "html", "main", "article"} and names != " " and _OTHERS.search(names):
            return True
    return False
