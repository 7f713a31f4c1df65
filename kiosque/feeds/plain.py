"""Small readings that all formats share: plain text out of markup, absolute addresses, numbers."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import urljoin, urlsplit

MAX_TEXT = 5_000
"""Characters kept of a title or summary."""
MAX_URL = 2_048
"""Characters of an entry's address: longer ones are no article's."""
_MAX_MARKUP = 100_000
_MAX_FIELD = 500
"""Characters kept of a date, a name, a tag, an identifier."""

_UNSEEN = re.compile(r"<(/?)(script|style)\b[^<>]*>", re.IGNORECASE)
_BREAK = re.compile(
    r"<(?:/?(?:p|div|li|ul|ol|h[1-6]|blockquote|tr|td|table|figure|figcaption)|br)\b[^<>]*>", re.IGNORECASE
)
_SPACE = re.compile(r"[ \t\r\n\f]+")
_TAG = re.compile(r"<(?:[a-zA-Z/!?])[^<>]*>")


def plain_text(markup: object) -> str | None:
    """Return the words of a piece of HTML or text on one line, None when there are none.

    >>> plain_text("<p>Le <b>b&eacute;b&eacute;</b>&#8239;: 3 < 5</p><p>Suite</p>")
    'Le bébé\u202f: 3 < 5 Suite'
    """
    if not isinstance(markup, str):
        return None
    text = markup[:_MAX_MARKUP]
    if "<" in text:
        text = _TAG.sub("", _BREAK.sub(" ", _seen(text)))
    # `split()` would also cut at no-break spaces, which French typography needs.
    return _SPACE.sub(" ", unescape(text)).strip(" ")[:MAX_TEXT] or None


def _seen(markup: str) -> str:
    """Return the markup without its scripts and styles; one that never ends takes the rest along."""
    pieces, position, inside = [], 0, ""
    for tag in _UNSEEN.finditer(markup):
        closing, name = tag[1], tag[2].lower()
        if not inside and not closing:
            pieces.append(markup[position : tag.start()])
            inside = name
        elif closing and name == inside:
            position, inside = tag.end(), ""
    return " ".join(pieces if inside else [*pieces, markup[position:]])


def field(value: object) -> str | None:
    """Return a short raw text (a date, an identifier) without the space around it, None when empty."""
    return value.strip()[:_MAX_FIELD] or None if isinstance(value, str) else None


def names(values: object, *, most: int = 20) -> tuple[str, ...]:
    """Return the plain, distinct, non-empty ones of a list of names."""
    if not isinstance(values, list | tuple):
        return ()
    plain = (plain_text(value) for value in values[: 5 * most])
    return tuple(dict.fromkeys(name[:_MAX_FIELD] for name in plain if name))[:most]


def absolute(link: object, base: str) -> str | None:
    """Return an http(s) address made absolute, None when there is none.

    >>> absolute(" ../a?x=1&y=2 ", "https://exemple.fr/flux/rss.xml")
    'https://exemple.fr/a?x=1&y=2'
    >>> absolute("javascript:alert(1)", "https://exemple.fr/")
    """
    if not isinstance(link, str) or not link.strip() or len(link) > MAX_URL:
        return None
    try:
        address = urljoin(base, re.sub(r"[\t\r\n]", "", link.strip()))
        split = urlsplit(address)
        usable = split.scheme in {"http", "https"} and bool(split.hostname) and len(address) <= MAX_URL
    except ValueError:
        return None
    return address if usable else None


def whole_number(text: str | None, *, most: int) -> int | None:
    """Return a positive whole number, at most `most`; None for anything else."""
    digits = (text or "").strip()
    if not (digits.isascii() and digits.isdigit()):
        return None
    return min(int(digits[:9]), most) or None
