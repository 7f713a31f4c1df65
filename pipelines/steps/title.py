"""The article's title: what the page shows and its structured data agree on, without the outlet's suffix."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pipelines.steps.layout import text_of
from pipelines.steps.structured import Structured, plain

if TYPE_CHECKING:
    from lxml.html import HtmlElement

    from kiosque.model import Outlet

_SEPARATOR = re.compile(r"\s+[|–—•·»:-]\s+|\s*\|\s*")
_MAX_LENGTH = 400
_ALIKE = 0.5
_LABEL = 15


def page_title(root: HtmlElement) -> str | None:
    """Return the text of the page's only or first telling h1, else of its title tag."""
    headings = [text for heading in root.iter("h1") if (text := element_text(heading))]
    return headings[0] if headings else element_text(root.find(".//title"))


def title_element(root: HtmlElement, title: str | None) -> HtmlElement | None:
    """Return the heading that shows the title, else the first h1, None when the page has neither."""
    headings = list(root.iter("h1", "h2", "h3")) if title else []
    best = max(headings, key=lambda one: _alike(element_text(one) or "", title or ""), default=None)
    if best is not None and _alike(element_text(best) or "", title or "") >= _ALIKE:
        return best
    return root.find(".//h1")


def find_title(root: HtmlElement, structured: Structured, outlet: Outlet, *, css: str | None = None) -> str | None:
    """Choose the title: the outlet's selector, then the h1 that structured data confirms, then structured data.

    Readers see the h1; JSON-LD and Open Graph often carry a shorter or a search engine's version of it. They tell
    which of several h1 is the article's: the one that shares most words with them.
    """
    if css and (chosen := next((text for one in root.cssselect(css) if (text := element_text(one))), None)):
        return chosen
    claims = _claims(root, structured, outlet)
    headings = [text for heading in root.iter("h1") if (text := element_text(heading))]
    shown = max(headings, key=lambda text: max((_alike(text, claim) for claim in claims), default=0.0), default=None)
    if shown and (label := next((piece for claim in claims if (piece := _opening(claim, shown))), None)):
        return label
    if shown and (not claims or any(_alike(shown, claim) >= _ALIKE for claim in claims)):
        return _without_suffix(shown, outlet)
    return claims[0] if claims else shown


def _opening(claim: str, shown: str) -> str | None:
    """Return the first piece of a claim when the h1 is that piece and a label: "Un titre Abonnés"."""
    piece = _SEPARATOR.split(claim)[0].strip()
    is_label = len(shown) - len(piece) <= _LABEL and shown.startswith(piece) and shown != piece
    return piece if is_label and len(piece) > _LABEL else None


def _claims(root: HtmlElement, structured: Structured, outlet: Outlet) -> list[str]:
    values = (
        plain(structured.node.get("headline")),
        structured.first("og:title"),
        structured.first("twitter:title"),
        element_text(root.find(".//title")),
        plain(structured.node.get("name")),
    )
    return [_without_suffix(value, outlet) for value in values if value]


def element_text(element: HtmlElement | None) -> str | None:
    """Return an element's text with spaces collapsed, None when there is none.

    Script and style inside it do not count.
    """
    return None if element is None else text_of(element)[:_MAX_LENGTH] or None


def _without_suffix(title: str, outlet: Outlet) -> str:
    """Take the outlet's name off either end.

    "Un titre - La Voix | Politique" with the outlet "La Voix" gives "Un titre".
    """
    host = (urlsplit(outlet.site).hostname or "").removeprefix("www.")
    names = {_squash(outlet.name), _squash(host), _squash(host.rsplit(".", 1)[0])} - {""}
    pieces = list(_SEPARATOR.finditer(title))
    for piece in pieces:
        tail = _squash(_SEPARATOR.split(title[piece.end() :])[0])
        if tail in names and piece.start() > 0:
            return title[: piece.start()].strip()
    if pieces and _squash(title[: pieces[0].start()]) in names:
        return title[pieces[0].end() :].strip()
    return title


def _squash(text: str) -> str:
    return re.sub(r"\W+", "", text.lower()).removeprefix("le").removeprefix("la").removeprefix("les")


def _alike(one: str, other: str) -> float:
    a, b = set(re.findall(r"\w+", one.lower())), set(re.findall(r"\w+", other.lower()))
    return len(a & b) / len(a | b) if a and b else 0.0
