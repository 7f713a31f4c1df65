"""The dictionaries of the store in memory, and what is written into them: revisions, changes, clusters, lines."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from storage import Address, Change, LineCount
from storage.feed import KIND, WEIGHT
from storage.lines import is_clutter

if TYPE_CHECKING:
    from datetime import datetime

    from kiosque.model import Record
    from storage import ChangeKind, Settled


@dataclass(slots=True, kw_only=True)
class Tables:
    """What came in since the store was made."""

    revisions: dict[tuple[str, int], Record] = field(default_factory=dict)
    made: dict[tuple[str, int], int] = field(default_factory=dict)
    """By the number of which change."""
    latest: dict[str, Record] = field(default_factory=dict)
    cluster: dict[str, str] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    bands: dict[int, set[str]] = field(default_factory=dict)
    addresses: dict[str, tuple[str, Address]] = field(default_factory=dict)
    """An article's id and its address, by URL."""
    owner: dict[str, str] = field(default_factory=dict)
    """An article's id, by key."""
    lines: dict[str, dict[str, dict[str, datetime]]] = field(default_factory=dict)
    """By outlet, line and article: when it was met."""

    def whole(self, record: Record) -> Record:
        """Return a record with what is kept of its article."""
        urls = {url for url, (owner, _) in self.addresses.items() if owner == record.id} - {record.url}
        return replace(record, urls=(record.url, *sorted(urls)), cluster=self.cluster[record.id])

    def note(self, article: str, revision: int, kind: ChangeKind) -> None:
        """Note a change."""
        self.changes.append(Change(number=len(self.changes) + 1, id=article, revision=revision, kind=kind))

    def save(self, one: Settled, record: Record) -> None:
        """Keep a new revision, and its place among near-duplicates."""
        self.note(record.id, record.revision, "new" if record.revision == 1 else "revised")
        self.made[record.id, record.revision] = len(self.changes)
        self.revisions[record.id, record.revision] = record
        self.latest[record.id] = record
        self.cluster.setdefault(record.id, record.id)
        placing = one.placing
        if placing is None:
            return
        self.cluster[record.id] = placing.cluster
        for member in [id_ for id_, name in self.cluster.items() if name == placing.renamed and id_ != record.id]:
            self.cluster[member] = placing.cluster
            self.note(member, self.latest[member].revision, "corrected")
        for band in placing.stale:
            self.bands.get(band, set()).discard(record.id)
        for band in placing.bands:
            self.bands.setdefault(band, set()).add(record.id)

    def correct(self, record: Record) -> None:
        """Put a record in the place of the revision of its number."""
        if (record.id, record.revision) not in self.revisions:
            return
        self.revisions[record.id, record.revision] = record
        if self.latest[record.id].revision == record.revision:
            self.latest[record.id] = record
        self.cluster[record.id] = record.cluster or self.cluster[record.id]
        self.note(record.id, self.latest[record.id].revision, "corrected")

    def keep_addresses(self, one: Settled) -> None:
        """Keep the addresses of a settled article."""
        if one.article in self.latest:
            self.addresses |= {a.url: (one.article, self._fresher(a)) for a in one.addresses}
            self.owner = {a.key: one.article for a in one.addresses} | self.owner

    def _fresher(self, address: Address) -> Address:
        old = self.addresses.get(address.url, ("", address))[1]
        return replace(old, etag=address.etag or old.etag, last_modified=address.last_modified or old.last_modified)

    def main_address(self, article: str) -> Address | None:
        """Return the address that an article's latest record names."""
        url = self.latest[article].url
        return next((a for owner, a in self.addresses.values() if owner == article and a.url == url), None)

    def erase(self, gone: set[str]) -> None:
        """Erase articles, by id."""
        for id_ in sorted(gone):
            self.note(id_, 0, "deleted")
            del self.latest[id_], self.cluster[id_]
        for its in [its for its in self.revisions if its[0] in gone]:
            del self.revisions[its], self.made[its]
        self.addresses = {url: pair for url, pair in self.addresses.items() if pair[0] not in gone}
        self.owner = {key: owner for key, owner in self.owner.items() if owner not in gone}
        self.bands = {band: left for band, ids in self.bands.items() if (left := ids - gone)}
        for articles in self.lines.values():
            for line in [line for line, seen in articles.items() if seen.keys() <= gone]:
                del articles[line]

    def net(self, after: int = 0) -> list[Change]:
        """Return what became of each article that stands and changed after a number."""
        found: dict[str, Change] = {}
        for change in self.changes[after:]:
            if change.id in self.latest:
                before = found.pop(change.id, change)
                kind = KIND[max(WEIGHT.get(change.kind, 0), WEIGHT.get(before.kind, 0)) or WEIGHT["new"]]
                found[change.id] = replace(change, kind=kind, revision=self.latest[change.id].revision)
        return list(found.values())

    def learned(self, outlet: str) -> frozenset[str]:
        """Return the lines of an outlet that are clutter."""
        own = self.lines.get(outlet, {})
        counted = len({article for seen in own.values() for article in seen})
        return frozenset(line for line, seen in own.items() if is_clutter(len(seen), counted))

    def line_counts(self, outlet: str) -> list[LineCount]:
        """Return the lines that more than one article of an outlet carries, the most frequent first."""
        found = [
            LineCount(line=line, articles=len(seen), first_seen=min(seen.values()), last_seen=max(seen.values()))
            for line, seen in self.lines.get(outlet, {}).items()
            if len(seen) > 1
        ]
        return sorted(found, key=lambda one: (-one.articles, one.line))
