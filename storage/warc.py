"""The pages of any WARC file, ours or somebody else's."""

from __future__ import annotations

import io
import json
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec
from fastwarc.stream_io import BrotliReader, ChunkedReader, GzipReader, ZstdReader
from fastwarc.warc import ArchiveIterator, WarcRecordType

from kiosque.model import FeedEntry, Page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from storage.distant import DistantFile

# A longer body is read this far, which is more than any reader of articles takes.
MOST_BODY = 13_000_000
MOST_HEAD = 1 << 20
# The body is kept decoded. What the server said of the coding stands under this prefix, as StormCrawler has it.
HIDDEN = "x-crawler-"
# webrecorder's header for what a tool knows besides: the outlet, the feed's claim, the addresses on the way.
CLAIM = "WARC-JSON-Metadata"
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_STATUS = re.compile(r"^HTTP/[\d.]+\s+(\d{3})\b")
CODINGS: dict[str, Callable[[Any], Any]] = {
    "gzip": GzipReader,
    "x-gzip": GzipReader,
    "deflate": lambda stream: GzipReader(stream, zlib=True),
    "br": BrotliReader,
    "zstd": ZstdReader,
    "chunked": ChunkedReader,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A page as an archive keeps it, with what was known when it was fetched."""

    page: Page
    pointer: str = ""
    """`FILE@OFFSET`, where it stands."""
    outlet: str | None = None
    """The slug it was crawled for; None in a WARC of somebody else."""
    entry: FeedEntry | None = None
    """What the feed claimed of it."""
    via: tuple[str, ...] = ()
    """Addresses passed on the way."""


class _Window:
    """The first bytes of a file, as a file: what a living writer appends meanwhile is not seen half."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._size = file, size
        self.seek, self.tell, self.close = file.seek, file.tell, file.close

    def read(self, size: int = -1) -> bytes:
        left = max(0, self._size - self._file.tell())
        return self._file.read(left if size < 0 else min(size, left))


def snapshots(
    path: Path | DistantFile,
    *,
    name: str = "",
    size: int | None = None,
    wanted: Callable[[str], bool] | None = None,
    problem: Callable[[str], None] = lambda _: None,
) -> Iterator[Snapshot]:
    """Yield the pages of a WARC file, compressed or not; `wanted` sees each URL before its body is read.

    Nothing is read beyond `size` bytes. A file that cannot be read (any further) ends here, with a sentence to
    `problem`.
    """
    label, place, found = name or path.name, 0, 0
    try:
        with path.open("rb") as file:
            window = _Window(file, _size(file) if size is None else size)
            for record in ArchiveIterator(window, record_types=WarcRecordType.response, parse_http=False):
                place, target = record.stream_pos, _target(record)
                # Heritrix keeps DNS answers as responses, too.
                if not target.startswith(("http://", "https://")) or (wanted is not None and not wanted(target)):
                    continue
                snapshot = snapshot_of(record, f"{label}@{place}")
                if snapshot is None:
                    problem(f"{path}: the record at byte {place} is cut off")
                    return
                found += 1
                yield snapshot
    except (OSError, ValueError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error).rstrip(".")
        problem(f"{path}: {reason}" + (f", after byte {place}; {found} pages stand before that" if place else ""))


def _size(file: BinaryIO) -> int:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    return size


def addresses(path: Path | DistantFile) -> Iterator[tuple[int, str, set[str]]]:
    """Yield `(offset, outlet, addresses)` of each page of a WARC file, as far as it can be read."""
    with path.open("rb") as file, suppress(OSError, ValueError, OverflowError):
        for record in ArchiveIterator(file, record_types=WarcRecordType.response, parse_http=False):
            known = _known(record.headers.get(CLAIM))
            yield record.stream_pos, known["outlet"] or "", {_target(record), known["url"], *known["via"]} - {""}


def snapshot_at(path: Path, offset: int, *, pointer: str) -> Snapshot | None:
    """Return the page that stands at an offset of a WARC file, None where no whole page does.

    Raises `OSError` when the file cannot be opened.
    """
    with path.open("rb") as file:
        file.seek(offset)
        return snapshot_here(file, pointer=pointer)


def snapshot_here(file: BinaryIO, *, pointer: str) -> Snapshot | None:
    """Return the page that stands where a file is open, None where no whole page does."""
    offset = file.tell()
    try:
        record = next(iter(ArchiveIterator(file, parse_http=False)), None)
        if record is None or record.record_type != WarcRecordType.response or record.stream_pos != offset:
            return None
        return snapshot_of(record, pointer)
    except (OSError, ValueError, OverflowError):
        return None


def snapshot_of(record: Any, pointer: str) -> Snapshot | None:
    """Return the page of a response record whose HTTP headers were not parsed, None when it is cut off."""
    length = min(record.content_length, MOST_BODY + MOST_HEAD)
    block = record.reader.read(length)
    # A record that ends within its own headers has not come to its length yet, or not to the end of its name.
    if len(block) < length or not (record.headers.get("Content-Length") or "").strip().isdigit():
        return None
    status, headers, body = parse_response(block)
    known = _known(record.headers.get(CLAIM))
    target = _target(record)
    page = Page(
        url=known["url"] or target,
        final_url=target,
        status=status,
        headers=headers,
        body=body,
        fetched_at=record.record_date or datetime.now(UTC),
    )
    return Snapshot(page=page, pointer=pointer, outlet=known["outlet"], entry=known["entry"], via=known["via"])


def _target(record: Any) -> str:
    # Some old tools write the URL in angle brackets.
    return str(record.headers.get("WARC-Target-URI") or "").strip("<>")


def parse_response(block: bytes) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
    r"""Split an HTTP response into status, headers and decoded body; status 0 where there is no status line.

    >>> parse_response(b"HTTP/1.1 200 OK\r\nX-Crawler-Content-Encoding: br\r\nContent-Length: 2\r\n\r\nOK")
    (200, (('content-encoding', 'br'),), b'OK')
    """
    blank = _BLANK_LINE.search(block, 0, MOST_HEAD)
    head, body = (block[: blank.start()], block[blank.end() :]) if blank else (block[:MOST_HEAD], b"")
    lines = head.decode("latin-1").replace("\r\n", "\n").split("\n")
    status = _STATUS.match(lines[0])
    pairs = [
        (name.strip().lower(), value.strip()) for name, colon, value in (n.partition(":") for n in lines[1:]) if colon
    ]
    codings = [coding for kind in ("transfer-encoding", "content-encoding") for coding in _codings(pairs, kind)]
    # A plain content-length is about the stored body, which is there to be counted.
    headers = tuple((name.removeprefix(HIDDEN), value) for name, value in pairs if name != "content-length")
    return int(status[1]) if status else 0, headers, _decoded(body, codings)


def _codings(headers: Sequence[tuple[str, str]], name: str) -> list[str]:
    """Return the codings of a header in the order in which they are taken off."""
    values = [coding.strip().lower() for key, value in headers if key == name for coding in value.split(",")]
    return [coding for coding in reversed(values) if coding in CODINGS]


def _decoded(body: bytes, codings: list[str]) -> bytes:
    """Take the codings off; a body that does not fit its label was decoded by whoever kept it."""
    for coding in codings:
        try:
            reader = CODINGS[coding](io.BytesIO(body))
            body = reader.read(MOST_BODY)
        except (OSError, ValueError):
            continue
    return body[:MOST_BODY]


def _known(text: str | None) -> dict[str, Any]:
    """Read what `_claim` wrote; a header of another tool says nothing."""
    try:
        facts = json.loads(text or "{}")
        entry = facts.get("entry")
        return {
            "url": str(facts.get("url") or ""),
            "outlet": facts.get("outlet") if isinstance(facts.get("outlet"), str) else None,
            "via": tuple(map(str, facts.get("via") or ())),
            "entry": msgspec.convert(entry, FeedEntry) if entry else None,
        }
    except (ValueError, AttributeError, TypeError, RecursionError, msgspec.ValidationError):
        return {"url": "", "outlet": None, "via": (), "entry": None}
