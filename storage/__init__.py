"""Where things are kept: the protocols Sink, Store and Archive, and `open_storage(url)`; one backend a file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from kiosque.errors import StorageError, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from kiosque.model import FeedEntry, Page, Record
    from kiosque.polling import FeedState

EntryState = Literal["pending", "done", "gone"]
ChangeKind = Literal["new", "revised", "corrected", "deleted"]
# How an address ends that somebody had us forget.
FORGOTTEN = "blocked:forgotten"


class StoreAwayError(StorageError):
    """The database does not answer: what was asked of it can be asked again when it is back."""


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
class Placing:
    """Where an article stands among its near-duplicates."""

    cluster: str
    """The id of the cluster's earliest article."""
    renamed: str | None = None
    """The cluster's name until now, when this article is earlier than all the others."""
    bands: tuple[int, ...] = ()
    """Of its text (`pipelines.steps.near.bands`)."""
    stale: tuple[int, ...] = ()
    """Bands of its text before this revision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revisit:
    """What a look at an article's own page says: when it is asked again, and whether it is gone."""

    article: str
    """Its id."""
    next_due: datetime | None = None
    """None is never."""
    removed: bool | None = None
    """Whether the server says that there is no such page any more: the record stays. None is no answer."""


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
    """A new revision to keep, or a correction of the latest one."""
    corrects: bool = False
    """The record replaces the revision of its number."""
    placing: Placing | None = None
    """None leaves a known article in its cluster, and a new one alone."""
    article: str | None = None
    """The id of the article that `addresses` belong to."""
    addresses: tuple[Address, ...] = ()
    revisit: Revisit | None = None
    """None leaves the plan as it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enqueued:
    """What a feed's entries were to the frontier."""

    fresh: tuple[QueuedEntry, ...] = ()
    """Never seen, or claimed anew by the feed: to be fetched."""
    known: tuple[QueuedEntry, ...] = ()
    """Seen before, and the feed's claim has not changed."""
    forgotten: tuple[QueuedEntry, ...] = ()
    """Erased on request, never to be fetched again: `blocked:forgotten`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What became of one article since some change: a row of the change feed."""

    number: int
    """Of its last change."""
    id: str
    revision: int
    """The latest; 0 when it was deleted."""
    kind: ChangeKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Changed articles in the order of their last change, as columns: the way exports take them."""

    changes: tuple[Change, ...]
    columns: Mapping[str, Sequence[Any]]
    """By the record's field, as a database gives them: texts are `str` or UTF-8, lists and `rights` are JSON texts,
    `urls` those besides `url`, in any order (`storage.columns.plain` gives what JSON has). Deleted articles have no
    row here; the others stand in the order of `changes`. Arrow's arrays, where they were asked for, hold the same as
    UTF-8, numbers in decimal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Where a reader of a change feed stopped before its end."""

    cursor: int
    """The feed's."""
    position: int
    """The last change that was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeFeed:
    """What became of each article that changed since some change; each article stands in it once."""

    cursor: int
    """The newest change that it holds: where the next feed goes on."""
    batches: Iterator[Batch]
    goes_on: bool = False
    """It begins where an earlier reader stopped, and what that one read is still so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordQuery:
    """Which records are asked for, and in what order."""

    outlet: str | None = None
    since: datetime | None = None
    """Fetched then or later."""
    search: str | None = None
    """All these words in title or text."""
    revisions: bool = False
    """Every revision, not only the latest of each article."""
    after: int | None = None
    """A change number: from there on, oldest change first. None is newest change first."""
    limit: int | None = None


EVERYTHING = RecordQuery()


@dataclass(frozen=True, slots=True, kw_only=True)
class LineCount:
    """A line that several articles of an outlet carry."""

    line: str
    """As `pipelines.steps.lines.fold_line` makes it."""
    articles: int
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What was, or would be, erased."""

    articles: tuple[str, ...]
    """Ids."""
    urls: tuple[str, ...]
    """Every address of them, and those asked for."""
    revisions: int
    archived: tuple[str, ...]
    """Pointers into the archive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFile:
    """A file of an export."""

    name: str
    """Its path in the export's folder, with `/`."""
    rows: int
    bytes: int
    sha256: str


class Sink(Protocol):
    """Takes rows and writes them into files of one format."""

    def write(self, columns: Mapping[str, Sequence[Any]]) -> None:
        """Append rows, given as columns. Raises StorageError when the disk refuses."""

    def close(self) -> list[ExportFile]:
        """Make what was written durable, and say what it is."""

    def pause(self) -> list[ExportFile]:
        """Make what was written so far durable, and say what it is: a later sink may go on from there."""

    def discard(self) -> None:
        """Let go of the files, closed or not."""


