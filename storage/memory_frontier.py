"""The frontier of the store in memory: entries that wait, feeds, and when articles are asked again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from storage import FORGOTTEN, Enqueued, QueuedEntry
from storage.rows import claim_changed, claim_text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from kiosque.model import FeedEntry
    from kiosque.polling import FeedState
    from storage import Revisit, Settled


class Frontier:
    """Entries by key, feeds by URL, revisits by the article's id."""

    def __init__(self) -> None:
        self.entries: dict[str, tuple[QueuedEntry, str, datetime | None]] = {}
        self.feeds: dict[str, FeedState] = {}
        self.claims: dict[str, datetime] = {}
        self.revisits: dict[str, tuple[Revisit, datetime]] = {}  # with the time of the look

    def settle(self, one: Settled) -> None:
        """Note how an entry ended, and when its article is asked again."""
        for key in {a.key for a in one.addresses} - {one.key}:
            if key in self.entries:
                self.entries[key] = (self.entries[key][0], "done", None)
        if one.revisit is not None:
            self._note_revisit(one.revisit, one.at)
        if one.outcome == FORGOTTEN:
            return
        queued = self.entries.get(one.key, (QueuedEntry(key=one.key, outlet=one.outlet, url=one.url),))[0]
        queued = replace(queued, attempts=queued.attempts + 1)
        self.entries[one.key] = (queued, one.state, one.next_try)

    def _note_revisit(self, revisit: Revisit, at: datetime) -> None:
        before = self.revisits.get(revisit.article)
        if revisit.removed is None and before is not None:
            revisit = replace(revisit, removed=before[0].removed)
        since = before[1] if before is not None and before[0].removed else at
        self.revisits[revisit.article] = (revisit, since)

    def enqueue(
        self, outlet: str, wanted: Mapping[str, FeedEntry], *, stored: Collection[str], barred: Collection[str]
    ) -> Enqueued:
        """Put a feed's entries on the frontier; those of keys `stored` are known already, `barred` ones stay out."""
        fresh, known, gone = [], [], []
        for key, entry in wanted.items():
            queued = QueuedEntry(key=key, outlet=outlet, url=entry.url, entry=entry)
            old = self.entries.get(key)
            if key in barred:
                gone.append(queued)
            elif (old is None and key not in stored) or (old and (old[1] == "pending" or _claims_anew(old[0], entry))):
                self.entries[key] = (queued, "pending", None)
                fresh.append(queued)
            else:
                known.append(queued)
        return Enqueued(fresh=tuple(fresh), known=tuple(known), forgotten=tuple(gone))

    def pending(self, outlets: Collection[str], due: datetime | None) -> list[QueuedEntry]:
        """Return what still waits to be fetched, oldest first."""
        return [
            queued
            for queued, state, next_try in self.entries.values()
            if state == "pending" and queued.outlet in outlets and (due is None or next_try is None or next_try <= due)
        ]

    def planned(self, due: datetime) -> list[str]:
        """Return the ids of articles that are to be asked again by then, those that wait longest first."""
        found = [
            (revisit.next_due, article)
            for article, (revisit, _) in self.revisits.items()
            if revisit.next_due is not None and revisit.next_due <= due
        ]
        return [article for _, article in sorted(found)]

    def removed(self) -> dict[str, datetime]:
        """Return the ids of articles whose pages are gone, and since when."""
        return {article: since for article, (revisit, since) in self.revisits.items() if revisit.removed}

    def claim_due(self, outlets: Collection[str], *, now: datetime, until: datetime, limit: int) -> list[FeedState]:
        """Take feeds that are due, and set their next poll to `until`."""
        planned = [(self.claims.get(s.url) or s.next_due, s) for s in self.feeds.values() if s.outlet in outlets]
        due = sorted(((at, s) for at, s in planned if at and at <= now), key=lambda pair: pair[0])
        claimed = [state for _, state in due[:limit]]
        self.claims |= dict.fromkeys((s.url for s in claimed), until)
        return claimed

    def release_claims(self, outlets: Collection[str], *, now: datetime) -> int:
        """Make feeds due again whose claim was never answered, and return how many."""
        left = [url for url, until in self.claims.items() if until > now and self.feeds[url].outlet in outlets]
        for url in left:
            del self.claims[url]
        return len(left)


def _claims_anew(old: QueuedEntry, entry: FeedEntry) -> bool:
    return claim_changed(claim_text(old.entry), entry)
