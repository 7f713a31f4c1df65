"""Repair what a page's markup and encodings did to a date line, then fold it to plain lower-case letters."""

from __future__ import annotations

import html
import re
import unicodedata
from functools import cache

MAX_CHARS = 4_000
"""A date line is short: what stands further on is not read, so that a hostile text costs no more than this."""

LEAF_LINE = 10
"""The longest line of a calendar leaf: "septembre"."""

_SUPERSCRIPT_TAG = re.compile(r"</?\s?su[pb]\b[^<>]{0,80}>", re.IGNORECASE)  # 1<sup>er</sup> is one word
_TAG = re.compile(r"<[/!a-zA-Z][^<>]{0,300}>")
_CAMEL = re.compile(r"(?<=[a-z0-9à-öø-ÿ])(?=[A-ZÀ-ÖØ-Þ][a-zà-ÿ])")  # "VisotMis à jour": two elements without a space
_GLUED = re.compile(r"[a-z0-9à-öø-ÿ][A-ZÀ-ÖØ-Þ][a-zà-ÿ]|\d{5}")
_LOST_LETTER = re.compile(r"(?<=[A-Za-z])\?(?=[a-z])")  # "f?vrier"
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")  # "f\\u00e9vrier", from a script
_GLUED_YEAR = re.compile(r"(?<!\d)((?:19|20)\d\d)(?=[0-3]?\d ?[A-Za-zéûÉÛ]{3})")  # "20 janvier 202020 janvier 2020"

# UTF-8 bytes that somebody read in another encoding: how a sequence starts, and what it was read in.
_MISREADINGS = (
    ("ÂÃâ", "cp1252"),  # web servers that say Windows-1252 or ISO 8859-1
    ("√¬", "mac_roman"),  # texts typed on old Macs
    ("├┬", "cp850"),  # DOS exports of old content systems
)


@cache
def _repairs() -> dict[str, str]:
    """Return each misread sequence of a French letter or mark, with the character it was."""
    repairs = {}
    for letter in (*map(chr, range(0xA0, 0x100)), *"œŒŸ’‘“”–—…•"):
        encoded = letter.encode()
        for _, codec in _MISREADINGS:
            repairs[encoded.decode(codec, "replace")] = letter
        repairs[encoded.decode("latin-1")] = letter
    return {wrong: right for wrong, right in repairs.items() if "\ufffd" not in wrong}


@cache
def _misread() -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, sorted(_repairs(), key=len, reverse=True))))


_A_GRAVE = re.compile(r"(?<![A-Za-z])Ã[ \u00a0](?=[^a-z])")  # "Ã 7h12": the second byte was a no-break space

_BORN = re.compile(r"\b[Nn]é(?=e?s?\b)")  # without its accent it would be "ne"

_INVISIBLES = "\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u2060\u2066\u2067\u2069\ufeff"
_INVISIBLE = dict.fromkeys(map(ord, _INVISIBLES))
_ODD = re.compile(f"[{_INVISIBLES}\u0300-\u036f{''.join(signs for signs, _ in _MISREADINGS)}]")


def clean(text: str) -> str:
    """Return the text as a reader would see it: no tags, entities, misread bytes or invisible characters.

    >>> clean("PubliÃ© le 1<sup>er</sup>&nbsp;f&eacute;vrier")
    'Publié le 1er février'
    """
    text = text[:MAX_CHARS]
    if "&" in text:
        text = html.unescape(html.unescape(text))  # feeds escape twice
    if "%" in text:
        text = text.replace("%2B", "+").replace("%3A", ":")
    if "\\" in text:
        text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text).replace("\\", "")
    if "<" in text:
        text = _TAG.sub(" ", _SUPERSCRIPT_TAG.sub("", text))
    if "\n" in text:
        text = _one_line(text)
    if "(s)" in text:
        text = text.replace("(s)", "s")  # "il y a 2 heure(s)"
    if not text.isascii():
        text = _clean_unicode(text)
    if "?" in text:
        text = _LOST_LETTER.sub("\ufffd", text)
    text = " ".join(text.split())
    if _GLUED.search(text):
        text = _GLUED_YEAR.sub(r"\1 ", _CAMEL.sub(" ", text))
    return text


def _one_line(text: str) -> str:
    """Join lines as parts of one, but the lines of a calendar leaf ("24", "oct", "2024") as words."""
    lines = [line for line in map(str.strip, text.split("\n")) if line]
    return (" " if all(len(line) <= LEAF_LINE for line in lines) else " | ").join(lines)


def _clean_unicode(text: str) -> str:
    if not _ODD.search(text):
        return text
    for _ in range(2):  # "Ã\x83Â©" was misread twice
        text = _A_GRAVE.sub("à ", _misread().sub(lambda found: _repairs()[found[0]], text))
    return unicodedata.normalize("NFC", text.translate(_INVISIBLE))


def _folding() -> dict[int, str]:
    """Return the character to character table of `fold`: one for one, so that places in the text stay."""
    table = {}
    for code in (*range(0xC0, 0x250), *range(0x1E00, 0x1F00), *range(0xFF10, 0xFF1A)):
        base = unicodedata.normalize("NFKD", chr(code))[0]
        if base.isascii():
            table[code] = base.lower()
    for marks, plain in (
        ("’‘ʼʹ´`′＇", "'"),
        ("‐‑‒−", "-"),
        ("\ufffd", "_"),
        ("º°", "o"),
        ("œŒ", "o"),
        ("æÆ", "a"),
        ("⁄∕／", "/"),
    ):
        table |= dict.fromkeys(map(ord, marks), plain)
    return table | dict.fromkeys(map(ord, "•·●▪■∙⋅‧|¦›»«❘│┃—⸱"), "|") | {ord("–"): "–", 0x130: "i"}


_FOLD = _folding()
_FOLD_LATIN = bytes(ord(chr(code).translate(_FOLD).lower()) for code in range(256))


def fold(cleaned: str) -> str:
    """Return the text in lower case without accents, each character in its place.

    >>> fold("Publié le 1er FÉVRIER — 7h")
    'publie le 1er fevrier | 7h'
    """
    if cleaned.isascii():
        return cleaned.lower()
    if "né" in cleaned or "Né" in cleaned:
        cleaned = _BORN.sub("n_", cleaned)
    try:
        return cleaned.encode("latin-1").translate(_FOLD_LATIN).decode("latin-1")  # as below, five times faster
    except UnicodeEncodeError:
        return cleaned.translate(_FOLD).lower()
