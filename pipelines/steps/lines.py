"""How lines are compared: `plain_line` for rules, `fold_line` for learned clutter, `words_of` for repeats."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kiosque.common_rules import CommonRules

_EDGES = re.compile(r"^[^\w«\"“'(©]+|[^\w»\"”')!?.…%]+$")
_QUOTES = {"’": "'", "ʼ": "'", "‘": "'", "`": "'", "\u00a0": " ", "\u202f": " ", "‑": "-", "…": "..."}
_QUOTE = re.compile(f"[{''.join(_QUOTES)}]")
# "abonné·es", "abonné(e)s": one spelling is enough for the rules.
_INCLUSIVE = re.compile(r"(?:·e|\(e\)|\.e)(?:·?(s))?\b")
_DIGITS = re.compile(r"\d+")
_SENTENCE_END = re.compile(r"[.!?…»”\"]$")
_NOT_WORDS = re.compile(r"[^\w]+")


def plain_line(line: str) -> str:
    """Fold case, apostrophes and spaces, and take symbols off the edges; words and punctuation stay.

    >>> plain_line("→ À lire\u00a0aussi : L’été…")
    "à lire aussi : l'été..."
    """
    text = _QUOTE.sub(lambda found: _QUOTES[found[0]], unicodedata.normalize("NFC", line))
    text = _INCLUSIVE.sub(r"\1", text.lower())
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


def opening_group(line: str, plain: str, common: CommonRules) -> str | None:
    """Return the group of common rules whose opening a line has, `plain` being its folded form; None for a sentence."""
    for group, pattern in common.lines.starts:
        if pattern.match(plain):
            return group
    for group, pattern in common.lines.labels:
        match = pattern.match(plain)
        if match and not _goes_on(line, plain, match.end()):
            return group
    return None


def _goes_on(line: str, plain: str, end: int) -> bool:
    """Tell whether a label is only the beginning of a sentence, such as "Lire aussi des romans lui a servi".

    A title that follows "Lire aussi" begins with a capital, a quotation mark, or after a colon or a dash.
    """
    rest = plain[end:].lstrip(" ")
    if not rest or plain[end : end + 1].isalnum():
        return bool(rest)
    position = line.lower().replace("’", "'").find(rest[:12])
    begins = line[position : position + 1] if position > 0 else rest[:1]
    return begins.islower() and bool(_SENTENCE_END.search(line))
