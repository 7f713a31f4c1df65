"""The lead: every worker stands ready to plan for all; the one that has the store's turn does."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kiosque.errors import StorageError
from kiosque.service.station import Station
from kiosque.service.workers.beside import ended
from kiosque.service.workers.planner import Planner
from storage.turn import turn_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from kiosque.service.metrics import Seen
    from kiosque.service.note import JobRun
    from kiosque.service.reload import Wanted
    from kiosque.service.workers.signs import Signs
    from kiosque.service.workers.spider import WorkerSpider
    from pipelines.newsroom import Newsroom
    from storage.queue import Queue
    from storage.sql import SqlStore
    from storage.turn import Turn

log = logging.getLogger("kiosque.worker")

# Between two looks whether the turn is free, in seconds.
TRY_EVERY = 1.0


@dataclass(slots=True, kw_only=True)
class Lead:
    """What a worker does beside its sites: wait for the turn, and plan while it has it."""

    newsroom: Newsroom
    store: SqlStore
    queue: Queue
    signs: Signs
    slugs: tuple[str, ...]
    """The outlets that are planned."""
    tend_feeds: Callable[[Station], None]
    seen: Seen | None = None
    plans: bool = False
    """Whether it has the turn."""
    waits_for: str = ""
    """The scheduler that has the store and fetches by itself, if there is one."""
    _station: Station | None = None

    async def __call__(self, spider: WorkerSpider) -> None:
        """Stand ready until cancelled."""
        settings = self.newsroom.settings
        turn = turn_of(settings.database, settings.home, role="worker")
        kept_at = 0.0  # the very first one need not wait
        try:
            while True:
                try:
                    free = await asyncio.to_thread(self._is_free, turn)
                    kept_at = kept_at if free else time.monotonic()
                    ready = free and time.monotonic() - kept_at >= turn.patience
                    if ready and await asyncio.to_thread(turn.take):
                        await self._preside(turn, spider)
                except StorageError as error:
                    log.debug("nobody knows whose turn it is: %s", error)
                await asyncio.sleep(TRY_EVERY)
        finally:
            await asyncio.to_thread(turn.release)

    def apply(self, wanted: Wanted) -> None:
        """Plan by changed files from now on."""
        self.slugs = wanted.slugs
        if self._station is not None:
            self._station.apply(wanted)

    def runs(self) -> tuple[JobRun, ...]:
        """Return what is known of the planning jobs; nothing while another one plans."""
        return self._station.runs() if self._station is not None else ()

    def _is_free(self, turn: Turn) -> bool:
        """Tell whether nobody has the turn; mind a scheduler that does: it fetches by itself, and takes no part."""
        holder = turn.holder()
        scheduler = str(holder) if holder is not None and holder.role == "scheduler" else ""
        if scheduler and not self.waits_for:
            log.warning("a scheduler that fetches by itself has the store (%s); this worker waits", scheduler)
        self.waits_for = scheduler
        return holder is None and turn.is_free()

    async def _preside(self, turn: Turn, spider: WorkerSpider) -> None:
        log.info("this worker plans for all now")
        self.plans, lost = True, asyncio.Event()
        station = self._station = Station(
            newsroom=self.newsroom,
            slugs=self.slugs,
            claims=lambda station, _: Planner(
                station=station, queue=self.queue, store=self.store, signs=self.signs
            ).jobs(),
            tend_feeds=lambda: self.tend_feeds(station),
            turn=turn,
            lost=lost.set,
            listens=False,
            seen=self.seen,
        )
        at_work, waiting = asyncio.create_task(station(spider)), asyncio.create_task(lost.wait())
        try:
            await asyncio.wait({at_work, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if at_work.done():
                at_work.result()
        finally:
            self.plans, self._station = False, None
            await ended([at_work, waiting])
        log.info("another one plans now")
