"""When: APScheduler in Scrapy's own asyncio loop claims the feeds that are due and gives them to the spider."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from filelock import FileLock, Timeout

from kiosque.errors import KiosqueError, UsageError
from kiosque.polling import new_feed
from spiders.plan import Plan
from spiders.press import Revisited
from spiders.run import Run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterator
    from pathlib import Path

    from kiosque.model import Visit
    from pipelines.newsroom import Newsroom
    from spiders.press import PressSpider
    from storage import Settled

log = logging.getLogger("kiosque.schedule")

# A claimed feed is due again after this time even when its poll never came back: a crash loses no feed.
CLAIM_TIME = timedelta(minutes=15)
# Feeds and entries given to the spider at one tick, and how many may wait there.
CLAIMS, MOST_WAITING = 50, 200
# Between two looks at what was learned of outlets that grew.
LEARN_SECONDS = 600
# A job that could not run in time runs once, not once for each time it was missed.
GRACE_SECONDS = 60


@dataclass(slots=True, kw_only=True)
class Service:
    """The scheduler's jobs over one newsroom and the spider that works for it."""

    newsroom: Newsroom
    slugs: Collection[str]

    async def __call__(self, spider: PressSpider) -> None:
        """Run the jobs until cancelled."""
        await self.newsroom.keeper.ask(self.register_feeds)
        scheduler = AsyncIOScheduler(timezone=UTC)
        tick = self.newsroom.settings.tick
        for job in (self.poll_due, self.retry_due, self.revisit_due):
            scheduler.add_job(
                until_stopped,
                "interval",
                args=[job, spider],
                name=job.__name__,
                seconds=tick,
                jitter=tick / 10,
                coalesce=True,
                max_instances=1,
                misfire_grace_time=GRACE_SECONDS,
                next_run_time=datetime.now(UTC),
            )
        scheduler.add_job(
            until_stopped,
            "interval",
            args=[self.newsroom.keeper.ask, self.newsroom.clean_learned],
            name="clean_learned",
            seconds=LEARN_SECONDS,
            coalesce=True,
            max_instances=1,
        )
        scheduler.start()
        try:
            await asyncio.Event().wait()
        finally:
            scheduler.shutdown(wait=False)

    def register_feeds(self) -> None:
        """Put feeds that were never polled into the feeds table, due within the next minute at random."""
        store, now = self.newsroom.keeper.store, datetime.now(UTC)
        pairs = dict(self._feeds())
        with store.transaction():
            known = store.feed_states(list(pairs))
            spread = min(60.0, self.newsroom.settings.tick * len(pairs) / CLAIMS)
            for url in pairs.keys() - known.keys():
                due = now + timedelta(seconds=random.uniform(0, spread))  # noqa: S311 - so that they do not start at once
                zone = self.newsroom.outlets[pairs[url]].timezone
                store.save_feed(new_feed(url, outlet=pairs[url], now=due, timezone=zone))
            for state in known.values():
                if state.next_due is None and state.health != "gone":
                    store.save_feed(replace(state, next_due=now))

    def _feeds(self) -> Iterator[tuple[str, str]]:
        for slug in self.slugs:
            outlet = self.newsroom.outlets[slug]
            yield from ((url, slug) for url in (*outlet.feeds, *outlet.news_sitemaps))

    async def poll_due(self, spider: PressSpider) -> None:
        """Claim feeds that are due and give them to the spider."""
        if spider.inbox is None or spider.inbox.qsize() > MOST_WAITING:
            return
        keeper, now = self.newsroom.keeper, datetime.now(UTC)
        claimed = await keeper.ask(keeper.store.claim_due, self.slugs, now=now, until=now + CLAIM_TIME, limit=CLAIMS)
        for state in claimed:
            spider.inbox.put_nowait(state)

    async def retry_due(self, spider: PressSpider) -> None:
        """Give the spider the entries whose time has come again."""
        if spider.inbox is None or spider.inbox.qsize() > MOST_WAITING:
            return
        keeper = self.newsroom.keeper
        for queued in await keeper.ask(keeper.store.pending, self.slugs, due=datetime.now(UTC), limit=CLAIMS):
            spider.inbox.put_nowait(queued)

    async def revisit_due(self, spider: PressSpider) -> None:
        """Give the spider the articles that are to be asked again: conditionally, and after all that is new."""
        if spider.inbox is None or spider.inbox.qsize() > MOST_WAITING:
            return
        keeper = self.newsroom.keeper
        for queued in await keeper.ask(keeper.store.revisits, self.slugs, due=datetime.now(UTC), limit=CLAIMS):
            spider.inbox.put_nowait(Revisited(queued))


async def until_stopped(job: Callable[..., Awaitable[Any]], *arguments: Any) -> None:
    """Run a job; one that is cancelled because the service stops has not failed."""
    with contextlib.suppress(asyncio.CancelledError):
        await job(*arguments)


def run_service(newsroom: Newsroom, slugs: Collection[str], *, beside: tuple[Any, ...] = ()) -> Run:
    """Run the service until SIGTERM or SIGINT, and return how it ended.

    Raises `UsageError` when another scheduler runs on this home.
    """
    newsroom.watchers.append(log_outcome)
    lock = only_one(newsroom.settings.home)
    try:
        run = Run(
            newsroom=newsroom,
            plan=Plan(endless=True),
            stop_time=newsroom.settings.stop_time,
            beside=(Service(newsroom=newsroom, slugs=slugs), *beside),
        )
        log.info("scheduling %d outlets", len(slugs))
        run()
        log.info("stopped; %d pages settled", newsroom.tally.ended.total())
        return run
    finally:
        lock.release()


def only_one(home: Path) -> FileLock:
    """Take the home's lock: two schedulers on one store would poll everything twice."""
    home.mkdir(parents=True, exist_ok=True)
    lock = FileLock(home / "scheduler.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise UsageError(f"another scheduler runs on {home}; stop it first") from error
    except OSError as error:
        raise KiosqueError(f"{home}: {error.strerror}; choose another --home") from error
    return lock


def log_outcome(visit: Visit, settled: Settled) -> None:
    """Log one event per outcome."""
    title = settled.record.title if settled.record else ""
    log.info("%s %s %s %s", settled.outcome, settled.outlet, visit.url, title)


if __name__ == "__main__":
    import sys

    from kiosque.cli import main

    main(["schedule", *sys.argv[1:]])
