"""The store in a database, SQLite or PostgreSQL, by one SQLAlchemy Core."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from sqlalchemy import select

from kiosque.errors import StorageError
from storage import EVERYTHING, beside, feed, forget, frontier, lines, reads, revisits, search, writes
from storage.engine import empty_journal, make_engine, prepare, reading, writing
from storage.queries import in_clusters, latest, records_by, records_of
from storage.reads import first_page, read_page
from storage.schema import articles, meta

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from sqlalchemy import Connection

    from kiosque.model import FeedEntry, Record
    from kiosque.polling import FeedState
    from storage import ChangeFeed, Enqueued, Forgotten, LineCount, QueuedEntry, RecordQuery, Settled, Stop
    from storage.reads import Page


class SqlStore:
    """The protocol `storage.Store` on a database."""

    def __init__(self, url: str) -> None:
        self._engine = make_engine(url)
        try:
            prepare(self._engine)
        except BaseException:  # whoever cannot use the store leaves no connection to it
            self._engine.dispose()
            raise
        self._open = threading.local()  # the transaction of this thread, if one is open

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Open a unit of work."""
        with self._writing():
            yield

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        current: Connection | None = getattr(self._open, "connection", None)
        if current is not None:
            yield current
            return
        with writing(self._engine) as connection:
            self._open.connection = connection
            try:
                yield connection
            finally:
                self._open.connection = None

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._engine.dialect.name

    def reading(self) -> AbstractContextManager[Connection]:
        """Open a transaction that sees one state of the store: for questions that are no part of the protocol."""
        return self._reading()

    def writing(self) -> AbstractContextManager[Connection]:
        """Open a unit of work, or join the one that is open, as `reading` does for questions."""
        return self._writing()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        current: Connection | None = getattr(self._open, "connection", None)
        if current is not None:
            yield current
            return
        with reading(self._engine) as connection:
            yield connection

    def known(self, keys: Collection[str]) -> dict[str, Record]:
        """Return the latest record of each address key that belongs to an article."""
        with self._reading() as connection:
            return reads.known(connection, keys)

    def settle(self, settled: Sequence[Settled]) -> None:
        """Write finished URLs: the revision, its addresses, the frontier's row and the outcome."""
        with self._writing() as connection:
            writes.settle(connection, settled)

    def correct(self, record: Record, *, at: datetime) -> None:
        """Replace a revision that our own rules had read wrongly."""
        with self._writing() as connection:
            writes.correct(connection, record, writes.next_numbers(connection), at=at)

    def near(self, texts: Sequence[Collection[int]], *, limit: int) -> list[list[Record]]:
        """Return, for the bands of each text, the latest records of articles that share some, the most first."""
        with self._reading() as connection:
            return reads.near(connection, texts, limit=limit)

    def by_id(self, ids: Collection[str]) -> dict[str, Record]:
        """Return the latest record of each of these articles."""
        with self._reading() as connection:
            return {record.id: record for record in records_by(connection, articles.c.id, ids)}

    def cluster(self, name: str) -> list[Record]:
        """Return the latest records of a cluster's articles."""
        with self._reading() as connection:
            return records_of(connection, latest().where(in_clusters([name])))

    def forgotten(self, keys: Collection[str], outlet: str) -> set[str]:
        """Return those of an outlet's address keys that may not come back."""
        with self._reading() as connection:
            return forget.barred(connection, keys, outlet)

    def forget(
        self, *, urls: Collection[str] = (), outlet: str | None = None, at: datetime, dry_run: bool = False
    ) -> Forgotten:
        """Erase articles and all that was kept of them, for ever."""
        if dry_run:
            with self._reading() as connection:
                return forget.plan(connection, urls, outlet)
        with self._writing() as connection:
            found = forget.plan(connection, urls, outlet)
            forget.erase(connection, found, outlet, at)
        if getattr(self._open, "connection", None) is None:
            empty_journal(self._engine)
        return found

    def note_lines(self, outlet: str, lines_: Collection[tuple[str, str]], *, at: datetime) -> None:
        """Count folded lines of new articles, as `(line, article id)`."""
        with self._writing() as connection:
            lines.note(connection, outlet, lines_, at)

    def learned(self, outlet: str) -> frozenset[str]:
        """Return the folded lines that repeat over an outlet's articles and so are clutter."""
        with self._reading() as connection:
            return lines.learned(connection, outlet)

    def line_counts(self, outlet: str, *, limit: int | None = None) -> list[LineCount]:
        """Return the lines that more than one article of an outlet carries, the most frequent first."""
        with self._reading() as connection:
            return lines.counts(connection, outlet, limit)

    def enqueue(self, outlet: str, entries_: Sequence[tuple[str, FeedEntry]], *, at: datetime) -> Enqueued:
        """Put a feed's entries on the frontier."""
        with self._writing() as connection:
            return frontier.enqueue(connection, outlet, entries_, at)

    def pending(
        self, outlets: Collection[str], *, due: datetime | None = None, limit: int | None = None
    ) -> list[QueuedEntry]:
        """Return what still waits to be fetched, oldest first."""
        with self._reading() as connection:
            return frontier.pending(connection, outlets, due=due, limit=limit)

    def recent(self, outlets: Collection[str], *, since: datetime) -> list[QueuedEntry]:
        """Return the main addresses of recent articles, with their validators."""
        with self._reading() as connection:
            return revisits.recent(connection, outlets, since=since)

    def revisits(self, outlets: Collection[str], *, due: datetime, limit: int) -> list[QueuedEntry]:
        """Return the main addresses of articles that are to be asked again by then."""
        with self._reading() as connection:
            return revisits.due(connection, outlets, at=due, limit=limit)

    def removed(self, outlet: str | None = None) -> dict[str, datetime]:
        """Return the ids of articles whose pages are gone, and since when."""
        with self._reading() as connection:
            return revisits.removed(connection, outlet)

    def feed_states(self, urls: Collection[str]) -> dict[str, FeedState]:
        """Return the poll state of the feeds that have one."""
        with self._reading() as connection:
            return frontier.feed_states(connection, urls)

    def save_feed(self, state: FeedState) -> None:
        """Keep a feed's poll state."""
        with self._writing() as connection:
            frontier.save_feed(connection, state)

    def claim_due(self, outlets: Collection[str], *, now: datetime, until: datetime, limit: int) -> list[FeedState]:
        """Take feeds that are due, and set their next poll to `until` before they are returned."""
        with self._writing() as connection:
            return frontier.claim_due(connection, outlets, now=now, until=until, limit=limit)

    def release_claims(self, outlets: Collection[str], *, now: datetime) -> int:
        """Make feeds due again whose claim was never answered, and return how many."""
        with self._writing() as connection:
            return frontier.release_claims(connection, outlets, now=now)

    def records(self, query: RecordQuery = EVERYTHING) -> Iterator[Record]:
        """Stream records in the order of their last change."""
        if query.search:
            with suppress(StorageError):  # what may not be written is searched as it is
                self.index()
        page: Page | None = first_page(query, dialect=self.dialect)
        while page is not None:
            with self._reading() as connection:
                found, page = read_page(connection, page)
            yield from found

    def index(self, *, most: int | None = None) -> bool:
        """Bring the search index up to date, or on by `most` batches; return whether it is.

        A store that may only be read is searched as it is.
        """
        with self._reading() as connection:
            more = search.behind(connection)
        while more and (most is None or most > 0):
            with self._writing() as connection:
                more = search.catch_up(connection)
            most = None if most is None else most - 1
        return not more

    def history(self, url: str) -> list[Record]:
        """Return every revision of the article at an address, the first one first."""
        with self._reading() as connection:
            return reads.history(connection, url)

    @contextmanager
    def changed(self, *, after: int = 0, stop: Stop | None = None, arrow: bool = False) -> Iterator[ChangeFeed]:
        """Open the change feed after a change number."""
        begin = max(after, stop.position if stop is not None else 0)
        with (
            beside.beside(self._file() if arrow and self.last_change() - begin >= beside.WORTH_IT else None) as other,
            beside.same_state(self._reading, feed.last_number, other) as (connection, reader),
        ):
            yield feed.open_feed(connection, after=after, stop=stop, beside=reader)

    def _file(self) -> str | None:
        """Return the path of a SQLite file that others see as this thread does."""
        path = self._engine.url.database
        is_open = getattr(self._open, "connection", None) is not None
        return None if self.dialect != "sqlite" or is_open or not path or path == ":memory:" else path

    def name(self) -> str:
        """Return the store's own name."""
        with self._reading() as connection:
            return str(connection.execute(select(meta.c.value).where(meta.c.key == "store")).scalar_one())

    def sign(self, number: int) -> str:
        """Return eight hexadecimal digits that stand for a change."""
        with self._reading() as connection:
            return feed.sign(connection, number)

    def last_change(self) -> int:
        """Return the number of the newest change."""
        with self._reading() as connection:
            return feed.last_number(connection)

    def counts(self) -> dict[str, dict[str, int]]:
        """Return how many articles, revisions and waiting entries each outlet has."""
        with self._reading() as connection:
            return reads.counts(connection)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()
