"""Where the articles of one batch stand among their near-duplicates: in the store, and in the batch itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.steps import near
from storage import Placing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kiosque.model import Record
    from storage import Store


class Places:
    """Finds the place of one article after the other; what it placed is a neighbour of the next."""

    def __init__(self, store: Store, batch: Iterable[tuple[int, ...]] = ()) -> None:
        """Ask for the neighbours of a whole batch, given the bands of each text, in one question."""
        self._store = store
        self._stored: dict[tuple[int, ...], list[Record]] = {}
        self._ask([bands for bands in dict.fromkeys(batch) if bands])
        self._placed: dict[str, Record] = {}
        self._by_band: dict[int, set[str]] = {}
        self._names: dict[str, str] = {}  # clusters that this batch renamed

    def place(self, record: Record, before: Record | None, *, bands: tuple[int, ...]) -> Placing:
        """Return the place of a new article, or of a new revision: who shares a cluster goes on sharing it.

        `bands` are those of the record's text.
        """
        stale = set(near.bands(before.text)) - set(bands) if before else set()
        name = self._name(before.cluster or before.id) if before else record.id
        if before is None or self._is_alone(name):
            place = near.place(record, self._head(record, bands))
            if place.renamed is not None:
                self._names[place.renamed] = place.cluster
        else:
            place = near.Place(cluster=name)
        for band in bands:
            self._by_band.setdefault(band, set()).add(record.id)
        self._placed[record.id] = record
        return Placing(cluster=place.cluster, renamed=place.renamed, bands=bands, stale=tuple(sorted(stale)))

    def note(self, record: Record) -> None:
        """Remember a placed record with its cluster."""
        self._placed[record.id] = record

    def _head(self, record: Record, bands: tuple[int, ...]) -> Record | None:
        """Return the earliest article of the cluster that a record belongs to."""
        nearest = near.nearest(record, self._neighbours(record.id, bands))
        if nearest is None:
            return None
        name = self._name(nearest.cluster or nearest.id)
        if name in self._placed:
            return self._placed[name]
        return nearest if nearest.id == name else self._store.by_id([name]).get(name) or nearest

    def _neighbours(self, own: str, bands: tuple[int, ...]) -> Iterator[Record]:
        if not bands:
            return
        here = {id_ for band in bands for id_ in self._by_band.get(band, ())} - {own}
        yield from (self._placed[id_] for id_ in sorted(here))
        if bands not in self._stored:
            self._ask([bands])
        yield from (record for record in self._stored[bands] if record.id not in here and record.id != own)

    def _ask(self, batch: list[tuple[int, ...]]) -> None:
        if batch:
            self._stored |= zip(batch, self._store.near(batch, limit=near.MOST_NEIGHBOURS), strict=True)

    def _is_alone(self, name: str) -> bool:
        here = sum(self._name(record.cluster or record.id) == name for record in self._placed.values())
        return here + len(self._store.cluster(name)) <= 1

    def _name(self, cluster: str) -> str:
        while cluster in self._names:
            cluster = self._names[cluster]
        return cluster