class Archive(Protocol):
    """Takes pages as they came, and gives them back."""

    def append(self, page: Page) -> str:
        """Keep a page; return the pointer that `Record.archive` holds."""

    def read(self, pointer: str) -> Page:
        """Return the page at a pointer. Raises StorageError when it is no longer there."""

    def remove(self, *, pointers: Collection[str], urls: Collection[str]) -> int:
        """Erase pages, by pointer and every page of these addresses; return how many were erased.

        Pages of an address may be there that no record points to: unchanged or rejected ones.
        """


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

    def correct(self, record: Record, *, at: datetime) -> None:
        """Replace a revision that our own rules had read wrongly: no new revision, a `corrected` change."""

    def near(self, texts: Sequence[Collection[int]], *, limit: int) -> list[list[Record]]:
        """Return, for the bands of each text, the latest records of articles that share some, the most first."""

    def by_id(self, ids: Collection[str]) -> dict[str, Record]:
        """Return the latest record of each of these articles."""

    def cluster(self, name: str) -> list[Record]:
        """Return the latest records of a cluster's articles."""

    def forgotten(self, keys: Collection[str], outlet: str) -> set[str]:
        """Return those of an outlet's address keys that may not come back."""

    def forget(
        self, *, urls: Collection[str] = (), outlet: str | None = None, at: datetime, dry_run: bool = False
    ) -> Forgotten:
        """Erase articles and all that was kept of them, for ever; `outlet` erases all of its articles.

        The archive is left to the caller: `Forgotten` says which pages.
        """

    def note_lines(self, outlet: str, lines: Collection[tuple[str, str]], *, at: datetime) -> None:
        """Count folded lines of new articles, as `(line, article id)`."""

    def learned(self, outlet: str) -> frozenset[str]:
        """Return the folded lines that repeat over an outlet's articles and so are clutter."""

    def line_counts(self, outlet: str, *, limit: int | None = None) -> list[LineCount]:
        """Return the lines that more than one article of an outlet carries, the most frequent first."""

    def enqueue(self, outlet: str, entries: Sequence[tuple[str, FeedEntry]], *, at: datetime) -> Enqueued:
        """Put a feed's `(key, entry)` pairs on the frontier."""

    def pending(
        self, outlets: Collection[str], *, due: datetime | None = None, limit: int | None = None
    ) -> list[QueuedEntry]:
        """Return what still waits to be fetched, oldest first; with `due` only what may be tried by then."""

    def recent(self, outlets: Collection[str], *, since: datetime) -> list[QueuedEntry]:
        """Return the main addresses of articles first seen since then, to be asked again conditionally."""

    def revisits(self, outlets: Collection[str], *, due: datetime, limit: int) -> list[QueuedEntry]:
        """Return the main addresses of articles that are to be asked again by then, those that wait longest first."""

    def removed(self, outlet: str | None = None) -> dict[str, datetime]:
        """Return the ids of articles whose pages are gone, and since when. Their records are kept."""

    def feed_states(self, urls: Collection[str]) -> dict[str, FeedState]:
        """Return the poll state of the feeds that have one."""

    def save_feed(self, state: FeedState) -> None:
        """Keep a feed's poll state."""

    def claim_due(self, outlets: Collection[str], *, now: datetime, until: datetime, limit: int) -> list[FeedState]:
        """Take feeds that are due: their next poll is set to `until` before they are returned."""

    def records(self, query: RecordQuery = EVERYTHING) -> Iterator[Record]:
        """Stream records: the latest revisions, newest change first, unless the query says otherwise."""

    def history(self, url: str) -> list[Record]:
        """Return every revision of the article at an address, the first one first."""

    def last_change(self) -> int:
        """Return the number of the newest change; numbers have no gaps and follow the order of the commits."""

    def name(self) -> str:
        """Return the store's own name: a cursor begins with it, and is good for this store alone."""

    def sign(self, number: int) -> str:
        """Return eight hexadecimal digits that stand for a change, nothing where there is no such change."""

    def changed(
        self, *, after: int = 0, stop: Stop | None = None, arrow: bool = False
    ) -> AbstractContextManager[ChangeFeed]:
        """Open the change feed after a change number: one state of the store, whatever is written meanwhile.

        With `after=0` it holds what there is, all `new`, and nothing that was deleted. With the `stop` of an earlier
        feed after the same number it goes on from there, unless what that one gave has changed since. With `arrow`
        the columns of a batch may be Arrow's binary arrays.
        """

    def counts(self) -> dict[str, dict[str, int]]:
        """Return `{outlet: {"articles": n, "revisions": n, "pending": n}}`."""

    def close(self) -> None:
        """Let go of the store."""


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
