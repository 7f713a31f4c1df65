"""Run one crawl in this process, to its end or until somebody stops it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from scrapy.crawler import AsyncCrawlerProcess

from kiosque.errors import KiosqueError
from spiders.configure import scrapy_settings
from spiders.press import PressSpider

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from scrapy.crawler import Crawler

    from pipelines.newsroom import Newsroom
    from spiders.plan import Plan

log = logging.getLogger("kiosque.crawl")

# What runs beside the crawl gets so long for its last words.
BESIDE_TIME = 4.0
# Fetches under way get this long after Ctrl-C; what is not finished by then stays on the frontier.
INTERRUPT_TIME = 5.0
# How often an end looks what is under way, and the looks at nothing after which it waits no longer: an answer
# passes from the downloader to its reader within one.
LOOK_EVERY, QUIET_LOOKS = 0.1, 3


@dataclass(slots=True, kw_only=True)
class Run:
    """One crawl in this process; Twisted's reactor runs once, so there is one in a process."""

    newsroom: Newsroom
    plan: Plan
    spider: type[PressSpider] = PressSpider
    stop_time: float = INTERRUPT_TIME
    beside: tuple[Callable[[Any], Awaitable[Any]], ...] = ()
    """Coroutines that run beside the crawl and are cancelled at its end."""
    stopped_by: int | None = None
    """The signal that stopped it."""
    seconds: float = 0.0
    _crawler: Any = None
    _stopping: Any = None
    _tasks: list[asyncio.Task[Any]] = field(default_factory=list)

    def __call__(self) -> None:
        """Crawl; returns when the plan is done or the crawl was stopped."""
        settings = self.newsroom.settings
        scrapy = scrapy_settings(settings, self.newsroom.outlets.values())
        scrapy.set("LOG_INSTALL_ROOT_HANDLER", value=False, priority="cmdline")  # the front doors set up logging
        process = AsyncCrawlerProcess(scrapy)
        self._crawler = process.create_crawler(self.spider)
        start = time.monotonic()
        process.crawl(self._crawler, newsroom=self.newsroom, plan=self.plan)
        loop = asyncio.get_event_loop()
        self._tasks = [loop.create_task(self._beside(start)) for start in self.beside]
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stop, number)
        spare_what_stays()
        try:
            process.start(install_signal_handlers=False)
        finally:
            self.seconds = time.monotonic() - start
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)
            self._cancel_beside()
            if self._tasks and not loop.is_closed():  # a progress bar gives back the terminal's cursor
                loop.run_until_complete(asyncio.wait(self._tasks, timeout=BESIDE_TIME))
            self.newsroom.close(now=self.stopped_by is not None)

    def stop(self, number: int) -> None:
        """Stop: no new fetches, those under way get their time. A second call waits no longer."""
        self.stopped_by = number
        self._cancel_beside()
        loop = asyncio.get_event_loop()
        if self._stopping is None:
            self._stopping = loop.create_task(stop_within(self._crawler, self.stop_time))
        else:
            stop_reactor()

    def _cancel_beside(self) -> None:
        for task in self._tasks:
            if not task.cancelling():  # what it does last is not to be interrupted
                task.cancel()

    async def _beside(self, start: Callable[[PressSpider], Awaitable[Any]]) -> None:
        while self._crawler.spider is None:  # noqa: ASYNC110 - Scrapy has no event for it
            await asyncio.sleep(0.02)
        try:
            await start(self._crawler.spider)
        except Exception as error:
            log.exception("what runs beside the crawl failed")
            if not self.plan.endless:  # a crawl can do without its progress bar
                return
            # A service without its jobs would look alive and do nothing.
            known = error if isinstance(error, KiosqueError) else KiosqueError(f"{type(error).__name__}: {error}")
            self.newsroom.trouble = self.newsroom.trouble or known
            self.stop(signal.SIGTERM)


def spare_what_stays() -> None:
    """Let the garbage collector pass over what was imported: it took a twelfth of the event loop's time."""
    gc.collect()
    gc.freeze()


async def stop_within(crawler: Crawler, seconds: float) -> None:
    """Close a crawl; the reactor too, when that takes longer than `seconds` or only what was never sent is left."""
    closing = asyncio.create_task(crawler.stop_async())
    end, quiet = time.monotonic() + seconds, 0
    while not closing.done() and time.monotonic() < end and quiet < QUIET_LOOKS:
        await asyncio.wait({closing}, timeout=LOOK_EVERY)
        quiet = 0 if not closing.done() and under_way(crawler) else quiet + 1
    if not closing.done():
        stop_reactor()
    elif (error := closing.exception()) is not None:
        log.error("the crawl did not close well: %s", error)


def under_way(crawler: Crawler) -> bool:
    """Tell whether an answer is on its way or being read. A request may wait a minute for its host's turn."""
    engine: Any = crawler.engine
    sent = any(slot.transferring for slot in engine.downloader.slots.values())
    reading = engine.scraper.slot
    return sent or (reading is not None and not reading.is_idle())


def stop_reactor() -> None:
    """Stop the event loop."""
    from twisted.internet import reactor as installed  # noqa: PLC0415 - importing it installs one

    reactor: Any = installed
    with contextlib.suppress(RuntimeError):  # it stops already
        reactor.stop()
