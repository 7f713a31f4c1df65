"""What stands in a file of the archive, by hashes: whoever erases an address finds its pages without the pages.

A list of `[offset, [mark, ...]]`, a mark for each address of the page, as JSON in gzip. It lies beside a file that has
gone to object storage, and names nothing.
"""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from kiosque.urls import canonical_url
from storage.rows import mark
from storage.warc import addresses

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from storage.distant import DistantFile

Listed = list[tuple[int, list[str]]]
# A file of 500 MB holds some 15,000 pages: a list of half a megabyte.
MOST = 200_000_000


class Standing(NamedTuple):
    """A page in a file."""

    offset: int
    outlet: str
    keys: tuple[str, ...]
    """The canonical form of each of its addresses."""


def standing_in(path: Path | DistantFile) -> Iterator[Standing]:
    """Yield the pages of a file, as far as it can be read."""
    for offset, outlet, met in addresses(path):
        yield Standing(offset, outlet, tuple(sorted(set(map(canonical_url, met)) - {""})))


def listed(pages: Iterable[Standing]) -> bytes:
    """Return the list of a file's pages."""
    found: Listed = [(page.offset, [mark(key) for key in page.keys]) for page in pages]
    return gzip.compress(msgspec.json.encode(found), mtime=0)


def offsets_of(packed: bytes, marks: frozenset[str] | None = None) -> set[int] | None:
    """Return where pages of these addresses stand, or of any, by a list; None where it cannot be read."""
    try:
        unpacker = zlib.decompressobj(zlib.MAX_WBITS + 16)
        found = msgspec.json.decode(unpacker.decompress(packed, MOST), type=Listed)
    except (zlib.error, msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return {offset for offset, its in found if marks is None or not marks.isdisjoint(its)}
