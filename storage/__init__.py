"""Where records go: the protocols Sink and Store, and `open_storage(url)`; one backend a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from kiosque.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from kiosque.polling import FeedState

    from kiosque.model import FeedEntry, Record

EntryState = Literal["pending", "done", "gone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedEntry:
    """An article's address that waits to be fetched, or was: a row of the frontier."""

    key: str
    """The canonical URL: one row per key."""
    outlet: str
    url: str
    """The address to fetch, as the outlet gave it."""
    entry: FeedEntry | None = None
    attempts: int = 0
    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One address of an article, with the validators that its server sent."""

    key: str
    url: str
    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """All that one finished URL writes: its rows appear together or not at all."""

    key: str
    outlet: str
    url: str
    outcome: str
    at: datetime
    state: EntryState = "done"
    next_try: datetime | None = None
    """Set on a pending entry: not before this instant."""
    record: Record | None = None
    """A new revision to keep."""
    article: str | None = None
    """The id of the article that `addresses` belong to."""
    addresses: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Enqueued:
    """What a feed's entries were to the frontier."""

    fresh: tuple[QueuedEntry, ...]
    """Never seen, or claimed anew by the feed: to be fetched."""
    known: tuple[QueuedEntry, ...]
    """Seen before, and the feed's claim has not changed."""


class Sink(Protocol):
    """Takes records."""

    def write(self, records: Sequence[Record]) -> None:
        """Keep the records; raises StorageError when they could not be kept."""

    def close(self) -> None:
        """Make what was written durable, and let go of the files."""


class Store(Protocol):
    """Takes records, and answers.

    Every method raises `StorageError` with a sentence for a person. Methods are called from one
    thread at a time; `transaction()` makes what is called inside it one unit.
    """

    def transaction(self) -> AbstractContextManager[None]:
        """Open a unit of work: all that is written inside appears together or not at all."""

    def known(self, keys: Collection[str]) -> dict[str, Record]:
        """Return the latest record of each address key that belongs to an article."""

    def settle(self, settled: Sequence[Settled]) -> None:
        """Write finished URLs."""

    def enqueue(self, outlet: str, entries: Sequence[tuple[str, FeedEntry]], *, at: datetime) -> Enqueued:
        """Put a feed's `(key, entry)` pairs on the frontier."""

    def pending(
        self, outlets: Collection[str], *, due: datetime | None = None, limit: int | None = None
    ) -> list[QueuedEntry]:
        """Return what still waits to be fetched, oldest first; with `due` only what may be tried by then."""

    def recent(self, outlets: Collection[str], *, since: datetime) -> list[QueuedEntry]:
        """Return the main addresses of articles first seen since then, to be asked again conditionally."""

    def feed_states(self, urls: Collection[str]) -> dict[str, FeedState]:
        """Return the poll state of the feeds that have one."""

    def save_feed(self, state: FeedState) -> None:
        """Keep a feed's poll state."""

    def claim_due(self, outlets: Collection[str], *, now: datetime, until: datetime, limit: int) -> list[FeedState]:
        """Take feeds that are due: their next poll is set to `until` before they are returned."""

    def records(
        self,
        *,
        outlet: str | None = None,
        since: datetime | None = None,
        search: str | None = None,
        revisions: bool = False,
        after: int | None = None,
        limit: int | None = None,
    ) -> Iterator[Record]:
        """Stream records, newest change first unless `after` a change number is given.

        Latest revisions only unless `revisions`; `since` is about `fetched_at`.
        """

    def last_change(self) -> int:
        """Return the number of the newest change: an export's cursor."""

    def counts(self) -> dict[str, dict[str, int]]:
        """Return `{outlet: {"articles": n, "revisions": n, "pending": n}}`."""

    def close(self) -> None:
        """Let go of the store."""


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
    raise UsageError(f"--db {url!r}: no such store; use sqlite:///FILE or postgresql://USER@HOST/NAME")
