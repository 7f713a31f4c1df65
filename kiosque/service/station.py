"""The service beside a crawl: its jobs by the timetable, and what they share."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import signal
import time
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from scrapy import signals

from kiosque import __version__
from kiosque.errors import StorageError
from kiosque.outlets import finder
from kiosque.service import host_rights, note, rights_round, stale_rules
from kiosque.service.answers import answering
from kiosque.service.memory import give_back
from kiosque.service.pulse import pulse
from kiosque.service.reload import FILES_EVERY, Reloader
from kiosque.service.rounds import check_health, export
from kiosque.service.sd_notify import notify
from kiosque.service.timetable import Job, Timetable
from kiosque.service.vitals import Vitals
from spiders.configure import slots
from storage.notes import read_note, write_notes
from storage.turn import me

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kiosque.model import Outlet
    from kiosque.service.look import Look
    from kiosque.service.metrics import Seen
    from kiosque.service.note import JobRun
    from kiosque.service.probes import Probes
    from kiosque.service.reload import Wanted
    from kiosque.settings import Settings
    from pipelines.newsroom import Newsroom
    from spiders.press import PressSpider
    from storage.turn import Holder, Turn

log = logging.getLogger("kiosque.schedule")

HOUR, DAY = 3_600.0, 86_400.0
# Between two looks at what was learned of outlets that grew.
LEARN_EVERY = 600.0
# The last note gets so long to be written.
NOTE_SECONDS = 2.0


@dataclass(slots=True, kw_only=True, weakref_slot=True)  # Scrapy keeps its signals' receivers weakly
class Station:
    """What runs beside the spider of a service."""

    newsroom: Newsroom
    slugs: tuple[str, ...]
    """The outlets that are crawled."""
    claims: Callable[[Station, PressSpider], list[Job]]
    """The jobs that give the spider its work."""
    tend_feeds: Callable[[], None]
    """Puts new feeds into the table; called in the keeper's thread."""
    turn: Turn | None = None
    read: Callable[[], Settings] | None = None
    """Reads the settings again; None when nothing is reloaded."""
    choose: Callable[[Mapping[str, Outlet], Settings], list[str]] | None = None
    lost: Callable[[], None] = field(default=lambda: None)
    """Called when another scheduler took the store."""
    listens: bool = True
    """Whether it answers /metrics by itself; one inside a worker leaves that to the worker."""
    vitals: Vitals = field(default_factory=Vitals)
    seen: Seen | None = None
    _reloader: Reloader | None = None
    _table: Timetable | None = None
    _ticking: tuple[str, ...] = ()
    _spider: PressSpider | None = None
    _last_look: Look | None = None
    _own: Holder = field(default_factory=me)
    _reloading: set[asyncio.Task[None]] = field(default_factory=set)

    async def __call__(self, spider: PressSpider) -> None:
        """Run the jobs until cancelled."""
        keeper = self.newsroom.keeper
        self._spider = spider
        self.vitals.tick = self.newsroom.settings.tick
        await keeper.ask(self.tend_feeds)
        before = note.decode(await keeper.ask(read_note, keeper.store, note.KEY))
        ticking = self.claims(self, spider)
        self._ticking = tuple(job.name for job in ticking)
        self._table = Timetable(
            [*ticking, *self._rounds(spider)],
            clock=self.newsroom.clock,
            known=before.jobs if before is not None else (),
        )
        self._watch_files()
        spider.crawler.signals.connect(self._answered, signal=signals.response_downloaded)
        probes = self._probes(self._table)
        self._table.start()
        notify("READY=1", f"STATUS=scheduling {len(self.slugs)} outlets")
        try:
            await pulse(
                self.vitals,
                turn=self.turn,
                write_note=self.write_note,
                clock_was_set=self._clock_was_set,
                lost=self.lost,
            )
        finally:
            self.vitals.stopping = True
            notify("STOPPING=1")
            await self._table.stop()
            if probes is not None:
                probes.close()
            if self.read is not None:
                asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)
                signal.signal(signal.SIGHUP, signal.SIG_IGN)  # it ends nothing that stops already
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.write_note(stopped=True), NOTE_SECONDS)

    # -- jobs ------------------------------------------------------------------------------------

    def _rounds(self, spider: PressSpider) -> list[Job]:
        settings, keeper = self.newsroom.settings, self.newsroom.keeper
        jobs = [
            Job(name="clean_learned", every=LEARN_EVERY, run=partial(keeper.ask, self.newsroom.clean_learned)),
            Job(name="tend_feeds", every=HOUR, wait=HOUR, run=partial(keeper.ask, self.tend_feeds)),
            Job(name="check_health", every=settings.health_every, wait=5.0, run=self.check_health),
            Job(name="refresh_rights", every=DAY, wait=120.0, remembers=True, run=partial(self.refresh_rights, spider)),
            Job(name="check_rules", every=DAY, wait=600.0, remembers=True, run=self.check_rules),
            Job(name="retain_archive", every=HOUR, wait=300.0, remembers=True, run=self.retain_archive),
        ]
        if self.read is not None:
            jobs.append(Job(name="watch_files", every=FILES_EVERY, wait=FILES_EVERY, run=self._watch))
        if settings.export_folder is not None:
            jobs.append(Job(name="export", at=settings.export_at, run=self._export))
        return jobs

    def runs(self) -> tuple[JobRun, ...]:
        """Return what is known of each job."""
        return self._table.runs() if self._table is not None else ()

    async def check_health(self) -> Look:
        """Look at everyone's health, and tell what is new."""
        newsroom = self.newsroom
        now = newsroom.clock.now()
        seen = self._last_look = await check_health(newsroom.settings, newsroom.outlets, now=now, last=self._last_look)
        await asyncio.to_thread(give_back)  # it read the articles of five weeks
        if self.seen is not None:
            self.seen.look = seen
        return seen

    async def refresh_rights(self, spider: PressSpider) -> None:
        """Ask the outlets' hosts again what they allow, and note what changed."""
        keeper = self.newsroom.keeper
        outlets = [self.newsroom.outlets[slug] for slug in self.slugs]
        said = await rights_round.ask_hosts(spider.crawler, outlets)
        before = host_rights.decode(await keeper.ask(read_note, keeper.store, host_rights.KEY))
        after = host_rights.compared(before, said, now=self.newsroom.clock.now())
        for host in after:
            if host.changed is not None and host.says != before.get(host.origin, host).says:
                log.warning("%s: %s says %s of reuse now, %s before", host.outlet, host.origin, host.says, host.before)
        await keeper.ask(write_notes, keeper.store, {host_rights.KEY: host_rights.encode(after)})

    async def check_rules(self) -> None:
        """Hold the outlets' rules against what was archived lately; `check_health` tells what was found."""
        if self.newsroom.archivist is None:
            return
        outlets = [self.newsroom.outlets[slug] for slug in self.slugs]
        for found in await asyncio.to_thread(stale_rules.check_rules, self.newsroom.settings, outlets):
            log.warning("%s: %s matches nothing on the newest pages", found.outlet, found.facts["rule"])

    async def retain_archive(self) -> None:
        """Delete pages that are older, or more, than the settings keep."""
        archivist, settings = self.newsroom.archivist, self.newsroom.settings
        if archivist is None:
            return
        today = self.newsroom.clock.now().date()
        gone = await archivist.prune(
            today=today, keep_days=settings.archive_keep_days, keep_gb=settings.archive_keep_gb
        )
        if gone:
            log.info("the archive let go of %d files, %s the last", len(gone), gone[-1])

    async def _export(self) -> None:
        await export(self.newsroom.settings)

    # -- what is said of the service -------------------------------------------------------------

    def note(self, *, stopped: bool = False) -> note.ServiceNote:
        """Return what this service says of itself now."""
        now = self.newsroom.clock.now()
        return note.ServiceNote(
            host=self._own.host,
            pid=self._own.pid,
            since=self._own.since,
            heard=now,
            stopped=now if stopped else None,
            version=__version__,
            outlets=len(self.slugs),
            last_claim=self.vitals.last_claim,
            reload_error=self._reloader.error if self._reloader is not None else None,
            jobs=self._table.runs() if self._table is not None else (),
        )

    async def write_note(self, *, stopped: bool = False) -> None:
        """Leave the note in the store; a database that is away is waited for."""
        keeper, said = self.newsroom.keeper, note.encode(self.note(stopped=stopped))
        with contextlib.suppress(StorageError):  # what cannot be written is said by the crawl's own writes
            await keeper.ask(write_notes, keeper.store, {note.KEY: said})

    def _probes(self, table: Timetable) -> Probes | None:
        if not self.listens or not self.newsroom.settings.metrics_listen or self._spider is None:
            return None
        probes, self.seen = answering(self.newsroom, self._spider, self.vitals, jobs=table.runs)
        return probes

    def _answered(self, request: Any) -> None:
        took = request.meta.get("download_latency")
        if took is not None:
            self.newsroom.tally.fetching.add(took)

    # -- changes while it runs -------------------------------------------------------------------

    def _clock_was_set(self) -> None:
        if self._table is not None:
            self._table.nudge()
        self._soon(self.newsroom.keeper.ask(self.tend_feeds))

    def _watch_files(self) -> None:
        if self.read is None or self.choose is None:
            return
        reloader = self._reloader = Reloader(
            self.newsroom.settings, read=self.read, choose=self.choose, apply=self.apply
        )
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, lambda: self._soon(reloader.reload()))

    def _soon(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._reloading.add(task)
        task.add_done_callback(self._reloading.discard)

    async def _watch(self) -> None:
        if self._reloader is not None:
            await self._reloader.watch()

    def apply(self, wanted: Wanted) -> None:
        """Go on with what the files say now."""
        old, newsroom = self.newsroom.settings, self.newsroom
        self.slugs = wanted.slugs
        if self._spider is not None:
            take_up(newsroom, self._spider, wanted)
        if self._table is not None:
            self._change_times(self._table, old, wanted.settings)
        notify(f"STATUS=scheduling {len(self.slugs)} outlets")
        self._soon(newsroom.keeper.ask(self.tend_feeds))

    def _change_times(self, table: Timetable, old: Settings, new: Settings) -> None:
        self.vitals.tick = new.tick
        if new.tick != old.tick:
            for name in self._ticking:
                table.put(replace(table.job(name), every=new.tick))
        if new.health_every != old.health_every:
            table.put(replace(table.job("check_health"), every=new.health_every))
        if (new.export_folder, new.export_at) != (old.export_folder, old.export_at):
            if new.export_folder is None:
                table.drop("export")
            else:
                table.put(Job(name="export", at=new.export_at, run=self._export))


def take_up(newsroom: Newsroom, spider: PressSpider, wanted: Wanted) -> None:
    """Have a running crawl go on with changed settings and outlets."""
    newsroom.settings, newsroom.outlets = wanted.settings, wanted.outlets
    newsroom.outlet_of = finder(wanted.outlets)
    downloader: Any = spider.crawler.engine.downloader
    downloader.per_slot_settings.update(slots(wanted.settings, wanted.outlets.values()))


def spread(count: int, tick: float, at_once: int) -> float:
    """Return a random wait in seconds within which so many feeds begin, a minute at most."""
    return random.uniform(0, min(60.0, tick * count / at_once))  # noqa: S311 - so that they do not start at once


def claimed(station: Station) -> None:
    """Note that feeds were looked for."""
    station.vitals.claimed = station.vitals.store_answered = time.monotonic()
    station.vitals.last_claim = station.newsroom.clock.now()
