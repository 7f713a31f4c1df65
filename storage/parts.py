"""Records of many WARC files as Parquet: a part for each file, and a mark once the part stands whole."""

from __future__ import annotations

import re
import tempfile
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from kiosque.errors import StorageError, UsageError
from kiosque.records import LISTS, record_to_dict
from storage.arrow import schema_of, table_of
from storage.distant import file_system, is_distant
from storage.export import COLUMNS, DATED
from storage.parquet import GROUP_BYTES, REPEATED
from storage.remote import explained

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kiosque.model import Record

# What says of a folder that it is ours, and what was asked for; parts; marks of files that are done.
REQUEST, DATA, DONE = "rereading.json", "data", "done"
LONGEST_STEM = 60


def part_name(place: str) -> str:
    """Return the name of a WARC file's part, told from those of its namesakes by a hash.

    >>> part_name("s3://press/2024/CC-NEWS-20241025.warc.gz")
    'CC-NEWS-20241025-7cd2c1341ba3'
    """
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", place.rstrip("/").rpartition("/")[2])
    stem = re.sub(r"\.warc(\.gz|\.zst)?$", "", stem)[:LONGEST_STEM].strip(".") or "warc"
    return f"{stem}-{blake2b(place.encode('utf-8', 'surrogateescape'), digest_size=6).hexdigest()}"


class Results:
    """A folder of parts, here or on object storage. What it raises is `StorageError` or `UsageError`."""

    def __init__(self, place: str) -> None:
        self.place = place
        files, root = file_system(place if is_distant(place) else str(Path(place).absolute()))
        if not root.strip("/"):
            raise UsageError(f"{place!r} names no folder")
        self._files, self._root = files, root
        self._is_here = "file" in files.protocol

    def claim(self, request: dict[str, Any]) -> None:
        """Make the folder ours, for one request. Raises `UsageError` when it holds anything else."""
        wanted = msgspec.json.encode(request, order="sorted")
        with explained(self.place):
            self._files.invalidate_cache()
            names = self._names("")
            if REQUEST in names:
                if self._files.cat_file(f"{self._root}/{REQUEST}") != wanted:
                    raise UsageError(
                        f"{self.place} holds what other rules, options or another version gave; choose an empty folder"
                    )
                return
            if names:
                raise UsageError(f"{self.place} holds something else ({min(names)}); choose an empty folder")
            self._put(REQUEST, wanted)

    def done(self) -> set[str]:
        """Return the marks of the WARC files that are done."""
        with explained(self.place):
            return {name.removesuffix(".json") for name in self._names(DONE) if name.endswith(".json")}

    def finish(self, name: str, part: Path | None) -> None:
        """Put a file's part in the place of an earlier one; None is a file that gave no record."""
        with explained(self.place):
            target = f"{DATA}/{name}.parquet"
            if part is not None:
                self._move(part, target)
            elif self._files.exists(f"{self._root}/{target}"):
                self._files.rm_file(f"{self._root}/{target}")

    def mark(self, name: str, said: dict[str, Any]) -> None:
        """Note that a file is done, once its part stands in its place."""
        with explained(self.place):
            self._put(f"{DONE}/{name}.json", msgspec.json.encode(said))

    def _put(self, name: str, content: bytes) -> None:
        with tempfile.NamedTemporaryFile(prefix="kiosque-") as file:
            file.write(content)
            file.flush()
            self._move(Path(file.name), name)

    def _move(self, path: Path, name: str) -> None:
        """Send a file; on a disk under another name first: an object store shows nothing before it has all."""
        target = f"{self._root}/{name}"
        self._files.makedirs(target.rpartition("/")[0], exist_ok=True)
        if not self._is_here:
            self._files.put_file(str(path), target)
            return
        aside = f"{target}.{uuid4().hex[:8]}.partial"
        self._files.put_file(str(path), aside)
        Path(aside).replace(target)

    def _names(self, folder: str) -> set[str]:
        root = f"{self._root}/{folder}".rstrip("/")
        try:
            found = self._files.ls(root, detail=False, refresh=True)
        except TypeError:  # this backend keeps no listing
            found = self._files.ls(root, detail=False)
        except FileNotFoundError:
            return set()
        return {str(name).rstrip("/").rpartition("/")[2] for name in found} - {root.rpartition("/")[2], ""}


class Part:
    """One Parquet file in the making, in a file of this machine; what waits in memory is bounded."""

    def __init__(self) -> None:
        self._file = tempfile.NamedTemporaryFile(prefix="kiosque-part-", suffix=".parquet")  # noqa: SIM115 - see close
        self.path = Path(self._file.name)
        self.rows = 0
        self._schema = schema_of([*COLUMNS, *DATED])
        self._waiting: list[pa.Table] = []
        self._size = 0
        self._writer = pq.ParquetWriter(self.path, self._schema, compression="zstd", use_dictionary=REPEATED)

    def write(self, records: Sequence[Record]) -> None:
        """Append records."""
        if not records:
            return
        rows = [record_to_dict(record) for record in records]
        table = table_of({name: [_stored(name, row[name]) for row in rows] for name in COLUMNS}, self._schema)
        self._waiting.append(table)
        self._size += table.nbytes
        self.rows += len(rows)
        if self._size >= GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            self._guarded(self._writer.write_table, pa.concat_tables(self._waiting))
        self._waiting, self._size = [], 0

    def finish(self) -> None:
        """Write what waits, and the file's end."""
        self._flush()
        self._guarded(self._writer.close)

    def _guarded(self, function: Any, *args: Any) -> None:
        try:
            function(*args)
        except OSError as error:
            raise StorageError(f"{self.path}: {error.strerror or error}") from error

    def close(self) -> None:
        """Let go of the file, which goes."""
        self._writer.close()
        self._file.close()


def _stored(name: str, value: Any) -> Any:
    """Return a value as a database gives it."""
    return msgspec.json.encode(value).decode() if name in {*LISTS, "rights"} else value
