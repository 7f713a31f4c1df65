"""When: APScheduler in Scrapy's own asyncio loop claims the feeds that are due and gives them to the spider."""

from __future__ import annotations

import logging
import signal
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from kiosque.errors import StorageError, UsageError
from kiosque.polling import CLAIM_TIME, mended, new_feed
from kiosque.service.memory import share_arenas
from kiosque.service.sending import keep_sending
from kiosque.service.station import Station, claimed, spread
from kiosque.service.timetable import Job
from spiders.plan import Plan, Revisited
from spiders.run import Run
from storage.sql import SqlStore
from storage.turn import turn_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping

    from kiosque.model import Outlet, Visit
    from kiosque.settings import Settings
    from pipelines.newsroom import Newsroom
    from spiders.plan import Work
    from spiders.press import PressSpider
    from storage import Settled
    from storage.turn import Turn

log = logging.getLogger("kiosque.schedule")

# Feeds and entries given to the spider at one tick, and how many may wait there.
CLAIMS, MOST_WAITING = 50, 200
# Addresses that the spider may be at: more, and entries to try again and articles to look at again wait in the store,
# which holds any number of them, not in Scrapy's memory.
MOST_UNDER_WAY = 200
# Entries looked at to find some that the spider is not at already: a slow host's may stand before the others.
MOST_LOOKED_AT = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """The jobs that give the spider its work."""

    station: Station
    spider: PressSpider

    def jobs(self) -> list[Job]:
        """Return them, each as often as the settings say."""
        every = self.station.newsroom.settings.tick
        return [
            Job(name=run.__name__, every=every, run=run) for run in (self.poll_due, self.retry_due, self.revisit_due)
        ]

    async def poll_due(self) -> None:
        """Claim feeds that are due and give them to the spider."""
        keeper, now = self.station.newsroom.keeper, self.station.newsroom.clock.now()
        if self._may_claim():
            due = await keeper.ask(
                keeper.store.claim_due, self.station.slugs, now=now, until=now + CLAIM_TIME, limit=CLAIMS
            )
            # A slow host's may wait for longer than a claim: they would come again and again.
            self._give([state for state in due if not self.spider.asks(state.url)])
            claimed(self.station)

    async def retry_due(self) -> None:
        """Give the spider the entries whose time has come again."""
        if self._may_claim() and self.spider.under_way < MOST_UNDER_WAY:
            ask, now = self.station.newsroom.keeper.ask, self.station.newsroom.clock.now()
            pending = self.station.newsroom.keeper.store.pending
            found = await ask(pending, self.station.slugs, due=now, limit=self._looked_at())
            self._give([queued for queued in found if not self.spider.has(queued.key)][:CLAIMS])

    async def revisit_due(self) -> None:
        """Give the spider the articles that are to be asked again: conditionally, and after all that is new."""
        if self._may_claim() and self.spider.under_way < MOST_UNDER_WAY:
            ask, now = self.station.newsroom.keeper.ask, self.station.newsroom.clock.now()
            revisits = self.station.newsroom.keeper.store.revisits
            found = await ask(revisits, self.station.slugs, due=now, limit=self._looked_at())
            self._give([Revisited(queued) for queued in found if not self.spider.has(queued.key)][:CLAIMS])

    def _looked_at(self) -> int:
        return min(CLAIMS + self.spider.under_way, MOST_LOOKED_AT)

    def _may_claim(self) -> bool:
        """Tell whether the store is ours and the spider has room. One that is full works: that is no silence."""
        if self.station.vitals.hold != "held" or self.spider.inbox is None:
            return False
        if self.spider.inbox.qsize() > MOST_WAITING:
            claimed(self.station)
            return False
        return True

    def _give(self, work: Iterable[Work]) -> None:
        for one in work:
            if self.spider.inbox is not None:
                self.spider.inbox.put_nowait(one)


def tend_feeds(station: Station) -> None:
    """Put feeds that were never polled into the table, due within a minute at random, and mend what a clock broke."""
    newsroom, now = station.newsroom, station.newsroom.clock.now()
    store, pairs = newsroom.keeper.store, dict(_feeds(newsroom.outlets, station.slugs))
    with store.transaction():
        known = store.feed_states(list(pairs))
        wait = partial(spread, len(pairs), newsroom.settings.tick, CLAIMS)
        for url in pairs.keys() - known.keys():
            due = now + timedelta(seconds=wait())
            zone = newsroom.outlets[pairs[url]].timezone
            store.save_feed(new_feed(url, outlet=pairs[url], now=due, timezone=zone))
        for url, state in known.items():
            slug = pairs[url]
            if state.next_due is None and state.health != "gone":
                store.save_feed(replace(state, next_due=now, outlet=slug))
            elif (better := mended(state, now=now, due=now + timedelta(seconds=wait()))) is not None:
                store.save_feed(better)
            elif state.outlet != slug:  # its feed stands in another outlet's file now
                store.save_feed(replace(state, outlet=slug))


