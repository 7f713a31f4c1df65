"""French typography: no-break spaces where they belong, none where a removed link left one, NFC, nothing invisible."""

from __future__ import annotations

import re
import unicodedata

# U+202F, the narrow one, is kept where an outlet sets it.
_NO_BREAK = "\u00a0"
# What nobody sees: joiners and marks of direction, and control characters.
_INVISIBLE = re.compile(
    "[\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff\ufffc\ufffe\uffff\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
)
# One plain space is right already: a pattern that took it, too, would stop at every word.
_SPACES = re.compile(
    r" [ \t\r\f\v\u1680\u2000-\u200a\u205f\u3000]+|[\t\r\f\v\u1680\u2000-\u200a\u205f\u3000]"
    r"[ \t\r\f\v\u1680\u2000-\u200a\u205f\u3000]*"
)
_LIGATURES = {"\ufb00": "ff", "\ufb01": "fi", "\ufb02": "fl", "\ufb03": "ffi", "\ufb04": "ffl"}
_LIGATURE = re.compile("[\ufb00-\ufb04]")
_BEFORE_HIGH = re.compile("(?<=[^\\s\u00a0\u202f])[ \u00a0]+(?=[;!?]+(?:[\\s\u00a0\u202f»”\"’')\\]…]|$))")
_BEFORE_COLON = re.compile("(?<=[^\\s\u00a0\u202f])[ \u00a0]+(?=:(?:[\\s\u00a0\u202f]|$))")
_AFTER_OPEN = re.compile("«[ \u00a0]+")
_BEFORE_CLOSE = re.compile("[ \u00a0]+»")
# "Starlink , dit-il" or "(en 2022 )": a comma or point that opens a number or a file name is no punctuation of ours.
_LEFT_BY_LINK = re.compile("(?<=[\\w»”\"’')%€\\]])[ \u00a0]+(?=(?:,|\\.)(?:[\\s\u00a0»”\"’')]|$)|\\)|\\])")
_AFTER_PARENTHESIS = re.compile("(?<=[(\\[])[ \u00a0]+(?=\\S)")

# In this order: what must stand in the line for a mend to be tried, what is mended, and into what.
_MENDS = (
    ((" ,", " .", " )", " ]", "\u00a0,", "\u00a0.", "\u00a0)", "\u00a0]"), _LEFT_BY_LINK, ""),
    (("( ", "[ ", "(\u00a0", "[\u00a0"), _AFTER_PARENTHESIS, ""),
    ((" ;", " !", " ?", "\u00a0;", "\u00a0!", "\u00a0?"), _BEFORE_HIGH, _NO_BREAK),
    ((" :", "\u00a0:"), _BEFORE_COLON, _NO_BREAK),
    (("« ", "«\u00a0"), _AFTER_OPEN, "«" + _NO_BREAK),
    ((" »", "\u00a0»"), _BEFORE_CLOSE, _NO_BREAK + "»"),
)


def mend(line: str) -> str:
    r"""Return one line of text in clean French typography.

    >>> mend("Xi Jinping , « un ami » : vraiment ?")
    'Xi Jinping, «\xa0un ami\xa0»\xa0: vraiment\xa0?'
    >>> mend("À 14:30 sur https://exemple.fr/?a=1 ; fin")
    'À 14:30 sur https://exemple.fr/?a=1\xa0; fin'
    """
    text = _LIGATURE.sub(lambda found: _LIGATURES[found[0]], unicodedata.normalize("NFC", line))
    text = _INVISIBLE.sub("", text.replace("\n", " "))
    text = _SPACES.sub(" ", text).strip(" \u00a0\u202f")
    for wanted, pattern, replacement in _MENDS:
        if any(sign in text for sign in wanted):
            text = pattern.sub(replacement, text)
    return text
