"""The store in memory: for tests, and for a rehearsal (`--dry-run`) in front of a real store."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from storage import Address, Enqueued, QueuedEntry
from storage.engine import fold_search
from storage.rows import claim_changed, claim_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import datetime

    from kiosque.polling import FeedState

    from kiosque.model import FeedEntry, Record
    from storage import Settled, Store


class MemoryStore:
    """The protocol `storage.Store` in dictionaries.

    With a store `behind` it, what it does not know is asked there and nothing is ever written
    there: a dry run sees yesterday's articles and leaves no trace.
    """

    def __init__(self, behind: Store | None = None) -> None:
        self._behind = behind
        self._revisions: list[Record] = []
        self._latest: dict[str, Record] = {}
        self._addresses: dict[str, tuple[str, Address]] = {}
        self._owner: dict[str, str] = {}
        self._entries: dict[str, tuple[QueuedEntry, str, datetime | None]] = {}
        self._feeds: dict[str, FeedState] = {}

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Open a unit of work; nothing in memory can fail half-way."""
        yield

    def known(self, keys: Collection[str]) -> dict[str, Record]:
        """Return the latest record of each address key that belongs to an article."""
        found = {key: self._with_urls(self._owner[key]) for key in keys if key in self._owner}
        if self._behind is not None:
            found = self._behind.known([key for key in keys if key not in found]) | found
        return found

    def _with_urls(self, article: str) -> Record:
        latest = self._latest[article]
        urls = {url for url, (owner, _) in self._addresses.items() if owner == article} - {latest.url}
        return replace(latest, urls=(latest.url, *sorted(urls)))

    def settle(self, settled: Sequence[Settled]) -> None:
        """Write finished URLs."""
        for one in settled:
            if one.record is not None:
                self._revisions.append(one.record)
                self._latest[one.record.id] = one.record
            if one.article in self._latest:
                self._addresses |= {a.url: (one.article, self._fresher(a)) for a in one.addresses}
                self._owner = {a.key: one.article for a in one.addresses} | self._owner
            for key in {a.key for a in one.addresses} - {one.key}:
                if key in self._entries:
                    self._entries[key] = (self._entries[key][0], "done", None)
            queued = self._entries.get(one.key, (QueuedEntry(key=one.key, outlet=one.outlet, url=one.url),))[0]
            queued = replace(queued, attempts=queued.attempts + 1)
            self._entries[one.key] = (queued, one.state, one.next_try)

    def _fresher(self, address: Address) -> Address:
        old = self._addresses.get(address.url, ("", address))[1]
        return replace(old, etag=address.etag or old.etag, last_modified=address.last_modified or old.last_modified)

    def enqueue(self, outlet: str, entries: Sequence[tuple[str, FeedEntry]], *, at: datetime) -> Enqueued:
        """Put a feed's entries on the frontier."""
        del at
        wanted = dict(reversed(entries))
        stored = self._behind.known(list(wanted)) if self._behind is not None else {}
        fresh, known = [], []
        for key, entry in wanted.items():
            queued = QueuedEntry(key=key, outlet=outlet, url=entry.url, entry=entry)
            old = self._entries.get(key)
            if (old is None and key not in stored) or (old and old[1] == "pending") or self._claims_anew(key, entry):
                self._entries[key] = (queued, "pending", None)
                fresh.append(queued)
            else:
                known.append(queued)
        return Enqueued(fresh=tuple(fresh), known=tuple(known))

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
        words = fold_search(search).split()
        found = [
            self._with_urls(record.id) if record is self._latest[record.id] else record
            for number, record in enumerate(self._revisions, start=1)
            if (after is None or number > after)
            and (revisions or record is self._latest[record.id])
            and outlet in (None, record.outlet)
            and (since is None or record.fetched_at >= since)
            and all(word in fold_search(f"{record.title} {record.text}") for word in words)
        ]
        yield from (found if after is not None else found[::-1])[:limit]

    def last_change(self) -> int:
        """Return the number of the newest change."""
        return len(self._revisions)

    def counts(self) -> dict[str, dict[str, int]]:
        """Return how many articles, revisions and waiting entries each outlet has."""
        found: dict[str, dict[str, int]] = {}
        for name, outlets in (
            ("articles", [r.outlet for r in self._latest.values()]),
            ("revisions", [r.outlet for r in self._revisions]),
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
