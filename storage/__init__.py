"""Where things are kept: the protocols Sink, Store and Archive, and `open_storage(url)`; one backend a file."""

from __future__ import annotations

import re

from kiosque.errors import StorageError, UsageError
from storage.asking import EVERYTHING, Forgotten, LineCount, RecordQuery
from storage.changing import Batch, Change, ChangeFeed, ChangeKind, ExportFile, Stop
from storage.protocols import Archive, Sink, Store
from storage.settled import FORGOTTEN, Address, Enqueued, EntryState, Placing, QueuedEntry, Revisit, Settled

__all__ = [
    "EVERYTHING",
    "FORGOTTEN",
    "Address",
    "Archive",
    "Batch",
    "Change",
    "ChangeFeed",
    "ChangeKind",
    "Enqueued",
    "EntryState",
    "ExportFile",
    "Forgotten",
    "LineCount",
    "Placing",
    "QueuedEntry",
    "RecordQuery",
    "Revisit",
    "Settled",
    "Sink",
    "Stop",
    "Store",
    "StoreAwayError",
    "open_storage",
    "without_password",
]


class StoreAwayError(StorageError):
    """The database does not answer: what was asked of it can be asked again when it is back."""


def without_password(url: str) -> str:
    """Return a database URL as it may be shown.

    >>> without_password("postgresql://press:geheim@db.example/press")
    'postgresql://press:***@db.example/press'
    """
    return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:***@", url)


def open_storage(url: str) -> Store:
    """Open the store at a database URL; SQLite files are made on first use.

    Raises `UsageError` for a URL that names no store, `StorageError` when it cannot be opened.
    """
    scheme = url.partition(":")[0].partition("+")[0].lower()
    if scheme == "memory":
        from storage.memory import MemoryStore  # noqa: PLC0415 - one backend is loaded, not all

        return MemoryStore()
    if scheme in {"sqlite", "postgresql", "postgres"}:
        from storage.sql import SqlStore  # noqa: PLC0415

        return SqlStore(url)
    raise UsageError(
        f"--db {without_password(url)!r}: no such store; use sqlite:///FILE or postgresql://USER@HOST/NAME"
    )
