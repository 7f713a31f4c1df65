"""The worker pool: pages and feeds are read in processes of their own, under a time and a memory limit."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import resource
import signal
import threading
import time
from concurrent.futures import BrokenExecutor, CancelledError, Future
from functools import partial
from queue import Empty
from typing import TYPE_CHECKING, Any, NamedTuple

from pebble import ProcessExpired, ProcessPool

from kiosque.feeds import FeedReading, parse_feed
from kiosque.model import Article, Rejected
from pipelines import read_article
from pipelines.forks import fork_context
from pipelines.steps.digest import Digest, digest_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from kiosque.model import FeedEntry, Outlet, Page
    from pipelines.trace import Trace

log = logging.getLogger("kiosque.pool")

# A worker is replaced after so many pages: what lxml and the C heap keep is given back.
PAGES_PER_WORKER = 2000
MEGABYTE = 1_000_000
# A task whose worker dies is given to one more.
TRIES = 2
# Objects that a worker may leave in cycles before the garbage collector looks for them.
GARBAGE = 50_000
# Seconds that workers get to end when they are stopped.
STOP_TIME = 5.0
# A worker that is killed while it holds the lock of Pebble's pipe leaves all others waiting for it, two minutes and
# more. When nothing was answered for a page's time and so many seconds, the pool is stuck; a start takes less.
PATIENCE, LOOK_EVERY = 20.0, 1.0


HEAVY = "Reading it took too long or too much memory."


class ReaderPool:
    """Processes that read pages; one that hangs or dies takes its page with it, not the crawl."""

    def __init__(self, *, workers: int, page_time: float, page_memory: int) -> None:
        self._context = fork_context()
        self._page_time = page_time
        self._page_memory = page_memory
        self._workers = workers
        self._lock = threading.Lock()
        self._closed = False
        self._waiting = 0
        self._heard = time.monotonic()
        self._over = threading.Event()
        self._pool: Any = self._new_pool()
        threading.Thread(target=self._look_after, daemon=True, name="pool-watch").start()

    def _new_pool(self) -> Any:
        return ProcessPool(
            max_workers=self._workers,
            max_tasks=PAGES_PER_WORKER,
            initializer=start_worker,
            initargs=(self._page_memory,),
            context=self._context,
        )

    async def read(
        self, page: Page, outlet: Outlet, *, entry: FeedEntry | None = None, learned: frozenset[str] = frozenset()
    ) -> tuple[Article | Rejected, Digest | None]:
        """Read a page and count its article. A page that takes too long or brings its worker down is `Rejected`."""
        given = {"page": page, "outlet": outlet, "entry": entry, "learned": learned}
        task = _Task(read_and_count, given, lambda reason: (Rejected(reason=reason, url=page.url), None))
        found: tuple[Article | Rejected, Digest | None] = await asyncio.wrap_future(self._begin(task))
        return found

    def submit(
        self, page: Page, outlet: Outlet, *, entry: FeedEntry | None = None, learned: frozenset[str] = frozenset()
    ) -> Future[Article | Rejected]:
        """Read a page, as a future."""
        given = {"page": page, "outlet": outlet, "entry": entry, "learned": learned}
        return self._begin(_Task(read_page, given, lambda reason: Rejected(reason=reason, url=page.url)))

    def trace(
        self, page: Page, outlet: Outlet, *, entry: FeedEntry | None = None, learned: frozenset[str] = frozenset()
    ) -> Future[Trace | Rejected]:
        """Read a page for a person who asks why; `Rejected` when that takes too long or too much memory."""
        given = {"page": page, "outlet": outlet, "entry": entry, "learned": learned}
        return self._begin(_Task(trace_page, given, lambda reason: Rejected(reason=reason, url=page.url)))

    async def parse(self, body: bytes, *, url: str, content_type: str | None) -> FeedReading:
        """Parse a feed. One that takes too long or brings its worker down is a reading with a problem."""
        given = {"body": body, "url": url, "content_type": content_type}
        task = _Task(parse_feed_body, given, lambda reason: FeedReading(problem=reason, detail=HEAVY))
        found: FeedReading = await asyncio.wrap_future(self._begin(task))
        return found

    def _begin(self, task: _Task) -> Future[Any]:
        """Return a future that has an answer even when the task is too slow or its worker dies."""
        outer: Future[Any] = Future()
        outer.set_running_or_notify_cancel()
        outer.add_done_callback(self._answered)
        with self._lock:
            self._heard = self._heard if self._waiting else time.monotonic()
            self._waiting += 1
        try:
            self._try(task, outer, TRIES)
        except RuntimeError:  # the pool is closed
            self._answered(outer)
            raise
        return outer

    def _answered(self, _: Future[Any]) -> None:
        with self._lock:
            self._waiting -= 1
            self._heard = time.monotonic()

    def _try(self, task: _Task, outer: Future[Any], tries: int) -> None:
        running = self._scheduled(task)
        running.add_done_callback(partial(self._answer, task, outer, tries))

    def _scheduled(self, task: _Task) -> Future[Any]:
        pool = self._pool
        try:
            future: Future[Any] = pool.schedule(task.function, kwargs=task.given, timeout=self._page_time)
        except RuntimeError:
            if self._closed:
                raise
            # An idle worker that somebody killed (the system, when memory is short) ends Pebble's whole pool.
            self._replace(pool)
            future = self._pool.schedule(task.function, kwargs=task.given, timeout=self._page_time)
        return future

    def _look_after(self) -> None:
        """Replace a pool that answers nothing any more."""
        looked = time.monotonic()
        while not self._over.wait(LOOK_EVERY):
            now = time.monotonic()
            with self._lock:
                if now - looked > PATIENCE:  # this process was stopped itself
                    self._heard = now
                stuck = self._waiting > 0 and now - self._heard > self._page_time + PATIENCE
                self._heard = now if stuck else self._heard
            looked = now
            if stuck:
                log.warning("the workers answered nothing for %.0f s; others are started", self._page_time + PATIENCE)
                self._replace(self._pool)

    def _replace(self, broken: Any) -> None:
        with self._lock:
            if self._pool is not broken or self._closed:
                return
            self._pool = self._new_pool()
        broken._pool_manager.handle_broken_pool(_StuckError("the pool broke"))  # noqa: SLF001 - what runs is told
        broken.stop()
        threading.Thread(target=_bury, args=(broken,), daemon=True, name="broken-pool").start()

    def _answer(self, task: _Task, outer: Future[Any], tries: int, running: Future[Any]) -> None:
        try:
            outer.set_result(running.result())
        except TimeoutError:
            outer.set_result(task.failed("too-slow"))
        except _StuckError:
            self._try_again(task, outer, tries)
        except (ProcessExpired, BrokenExecutor):
            # The page may have done it, or whoever killed a worker that happened to read it.
            self._try_again(task, outer, tries - 1)
        except MemoryError:
            outer.set_result(task.failed("too-heavy"))
        except CancelledError:
            outer.set_result(task.failed("interrupted"))
        except Exception as error:  # noqa: BLE001 - handed on to whoever waits
            outer.set_exception(error)

    def _try_again(self, task: _Task, outer: Future[Any], tries: int) -> None:
        if tries and not self._closed:
            try:
                self._try(task, outer, tries)
            except RuntimeError as error:
                outer.set_exception(error)
            return
        outer.set_result(task.failed("interrupted" if self._closed else "too-heavy"))

    def close(self, *, now: bool = False) -> None:
        """Let running pages finish (or not, with `now`), and end the workers."""
        with self._lock:
            self._closed = True
        self._over.set()
        if not now:
            self._pool.close()
            self._pool.join()
            return
        self._pool.stop()
        with contextlib.suppress(TimeoutError):  # an interrupt in the wrong place leaves a lock behind
            self._pool.join(timeout=STOP_TIME)


class _StuckError(BrokenExecutor):
    """The pool was replaced; no task of it is to blame."""


class _Task(NamedTuple):
    """What a worker does, and the answer when it cannot."""

    function: Callable[..., Any]
    given: dict[str, Any]
    failed: Callable[[str], Any]


def _bury(broken: Any) -> None:
    """End what is left of a broken pool; what nobody took up yet is told that it is broken."""
    _give_back(broken)
    with contextlib.suppress(Exception):  # whatever it is, the new pool works
        broken.join(timeout=STOP_TIME)
    _give_back(broken)  # what was on its way from the queue to a worker meanwhile


def _give_back(broken: Any) -> None:
    """Tell every task that a broken pool still has that it is broken: Pebble leaves some without an answer."""
    waiting = broken._context.task_queue  # noqa: SLF001
    with contextlib.suppress(Empty):
        while True:
            task = waiting.get_nowait()
            if task is not None and not task.future.done():
                task.future.set_exception(_StuckError("the pool broke"))
    with contextlib.suppress(Exception):
        broken._pool_manager.task_manager.tasks_abort(_StuckError("the pool broke"))  # noqa: SLF001


def start_worker(page_memory: int) -> None:
    """Prepare a worker: Ctrl-C is for the crawl to handle, and memory is bounded."""
    gc.collect()
    gc.freeze()  # what the fork server imported stays: looking through it again and again would copy its pages, too
    # What a page needs goes by itself when it is read; looking for cycles meanwhile took a tenth of the time.
    gc.set_threshold(GARBAGE)
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


def read_and_count(
    *, page: Page, outlet: Outlet, entry: FeedEntry | None, learned: frozenset[str]
) -> tuple[Article | Rejected, Digest | None]:
    """Read a page and count its article, in a worker."""
    reading = read_article(page, outlet, entry=entry, learned=learned)
    return reading, digest_of(reading) if isinstance(reading, Article) else None


def parse_feed_body(*, body: bytes, url: str, content_type: str | None) -> FeedReading:
    """Parse a feed, in a worker."""
    return parse_feed(body, url=url, content_type=content_type)
