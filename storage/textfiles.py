"""Rows as JSON lines or CSV, one file."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import os
from typing import TYPE_CHECKING, Any

import msgspec

from kiosque.errors import StorageError
from storage import ExportFile
from storage.columns import plain, with_dates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path


class TextSink:
    """The protocol `storage.Sink` on one text file; `encode` turns columns into lines."""

    def __init__(
        self,
        folder: Path,
        name: str,
        encode: Callable[[Mapping[str, Sequence[Any]]], bytes],
        *,
        head: bytes = b"",
        done: Sequence[ExportFile] = (),
    ) -> None:
        self._name = name
        self._path = folder / name
        self._encode = encode
        self._hash = hashlib.sha256()
        self._rows = self._bytes = 0
        try:
            self._file = self._path.open("r+b" if done else "wb")
            if done:
                self._go_on(done[0])
        except OSError as error:
            raise StorageError(f"{self._path}: {error.strerror}") from error
        if not done:
            self._put(head)

    def _go_on(self, done: ExportFile) -> None:
        """Take over what an earlier sink wrote until it paused, and cut off what it wrote then."""
        self._rows, self._bytes = done.rows, done.bytes
        self._file.truncate(done.bytes)
        while part := self._file.read(1 << 20):
            self._hash.update(part)

    def write(self, columns: Mapping[str, Sequence[Any]]) -> None:
        """Append rows."""
        self._put(self._encode(columns))
        self._rows += len(next(iter(columns.values()), ()))

    def _put(self, data: bytes) -> None:
        try:
            self._file.write(data)
        except OSError as error:
            raise StorageError(f"{self._path}: {error.strerror}; nothing was replaced") from error
        self._hash.update(data)
        self._bytes += len(data)

    def close(self) -> list[ExportFile]:
        """Make the file durable."""
        found = self.pause()
        self._file.close()
        return found

    def pause(self) -> list[ExportFile]:
        """Make what was written so far durable."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise StorageError(f"{self._path}: {error.strerror}; nothing was replaced") from error
        return [ExportFile(name=self._name, rows=self._rows, bytes=self._bytes, sha256=self._hash.hexdigest())]

    def discard(self) -> None:
        """Let go of the file."""
        with contextlib.suppress(OSError):
            self._file.close()


def jsonl_sink(folder: Path, name: str, names: Sequence[str], done: Sequence[ExportFile] = ()) -> TextSink:
    """Return a sink for JSON lines."""

    def encode(columns: Mapping[str, Sequence[Any]]) -> bytes:
        values = _plain(columns)
        rows = zip(*(values[name] for name in names), strict=True)
        return b"".join(msgspec.json.encode(dict(zip(names, row, strict=True))) + b"\n" for row in rows)

    return TextSink(folder, name, encode, done=done)


def csv_sink(folder: Path, name: str, names: Sequence[str], done: Sequence[ExportFile] = ()) -> TextSink:
    """Return a sink for CSV (RFC 4180, UTF-8): null is empty; lists and `rights` are JSON; dates are added."""
    dated = "published" in names
    header = [*names, "published_at", "published_on", "published_month"] if dated else list(names)

    def encode(columns: Mapping[str, Sequence[Any]]) -> bytes:
        whole = with_dates(_plain(columns)) if dated else columns
        return _csv(zip(*([_cell(value) for value in whole[name]] for name in header), strict=True))

    return TextSink(folder, name, encode, head=_csv([header]), done=done)


def _plain(columns: Mapping[str, Sequence[Any]]) -> Mapping[str, Sequence[Any]]:
    return plain(columns) if "rights" in columns else columns


def _csv(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if hasattr(value, "isoformat"):
        return str(value.isoformat()).replace("+00:00", "Z")
    return msgspec.json.encode(value).decode()  # true, 12, 0.9, ["a"], {"b": 1}
