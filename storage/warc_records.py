"""WARC 1.1 records as bytes: a page, the opening of a file, and what stands in the place of an erased page."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import uuid4

import msgspec
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from kiosque import __version__
from storage.warc import CLAIM, HIDDEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kiosque.model import Page
    from storage.warc import Snapshot

# Readers refuse records whose headers are longer than 32 KB; ours stay well below.
MOST_CLAIM = 8_000
MOST_SUMMARY = 1_000
OF_THE_CODING = frozenset({"content-encoding", "content-length", "transfer-encoding"})
ERASED = b"A page stood here and was erased."
URL_SAFE = "".join(map(chr, range(0x21, 0x7F)))
_BREAKS = re.compile(r"[\x00-\x1f\x7f]+")


def response_record(snapshot: Snapshot) -> bytes:
    """Return a page as an uncompressed WARC response record."""
    page = snapshot.page
    headers = [*_stored_headers(page), ("content-length", str(len(page.body)))]
    return _written(
        lambda writer: writer.create_warc_record(
            quote(page.final_url, safe=URL_SAFE),
            "response",
            payload=io.BytesIO(page.body),
            length=len(page.body),
            http_headers=_Headers(_status_line(page.status), headers, protocol="HTTP/1.1"),
            warc_headers_dict={"WARC-Date": _date(page.fetched_at), CLAIM: _claim(snapshot)},
        )
    )


def info_record(filename: str, at: datetime) -> bytes:
    """Return the uncompressed `warcinfo` record that opens a file."""
    facts = {
        "software": f"Kiosque/{__version__}",
        "format": "WARC File Format 1.1",
        "conformsTo": "https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/",
        "description": "Bodies are stored decoded; the coding's own headers stand under X-Crawler-",
    }

    def build(writer: Any) -> Any:
        record = writer.create_warcinfo_record(filename, facts)
        record.rec_headers.replace_header("WARC-Date", _date(at))
        return record

    return _written(build)


def erased_record(length: int, at: datetime) -> bytes:
    """Return an uncompressed record of `length` bytes (at least 250) that takes the place of an erased one."""

    def build(size: int) -> bytes:
        head = (
            f"WARC/1.1\r\nWARC-Type: metadata\r\nWARC-Record-ID: <urn:uuid:{uuid4()}>\r\nWARC-Date: {_date(at)}\r\n"
            # Leading zeros keep the head's length the same whatever the size.
            f"Content-Type: text/plain\r\nContent-Length: {size:010}\r\n\r\n"
        )
        return head.encode() + ERASED[:size].ljust(size) + b"\r\n\r\n"

    return build(length - len(build(0)))


def _written(build: Callable[[Any], Any]) -> bytes:
    out = io.BytesIO()
    writer = WARCWriter(out, gzip=False, warc_version="WARC/1.1")
    writer.write_record(build(writer))
    return out.getvalue()


def _stored_headers(page: Page) -> Iterator[tuple[str, str]]:
    for name, value in page.headers:
        hidden = HIDDEN + name if name in OF_THE_CODING else name
        # Header text is bytes read as latin-1; a line break in it would end the header.
        yield _BREAKS.sub(" ", hidden).replace(":", ""), _BREAKS.sub(" ", value)


def _status_line(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} -"


def _date(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _claim(snapshot: Snapshot) -> str:
    """Write what was known besides as one line of JSON, without its longest parts where it would be too long."""
    page, entry = snapshot.page, snapshot.entry
    known = {"url": page.url, "outlet": snapshot.outlet, "via": list(snapshot.via)}
    short = replace(entry, summary=entry.summary and entry.summary[:MOST_SUMMARY]) if entry else None
    shorter = replace(short, summary=None, tags=(), authors=(), guid=None) if short else None
    for facts in (known | {"entry": short}, known | {"entry": shorter}, {"url": page.url, "outlet": snapshot.outlet}):
        text = json.dumps(msgspec.to_builtins(facts))
        if len(text) <= MOST_CLAIM:
            return text
    return "{}"


class _Headers(StatusAndHeaders):  # type: ignore[misc]
    """HTTP headers that are written as the bytes they were; warcio would percent-encode what is not ASCII."""

    def compute_headers_buffer(self, header_filter: Any = None) -> None:
        """Set the bytes of the headers."""
        self.headers_buff = self.to_str(header_filter).encode("latin-1", "replace") + b"\r\n"
