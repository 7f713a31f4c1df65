"""Bytes to clean text: gzip opened within bounds, the encoding found, control characters dropped."""

from __future__ import annotations

import codecs
import re
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_BODY = 52_428_800
"""Bytes after decompression: the sitemap protocol's own limit of 50 MB."""

_CHUNK = 65_536
_GZIP = b"\x1f\x8b"
_MIXED = "utf-8-or-windows-1252"
_DECLARED = re.compile(rb"<\?xml[^>]{0,200}?\bencoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})", re.IGNORECASE)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9._-]{1,40})", re.IGNORECASE)
# Characters that XML 1.0 forbids.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

# The first bytes of a document that is not made of single ASCII bytes, longest first.
_SIGNATURES = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\x00", "utf-16-le"),
    (b"\x00<", "utf-16-be"),
)
# What these labels mean on the web: https://encoding.spec.whatwg.org/#names-and-labels
_WINDOWS_1252 = frozenset({"iso8859-1", "ascii", "cp1252"})

# Python also knows `rot13`, `idna`, `unicode_escape`, ...: no charsets of a document.
_CHARSETS = ("iso8859", "cp", "mac-", "koi8", "gb", "big5", "shift_jis", "euc_")


def _windows_1252(error: UnicodeError) -> tuple[str, int]:
    """Read the bytes that are no UTF-8 as Windows-1252: pages pasted from two sources mix both."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    stray = error.object[error.start : error.end]
    return stray.decode("cp1252", errors="replace"), error.end


codecs.register_error(_MIXED, _windows_1252)


def unpacked(body: bytes) -> tuple[bytes, bool]:
    """Open gzip, up to `MAX_BODY` bytes; second value False when the content is not all there."""
    if not body.startswith(_GZIP):
        return body[:MAX_BODY], len(body) <= MAX_BODY
    pieces: list[bytes] = []
    room = MAX_BODY
    rest = body
    while rest.startswith(_GZIP):  # a file may be several gzip members end to end
        opener = zlib.decompressobj(wbits=31)
        try:
            while rest and room and not opener.eof:
                pieces.append(opener.decompress(rest[:_CHUNK], room))
                room -= len(pieces[-1])
                rest = opener.unconsumed_tail + (opener.unused_data or b"") + rest[_CHUNK:]
        except zlib.error:
            return b"".join(pieces), False
        if not opener.eof:
            return b"".join(pieces), False
    return b"".join(pieces), True


def decoded(content: bytes, encoding: str) -> Iterator[str]:
    """Yield the text in pieces, without the characters that XML forbids; `encoding` as `encoding_of` tells it."""
    errors = _MIXED if encoding == "utf-8-sig" else "replace"
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    for start in range(0, len(content), _CHUNK):
        yield _FORBIDDEN.sub("", decoder.decode(content[start : start + _CHUNK]))
    yield _FORBIDDEN.sub("", decoder.decode(b"", final=True))


def text_of(chunks: Iterable[str], *, most: int) -> str:
    """Join the pieces, up to `most` characters."""
    pieces: list[str] = []
    room = most
    for chunk in chunks:
        pieces.append(chunk[:room])
        room -= len(pieces[-1])
        if not room:
            break
    return "".join(pieces)


def encoding_of(content: bytes, content_type: str | None) -> str:
    """Return the codec to read with.

    A byte-order mark wins; then valid UTF-8 is UTF-8 whatever the label; then the label; and where that is
    wrong too, `utf-8-sig`, whose stray bytes `decoded` reads as Windows-1252.
    """
    for signature, encoding in _SIGNATURES:
        if content.startswith(signature):
            return encoding
    label = _label(content, content_type)
    if label is None or _is_valid(content, "utf-8"):
        return "utf-8-sig"
    return label if _is_valid(content, label) else "utf-8-sig"


def _label(content: bytes, content_type: str | None) -> str | None:
    """Return the codec that the header or the declaration names, None for UTF-8 or none that is known."""
    header = _CHARSET.search(content_type[:1_000]) if content_type else None
    declared = _DECLARED.search(content[:1_000])
    names = [header[1] if header else "", declared[1].decode("ascii") if declared else ""]
    for name in names:
        try:
            codec = codecs.lookup(name).name if name else ""
        except LookupError:
            continue
        if codec in _WINDOWS_1252 or codec.startswith(_CHARSETS):
            return "cp1252" if codec in _WINDOWS_1252 else codec
    return None


def _is_valid(content: bytes, encoding: str) -> bool:
    try:
        decoder = codecs.getincrementaldecoder(encoding)()
        for start in range(0, len(content), _CHUNK):
            decoder.decode(content[start : start + _CHUNK])
        decoder.decode(b"", final=True)
    except (UnicodeError, LookupError):
        return False
    return True
