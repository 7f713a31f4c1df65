"""The byline that stands around the title, for pages whose structured data names nobody."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from lxml.etree import XPath

from pipelines.steps.authors import find_agency, is_person, is_signature, read_byline
from pipelines.steps.title import element_text

if TYPE_CHECKING:
    from lxml.html import HtmlElement

    from pipelines.steps.layout import Layout

_TAGS = frozenset({"a", "address", "div", "p", "span", "strong", "li", "em"})
_NAMES = re.compile(r"auth?eur|author|byline|signature|journalist|contribut|redacteur|r[ée]dig[ée]|vcard|writer")
_LINKS = re.compile(r"/(?:auteurs?|authors?|journalistes?|signataires?|redacteurs?|profil|la-redaction|biographie)/")
_MARKED: Any = XPath("descendant-or-self::*[@rel='author' or @itemprop='author']")
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_LENGTH = 160
_SHORTEST = 5
_UNDER_TITLE = 120
"""Elements below the title among which a byline stands."""


def read_visible_authors(layout: Layout) -> list[str]:
    """Return the byline's text: of the first element named so below the title, else close above it.

    A byline that names an agency and nobody else counts when no other names a person.
    """
    agency = None
    for element in (*layout.below, *layout.above):
        if element.tag in _TAGS and 0 < layout.length[element] <= _LENGTH and _is_byline(element, layout):
            # Parts of a byline are often parted by markup alone: a name, then a profession.
            for text in (
                " | ".join(piece for piece in element.itertext() if piece.strip()),
                element_text(element) or "",
            ):
                found = read_byline([text])
                names = [name for name in found.authors if " " in name or is_signature(name)]
                agency = agency or found.agency
                if names:
                    return [*names, found.agency or ""]
    return _only_marked_author(layout) or ([agency] if agency else [])


def read_visible_agency(layout: Layout, authors: tuple[str, ...]) -> str | None:
    """Return the agency that stands beside one of the authors under the title: "Par Mme Ève Durand (avec AFP)".

    Structured data name the person alone.
    """
    for element in layout.below[:_UNDER_TITLE]:
        if layout.prose.get(element, 0) > _LENGTH:
            return None
        if element.tag in _TAGS and _SHORTEST < layout.length[element] <= _LENGTH:
            text = element_text(element) or ""
            if any(author in text for author in authors) and (agency := find_agency(text)):
                return agency
    return None


def _only_marked_author(layout: Layout) -> list[str]:
    """Return the one person that the page marks as author, wherever that is; nobody when it marks several."""
    bylines = (read_byline([element_text(one) or ""]) for one in _MARKED(layout.root))
    names = {name for byline in bylines for name in byline.authors if " " in name}
    return list(names) if len(names) == 1 else []


def _is_byline(element: HtmlElement, layout: Layout) -> bool:
    if element.get("rel") == "author" or element.get("itemprop") == "author" or _is_name(layout.names[element]):
        return True
    link = element.get("href") if element.tag == "a" else None
    if link is None or not is_person(element_text(element) or ""):
        return False
    return _LINKS.search(link) is not None or _stands_by_a_date(element, layout)


def _stands_by_a_date(link: HtmlElement, layout: Layout) -> bool:
    """Tell whether a linked name shares a short line with a date: "Ève Durand – 25 octobre 2024"."""
    line = link.getparent()
    if line is None or layout.length[line] > _LENGTH or " " not in (element_text(link) or "").strip():
        return False
    return line.find("time") is not None or _YEAR.search(" ".join(line.itertext())) is not None


@lru_cache(maxsize=8192)
def _is_name(names: str) -> bool:
    return _NAMES.search(names) is not None
