"""Rows as Parquet (zstd): one folder per month of publication, row groups of bounded size."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from kiosque.errors import StorageError
from storage import ExportFile
from storage.arrow import by_month, schema_of, sound, table_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

# A row group: large enough to compress well, small enough to read a part of.
GROUP_BYTES = 16_000_000
# All that waits to be written, over all months; and what is gathered before it is cut into months.
MOST_BYTES = 48_000_000
MIXED_BYTES = 24_000_000
# Files open at once: a dataset of thirty years.
MOST_OPEN = 400
# Columns whose values repeat; a text never does, and looking for repeats costs a third of the writing.
REPEATED = [
    "outlet",
    "outlet_name",
    "country",
    "agency",
    "section",
    "language",
    "published_precision",
    "published_from",
    "published_month",
    "kiosque_version",
]


class ParquetSink:
    """The protocol `storage.Sink` on a folder of Parquet files."""

    def __init__(self, folder: Path, name: str, names: Sequence[str], done: Sequence[ExportFile] = ()) -> None:
        self._folder = folder
        self._name = name
        self._dated = "published" in names
        extra = ("published_at", "published_on", "published_month") if self._dated else ()
        self._schema = schema_of([*names, *extra])
        self._mixed: list[pa.Table] = []
        self._mixed_size = 0
        self._waiting: dict[str, list[pa.Table]] = {}
        self._sizes: dict[str, int] = {}
        self._open: dict[str, pq.ParquetWriter] = {}
        self._rows = {file.name: file.rows for file in done}
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="parquet")
        self._writing: deque[Future[None]] = deque()

    def write(self, columns: Mapping[str, Sequence[Any]]) -> None:
        """Append rows, each to the file of its month."""
        table = table_of(columns, self._schema)
        self._mixed.append(table)
        self._mixed_size += table.nbytes
        if self._mixed_size >= MIXED_BYTES:
            self._sort()

    def _sort(self) -> None:
        """Put what was gathered with the others of its month."""
        if not self._mixed:
            return
        mixed = pa.concat_tables(self._mixed)
        self._mixed, self._mixed_size = [], 0
        for month, table in by_month(mixed) if self._dated else [("", mixed)]:
            name = self._file(month) if self._dated else self._name
            self._waiting.setdefault(name, []).append(table)
            self._sizes[name] = self._sizes.get(name, 0) + table.nbytes
            if self._sizes[name] >= GROUP_BYTES:
                self._flush(name)
        while sum(self._sizes.values()) > MOST_BYTES:
            self._flush(max(self._sizes, key=lambda name: self._sizes[name]))

    def _file(self, month: str) -> str:
        # Not `published_month=`: pyarrow refuses a column that stands both in a folder's name and, as plain text, in
        # the file; and `datasets` forgets folder names.
        return f"data/month={month}/{self._name}"

    def _flush(self, name: str) -> None:
        tables = self._waiting.pop(name)
        self._sizes.pop(name)
        self._wait(most=1)
        name = self._writable(name)
        self._rows[name] = self._rows.get(name, 0) + sum(table.num_rows for table in tables)
        # Compressing needs no Python: the next batch is read meanwhile.
        self._writing.append(self._thread.submit(_put, self._open[name], tables))

    def _wait(self, *, most: int = 0) -> None:
        """Wait until at most so many row groups are to be written."""
        while len(self._writing) > most:
            try:
                self._writing.popleft().result()
            except OSError as error:
                raise StorageError(f"{self._folder}: {error.strerror or error}; nothing was replaced") from error

    def _writable(self, name: str) -> str:
        """Return the file to write to: a further part where the first was closed."""
        stem, number = name.removesuffix("0.parquet"), 0
        while name in self._rows and name not in self._open:
            number += 1
            name = f"{stem}{number}.parquet"
        if name not in self._open:
            if len(self._open) >= MOST_OPEN:
                self._wait()  # it may be among those that are written to
                self._open.pop(next(iter(self._open))).close()
            path = self._folder / name
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._open[name] = pq.ParquetWriter(path, self._schema, compression="zstd", use_dictionary=REPEATED)
            except OSError as error:
                raise StorageError(f"{path}: {error.strerror or error}; nothing was replaced") from error
        return name

    def close(self) -> list[ExportFile]:
        """Write what waits, and make the files durable. An export without records has one empty file."""
        self._sort()
        if not self._waiting and not self._rows:
            name = self._writable(self._file("unknown") if self._dated else self._name)
            self._rows[name] = 0
        return self.pause()

    def pause(self) -> list[ExportFile]:
        """Write what waits, and finish the files: what comes later goes into further parts."""
        self._sort()
        for name in sorted(self._waiting):
            self._flush(name)
        self._wait()
        try:
            while self._open:
                self._open.popitem()[1].close()
            return [self._closed(name) for name in sorted(self._rows)]
        except OSError as error:
            raise StorageError(f"{self._folder}: {error.strerror or error}; nothing was replaced") from error

    def discard(self) -> None:
        """Let go of the files."""
        self._thread.shutdown()
        for writer in self._open.values():
            with contextlib.suppress(OSError):
                writer.close()

    def _closed(self, name: str) -> ExportFile:
        path = self._folder / name
        with path.open("rb") as file:
            os.fsync(file.fileno())
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return ExportFile(name=name, rows=self._rows[name], bytes=path.stat().st_size, sha256=digest)


def _put(writer: pq.ParquetWriter, tables: Sequence[pa.Table]) -> None:
    """Write a row group."""
    writer.write_table(sound(pa.concat_tables(tables)))