def _feeds(outlets: Mapping[str, Outlet], slugs: Collection[str]) -> Iterator[tuple[str, str]]:
    for slug in slugs:
        outlet = outlets[slug]
        yield from ((url, slug) for url in (*outlet.feeds, *outlet.news_sitemaps))


def run_service(
    newsroom: Newsroom,
    slugs: Collection[str],
    *,
    turn: Turn | None = None,
    read: Callable[[], Settings] | None = None,
    choose: Callable[[Mapping[str, Outlet], Settings], list[str]] | None = None,
    beside: tuple[Any, ...] = (),
) -> Run:
    """Run the service until SIGTERM or SIGINT, and return how it ended.

    The `turn` is taken already; without one it is taken here. With `read` and `choose` changed files take effect.
    Raises `UsageError` when another scheduler runs on this store.
    """
    share_arenas()
    newsroom.watchers.append(log_outcome)
    turn = turn or taken(newsroom.settings)
    station = Station(
        newsroom=newsroom,
        slugs=tuple(slugs),
        claims=lambda station, spider: Claims(station=station, spider=spider).jobs(),
        tend_feeds=lambda: tend_feeds(station),
        turn=turn,
        read=read,
        choose=choose,
    )
    try:
        run = Run(
            newsroom=newsroom,
            plan=Plan(endless=True),
            stop_time=newsroom.settings.stop_time,
            beside=(station, sending_beside(newsroom), *beside),
        )
        station.lost = partial(_lost, run)
        log.info("scheduling %d outlets", len(slugs))
        run()
        log.info("stopped; %d pages settled", newsroom.tally.ended.total())
        return run
    finally:
        turn.release()


def run_worker(
    newsroom: Newsroom,
    slugs: Collection[str],
    *,
    read: Callable[[], Settings],
    choose: Callable[[Mapping[str, Outlet], Settings], list[str]],
) -> Run:
    """Run one of many workers on a PostgreSQL until SIGTERM or SIGINT, and return how it ended."""
    from kiosque.service.workers.lead import Lead  # noqa: PLC0415 - not everybody has what workers need
    from kiosque.service.workers.signs import Signs  # noqa: PLC0415
    from kiosque.service.workers.spider import WorkerSpider  # noqa: PLC0415
    from kiosque.service.workers.worker import Worker  # noqa: PLC0415
    from storage.queue import Queue  # noqa: PLC0415

    share_arenas()
    newsroom.watchers.append(log_outcome)
    settings, store = newsroom.settings, newsroom.keeper.store
    if not isinstance(store, SqlStore):
        raise UsageError("workers need a database")
    queue, signs = Queue(settings.database), Signs(silent_after=settings.worker_silent_after)
    worker = Worker(
        newsroom=newsroom,
        store=store,
        queue=queue,
        signs=signs,
        lead=Lead(newsroom=newsroom, store=store, queue=queue, signs=signs, slugs=tuple(slugs), tend_feeds=tend_feeds),
        stop_time=settings.stop_time,
        read=read,
        choose=choose,
    )
    run = Run(
        newsroom=newsroom,
        plan=Plan(endless=True),
        spider=WorkerSpider,
        stop_time=settings.stop_time,
        beside=(worker, sending_beside(newsroom)),
    )
    run()
    log.info("stopped; %d pages settled", newsroom.tally.ended.total())
    return run


def sending_beside(newsroom: Newsroom) -> Callable[[Any], Awaitable[None]]:
    """Return what sends finished files of the archive to object storage."""
    return lambda _: keep_sending(lambda: newsroom.settings)


def _lost(run: Run) -> None:
    run.newsroom.trouble = StorageError("another scheduler took this store while the database was away; ended")
    run.stop(signal.SIGTERM)


def taken(settings: Settings) -> Turn:
    """Take the store's turn. Raises `UsageError` that names who has it: two schedulers would poll everything twice."""
    turn = turn_of(settings.database, settings.home)
    if turn.take():
        return turn
    holder = turn.holder()
    turn.release()
    who = f" ({holder})" if holder is not None else ""
    raise UsageError(f"another scheduler runs on this store{who}; stop it first, or wait for it with --standby")


def log_outcome(visit: Visit, settled: Settled) -> None:
    """Log one event per outcome."""
    title = settled.record.title if settled.record else ""
    fields = {"outcome": settled.outcome, "outlet": settled.outlet, "url": visit.url, "title": title}
    log.info("%s %s %s %s", settled.outcome, settled.outlet, visit.url, title, extra={"fields": fields})


if __name__ == "__main__":
    import sys

    from kiosque.cli import main

    main(["schedule", *sys.argv[1:]])
