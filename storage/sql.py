"""The store in a database, SQLite or PostgreSQL, by one SQLAlchemy Core."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec
from kiosque.polling import FeedState
from sqlalchemy import and_, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from storage import Enqueued, QueuedEntry
from storage.engine import explained, fold_search, make_engine, prepare
from storage.queries import chunks, every, filters, latest, records_of, urls_of
from storage.rows import (
    claim_changed,
    queued_from,
    record_from,
    to_text,
)
from storage.schema import addresses, articles, changes, entries, feeds, revisions
from storage.writes import Writer

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from kiosque.model import FeedEntry, Record
    from storage import Settled

# Records read at once when a table is streamed.
PAGE = 200
CHANGE = revisions.c.change


class SqlStore:
    """The protocol `storage.Store` on a database."""

    def __init__(self, url: str) -> None:
        self._engine = make_engine(url)
        prepare(self._engine)
        dialect = postgresql if self._engine.dialect.name == "postgresql" else sqlite
        self._writer = Writer(dialect.insert)
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
        with explained(self._engine), self._engine.begin() as connection:
            self._open.connection = connection
            try:
                yield connection
            finally:
                self._open.connection = None

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        current: Connection | None = getattr(self._open, "connection", None)
        if current is not None:
            yield current
            return
        with explained(self._engine), self._engine.connect() as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")

    def known(self, keys: Collection[str]) -> dict[str, Record]:
        """Return the latest record of each address key that belongs to an article."""
        with self._reading() as connection:
            owner = {
                row["key"]: row["article"]
                for some in chunks(sorted(set(keys)))
                for row in connection.execute(
                    select(addresses.c.key, addresses.c.article).where(addresses.c.key.in_(some))
                ).mappings()
            }
            by_id = {
                record.id: record
                for some in chunks(sorted(set(owner.values())))
                for record in records_of(connection, latest().where(articles.c.id.in_(some)))
            }
        return {key: by_id[article] for key, article in owner.items()}

    def settle(self, settled: Sequence[Settled]) -> None:
        """Write finished URLs: the revision, its addresses, the frontier's row and the outcome."""
        with self._writing() as connection:
            for one in settled:
                self._writer.settle(connection, one)

    def enqueue(self, outlet: str, entries_: Sequence[tuple[str, FeedEntry]], *, at: datetime) -> Enqueued:
        """Put a feed's entries on the frontier."""
        wanted = dict(reversed(entries_))  # a key that stands twice in a feed: the first entry speaks
        with self._writing() as connection:
            rows = {
                row["key"]: row
                for some in chunks(list(wanted))
                for row in connection.execute(select(entries).where(entries.c.key.in_(some))).mappings()
            }
            fresh, known = [], []
            # A feed lists its newest first; the frontier is worked off oldest first.
            for key, entry in wanted.items():
                row = rows.get(key)
                queued = QueuedEntry(key=key, outlet=outlet, url=entry.url, entry=entry)
                if row is None:
                    self._writer.queue(connection, queued, at)
                elif row["state"] == "pending":
                    pass
                elif claim_changed(row["claim"], entry):
                    self._writer.queue_again(connection, queued)
                else:
                    known.append(queued)
                    continue
                fresh.append(queued)
        return Enqueued(fresh=tuple(fresh), known=tuple(known))

    def pending(
        self, outlets: Collection[str], *, due: datetime | None = None, limit: int | None = None
    ) -> list[QueuedEntry]:
        """Return what still waits to be fetched, oldest first."""
        query = select(entries).where(entries.c.state == "pending", entries.c.outlet.in_(sorted(outlets)))
        if due is not None:
            query = query.where(func.coalesce(entries.c.next_try, "") <= to_text(due))
        with self._reading() as connection:
            rows = connection.execute(query.order_by(entries.c.number).limit(limit)).mappings()
            return [queued_from(dict(row)) for row in rows]

    def recent(self, outlets: Collection[str], *, since: datetime) -> list[QueuedEntry]:
        """Return the main addresses of recent articles, with their validators."""
        latest = and_(revisions.c.id == articles.c.id, revisions.c.revision == articles.c.revision)
        query = (
            select(articles.c.outlet, addresses)
            .join(revisions, latest)
            .join(addresses, and_(addresses.c.article == articles.c.id, addresses.c.url == revisions.c.url))
            .where(articles.c.outlet.in_(sorted(outlets)), articles.c.first_seen_at >= to_text(since))
            .order_by(articles.c.first_seen_at)
        )
        with self._reading() as connection:
            return [
                QueuedEntry(
                    key=row["key"],
                    outlet=row["outlet"],
                    url=row["url"],
                    etag=row["etag"],
                    last_modified=row["last_modified"],
                )
                for row in connection.execute(query).mappings()
            ]

    def feed_states(self, urls: Collection[str]) -> dict[str, FeedState]:
        """Return the poll state of the feeds that have one."""
        with self._reading() as connection:
            return {
                row["url"]: msgspec.json.decode(row["state"], type=FeedState)
                for some in chunks(sorted(urls))
                for row in connection.execute(select(feeds).where(feeds.c.url.in_(some))).mappings()
            }

    def save_feed(self, state: FeedState) -> None:
        """Keep a feed's poll state."""
        with self._writing() as connection:
            self._writer.save_feed(connection, state)

    def claim_due(self, outlets: Collection[str], *, now: datetime, until: datetime, limit: int) -> list[FeedState]:
        """Take feeds that are due, and set their next poll to `until` before they are returned."""
        query = (
            select(feeds)
            .where(feeds.c.next_due <= to_text(now), feeds.c.outlet.in_(sorted(outlets)))
            .order_by(feeds.c.next_due)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        with self._writing() as connection:
            rows = connection.execute(query).mappings().all()
            claimed = [row["url"] for row in rows]
            connection.execute(update(feeds).where(feeds.c.url.in_(claimed)).values(next_due=to_text(until)))
        return [msgspec.json.decode(row["state"], type=FeedState) for row in rows]

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
        """Stream records in the order of their last change."""
        query = every() if revisions else latest()
        query = query.where(*filters(outlet, since), *self._words(search))
        newest_first = after is None
        place = None if newest_first else after
        left = limit
        while left is None or left > 0:
            page = query.limit(min(PAGE, left or PAGE))
            if place is not None:
                page = page.where(place > CHANGE if newest_first else place < CHANGE)
            page = page.order_by(CHANGE.desc() if newest_first else CHANGE)
            with self._reading() as connection:
                rows = connection.execute(page).mappings().all()
                urls = urls_of(connection, {row["id"] for row in rows})
            for row in rows:
                yield record_from(row, urls.get(row["id"], ()))
            if len(rows) < min(PAGE, left or PAGE):
                return
            place = rows[-1]["change"]
            left = None if left is None else left - len(rows)

    def _words(self, search: str | None) -> list[Any]:
        if not search:
            return []
        haystack = revisions.c.title + " " + revisions.c.text
        if self._engine.dialect.name == "sqlite":
            folded = func.kiosque_fold(haystack)
            return [folded.contains(word, autoescape=True) for word in fold_search(search).split()]
        return [haystack.icontains(word, autoescape=True) for word in search.split()]

    def last_change(self) -> int:
        """Return the number of the newest change."""
        with self._reading() as connection:
            return connection.execute(select(func.max(changes.c.number))).scalar() or 0

    def counts(self) -> dict[str, dict[str, int]]:
        """Return how many articles, revisions and waiting entries each outlet has."""
        waiting = entries.c.state == "pending"
        queries = {
            "articles": select(articles.c.outlet, func.count()).group_by(articles.c.outlet),
            "revisions": select(revisions.c.outlet, func.count()).group_by(revisions.c.outlet),
            "pending": select(entries.c.outlet, func.count()).where(waiting).group_by(entries.c.outlet),
        }
        found: dict[str, dict[str, int]] = {}
        with self._reading() as connection:
            for name, query in queries.items():
                for outlet, n in connection.execute(query):
                    found.setdefault(outlet, dict.fromkeys(queries, 0))[name] = n
        return found

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()
