"""The store in a database, SQLite or PostgreSQL, by one SQLAlchemy Core."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import and_, case, func, or_, select, update

from kiosque.polling import FeedState
from kiosque.urls import canonical_url
from storage import Enqueued, QueuedEntry, feed, forget, lines, revisits, writes
from storage import search as search_module
from storage.engine import empty_journal, make_engine, prepare, reading, writing
from storage.queries import chunks, every, filters, latest, records_by, records_of, urls_of
from storage.rows import claim_changed, queued_from, record_from, short_key, to_text
from storage.schema import addresses, articles, bands, entries, feeds, meta, revisions

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from sqlalchemy import Connection

    from kiosque.model import FeedEntry, Record
    from storage import ChangeFeed, Forgotten, LineCount, Settled

# Records read at once when a table is streamed.
PAGE = 200
CHANGE = revisions.c.change


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
        given = {short_key(key): key for key in keys}
        with self._reading() as connection:
            owner = {
                key: article
                for some in chunks(sorted(given))
                for key, article in connection.execute(
                    select(addresses.c.key, addresses.c.article).where(addresses.c.key.in_(some))
                )
            }
            by_id = {record.id: record for record in records_by(connection, articles.c.id, owner.values())}
        return {given[key]: by_id[article] for key, article in owner.items()}

    def settle(self, settled: Sequence[Settled]) -> None:
        """Write finished URLs: the revision, its addresses, the frontier's row and the outcome."""
        with self._writing() as connection:
            writes.settle(connection, settled)

    def correct(self, record: Record, *, at: datetime) -> None:
        """Replace a revision that our own rules had read wrongly."""
        with self._writing() as connection:
            writes.correct(connection, record, writes.next_numbers(connection), at=at)

    def near(self, bands_: Collection[int], *, limit: int) -> list[Record]:
        """Return the latest records of articles that share bands, those that share most first."""
        meet = func.count().label("meet")
        query = select(bands.c.article, meet).where(bands.c.band.in_(list(bands_))).group_by(bands.c.article)
        with self._reading() as connection:
            met = connection.execute(query.order_by(meet.desc(), bands.c.article).limit(limit)).scalars().all()
            most = case({number: place for place, number in enumerate(met)}, value=articles.c.number)
            return records_of(connection, latest().where(articles.c.number.in_(met)).order_by(most)) if met else []

    def by_id(self, ids: Collection[str]) -> dict[str, Record]:
        """Return the latest record of each of these articles."""
        with self._reading() as connection:
            return {record.id: record for record in records_by(connection, articles.c.id, ids)}

    def cluster(self, name: str) -> list[Record]:
        """Return the latest records of a cluster's articles."""
        with self._reading() as connection:
            return records_by(connection, articles.c.cluster, [name])

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
        wanted = dict(reversed(entries_))  # a key that stands twice in a feed: the first entry speaks
        with self._writing() as connection:
            rows = {
                row["key"]: row
                for some in chunks(sorted(map(short_key, wanted)))
                for row in connection.execute(select(entries).where(entries.c.key.in_(some))).mappings()
            }
            barred = forget.barred(connection, wanted.keys(), outlet)
            fresh, known, again, gone = [], [], [], []
            # A feed lists its newest first; the frontier is worked off oldest first.
            for key, entry in wanted.items():
                row = rows.get(short_key(key))
                queued = QueuedEntry(key=key, outlet=outlet, url=entry.url, entry=entry)
                if key in barred:
                    gone.append(queued)
                elif row is None or row["state"] == "pending":
                    fresh.append(queued)
                elif claim_changed(row["claim"], entry):
                    again.append(queued)
                    fresh.append(queued)
                else:
                    known.append(queued)
            writes.queue(connection, [queued for queued in fresh if short_key(queued.key) not in rows], at)
            for queued in again:
                writes.queue_again(connection, queued)
        return Enqueued(fresh=tuple(fresh), known=tuple(known), forgotten=tuple(gone))

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
            return {
                row["url"]: msgspec.json.decode(row["state"], type=FeedState)
                for some in chunks(sorted(urls))
                for row in connection.execute(select(feeds).where(feeds.c.url.in_(some))).mappings()
            }

    def save_feed(self, state: FeedState) -> None:
        """Keep a feed's poll state."""
        with self._writing() as connection:
            writes.save_feed(connection, state)

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
        query = query.where(*filters(outlet, since))
        if search:
            self.index()
            wanted = search_module.matches(self._engine.dialect.name, search)
            if wanted is None:
                return
            query = query.where(wanted)
        newest_first = after is None
        # An article stands where its last change is; an old revision where it was made.
        order = CHANGE if revisions else articles.c.change
        place = None if newest_first else after
        left = limit
        while left is None or left > 0:
            page = query.limit(min(PAGE, left or PAGE))
            if place is not None:
                page = page.where(place > order if newest_first else place < order)
            page = page.order_by(order.desc() if newest_first else order)
            with self._reading() as connection:
                rows = connection.execute(page).mappings().all()
                urls = urls_of(connection, {row["id"] for row in rows})
            for row in rows:
                yield record_from(row, urls.get(row["id"], ()))
            if len(rows) < min(PAGE, left or PAGE):
                return
            place = rows[-1]["change" if revisions else "last_change"]
            left = None if left is None else left - len(rows)

    def index(self, *, most: int | None = None) -> bool:
        """Bring the search index up to date, or on by `most` batches; return whether it is.

        A store that may only be read is searched as it is.
        """
        with self._reading() as connection:
            more = search_module.behind(connection)
        while more and (most is None or most > 0):
            with self._writing() as connection:
                more = search_module.catch_up(connection)
            most = None if most is None else most - 1
        return not more

    def history(self, url: str) -> list[Record]:
        """Return every revision of the article at an address, the first one first."""
        at = or_(addresses.c.key == short_key(canonical_url(url)), addresses.c.url == url)
        with self._reading() as connection:
            ids = connection.execute(select(addresses.c.article).where(at)).scalars().all()
            return records_of(connection, every().where(articles.c.id.in_(ids[:1])).order_by(CHANGE))

    def changed(self, *, after: int = 0) -> AbstractContextManager[ChangeFeed]:
        """Open the change feed after a change number."""
        return self._changed(after)

    @contextmanager
    def _changed(self, after: int) -> Iterator[ChangeFeed]:
        with self._reading() as connection:
            yield feed.open_feed(connection, after=after)

    def name(self) -> str:
        """Return the store's own name."""
        with self._reading() as connection:
            return str(connection.execute(select(meta.c.value).where(meta.c.key == "store")).scalar_one())

    def last_change(self) -> int:
        """Return the number of the newest change."""
        with self._reading() as connection:
            return feed.last_number(connection)

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
