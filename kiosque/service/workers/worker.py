"""A worker: takes one site after the other from the queue, shows that it lives, and stands ready to plan for all."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import msgspec
from scrapy import signals

from kiosque import __version__
from kiosque.errors import KiosqueError, StorageError
from kiosque.service.answers import answering
from kiosque.service.reload import Reloader, keep_watching
from kiosque.service.sd_notify import notify, watchdog_seconds
from kiosque.service.station import LEARN_EVERY, take_up
from kiosque.service.vitals import Vitals
from kiosque.service.workers.beside import again_and_again, ended
from kiosque.service.workers.gate import Gate
from kiosque.service.workers.shift import Shift
from storage.queue_look import Said
from storage.turn import me

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping
    from typing import Any

    from kiosque.model import Outlet, Visit
    from kiosque.service.probes import Probes
    from kiosque.service.reload import Wanted
    from kiosque.service.workers.lead import Lead
    from kiosque.service.workers.signs import Signs
    from kiosque.service.workers.spider import WorkerSpider
    from kiosque.settings import Settings
    from pipelines.newsroom import Newsroom
    from storage import Settled
    from storage.queue import Claim, Queue
    from storage.sql import SqlStore
    from storage.turn import Holder

log = logging.getLogger("kiosque.worker")

# Between two looks into an empty queue, after a database that did not answer, and between two claims: pages of a site
# that answers quickly are in the readers' hands by then, and tell whether there is room for another one.
LOOK_EVERY, TRY_EVERY, PACE = 0.3, 1.0, 0.1
# Pages in the readers' hands, for each reader, above which no other site is taken.
ENOUGH = 4
HOUR = 3_600.0
# The probes take a loop that did not beat for half a minute for dead.
LONGEST_BEAT = 10.0


@dataclass(slots=True, kw_only=True, weakref_slot=True)  # Scrapy keeps its signals' receivers weakly
class Worker:
    """What runs beside the spider of a worker."""

    newsroom: Newsroom
    store: SqlStore
    queue: Queue
    signs: Signs
    lead: Lead
    stop_time: float
    read: Callable[[], Settings]
    """Reads the settings again."""
    choose: Callable[[Mapping[str, Outlet], Settings], list[str]]
    shifts: dict[int, Shift] = field(default_factory=dict)
    """By the number of their job."""
    stopping: bool = False
    gate: Gate | None = None
    vitals: Vitals = field(default_factory=Vitals)
    _probes: Probes | None = None
    _own: Holder = field(default_factory=me)
    _tasks: dict[asyncio.Task[None], Claim] = field(default_factory=dict)
    _in_doubt: bool = False
    _ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, spider: WorkerSpider) -> None:
        """Work until cancelled; then let what is under way come back, and give the rest to others."""
        await self._begin(spider)
        helpers = [
            asyncio.create_task(one)
            for one in (
                self._beats(),
                spider.gate.tidy(),
                self._claims(spider),
                self.lead(spider),
                self._watch_files(spider),
                *self._housekeeping(),
            )
        ]
        try:
            done, _ = await asyncio.wait(helpers, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # none of them ends by itself
        finally:
            self.stopping = True
            self.vitals.stopping = True
            notify("STOPPING=1")
            heart, guests, *others = helpers
            await ended(others)
            await self._wind_up()
            await ended([guests])
            await ended([heart])
            await self.queue.close()
            if self._probes is not None:
                self._probes.close()

    async def _begin(self, spider: WorkerSpider) -> None:
        await self._until_it_answers(self.queue.open)
        await self._until_it_answers(self._beat)
        self.newsroom.watchers.append(self._settled)
        self.gate = spider.gate = Gate(
            queue=self.queue, signs=self.signs, at_work=self._sites, downloader=lambda: spider.crawler.engine.downloader
        )
        spider.polled.append(lambda url: self._tell(Shift.polled, url))
        spider.passed.append(lambda key: self._tell(Shift.passed, key))
        spider.crawler.signals.connect(self._ended_now, signal=signals.spider_closed)
        if self.newsroom.settings.metrics_listen:
            self._probes, self.lead.seen = answering(self.newsroom, spider, self.vitals, jobs=self.lead.runs)
        notify("READY=1", "STATUS=working")
        log.info("worker %d: ready", self.queue.worker)

    # -- sites -----------------------------------------------------------------------------------

    async def _claims(self, spider: WorkerSpider) -> None:
        """Take sites from the queue while the readers have room."""
        while True:
            if self.may_go_on():  # one that is full works
                self.vitals.claimed = time.monotonic()
            if not self._has_room():
                await asyncio.sleep(PACE)
                continue
            try:
                if self._in_doubt:
                    guests = self.gate.guests.values() if self.gate is not None else ()
                    await self.queue.give_back_strays({*self.shifts, *(guest.claim.number for guest in guests)})
                    self._in_doubt = False
                claim = await self.queue.claim()
            except StorageError:
                self._in_doubt = True  # it may be ours, and we do not know
                await asyncio.sleep(TRY_EVERY)
                continue
            if claim is None:
                await asyncio.sleep(LOOK_EVERY)
                continue
            self._start(claim, spider)
            await asyncio.sleep(PACE)

    def _sites(self) -> set[str]:
        return {claim.errand.site for claim in self._tasks.values() if self.queue.holds(claim)}

    def _has_room(self) -> bool:
        settings = self.newsroom.settings
        return self.may_go_on() and len(self.shifts) < settings.concurrency and not self.is_full()

    def is_full(self) -> bool:
        """Tell whether the readers have enough pages: what is fetched now would only lie there."""
        return self.newsroom.tally.in_pool >= ENOUGH * self.newsroom.settings.worker_count

    def may_go_on(self) -> bool:
        """Tell whether requests may be made: not while it stops, is cut off, or a scheduler fetches by itself."""
        return not self.stopping and self.signs.fresh() and not self.lead.waits_for

    def _start(self, claim: Claim, spider: WorkerSpider) -> None:
        shift = Shift(
            errand=claim.errand,
            newsroom=self.newsroom,
            store=self.store,
            spider=spider,
            is_full=self.is_full,
            may_go_on=lambda: self.may_go_on() and self.queue.holds(claim),
        )
        self.shifts[claim.number] = shift
        task = asyncio.create_task(self._work(claim, shift), name=claim.errand.name)
        self._tasks[task] = claim
        task.add_done_callback(self._tasks.pop)

    async def _work(self, claim: Claim, shift: Shift) -> None:
        try:
            more = await shift()
            if not self.stopping:
                await asyncio.sleep(max(0.0, shift.rest()))  # the site is nobody else's before
            await self._let_go(claim, shift, more=more)
        except asyncio.CancelledError:  # it is over: what is under way waits on the frontier
            await self._let_go(claim, shift, more=True)
        except Exception as error:
            known = isinstance(error, KiosqueError)
            log.error("%s failed: %s", claim.errand.name, error, exc_info=None if known else error)  # noqa: TRY400
            await self._until_it_answers(partial(self.queue.failed, claim))
        finally:
            self.shifts.pop(claim.number, None)

    async def _let_go(self, claim: Claim, shift: Shift, *, more: bool) -> None:
        """Give a site free, or to the next one once it has had its pause."""
        rest = max(0.0, shift.rest())

        async def end() -> None:
            if not self.signs.fresh():
                await self._beat()
            if not self.queue.holds(claim):  # others have it
                return
            if more or rest:
                await self.queue.put_back(claim, after=rest)
            else:
                await self.queue.finish(claim)

        await self._until_it_answers(end)

    def _settled(self, visit: Visit, _: Settled) -> None:
        self._tell(Shift.passed, visit.key)

    def _tell(self, what: Callable[[Shift, str], None], name: str) -> None:
        for shift in self.shifts.values():
            what(shift, name)

    async def _until_it_answers(self, ask: Callable[[], Awaitable[None]]) -> None:
        """Ask the queue; a database that is away is waited for, unless the worker stops."""
        while True:
            try:
                await ask()
            except StorageError as error:
                if self.stopping:
                    return
                log.warning("%s; trying again in %.0f s", error, TRY_EVERY)
                await asyncio.sleep(TRY_EVERY)
            else:
                return

    # -- signs of life ---------------------------------------------------------------------------

    async def _beats(self) -> None:
        watched = watchdog_seconds()
        while True:
            self.vitals.beat = time.monotonic()
            with contextlib.suppress(StorageError):
                await self._beat()
                self.vitals.store_answered = time.monotonic()
            self.vitals.hold = "lost" if self.lead.waits_for else "held" if self.signs.fresh() else "away"
            for shift, claim in [(self.shifts.get(claim.number), claim) for claim in self._tasks.values()]:
                if shift is not None and shift.pause() > claim.errand.pause:
                    with contextlib.suppress(StorageError):
                        await self.queue.slower(claim, shift.pause())
            if watched is not None:
                notify("WATCHDOG=1")
            await asyncio.sleep(min(self.signs.every, LONGEST_BEAT, watched / 3 if watched else LONGEST_BEAT))

    async def _beat(self) -> None:
        sent = time.monotonic()
        if not await self.queue.beat(self._said()):
            log.warning("this worker was taken for dead; its sites are others' now")
        self.signs.hear(sent=sent)

    def _said(self) -> str:
        said = Said(
            host=self._own.host,
            pid=self._own.pid,
            since=self._own.since,
            version=__version__,
            silent_after=self.signs.silent_after,
            pages=self.newsroom.tally.ended.total(),
            plans=self.lead.plans,
            waits_for=self.lead.waits_for,
        )
        return msgspec.json.encode(said).decode()

    # -- its own house ---------------------------------------------------------------------------

    def _housekeeping(self) -> list[Coroutine[Any, Any, None]]:
        keeper = self.newsroom.keeper
        return [
            again_and_again(LEARN_EVERY, partial(keeper.ask, self.newsroom.clean_learned)),
            again_and_again(HOUR, self._prune),
        ]

    async def _prune(self) -> None:
        archivist, settings = self.newsroom.archivist, self.newsroom.settings
        if archivist is not None:
            today = self.newsroom.clock.now().date()
            await archivist.prune(today=today, keep_days=settings.archive_keep_days, keep_gb=settings.archive_keep_gb)

    async def _watch_files(self, spider: WorkerSpider) -> None:
        apply = partial(self._apply, spider)
        await keep_watching(Reloader(self.newsroom.settings, read=self.read, choose=self.choose, apply=apply))

    def _apply(self, spider: WorkerSpider, wanted: Wanted) -> None:
        self.lead.apply(wanted)
        take_up(self.newsroom, spider, wanted)

    # -- its end ---------------------------------------------------------------------------------

    def _ended_now(self) -> None:
        self._ended.set()

    async def _wind_up(self) -> None:
        """Let what is under way come back, as long as the crawl lives and the time lasts."""
        until = time.monotonic() + self.stop_time
        while self._tasks and not self._ended.is_set() and time.monotonic() < until:
            await asyncio.wait(self._tasks, timeout=PACE)
        await ended([*self._tasks])
