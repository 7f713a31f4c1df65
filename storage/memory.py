"""The store in memory: for tests, and for a rehearsal (`--dry-run`) in front of a real store."""

from __future__ import annotations

from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from kiosque.records import record_to_dict
from kiosque.urls import canonical_url
from pipelines.steps import near
from storage import EVERYTHING, Batch, ChangeFeed, Enqueued, Forgotten, LineCount, QueuedEntry
from storage.columns import LISTS
from storage.feed import SIGN
from storage.forget import outlet_mark
from storage.memory_frontier import Frontier
from storage.memory_tables import Tables
from storage.rows import mark
from storage.search import fold_search, singular

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import datetime

    from kiosque.model import FeedEntry, Record
    from kiosque.polling import FeedState
    from storage import RecordQuery, Settled, Stop, Store


class MemoryStore:
    """The protocol `storage.Store` in dictionaries.

    With a store `behind` it, what it does not know is asked there and nothing is ever written
    there: a dry run sees yesterday's articles and leaves no trace. Lists of its own records
    (`records`, `changed`, `history`, `counts`) are about what came in since.
    """

    def __init__(self, behind: Store | None = None) -> None:
        self._behind = behind
        self._tables = Tables()
        self._frontier = Frontier()
        self._marks: set[str] = set()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Open a unit of work; nothing in memory can fail half-way."""
        yield

    def known(self, keys: Collection[str]) -> dict[str, Record]:
        """Return the latest record of each address key that belongs to an article."""
        owner = self._tables.owner
        found = {key: self._whole(owner[key]) for key in keys if key in owner}
        if self._behind is not None:
            found = self._behind.known([key for key in keys if key not in found]) | found
        return found

    def _whole(self, article: str) -> Record:
        return self._tables.whole(self._tables.latest[article])

    def settle(self, settled: Sequence[Settled]) -> None:
        """Write finished URLs."""
        for one in settled:
            if one.record is not None and one.corrects:
                self._tables.correct(one.record)
            elif one.record is not None:
                self._tables.save(one, one.record)
            self._tables.keep_addresses(one)
            self._frontier.settle(one)

    def correct(self, record: Record, *, at: datetime) -> None:
        """Replace a revision that our own rules had read wrongly."""
        del at
        self._tables.correct(record)

    def near(self, texts: Sequence[Collection[int]], *, limit: int) -> list[list[Record]]:
        """Return, for the bands of each text, the latest records of articles that share some, the most first."""
        behind = self._behind.near(texts, limit=limit) if self._behind is not None else [[] for _ in texts]
        return [self._near(bands, others)[:limit] for bands, others in zip(texts, behind, strict=True)]

    def _near(self, bands_: Collection[int], behind: Sequence[Record]) -> list[Record]:
        met: dict[str, int] = {}
        for band in bands_:
            for article in self._tables.bands.get(band, ()):
                met[article] = met.get(article, 0) + 1
        own = sorted(met, key=lambda article: (-met[article], self._tables.made[article, 1]))
        return [*map(self._whole, own), *(record for record in behind if record.id not in met)]

    def by_id(self, ids: Collection[str]) -> dict[str, Record]:
        """Return the latest record of each of these articles."""
        behind = self._behind.by_id(ids) if self._behind is not None else {}
        return behind | {id_: self._whole(id_) for id_ in ids if id_ in self._tables.latest}

    def cluster(self, name: str) -> list[Record]:
        """Return the latest records of a cluster's articles."""
        behind = self._behind.cluster(name) if self._behind is not None else []
        own = [self._whole(id_) for id_, cluster in self._tables.cluster.items() if cluster == name]
        return [*(record for record in behind if record.id not in self._tables.cluster), *own]

    def forgotten(self, keys: Collection[str], outlet: str) -> set[str]:
        """Return those of an outlet's address keys that may not come back."""
        behind = self._behind.forgotten(keys, outlet) if self._behind is not None else set()
        if outlet_mark(outlet) in self._marks:
            return set(keys)
        return behind | {key for key in keys if mark(key) in self._marks}

    def forget(
        self, *, urls: Collection[str] = (), outlet: str | None = None, at: datetime, dry_run: bool = False
    ) -> Forgotten:
        """Erase articles and all that was kept of them, for ever."""
        del at
        tables = self._tables
        ids = {tables.owner[key] for key in map(canonical_url, urls) if key in tables.owner}
        ids |= {record.id for record in tables.latest.values() if record.outlet == outlet}
        pages = [record for (id_, _), record in tables.revisions.items() if id_ in ids]
        own = {url for url, (owner, _) in tables.addresses.items() if owner in ids} | {page.url for page in pages}
        found = Forgotten(
            articles=tuple(sorted(ids)),
            urls=tuple(sorted({*own, *urls})),
            revisions=len(pages),
            archived=tuple(sorted({page.archive for page in pages if page.archive})),
        )
        if not dry_run:
            self._erase(found, outlet)
        return found

    def _erase(self, found: Forgotten, outlet: str | None) -> None:
        self._marks |= {mark(canonical_url(url)) for url in found.urls} | ({outlet_mark(outlet)} if outlet else set())
        gone = set(found.articles)
        self._tables.erase(gone)
        for id_ in gone:
            self._frontier.revisits.pop(id_, None)
        entries = self._frontier.entries
        for key in [key for key, (queued, *_) in entries.items() if self.forgotten([key], queued.outlet)]:
            del entries[key]
        for members in filter(None, map(self.cluster, sorted(gone))):
            head = min(members, key=near.appeared)
            for member in members:
                self._tables.cluster[member.id] = head.id
                self._tables.note(member.id, member.revision, "corrected")

    def note_lines(self, outlet: str, lines_: Collection[tuple[str, str]], *, at: datetime) -> None:
        """Count folded lines of new articles, as `(line, article id)`."""
        seen = self._tables.lines.setdefault(outlet, {})
        for line, article in lines_:
            seen.setdefault(line, {}).setdefault(article, at)

    def learned(self, outlet: str) -> frozenset[str]:
        """Return the folded lines that repeat over an outlet's articles and so are clutter."""
        behind = self._behind.learned(outlet) if self._behind is not None else frozenset()
        return behind | self._tables.learned(outlet)

    def line_counts(self, outlet: str, *, limit: int | None = None) -> list[LineCount]:
        """Return the lines that more than one article of an outlet carries, the most frequent first."""
        return self._tables.line_counts(outlet)[:limit]

    def enqueue(self, outlet: str, entries: Sequence[tuple[str, FeedEntry]], *, at: datetime) -> Enqueued:
        """Put a feed's entries on the frontier."""
        del at
        wanted = dict(reversed(entries))
        stored = self._behind.known(list(wanted)) if self._behind is not None else {}
        return self._frontier.enqueue(outlet, wanted, stored=stored, barred=self.forgotten(wanted.keys(), outlet))

    def pending(
        self, outlets: Collection[str], *, due: datetime | None = None, limit: int | None = None
    ) -> list[QueuedEntry]:
        """Return what still waits to be fetched, oldest first."""
        behind = self._behind.pending(outlets, due=due) if self._behind is not None else []
        left = (queued for queued in behind if queued.key not in self._frontier.entries)
        return [*left, *self._frontier.pending(outlets, due)][:limit]

    def recent(self, outlets: Collection[str], *, since: datetime) -> list[QueuedEntry]:
        """Return the main addresses of recent articles, with their validators."""
        behind = self._behind.recent(outlets, since=since) if self._behind is not None else []
        fresh = [id_ for id_, record in self._tables.latest.items() if record.first_seen_at >= since]
        return [*(q for q in behind if q.key not in self._tables.owner), *self._main(fresh, outlets)]

    def revisits(self, outlets: Collection[str], *, due: datetime, limit: int) -> list[QueuedEntry]:
        """Return the main addresses of articles that are to be asked again by then."""
        behind = self._behind.revisits(outlets, due=due, limit=limit) if self._behind is not None else []
        return [*behind, *self._main(self._frontier.planned(due), outlets)][:limit]

    def _main(self, ids: Sequence[str], outlets: Collection[str]) -> list[QueuedEntry]:
        return [
            QueuedEntry(key=a.key, outlet=record.outlet, url=a.url, etag=a.etag, last_modified=a.last_modified)
            for id_ in ids
            if (record := self._tables.latest.get(id_)) is not None and record.outlet in outlets
            if (a := self._tables.main_address(id_)) is not None
        ]

    def removed(self, outlet: str | None = None) -> dict[str, datetime]:
        """Return the ids of articles whose pages are gone, and since when."""
        behind = self._behind.removed(outlet) if self._behind is not None else {}
        latest = self._tables.latest
        own = {
            article: since
            for article, since in self._frontier.removed().items()
            if outlet is None or (article in latest and latest[article].outlet == outlet)
        }
        return {article: since for article, since in behind.items() if article not in self._frontier.revisits} | own

    def feed_states(self, urls: Collection[str]) -> dict[str, FeedState]:
        """Return the poll state of the feeds that have one."""
        behind = self._behind.feed_states(urls) if self._behind is not None else {}
        return behind | {url: self._frontier.feeds[url] for url in urls if url in self._frontier.feeds}

    def save_feed(self, state: FeedState) -> None:
        """Keep a feed's poll state."""
        self._frontier.feeds[state.url] = state
        self._frontier.claims.pop(state.url, None)

    def claim_due(self, outlets: Collection[str], *, now: datetime, until: datetime, limit: int) -> list[FeedState]:
        """Take feeds that are due, and set their next poll to `until`."""
        return self._frontier.claim_due(outlets, now=now, until=until, limit=limit)

    def release_claims(self, outlets: Collection[str], *, now: datetime) -> int:
        """Make feeds due again whose claim was never answered, and return how many."""
        return self._frontier.release_claims(outlets, now=now)

    def records(self, query: RecordQuery = EVERYTHING) -> Iterator[Record]:
        """Stream records: newest change first, or from a change number on."""
        words = set(singular(fold_search(query.search)).split())
        if query.search and not words:
            return
        tables, after = self._tables, query.after
        latest = {(c.id, tables.latest[c.id].revision): c.number for c in tables.net()}
        place = tables.made if query.revisions else latest
        found = [
            tables.whole(record)
            for key, number in sorted(place.items(), key=lambda pair: pair[1])
            if (after is None or number > after)
            and (record := tables.revisions[key])
            and query.outlet in (None, record.outlet)
            and (query.since is None or record.fetched_at >= query.since)
            and words <= set(singular(fold_search(f"{record.title} {record.text}")).split())
        ]
        yield from (found if after is not None else found[::-1])[: query.limit]

    def history(self, url: str) -> list[Record]:
        """Return every revision of the article at an address, the first one first."""
        owner = self._tables.owner.get(canonical_url(url))
        return [self._tables.whole(one) for (id_, _), one in sorted(self._tables.revisions.items()) if id_ == owner]

    def sign(self, number: int) -> str:
        """Return eight hexadecimal digits that stand for a change."""
        changes = self._tables.changes[number - 1 : number] if number > 0 else []
        return "".join(mark(f"{one.id}:{one.revision}:{one.kind}")[:SIGN] for one in changes)

    def last_change(self) -> int:
        """Return the number of the newest change."""
        return len(self._tables.changes)

    def name(self) -> str:
        """Return the store's own name."""
        return "memory"

    def changed(
        self, *, after: int = 0, stop: Stop | None = None, arrow: bool = False
    ) -> AbstractContextManager[ChangeFeed]:
        """Open the change feed after a change number, always from there."""
        del stop, arrow
        tables = self._tables
        net = tables.net(after)
        if after == 0:
            net = [replace(change, kind="new") for change in net]
        rows = [record_to_dict(self._whole(change.id)) for change in net]
        gone = {c.id: c for c in tables.changes[after:] if c.kind == "deleted" and c.id not in tables.latest}
        columns = {name: [_stored(name, row[name]) for row in rows] for name in rows[0]} if rows else {}
        batches = [Batch(changes=tuple(net), columns=columns)] if rows else []
        if gone and after:
            batches.append(Batch(changes=tuple(gone.values()), columns={}))
        return nullcontext(ChangeFeed(cursor=len(tables.changes), batches=iter(batches)))

    def counts(self) -> dict[str, dict[str, int]]:
        """Return how many articles, revisions and waiting entries each outlet has."""
        found: dict[str, dict[str, int]] = {}
        for name, outlets in (
            ("articles", [r.outlet for r in self._tables.latest.values()]),
            ("revisions", [r.outlet for r in self._tables.revisions.values()]),
            ("pending", [q.outlet for q, state, _ in self._frontier.entries.values() if state == "pending"]),
        ):
            for outlet in outlets:
                row = found.setdefault(outlet, {"articles": 0, "revisions": 0, "pending": 0})
                row[name] += 1
        return found

    def close(self) -> None:
        """Forget everything."""
        if self._behind is not None:
            self._behind.close()


def _stored(name: str, value: Any) -> Any:
    """Return a value as a database gives it."""
    return msgspec.json.encode(value).decode() if name in {*LISTS, "rights"} else value
