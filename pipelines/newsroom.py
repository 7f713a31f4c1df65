"""What one crawl works with: the settings, the outlets, the worker pool, the keeper of the store, the tally."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from kiosque import __version__
from kiosque.clock import Clock
from kiosque.outlets import finder, load_outlets
from pipelines.archivist import Archivist, open_archive
from pipelines.keeper import Keeper
from pipelines.pool import ReaderPool
from pipelines.relearn import clean_outlet
from pipelines.tally import Tally
from storage import open_storage
from storage.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kiosque.errors import KiosqueError
    from kiosque.model import Outlet, Record, Visit
    from kiosque.settings import Settings
    from storage import Settled

# An article that is older when it is first met was in the feed before we asked: it says nothing of our delay.
BACKLOG_SECONDS = 86_400.0


@dataclass(slots=True, kw_only=True)
class Newsroom:
    """Opened once for a crawl or a service, handed to the spider, closed at the end."""

    settings: Settings
    outlets: Mapping[str, Outlet]
    outlet_of: Callable[[str], Outlet]
    """The outlet of a URL, by its host."""
    pool: ReaderPool
    keeper: Keeper
    archivist: Archivist | None = None
    """None when no page is kept."""
    tally: Tally = field(default_factory=Tally)
    trouble: KiosqueError | None = None
    """Set when the store refused a write, or something else cannot go on: the crawl ends."""
    grown: dict[str, Outlet] = field(default_factory=dict)
    """Outlets with new articles since their learned lines were last looked at, by slug."""
    clock: Clock = field(default_factory=Clock)
    watchers: list[Callable[[Visit, Settled], None]] = field(default_factory=list)
    """Called for each visit once it is in the store."""

    @classmethod
    def open(cls, settings: Settings, *, rehearse: bool = False, clock: Clock | None = None) -> Newsroom:
        """Open the store and start the workers; a rehearsal writes nothing.

        Raises the errors of `load_outlets` and `open_storage`.
        """
        outlets = load_outlets(settings.outlets_dir)
        store = open_storage(settings.database)
        pool = ReaderPool(workers=settings.worker_count, page_time=settings.page_time, page_memory=settings.page_memory)
        return cls(
            settings=settings,
            outlets=outlets,
            outlet_of=finder(outlets),
            pool=pool,
            keeper=Keeper(MemoryStore(behind=store) if rehearse else store),
            archivist=None if rehearse or isinstance(store, MemoryStore) else open_archive(settings),
            clock=clock or Clock(),
        )

    def settled(self, visit: Visit, settled: Settled) -> None:
        """Count a visit that is in the store, and tell whoever watches."""
        self.tally.end(settled.outlet, settled.outcome)
        if settled.outcome == "new":
            self.grown[settled.outlet] = visit.outlet
            delay = arrival(settled.record) if settled.record is not None else None
            if delay is not None and delay < BACKLOG_SECONDS:
                self.tally.arrive(settled.outlet, delay)
        for watch in self.watchers:
            watch(visit, settled)

    def clean_learned(self) -> None:
        """Correct the records of outlets that grew where new lines were learned since. In the keeper's thread."""
        archive = self.archivist.archive if self.archivist is not None else None
        while self.grown:
            _, outlet = self.grown.popitem()
            now = self.clock.now()
            self.tally.corrected += clean_outlet(
                self.keeper.store, outlet, archive=archive, pool=self.pool, version=__version__, at=now
            )

    def close(self, *, now: bool = False) -> None:
        """Let running work finish (not with `now`), and let go of everything."""
        if not now and self.trouble is None:
            self.keeper.call(self.clean_learned)
        self.pool.close(now=now)
        self.keeper.close()
        if self.archivist is not None:
            self.archivist.close()


def arrival(record: Record) -> float | None:
    """Return the seconds from an article's publication to its first sight, None where its time is not known."""
    if record.published is None or record.published_precision not in {"second", "minute"}:
        return None
    published = datetime.fromisoformat(record.published)
    return None if published.tzinfo is None else max(0.0, (record.first_seen_at - published).total_seconds())
