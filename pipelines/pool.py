"""The worker pool: pages and feeds are read in processes of their own, under a time and a memory limit."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import resource
import signal
from concurrent.futures import CancelledError, Future
from functools import partial
from typing import TYPE_CHECKING, Any

from pebble import ProcessExpired, ProcessPool

from kiosque.feeds import FeedReading, parse_feed
from kiosque.model import Rejected
from pipelines import read_article

if TYPE_CHECKING:
    from collections.abc import Callable

    from kiosque.model import Article, FeedEntry, Outlet, Page
    from pipelines.trace import Trace

# A worker is replaced after so many pages: what lxml and the C heap keep is given back.
PAGES_PER_WORKER = 2000
MEGABYTE = 1_000_000
# Seconds that workers get to end when they are stopped.
STOP_TIME = 5.0


HEAVY = "Reading it took too long or too much memory."


class ReaderPool:
    """Processes that read pages; one that hangs or dies takes its page with it, not the crawl."""

    def __init__(self, *, workers: int, page_time: float, page_memory: int) -> None:
        # Forking a process that has threads can hang the child; the fork server has none, and it
        # imports the steps once for all workers.
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["pipelines.preload"])
        self._page_time = page_time
        self._pool: Any = ProcessPool(
            max_workers=workers,
            max_tasks=PAGES_PER_WORKER,
            initializer=start_worker,
            initargs=(page_memory,),
            context=context,
        )

    async def read(
        self, page: Page, outlet: Outlet, *, entry: FeedEntry | None = None, learned: frozenset[str] = frozenset()
    ) -> Article | Rejected:
        """Read a page. A page that takes too long or brings its worker down is `Rejected`."""
        return await asyncio.wrap_future(self.submit(page, outlet, entry=entry, learned=learned))

    def submit(
        self, page: Page, outlet: Outlet, *, entry: FeedEntry | None = None, learned: frozenset[str] = frozenset()
    ) -> Future[Article | Rejected]:
        """Read a page, as a future."""
        task = self._pool.schedule(
            read_page,
            kwargs={"page": page, "outlet": outlet, "entry": entry, "learned": learned},
            timeout=self._page_time,
        )
        return guarded(task, lambda reason: Rejected(reason=reason, url=page.url))

    def trace(
        self, page: Page, outlet: Outlet, *, entry: FeedEntry | None = None, learned: frozenset[str] = frozenset()
    ) -> Future[Trace | Rejected]:
        """Read a page for a person who asks why; `Rejected` when that takes too long or too much memory."""
        task = self._pool.schedule(
            trace_page,
            kwargs={"page": page, "outlet": outlet, "entry": entry, "learned": learned},
            timeout=self._page_time,
        )
        return guarded(task, lambda reason: Rejected(reason=reason, url=page.url))

    async def parse(self, body: bytes, *, url: str, content_type: str | None) -> FeedReading:
        """Parse a feed. One that takes too long or brings its worker down is a reading with a problem."""
        task = self._pool.schedule(
            parse_feed_body,
            kwargs={"body": body, "url": url, "content_type": content_type},
            timeout=self._page_time,
        )
        future: Future[FeedReading] = guarded(task, lambda reason: FeedReading(problem=reason, detail=HEAVY))
        return await asyncio.wrap_future(future)

    def close(self, *, now: bool = False) -> None:
        """Let running pages finish (or not, with `now`), and end the workers."""
        if not now:
            self._pool.close()
            self._pool.join()
            return
        self._pool.stop()
        with contextlib.suppress(TimeoutError):  # an interrupt in the wrong place leaves a lock behind
            self._pool.join(timeout=STOP_TIME)


def guarded(task: Future[Any], failed: Callable[[str], Any]) -> Future[Any]:
    """Return a future that has an answer even when the task was too slow or its worker died."""
    outer: Future[Any] = Future()
    outer.set_running_or_notify_cancel()
    task.add_done_callback(partial(_answer, outer, failed))
    return outer


def _answer(outer: Future[Any], failed: Callable[[str], Any], task: Future[Any]) -> None:
    try:
        outer.set_result(task.result())
    except TimeoutError:
        outer.set_result(failed("too-slow"))
    except (MemoryError, ProcessExpired):
        outer.set_result(failed("too-heavy"))
    except CancelledError:
        outer.set_result(failed("interrupted"))
    except Exception as error:  # noqa: BLE001 - handed on to whoever waits
        outer.set_exception(error)


def start_worker(page_memory: int) -> None:
    """Prepare a worker: Ctrl-C is for the crawl to handle, and memory is bounded."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    used = address_space()
    if used:
        limit = used + page_memory * MEGABYTE
        with contextlib.suppress(ValueError, OSError):  # a lower hard limit is a limit too
            resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))


def address_space() -> int:
    """Return this process's address space in bytes, 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123 - one line, no path to keep
            return int(statm.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 0


def read_page(*, page: Page, outlet: Outlet, entry: FeedEntry | None, learned: frozenset[str]) -> Article | Rejected:
    """Read a page, in a worker."""
    return read_article(page, outlet, entry=entry, learned=learned)


def trace_page(*, page: Page, outlet: Outlet, entry: FeedEntry | None, learned: frozenset[str]) -> Trace:
    """Read a page and keep what each step gave, in a worker."""
    from pipelines.trace import trace_article  # noqa: PLC0415 - few workers are ever asked

    return trace_article(page, outlet, entry=entry, learned=learned)


def parse_feed_body(*, body: bytes, url: str, content_type: str | None) -> FeedReading:
    """Parse a feed, in a worker."""
    return parse_feed(body, url=url, content_type=content_type)
