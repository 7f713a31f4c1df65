"""Cut a folded line into tokens and give each its class: the line's shape, one character a token."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from pipelines.steps.dates import context, lexicon
from pipelines.steps.dates.lexicon import listed
from pipelines.steps.dates.repair import fold

if TYPE_CHECKING:
    from collections.abc import Iterable


class Line(NamedTuple):
    """A line of text, cut: `shape[i]` is the class of `words[i]`."""

    text: str
    folded: str
    words: list[str]
    shape: str

    def piece(self, start: int, end: int) -> str:
        """Return the text from token `start` up to token `end`, as it was written."""
        whole = end == len(self.words)
        first = last = 0
        for number, word in enumerate(self.words[: start + 1 if whole else end]):
            place = self.folded.index(word, last)
            first = place if number == start else first
            last = place + len(word)
        return (self.text[first:] if whole else self.text[first:last]).strip()

    def is_name(self, token: int) -> bool:
        """Tell whether a word is written with a capital."""
        return self.piece(token, token + 1)[:1].isupper()


TIGHT_DOT = "\x01"
_DOT = re.compile(r"(?<=\d)\.(?=\d)")
_SIGNS = {
    "/": "/",
    "-": "-",
    "–": "-",
    "+": "%",
    ":": ":",
    ",": ",",
    ";": ",",
    ".": ";",
    TIGHT_DOT: "=",
    "|": "!",
    " - ": "!",
    "- ": "!",
    " – ": "!",
    "– ": "!",
    " -": "~",
    " –": "~",
    "(": "<",
    "[": "<",
    ")": ">",
    "]": ">",
}
_LAST_OF_CLASS = {0: "0", 9: "1", 12: "2", 23: "3", 31: "4", 59: "5", 99: "6"}


def _numbers() -> dict[str, str]:
    found = {f"{hour:02d}{minute:02d}": "K" for hour in range(24) for minute in range(60)}
    found |= {str(year): "Y" for year in range(1900, 2100)}
    for number in range(100):
        found[f"{number:02d}"] = next(name for last, name in _LAST_OF_CLASS.items() if number <= last and last != 9)  # noqa: PLR2004  one digit: below
    return found | {"0": "0", "00": "7"} | {str(number): "1" for number in range(1, 10)}


def _labels(words: str, token_class: str) -> dict[str, str]:
    """Return the labels, and how they look with an accented e lost ("publi_")."""
    found = dict.fromkeys(listed(words), token_class)
    for word in listed(words):
        places = [place for place, letter in enumerate(word) if letter == "e"]
        found |= {word[:place] + lost + word[place + 1 :]: token_class for place in places for lost in ("_", "__")}
    return found


def _words() -> dict[str, str]:
    tables = {
        "X": ", ".join(context.NAMED_BY_DATE.values()),
        "e": context.EXPECTED,
        "i": context.STAGED,
        "B": ", ".join(context.BELONGING.values()),
        "O": context.NUMBERED,
        "S": ", ".join(context.SHOWN.values()),
        **lexicon.OTHERS,
        **lexicon.UNITS,
        "f": lexicon.FRACTIONS,
    }
    found = {word: token_class for token_class, words in tables.items() for word in listed(words)}
    values: dict[str, Iterable[str]] = {
        "Q": lexicon.QUANTITIES,
        "Z": lexicon.ZONES | lexicon.NAMED_ZONES,
        "H": lexicon.DAYS_AGO,
        "N": lexicon.NOON,
        "q": lexicon.DAY_PARTS,
        "W": lexicon.WEEKDAYS,
        "w": lexicon.SHORT_WEEKDAYS,
        "M": lexicon.MONTHS | lexicon.AMBIGUOUS_MONTHS | lexicon.LOST_LETTER_MONTHS,
    }
    found |= {word: token_class for token_class, words in values.items() for word in words}
    return found | _labels(context.PUBLISHED, "P") | _labels(context.MODIFIED, "V") | {"mar": "R"}


_WORD = re.compile(r"[a-z_]+")
EPOCH_DIGITS = (10, 13)
"""Seconds or milliseconds since 1970, from 2001 to 2033."""
_FUTURE = re.compile(r"(?:[a-z]{4,}[ei]|[a-z]*(?:[tv]iend|prend|rend|tend|voud|faud|pour|dev))r(?:a|ont)")
"""A verb in the future ("débutera", "ouvriront"): what it dates is to come."""


class _Classes(dict[str, str]):
    """Token to class; what is in no table is a number (9, 8, u), a region's zone (r), a future (B) or unknown (x)."""

    def __missing__(self, word: str) -> str:
        if word.isdecimal():
            if len(word) == len("20241025") and word.startswith(("19", "20")):
                return "8"
            return "u" if len(word) in EPOCH_DIGITS and word[0] == "1" else "9"
        if "/" in word:
            return "r"
        return "B" if _FUTURE.fullmatch(word) else "x"


@cache
def classes() -> dict[str, str]:
    """Return the class of every token, made when first asked for."""
    return _Classes(_words() | _numbers() | _SIGNS)


def _phrases(first: str) -> str:
    """Return one pattern for the tokens that are more than letters or figures and start so, the longest first."""
    heads: dict[str, list[str]] = {}
    phrases = (word for word in classes() if re.match(first, word) and not (word.isdecimal() or _WORD.fullmatch(word)))
    for phrase in sorted(phrases, key=len, reverse=True):
        heads.setdefault(phrase[0], []).append(re.escape(phrase[1:]))
    tails = "|".join(f"{head}(?:{'|'.join(rest)})" for head, rest in heads.items())
    return rf"(?<![a-z0-9])(?:{tails})(?:(?<=')|(?![a-z0-9]))"


@cache
def _pattern() -> re.Pattern[str]:
    regions = "|".join(listed(lexicon.REGIONS))
    return re.compile(
        rf"(?=[a-z])(?:(?:{regions})/[a-z_/-]+|{_phrases('[a-z]')}|[a-z_]+)"  # tried at letters only: it is long
        rf"|{_phrases('[0-9]')}|\d+|[#@]\w+"  # hashtags and names of accounts
        r"|_[a-z_]*| [-–] | [-–]|[-–] |[^\w\s'\"«»“”]"
    )


def cut(text: str) -> Line:
    """Cut a cleaned text into tokens.

    >>> cut("Publié le 25 octobre 2024 à 7h12").shape
    'PL4MYA1h2'
    """
    folded = fold(text)
    if "." in folded:
        folded = _DOT.sub(TIGHT_DOT, folded)
    words = _pattern().findall(folded)
    return Line(text, folded, words, "".join(map(classes().__getitem__, words)))
