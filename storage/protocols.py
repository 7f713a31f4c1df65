"""The protocols Sink, Archive and Store: what each backend does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from storage.asking import EVERYTHING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from kiosque.model import FeedEntry, Page, Record
    from kiosque.polling import FeedState
    from storage.asking import Forgotten, LineCount, RecordQuery
    from storage.changing import ChangeFeed, ExportFile, Stop
    from storage.settled import Enqueued, QueuedEntry, Settled


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

    def release_claims(self, outlets: Collection[str], *, now: datetime) -> int:
        """Make feeds due again whose claim was never answered, and return how many.

        Only for whoever has these outlets for itself: a claim that is being answered looks the same.
        """

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
