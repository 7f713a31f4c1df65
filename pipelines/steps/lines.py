"""How lines are compared: `plain_line` for rules, `fold_line` for learned clutter and repeats."""

from __future__ import annotations

import re
import unicodedata

_EDGES = re.compile(r"^[^\w«\"“'(©]+|[^\w»\"”')!?.…%]+$")
_QUOTES = str.maketrans({"’": "'", "ʼ": "'", "‘": "'", "`": "'", "\u00a0": " ", "\u202f": " ", "‑": "-", "…": "..."})
_DIGITS = re.compile(r"\d+")
_NOT_WORDS = re.compile(r"[^\w]+")


def plain_line(line: str) -> str:
    """Fold case, apostrophes and spaces, and take symbols off the edges; words and punctuation stay.

    >>> plain_line("→ À lire\u00a0aussi : L’été…")
    "à lire aussi : l'été..."
    """
    text = unicodedata.normalize("NFC", line).translate(_QUOTES).lower()
    return _EDGES.sub("", " ".join(text.split()))


def fold_line(line: str) -> str:
    """Fold a line to what is compared between articles: words alone, lower case, every number a 0.

    >>> fold_line("  Lu 1 254 fois — Le Courrier, VOTRE quotidien ! ")
    'lu 0 0 fois le courrier votre quotidien'
    """
    text = unicodedata.normalize("NFKC", line).lower()
    return _NOT_WORDS.sub(" ", _DIGITS.sub("0", text)).strip()


def words_of(text: str) -> list[str]:
    """Return the words of a text, lower case: what two versions of one sentence have in common."""
    return re.findall(r"\w+", unicodedata.normalize("NFKC", text).lower())
