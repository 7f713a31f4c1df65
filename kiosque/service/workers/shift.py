"""A shift: one worker's time at one site. It works off what is due there, a few addresses under way at once."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from kiosque.polling import CLAIM_TIME
from kiosque.service.workers.gate import rest_of, slots_of
from spiders.pace import CROWD
from spiders.patience import Patience
from spiders.plan import Revisited
from spiders.waits import waits
from storage.due import waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from kiosque.polling import FeedState
    from kiosque.service.workers.spider import WorkerSpider
    from pipelines.newsroom import Newsroom
    from spiders.plan import Work
    from storage import QueuedEntry
    from storage.errands import Errand
    from storage.sql import SqlStore

log = logging.getLogger("kiosque.worker")

# A shift takes up nothing new after so many seconds: then it is another kind's turn, or another worker's.
SHIFT_SECONDS = 20.0
# Feeds claimed, and addresses asked of the store, at once.
FEEDS, ADDRESSES = 50, 200
# An address that still waits after so long is no news any more.
FRESH_FOR = timedelta(days=2)
# Addresses of one site under way at once: who is killed has fetched so much for nothing.
MOST_OUT = 16
# Between two looks whether the readers have room, in seconds.
LOOK_EVERY = 0.05
# When nothing came back for so long, what is out is given up: it waits on the frontier.
GIVE_UP_AFTER = 900.0


@dataclass(slots=True, kw_only=True, eq=False)
class Shift:
    """One worker's time at one site."""

    errand: Errand
    newsroom: Newsroom
    store: SqlStore
    spider: WorkerSpider
    is_full: Callable[[], bool]
    """Whether the readers have enough pages already."""
    may_go_on: Callable[[], bool]
    """False when the worker stops, or cannot be sure any more that the site is its own."""
    _handed: set[str] = field(default_factory=set)
    """Keys of all addresses that this shift gave to the spider."""
    _out: set[str] = field(default_factory=set)
    """Those that have not come back."""
    _asked: set[str] = field(default_factory=set)
    _until: float = 0.0
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self) -> bool:
        """Work until nothing is due, the time is over, or the worker may not go on; tell whether more is due now."""
        self._until = time.monotonic() + SHIFT_SECONDS
        await self._heed_waits()
        if self.errand.kind == "poll":
            await self._poll()
        while self._goes_on() and (found := await self._due()):
            for work in found:
                if not await self._room(work):
                    break
                self._handed.add(key_of(work))
                self._out.add(key_of(work))
                self._hand(work)
        await self._all_back()
        return self.may_go_on() and time.monotonic() >= self._until and bool(await self._due())

    def passed(self, key: str) -> None:
        """Note that an address is not under way any more."""
        self._out.discard(key)
        self._news.set()

    def polled(self, url: str) -> None:
        """Note that the poll of a feed is over."""
        self._asked.discard(url)
        self._news.set()

    def rest(self) -> float:
        """Return for how many seconds the site's hosts are still to be left alone."""
        return rest_of(self._downloader, self.errand.site)

    def pause(self) -> float:
        """Return the longest pause between two requests that a host of the site has."""
        return max((slot.delay for slot in slots_of(self._downloader, self.errand.site)), default=0.0)

    # -- what is due -----------------------------------------------------------------------------

    async def _due(self) -> Sequence[QueuedEntry | Revisited]:
        newsroom, now, slugs = self.newsroom, self.newsroom.clock.now(), self.errand.outlets
        limit = ADDRESSES + len(self._out)  # those still wait, by the store
        if self.errand.kind == "revisit":
            again = await newsroom.keeper.ask(self.store.revisits, slugs, due=now, limit=limit)
            return [Revisited(queued) for queued in again if self._is_new(queued)]
        found = await newsroom.keeper.ask(waiting, self.store, slugs, now=now, limit=limit, **self._age(now))
        return [queued for queued in found if self._is_new(queued)]

    def _is_new(self, queued: QueuedEntry) -> bool:
        """Tell whether an address may be handed out: it was not yet, and the crawl is not at it on another one's way.

        The spider takes what is handed to it when it gets round to it: until then it does not know of it.
        """
        return queued.key not in self._handed and not self.spider.has(queued.key)

    def _age(self, now: datetime) -> dict[str, datetime]:
        return {"before" if self.errand.kind == "backfill" else "since": now - FRESH_FOR}

    async def _poll(self) -> None:
        """Ask the feeds that are due, and wait until their entries stand on the frontier."""
        keeper, now = self.newsroom.keeper, self.newsroom.clock.now()
        slugs = [slug for slug in self.errand.outlets if slug in self.newsroom.outlets]
        # The site is this shift's: a claim without an answer is that of a worker that died or had to stop.
        await keeper.ask(keeper.store.release_claims, slugs, now=now)
        states: list[FeedState] = await keeper.ask(
            keeper.store.claim_due, slugs, now=now, until=now + CLAIM_TIME, limit=FEEDS
        )
        self._asked = {state.url for state in states}
        for state in states:
            if not self.spider.asks(state.url):
                self._hand(state)
        await self._all_back()

    async def _heed_waits(self) -> None:
        """Learn which hosts have asked other workers to wait."""
        keeper, now = self.newsroom.keeper, self.newsroom.clock.now()
        known = await keeper.ask(waits, keeper.store, now=now)
        middlewares = self._downloader.middleware.middlewares
        for patience in (one for one in middlewares if isinstance(one, Patience)):
            patience.heed({host: ((wait.until - now).total_seconds(), wait.why) for host, wait in known.items()})

    # -- what is under way -----------------------------------------------------------------------

    def _goes_on(self) -> bool:
        return self.may_go_on() and time.monotonic() < self._until

    def _hand(self, work: Work) -> None:
        if self.spider.inbox is not None:
            self.spider.inbox.put_nowait(work)

    async def _room(self, work: QueuedEntry | Revisited) -> bool:
        """Wait until one more address may be under way; tell whether the shift goes on."""
        while self._goes_on():
            if len(self._out) >= self._window(work):
                await self._something()
            elif self.is_full():
                await asyncio.sleep(LOOK_EVERY)
            else:
                return True
        return False

    def _window(self, work: QueuedEntry | Revisited) -> int:
        """Return how many addresses may be under way: as many as the downloader takes of one host, within bounds."""
        url = (work.queued if isinstance(work, Revisited) else work).url
        known = self._downloader.per_slot_settings.get(urlsplit(url).hostname or "", {})
        return min(CROWD * int(known.get("concurrency", self._downloader.domain_concurrency)), MOST_OUT)

    async def _all_back(self) -> None:
        """Wait until everything that is under way has come back."""
        while self._out or self._asked or any(self.spider.polling[slug] for slug in self.errand.outlets):
            if not await self._something():
                return

    async def _something(self) -> bool:
        """Wait until something comes back. What does not come back for long is given up: False."""
        self._news.clear()
        try:
            await asyncio.wait_for(self._news.wait(), GIVE_UP_AFTER)
        except TimeoutError:
            log.warning("%s: %d addresses did not come back; they wait", self.errand.site, len(self._out))
            for key in self._out:
                self.spider.drop(key)
            self._out.clear()
            self._asked.clear()
            return False
        return True

    # -- hosts -----------------------------------------------------------------------------------

    @property
    def _downloader(self) -> Any:
        return self.spider.crawler.engine.downloader


def key_of(work: QueuedEntry | Revisited) -> str:
    """Return the key of an address."""
    return work.queued.key if isinstance(work, Revisited) else work.key
