"""The store in memory: for tests, and for a rehearsal (`--dry-run`) in front of a real store."""

from __future__ import annotations

from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from kiosque.records import record_to_dict
from kiosque.urls import canonical_url
from pipelines.steps import near
from storage import FORGOTTEN, Address, Batch, Change, ChangeFeed, Enqueued, Forgotten, LineCount, QueuedEntry
from storage.feed import KIND, WEIGHT
from storage.forget import outlet_mark
from storage.lines import is_clutter
from storage.rows import claim_changed, claim_text, mark
from storage.search import fold_search, singular

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import datetime

    from kiosque.model import FeedEntry, Record
    from kiosque.polling import FeedState
    from storage import ChangeKind, Revisit, Settled, Store


class MemoryStore:
    """The protocol `storage.Store` in dictionaries.

    With a store `behind` it, what it does not know is asked there and nothing is ever written
    there: a dry run sees yesterday's articles and leaves no trace. Lists of its own records
    (`records`, `changed`, `history`, `counts`) are about what came in since.
    """

    def __init__(self, behind: Store | None = None) -> None:
        self._behind = behind
        self._revisions: dict[tuple[str, int], Record] = {}
        self._made: dict[tuple[str, int], int] = {}  # by the number of which change
        self._latest: dict[str, Record] = {}
        self._cluster: dict[str, str] = {}
        self._changes: list[Change] = []
        self._bands: dict[int, set[str]] = {}
        self._marks: set[str] = set()
        self._lines: dict[str, dict[str, dict[str, datetime]]] = {}
        self._addresses: dict[str, tuple[str, Address]] = {}
        self._owner: dict[str, str] = {}
        self._entries: dict[str, tuple[QueuedEntry, str, datetime | None]] = {}
        self._feeds: dict[str, FeedState] = {}
        self._revisits: dict[str, tuple[Revisit, datetime]] = {}  # with the time of the look

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Open a unit of work; nothing in memory can fail half-way."""
        yield

    def known(self, keys: Collection[str]) -> dict[str, Record]:
        """Return the latest record of each address key that belongs to an article."""
        found = {key: self._whole(self._latest[self._owner[key]]) for key in keys if key in self._owner}
        if self._behind is not None:
            found = self._behind.known([key for key in keys if key not in found]) | found
        return found

    def _whole(self, record: Record) -> Record:
        """Return a record with what is kept of its article."""
        urls = {url for url, (owner, _) in self._addresses.items() if owner == record.id} - {record.url}
        return replace(record, urls=(record.url, *sorted(urls)), cluster=self._cluster[record.id])

    def settle(self, settled: Sequence[Settled]) -> None:
        """Write finished URLs."""
        for one in settled:
            if one.record is not None and one.corrects:
                self.correct(one.record, at=one.at)
            elif one.record is not None:
                self._save(one, one.record)
            if one.article in self._latest:
                self._addresses |= {a.url: (one.article, self._fresher(a)) for a in one.addresses}
                self._owner = {a.key: one.article for a in one.addresses} | self._owner
            for key in {a.key for a in one.addresses} - {one.key}:
                if key in self._entries:
                    self._entries[key] = (self._entries[key][0], "done", None)
            if one.revisit is not None:
                self._note_revisit(one.revisit, one.at)
            if one.outcome == FORGOTTEN:
                continue
            queued = self._entries.get(one.key, (QueuedEntry(key=one.key, outlet=one.outlet, url=one.url),))[0]
            queued = replace(queued, attempts=queued.attempts + 1)
            self._entries[one.key] = (queued, one.state, one.next_try)

    def _save(self, one: Settled, record: Record) -> None:
        self._note(record.id, record.revision, "new" if record.revision == 1 else "revised")
        self._made[record.id, record.revision] = len(self._changes)
        self._revisions[record.id, record.revision] = record
        self._latest[record.id] = record
        self._cluster.setdefault(record.id, record.id)
        placing = one.placing
        if placing is None:
            return
        self._cluster[record.id] = placing.cluster
        for member in [id_ for id_, name in self._cluster.items() if name == placing.renamed and id_ != record.id]:
            self._cluster[member] = placing.cluster
            self._note(member, self._latest[member].revision, "corrected")
        for band in placing.stale:
            self._bands.get(band, set()).discard(record.id)
        for band in placing.bands:
            self._bands.setdefault(band, set()).add(record.id)

    def _note(self, article: str, revision: int, kind: ChangeKind) -> None:
        self._changes.append(Change(number=len(self._changes) + 1, id=article, revision=revision, kind=kind))

    def _fresher(self, address: Address) -> Address:
        old = self._addresses.get(address.url, ("", address))[1]
        return replace(old, etag=address.etag or old.etag, last_modified=address.last_modified or old.last_modified)

    def correct(self, record: Record, *, at: datetime) -> None:
        """Replace a revision that our own rules had read wrongly."""
        del at
        if (record.id, record.revision) not in self._revisions:
            return
        self._revisions[record.id, record.revision] = record
        if self._latest[record.id].revision == record.revision:
            self._latest[record.id] = record
        self._cluster[record.id] = record.cluster or self._cluster[record.id]
        self._note(record.id, self._latest[record.id].revision, "corrected")

    def near(self, bands_: Collection[int], *, limit: int) -> list[Record]:
        """Return the latest records of articles that share bands, those that share most first."""
        met: dict[str, int] = {}
        for band in bands_:
            for article in self._bands.get(band, ()):
                met[article] = met.get(article, 0) + 1
        own = sorted(met, key=lambda article: (-met[article], self._made[article, 1]))
        behind = self._behind.near(bands_, limit=limit) if self._behind is not None else []
        return [*(self._whole(self._latest[id_]) for id_ in own), *(r for r in behind if r.id not in met)][:limit]

    def by_id(self, ids: Collection[str]) -> dict[str, Record]:
        """Return the latest record of each of these articles."""
        behind = self._behind.by_id(ids) if self._behind is not None else {}
        return behind | {id_: self._whole(self._latest[id_]) for id_ in ids if id_ in self._latest}

    def cluster(self, name: str) -> list[Record]:
        """Return the latest records of a cluster's articles."""
        behind = self._behind.cluster(name) if self._behind is not None else []
        own = [self._whole(self._latest[id_]) for id_, cluster in self._cluster.items() if cluster == name]
        return [*(record for record in behind if record.id not in self._cluster), *own]

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
        ids = {self._owner[key] for key in map(canonical_url, urls) if key in self._owner}
        ids |= {record.id for record in self._latest.values() if record.outlet == outlet}
        pages = [record for (id_, _), record in self._revisions.items() if id_ in ids]
        own = {url for url, (owner, _) in self._addresses.items() if owner in ids} | {page.url for page in pages}
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
        for id_ in found.articles:
            self._note(id_, 0, "deleted")
            del self._latest[id_], self._cluster[id_]
            self._revisits.pop(id_, None)
        for its in [its for its in self._revisions if its[0] in gone]:
            del self._revisions[its], self._made[its]
        self._addresses = {url: pair for url, pair in self._addresses.items() if pair[0] not in gone}
        self._owner = {key: owner for key, owner in self._owner.items() if owner not in gone}
        self._bands = {band: left for band, ids in self._bands.items() if (left := ids - gone)}
        for key in [*self._entries]:
            if self.forgotten([key], self._entries[key][0].outlet):
                del self._entries[key]
        for articles in self._lines.values():
            for line in [line for line, seen in articles.items() if seen.keys() <= gone]:
                del articles[line]
        for name in sorted(gone):
            members = self.cluster(name)
            if members:
                head = min(members, key=near.appeared)
                for member in members:
                    self._cluster[member.id] = head.id
                    self._note(member.id, member.revision, "corrected")

    def note_lines(self, outlet: str, lines_: Collection[tuple[str, str]], *, at: datetime) -> None:
        """Count folded lines of new articles, as `(line, article id)`."""
        seen = self._lines.setdefault(outlet, {})
        for line, article in lines_:
            seen.setdefault(line, {}).setdefault(article, at)

    def learned(self, outlet: str) -> frozenset[str]:
        """Return the folded lines that repeat over an outlet's articles and so are clutter."""
        behind = self._behind.learned(outlet) if self._behind is not None else frozenset()
        own = self._lines.get(outlet, {})
        counted = len({article for seen in own.values() for article in seen})
        return behind | frozenset(line for line, seen in own.items() if is_clutter(len(seen), counted))

    def line_counts(self, outlet: str, *, limit: int | None = None) -> list[LineCount]:
        """Return the lines that more than one article of an outlet carries, the most frequent first."""
        found = [
            LineCount(line=line, articles=len(seen), first_seen=min(seen.values()), last_seen=max(seen.values()))
            for line, seen in self._lines.get(outlet, {}).items()
            if len(seen) > 1
        ]
        return sorted(found, key=lambda one: (-one.articles, one.line))[:limit]

    def enqueue(self, outlet: str, entries: Sequence[tuple[str, FeedEntry]], *, at: datetime) -> Enqueued:
        """Put a feed's entries on the frontier."""
        del at
        wanted = dict(reversed(entries))
        stored = self._behind.known(list(wanted)) if self._behind is not None else {}
        barred = self.forgotten(wanted.keys(), outlet)
        fresh, known, gone = [], [], []
        for key, entry in wanted.items():
            queued = QueuedEntry(key=key, outlet=outlet, url=entry.url, entry=entry)
            old = self._entries.get(key)
            if key in barred:
                gone.append(queued)
            elif (old is None and key not in stored) or (old and old[1] == "pending") or self._claims_anew(key, entry):
                self._entries[key] = (queued, "pending", None)
                fresh.append(queued)
            else:
                known.append(queued)
        return Enqueued(fresh=tuple(fresh), known=tuple(known), forgotten=tuple(gone))

    def _claims_anew(self, key: str, entry: FeedEntry) -> bool:
        old = self._entries.get(key)
        return old is not None and claim_changed(claim_text(old[0].entry), entry)

    def pending(
        self, outlets: Collection[str], *, due: datetime | None = None, limit: int | None = None
    ) -> list[QueuedEntry]:
        """Return what still waits to be fetched, oldest first."""
        behind = self._behind.pending(outlets, due=due) if self._behind is not None else []
        own = [
            queued
            for queued, state, next_try in self._entries.values()
            if state == "pending" and queued.outlet in outlets and (due is None or next_try is None or next_try <= due)
        ]
        return [*(q for q in behind if q.key not in self._entries), *own][:limit]

    def recent(self, outlets: Collection[str], *, since: datetime) -> list[QueuedEntry]:
        """Return the main addresses of recent articles, with their validators."""
        behind = self._behind.recent(outlets, since=since) if self._behind is not None else []
        own = [
            QueuedEntry(
                key=address.key,
                outlet=self._latest[article].outlet,
                url=address.url,
                etag=address.etag,
                last_modified=address.last_modified,
            )
            for article, address in self._addresses.values()
            if address.url == self._latest[article].url
            and self._latest[article].outlet in outlets
            and self._latest[article].first_seen_at >= since
        ]
        return [*(q for q in behind if q.key not in self._owner), *own]

    def _note_revisit(self, revisit: Revisit, at: datetime) -> None:
        before = self._revisits.get(revisit.article)
        if revisit.removed is None and before is not None:
            revisit = replace(revisit, removed=before[0].removed)
        since = before[1] if before is not None and before[0].removed else at
        self._revisits[revisit.article] = (revisit, since)

    def revisits(self, outlets: Collection[str], *, due: datetime, limit: int) -> list[QueuedEntry]:
        """Return the main addresses of articles that are to be asked again by then."""
        behind = self._behind.revisits(outlets, due=due, limit=limit) if self._behind is not None else []
        planned = sorted(
            (revisit.next_due, article)
            for article, (revisit, _) in self._revisits.items()
            if revisit.next_due is not None and revisit.next_due <= due
        )
        own = [
            QueuedEntry(key=a.key, outlet=record.outlet, url=a.url, etag=a.etag, last_modified=a.last_modified)
            for _, article in planned
            if (record := self._latest.get(article)) is not None and record.outlet in outlets
            for owner, a in self._addresses.values()
            if owner == article and a.url == record.url
        ]
        return [*behind, *own][:limit]

    def removed(self, outlet: str | None = None) -> dict[str, datetime]:
        """Return the ids of articles whose pages are gone, and since when."""
        behind = self._behind.removed(outlet) if self._behind is not None else {}
        gone = {
            article: since
            for article, (revisit, since) in self._revisits.items()
            if revisit.removed
            and (outlet is None or (article in self._latest and self._latest[article].outlet == outlet))
        }
        return {article: since for article, since in behind.items() if article not in self._revisits} | gone

    def feed_states(self, urls: Collection[str]) -> dict[str, FeedState]:
        """Return the poll state of the feeds that have one."""
        behind = self._behind.feed_states(urls) if self._behind is not None else {}
        return behind | {url: self._feeds[url] for url in urls if url in self._feeds}

    def save_feed(self, state: FeedState) -> None:
        """Keep a feed's poll state."""
        self._feeds[state.url] = state

    def claim_due(self, outlets: Collection[str], *, now: datetime, until: datetime, limit: int) -> list[FeedState]:
        """Take feeds that are due, and set their next poll to `until`."""
        due = [s for s in self._feeds.values() if s.outlet in outlets and s.next_due and s.next_due <= now]
        claimed = sorted(due, key=lambda s: s.next_due or now)[:limit]
        self._feeds |= {s.url: replace(s, next_due=until) for s in claimed}
        return claimed

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
        """Stream records: newest change first, or from a change number on."""
        words = set(singular(fold_search(search)).split())
        if search and not words:
            return
        place = self._made if revisions else {(c.id, self._latest[c.id].revision): c.number for c in self._net()}
        found = [
            self._whole(record)
            for key, number in sorted(place.items(), key=lambda pair: pair[1])
            if (after is None or number > after)
            and (record := self._revisions[key])
            and outlet in (None, record.outlet)
            and (since is None or record.fetched_at >= since)
            and words <= set(singular(fold_search(f"{record.title} {record.text}")).split())
        ]
        yield from (found if after is not None else found[::-1])[:limit]

    def history(self, url: str) -> list[Record]:
        """Return every revision of the article at an address, the first one first."""
        owner = self._owner.get(canonical_url(url))
        return [self._whole(record) for (id_, _), record in sorted(self._revisions.items()) if id_ == owner]

    def last_change(self) -> int:
        """Return the number of the newest change."""
        return len(self._changes)

    def name(self) -> str:
        """Return the store's own name."""
        return "memory"

    def _net(self, after: int = 0) -> list[Change]:
        """Return what became of each article that stands and changed after a number."""
        found: dict[str, Change] = {}
        for change in self._changes[after:]:
            if change.id in self._latest:
                before = found.pop(change.id, change)
                kind = KIND[max(WEIGHT.get(change.kind, 0), WEIGHT.get(before.kind, 0)) or WEIGHT["new"]]
                found[change.id] = replace(change, kind=kind, revision=self._latest[change.id].revision)
        return list(found.values())

    def changed(self, *, after: int = 0) -> AbstractContextManager[ChangeFeed]:
        """Open the change feed after a change number."""
        net = self._net(after)
        if after == 0:
            net = [replace(change, kind="new") for change in net]
        rows = [record_to_dict(self._whole(self._latest[change.id])) for change in net]
        gone = {c.id: c for c in self._changes[after:] if c.kind == "deleted" and c.id not in self._latest}
        columns = {name: [row[name] for row in rows] for name in rows[0]} if rows else {}
        batches = [Batch(changes=tuple(net), columns=columns)] if rows else []
        if gone and after:
            batches.append(Batch(changes=tuple(gone.values()), columns={}))
        return nullcontext(ChangeFeed(cursor=len(self._changes), batches=iter(batches)))

    def counts(self) -> dict[str, dict[str, int]]:
        """Return how many articles, revisions and waiting entries each outlet has."""
        found: dict[str, dict[str, int]] = {}
        for name, outlets in (
            ("articles", [r.outlet for r in self._latest.values()]),
            ("revisions", [r.outlet for r in self._revisions.values()]),
            ("pending", [q.outlet for q, state, _ in self._entries.values() if state == "pending"]),
        ):
            for outlet in outlets:
                row = found.setdefault(outlet, {"articles": 0, "revisions": 0, "pending": 0})
                row[name] += 1
        return found

    def close(self) -> None:
        """Forget everything."""
        if self._behind is not None:
            self._behind.close()
