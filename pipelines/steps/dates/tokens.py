"""Cut a folded line into tokens and give each its class: the line's shape, one character a token."""

from __future__ import annotations

import re
from typing import NamedTuple

from pipelines.steps.dates import context, lexicon
from pipelines.steps.dates.repair import fold


class Line(NamedTuple):
    """A line of text, cut: `shape[i]` is the class of `words[i]`."""

    text: str
    folded: str
    words: list[str]
    shape: str

    def piece(self, start: int, end: int) -> str:
        """Return the text from token `start` up to token `end`, as it was written."""
        if start == 0 and end == len(self.words):
            return self.text
        first = last = 0
        for number, word in enumerate(self.words[:end]):
            place = self.folded.index(word, last)
            first = place if number == start else first
            last = place + len(word)
        return self.text[first:last].strip()

    def is_name(self, token: int) -> bool:
        """Tell whether a word is written with a capital."""
        last = 0
        for word in self.words[: token + 1]:
            place = self.folded.index(word, last)
            last = place + len(word)
        return self.text[place].isupper()


def _numbers() -> dict[str, str]:
    classes = {str(number): "1" for number in range(1, 10)} | {"0": "0", "00": "7"}
    for number in range(1, 100):
        classes[f"{number:02d}"] = (
            "2" if number <= 12 else "3" if number <= 23 else "4" if number <= 31 else "5" if number <= 59 else "6"
        )
    for hour in range(24):
        classes |= {f"{hour:02d}{minute:02d}": "K" for minute in range(60)}
    return classes | {str(year): "Y" for year in range(1900, 2100)}


def _listed(text: str, token_class: str) -> dict[str, str]:
    return dict.fromkeys(text.split(), token_class)


def _phrased(text: str, token_class: str) -> dict[str, str]:
    return dict.fromkeys(text.split(";"), token_class)


def _context() -> dict[str, str]:
    classes: dict[str, str] = {}
    for groups, token_class in ((context.NEAR, "X"), (context.CLAUSE, "B"), (context.SHOW, "S")):
        for words in groups.values():
            classes |= _listed(words, token_class)
    classes |= (
        _phrased(context.NEAR_PHRASES, "X")
        | _phrased(context.CLAUSE_PHRASES, "B")
        | _phrased(context.SHOW_PHRASES, "S")
    )
    return classes | _listed(context.NUMBERED, "O")


def _lost(name: str, place: int) -> list[str]:
    return [name[:place] + lost + name[place + 1 :] for lost in ("_", "__", "")]


def _words() -> dict[str, str]:
    classes = _context()
    for token_class, words in lexicon.WORDS_BY_CLASS.items():
        classes |= (_phrased if ";" in words else _listed)(words, token_class)
    for token_class, words in lexicon.UNITS.items():
        classes |= _listed(words, token_class)
    classes |= _listed(lexicon.PUBLISHED, "P") | _phrased(lexicon.PUBLISHED_PHRASES, "P")
    classes |= _listed(lexicon.MODIFIED, "V") | _phrased(lexicon.MODIFIED_PHRASES, "V")
    classes |= dict.fromkeys(lexicon.WEEKDAYS, "W") | dict.fromkeys(lexicon.SHORT_WEEKDAYS, "w")
    classes |= dict.fromkeys(lexicon.MONTHS, "M") | dict.fromkeys(lexicon.AMBIGUOUS_MONTHS, "M") | {"mar": "R"}
    classes |= dict.fromkeys(lexicon.LOST_LETTER_MONTHS, "M")
    classes |= dict.fromkeys(lexicon.QUANTITIES, "Q") | {"demi": "f", "demie": "f", "quart": "f", "quarts": "f"}
    classes |= dict.fromkeys(lexicon.ZONES, "Z") | dict.fromkeys(lexicon.NAMED_ZONES, "Z")
    classes |= dict.fromkeys(lexicon.DAYS_AGO, "H") | dict.fromkeys(lexicon.NOON, "N")
    classes |= {**dict.fromkeys(lexicon.DAY_PARTS, "q"), "am": "p", "pm": "p", "a.m": "p", "p.m": "p"}
    for lost in [
        form for name in lexicon.PUBLISHED.split() for place in _accents(name) for form in _lost(name, place)[:2]
    ]:
        classes[lost] = "P"
    for lost in [
        form for name in lexicon.MODIFIED.split() for place in _accents(name) for form in _lost(name, place)[:2]
    ]:
        classes[lost] = "V"
    return classes


def _accents(name: str) -> list[int]:
    return [place for place, letter in enumerate(name) if letter == "e"]


_SIGNS = {
    "/": "/", "-": "-", " - ": "!", "- ": "!", " -": "~", "–": "-", " – ": "!", "– ": "!", " –": "~", "|": "!", ".": ";", "\x01": "=",
    ":": ":", ",": ",", ";": ",", "(": "<", "[": "<", ")": ">", "]": ">", "+": "%", "_": "A",
}  # fmt: skip


class _Classes(dict[str, str]):
    """Token to class; what is in no table is a number (9), a compact date (8), a region's zone (Z) or unknown (x)."""

    def __missing__(self, word: str) -> str:
        if word.isdecimal():
            return "8" if len(word) == 8 and word.startswith(("19", "20")) else "9"
        return "r" if "/" in word else "x"


CLASSES = _Classes(_words() | _numbers() | _SIGNS)
REGIONS = "europe america africa indian pacific atlantic asia australia antarctica"


def _phrases() -> str:
    """Return one pattern for the phrases (tokens with a space or a sign inside), the longest first."""
    phrases = [word for word in CLASSES if re.search(r"[a-z0-9][^a-z0-9_]+[a-z0-9_]", word)]
    by_head: dict[str, list[str]] = {}
    for phrase in sorted(phrases, key=len, reverse=True):
        by_head.setdefault(phrase[0], []).append(re.escape(phrase[1:]))
    heads = "|".join(f"{re.escape(head)}(?:{'|'.join(tails)})" for head, tails in by_head.items())
    return rf"(?<![a-z0-9])(?:{heads})(?![a-z0-9])"


_TOKEN = re.compile(
    rf"(?:{REGIONS.replace(' ', '|')})/[a-z_/-]+"
    rf"|{_phrases()}"
    r"|[a-z_]+|\d+| [-–] | [-–]|[-–] |[^\w\s'\"«»“”]"
)
_TIGHT_DOT = re.compile(r"(?<=\d)\.(?=\d)")


def cut(text: str) -> Line:
    """Cut a cleaned text into tokens."""
    folded = fold(text)
    if "." in folded:
        folded = _TIGHT_DOT.sub("\x01", folded)
    words = _TOKEN.findall(folded)
    return Line(text, folded, words, "".join(map(CLASSES.__getitem__, words)))
