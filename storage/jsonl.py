"""Records as JSON lines in one file that appears whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
from typing import TYPE_CHECKING

from kiosque.errors import StorageError
from kiosque.records import record_to_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from kiosque.model import Record


class JsonlSink:
    """The protocol `storage.Sink` on a file: written beside its place, moved there by `close`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._partial = path.with_name(f".{path.name}.partial")
        self._hash = hashlib.sha256()
        self.rows = 0
        try:
            self._file = self._partial.open("wb")
        except OSError as error:
            raise StorageError(f"{self._partial}: {error.strerror}") from error

    @property
    def sha256(self) -> str:
        """The hash of what was written, in hexadecimal."""
        return self._hash.hexdigest()

    def write(self, records: Sequence[Record]) -> None:
        """Append records."""
        data = "".join(f"{record_to_json(record)}\n" for record in records).encode()
        try:
            self._file.write(data)
        except OSError as error:
            raise StorageError(f"{self._partial}: {error.strerror}; nothing was replaced") from error
        self._hash.update(data)
        self.rows += len(records)

    def close(self) -> None:
        """Make the file durable and put it in its place."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._partial.replace(self._path)
        except OSError as error:
            raise StorageError(f"{self._path}: {error.strerror}; nothing was replaced") from error

    def discard(self) -> None:
        """Give up: the file that was there stays as it was."""
        with contextlib.suppress(OSError):
            self._file.close()
            self._partial.unlink(missing_ok=True)
