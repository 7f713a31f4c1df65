"""The planner: whichever worker has the store's turn puts what is due into the queue, and takes from the silent."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kiosque.service.station import claimed
from kiosque.service.timetable import Job
from kiosque.service.workers.shift import FRESH_FOR
from kiosque.urls import site_of
from storage.due import due_outlets
from storage.errands import KINDS, Errand

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from kiosque.model import Outlet
    from kiosque.service.station import Station
    from kiosque.service.workers.signs import Signs
    from storage.errands import Kind
    from storage.queue import Queue
    from storage.sql import SqlStore

log = logging.getLogger("kiosque.worker")

# What is put into the queue at one look: the rest is there at the next one.
MOST_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    """The jobs of the worker that has the turn."""

    station: Station
    queue: Queue
    store: SqlStore
    signs: Signs

    def jobs(self) -> list[Job]:
        """Return them, each as often as the settings say."""
        settings = self.station.newsroom.settings
        return [
            Job(name="plan_due", every=settings.tick, run=self.plan_due),
            Job(name="retry_stalled", every=settings.tick, run=self.retry_stalled),
        ]

    async def plan_due(self) -> None:
        """Put an errand into the queue for each site and kind of work that has something due, once."""
        if self.station.vitals.hold != "held":
            return
        newsroom, slugs = self.station.newsroom, frozenset(self.station.slugs)
        now = newsroom.clock.now()
        due = await newsroom.keeper.ask(due_outlets, self.store, now=now, fresh_since=now - FRESH_FOR)
        claimed(self.station)
        outlets = [newsroom.outlets[slug] for slug in slugs if slug in newsroom.outlets]
        wanted = errands(due, outlets, usual_pause=newsroom.settings.delay)
        if wanted:
            known = await self.queue.planned()
            await self.queue.defer([errand for errand in wanted if errand.name not in known][:MOST_AT_ONCE])

    async def retry_stalled(self) -> None:
        """Put the jobs of workers that fell silent back. After an outage everybody gets the time to be heard first."""
        silent_after = self.station.newsroom.settings.worker_silent_after
        if self.station.vitals.hold != "held" or time.monotonic() - self.signs.since < silent_after:
            return
        taken = await self.queue.take_from_the_silent(silent_after=silent_after)
        if taken:
            log.warning("%d jobs of a worker that fell silent are given to others", taken)


def errands(due: Mapping[Kind, Collection[str]], outlets: Iterable[Outlet], *, usual_pause: float) -> list[Errand]:
    """Return what is to be done at each site, the most urgent first. Outlets that share a site are done together."""
    sites: dict[str, list[Outlet]] = {}
    for outlet in outlets:
        sites.setdefault(site_of(outlet.site) or outlet.slug, []).append(outlet)
    return [
        Errand(
            kind=kind,
            site=site,
            outlets=tuple(sorted(outlet.slug for outlet in there)),
            pause=max(usual_pause if outlet.delay is None else outlet.delay for outlet in there),
        )
        for kind in KINDS
        for site, there in sites.items()
        if any(outlet.slug in due[kind] for outlet in there)
    ]
