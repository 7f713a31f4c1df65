"""What an answer is, by its first element: headers and addresses are too often wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Root = Literal["rss", "feed", "rdf", "urlset", "sitemapindex", "json"]

_ROOTS: dict[str, Root] = {
    "rss": "rss",
    "channel": "rss",  # some hand-made feeds forget the rss element
    "feed": "feed",
    "rdf": "rdf",
    "urlset": "urlset",
    "sitemapindex": "sitemapindex",
}
_HTML = frozenset(
    {
        *("html", "head", "body", "title", "meta", "link", "script", "noscript", "style"),
        *("div", "p", "center", "h1", "h2", "br", "font", "table", "iframe", "main", "span", "pre"),
    }
)

# A warning printed by the server's own script may stand before the document.
_START = re.compile(r"<\?xml\b|<!doctype\b|<(?:rss|feed|rdf:RDF|urlset|sitemapindex|html)\b", re.IGNORECASE)
_SKIPPED = (("<?", "?>"), ("<!--", "-->"))
_DOCTYPE = re.compile(r"<!doctype\s+([\w:.-]*)", re.IGNORECASE)
_ELEMENT = re.compile(r"<(?:[\w.-]{1,100}:)?([\w.-]{1,100})")
_FIRST_WORDS = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """The first element: its local name, and where it starts. Either `root` or `problem` is set."""

    root: Root | None = None
    offset: int = 0
    """Characters before the root element: declaration, comments and doctype, which are never parsed."""
    problem: Literal["empty", "html", "not-xml", "not-a-feed"] | None = None


def opening(head: str) -> Opening:
    """Tell what a document is from its beginning.

    >>> opening('<?xml version="1.0"?><!-- flux --><rss version="2.0">')
    Opening(root='rss', offset=34, problem=None)
    >>> opening("<!DOCTYPE html><title>Erreur</title>").problem
    'html'
    """
    stripped = head.lstrip("\ufeff \t\r\n")
    if not stripped:
        return Opening(problem="empty")
    if stripped[0] in "{[":
        return Opening(root="json", offset=len(head) - len(stripped))
    start = None if stripped[0] == "<" else _START.search(head, 0, _FIRST_WORDS)
    offset = _root_offset(head, start.start() if start else len(head) - len(stripped))
    element = _ELEMENT.match(head, offset)
    if element is None:
        return Opening(problem="html" if _is_html(head, offset) else "not-xml")
    name = element[1].lower()
    root = _ROOTS.get(name)
    if root is not None:
        return Opening(root=root, offset=offset)
    return Opening(problem="html" if name in _HTML else "not-a-feed")


def _root_offset(head: str, position: int) -> int:
    """Skip declarations, comments and a doctype; stop at an element or at what is none of these."""
    while position < len(head):
        while position < len(head) and head[position].isspace():
            position += 1
        closing = next((end for start, end in _SKIPPED if head.startswith(start, position)), None)
        if closing is not None:
            end = head.find(closing, position)
            position = len(head) if end < 0 else end + len(closing)
        elif _DOCTYPE.match(head, position) and not _is_html(head, position):
            position = _after_doctype(head, position)
        else:
            break
    return position


def _after_doctype(head: str, position: int) -> int:
    """Return the end of a doctype: `>` outside its quotes and its internal subset."""
    inside = 0
    quote = ""
    for place in range(position, len(head)):
        character = head[place]
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character in "[]":
            inside += 1 if character == "[" else -1
        elif character == ">" and inside <= 0:
            return place + 1
    return len(head)


def _is_html(head: str, position: int) -> bool:
    doctype = _DOCTYPE.match(head, position)
    return doctype is not None and doctype[1].lower() == "html"
