"""Bytes and headers -> text: strictly valid UTF-8 wins over any label, and mojibake is mended."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kiosque.model import Page

_META_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]{2,40})""", re.IGNORECASE)
_HEADER_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{2,40})", re.IGNORECASE)
_HEAD_BYTES = 4096
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))

# What UTF-8 read as Windows-1252 makes of é, è, à, ç, ê, the quotes and the no-break space.
_MOJIBAKE = re.compile("Ã[\x80-\xbf©¨ªª´®¯¢§€‰Š¹»ˆ‡ ]|â€[™œ\x9d“”¦˜]|Â[\xa0«»°]|Å“")
_MANY = 3

# Labels that browsers read as Windows-1252 (WHATWG Encoding, "latin1" and its friends).
_AS_1252 = {"iso-8859-1", "latin-1", "latin1", "iso8859-1", "us-ascii", "ascii", "windows-1252", "cp1252", "l1"}


def decode(page: Page) -> str:
    """Return the page's text, whatever its labels say; never raises.

    Bytes that are strictly valid UTF-8 are UTF-8. Else the byte order mark, the header's and the page's own labels
    are tried; a label of UTF-8 over bytes that are not means Windows-1252, unless only a few bytes are damaged.
    """
    return decode_how(page)[0]


def decode_how(page: Page) -> tuple[str, str]:
    """Return the text, and the encoding that the bytes were read in with what was found of it."""
    body = page.body
    for mark, name in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace"), f"{name}, by its byte order mark"
    try:
        text, how = body.decode("utf-8"), "utf-8, strictly valid"
    except UnicodeDecodeError:
        text, how = _decode_labelled(body, labels(page))
    mended = _mend(text)
    return mended, how if mended is text else f"{how}; mojibake mended"


def labels(page: Page) -> list[str]:
    """Return the encodings that the header and the page itself name, lower case."""
    found = _HEADER_CHARSET.findall(page.header("content-type") or "")
    found += [name.decode("ascii", "replace") for name in _META_CHARSET.findall(page.body[:_HEAD_BYTES])]
    return [name.lower() for name in found]


def _decode_labelled(body: bytes, named: list[str]) -> tuple[str, str]:
    for label in named:
        if label in {"utf-8", "utf8"}:
            continue
        name = "windows-1252" if label in _AS_1252 else label
        text = _decode_strictly(body, name)
        if text is not None:
            return text, f"{name}, by its label"
    damaged = body.decode("utf-8", "replace")
    # A page cut in the middle of a character or with a few broken ones is still UTF-8.
    good = len(re.findall("[\u00c0-\u017f\u2019\u00ab\u00bb\u00a0]", damaged))
    if good > _MANY * damaged.count("\ufffd"):
        return damaged, "utf-8, a few characters damaged"
    return body.decode("windows-1252", "replace"), "windows-1252, for no label fits"


def _decode_strictly(body: bytes, encoding: str) -> str | None:
    """Return the text, None when the encoding is unknown, not a text encoding, or does not fit."""
    try:
        return body.decode(encoding, "replace" if encoding == "windows-1252" else "strict")
    except (LookupError, UnicodeError, ValueError):
        return None


def _mend(text: str) -> str:
    """Undo mojibake where the page is full of it; right text is never touched.

    >>> _mend("Le procÃ¨s dâ€™assises sâ€™ouvre Ã  lâ€™Ã©tÃ©, annonce lâ€™avocat.")
    'Le procès d’assises s’ouvre à l’été, annonce l’avocat.'
    >>> _mend("Le signe « Ã » est une lettre du portugais : SÃO PAULO.")
    'Le signe « Ã » est une lettre du portugais : SÃO PAULO.'
    """
    if "Ã" not in text and "â€" not in text:
        return text
    marks = len(_MOJIBAKE.findall(text))
    if marks < _MANY or marks < len(re.findall("[éèêàùçîôœ]", text)):
        return text
    return _mend_lines(text)


def _mend_lines(text: str) -> str:
    import ftfy  # noqa: PLC0415  (70 ms to import, and one page in a thousand needs it)

    config = ftfy.TextFixerConfig(
        unescape_html=False,
        fix_latin_ligatures=False,
        fix_character_width=False,
        uncurl_quotes=False,
        fix_line_breaks=False,
        remove_control_chars=False,
        normalization=None,
        explain=False,
    )
    mended = ftfy.fix_text(text, config)
    # Harmless means: less mojibake and no character lost.
    better = len(_MOJIBAKE.findall(mended)) < len(_MOJIBAKE.findall(text))
    return mended if better and mended.count("\ufffd") <= text.count("\ufffd") else text
