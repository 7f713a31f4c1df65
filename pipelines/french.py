"""Is a page worth reading as French? A quick look at its bytes, for archives of the whole world's news."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipelines.steps.language import detect_language

if TYPE_CHECKING:
    from kiosque.model import Page

# Looked through at most, and taken from it at most.
LOOKED_AT, SAMPLE = 600_000, 6_000
# A piece of text between two tags that is as long as a sentence; menus are shorter.
SENTENCE = 60
_CODE = re.compile(r"<(?:script|style)\b", re.IGNORECASE)
_CODE_END = re.compile(r"</(?:script|style)", re.IGNORECASE)
_LABEL = re.compile(r"""<html\b[^<>]{0,500}?\blang\s*=\s*["']?([A-Za-z]{2})""", re.IGNORECASE)
_BETWEEN = re.compile(rf">([^<>]{{{SENTENCE},}})")


def looks_french(page: Page) -> bool:
    """Tell whether a page is in French or cannot be told; reading it in full decides.

    >>> from datetime import UTC, datetime
    >>> from kiosque.model import Page
    >>> body = b"<p>" + b"The mayor said that the works on the square will start in the spring and last a year." * 3
    >>> looks_french(Page(url="", final_url="", body=body, fetched_at=datetime.now(UTC)))
    False
    """
    html = page.body[:LOOKED_AT].decode("utf-8", "replace")
    label = _LABEL.search(html[:5000])
    found = detect_language(_sentences(html), label=label[1] if label else None)
    return found in {None, "fr"}


def _sentences(html: str) -> str:
    pieces, length = [], 0
    for number, part in enumerate(_CODE.split(html)):
        end = _CODE_END.search(part) if number else None
        for match in _BETWEEN.finditer(part, end.start() if end else len(part) if number else 0):
            pieces.append(match[1])
            length += len(match[1])
            if length > SAMPLE:
                return " ".join(pieces)
    return " ".join(pieces)
