"""A few fetches for somebody who looks at sites: same guard, robots.txt, delays and limits as a crawl, no store."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import scrapy
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.http.request import NO_CALLBACK
from twisted.python.failure import Failure

from kiosque.model import RightsClaims
from spiders.configure import scrapy_settings
from spiders.failures import outcome_of
from spiders.guard import Blocked
from spiders.host_files import asked
from spiders.messages import no_page, page_of, permanently_moved, redirects_of
from spiders.reservations import ARTICLE, host_claims
from spiders.robots import PATH as ROBOTS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

    from kiosque.model import Outlet, Page
    from kiosque.settings import Settings
# Why a robots.txt could not be read, as `spiders.host_files` has it, and what that says of the host.
UNREAD = {
    "CannotResolveHostError": "failed:dns",
    "DNSLookupError": "failed:dns",
    "DownloadConnectionRefusedError": "failed:refused",
    "DownloadTimeoutError": "failed:timeout",
    "TimeoutError": "failed:timeout",
    "private-address": "blocked:private-address",
    "host-waits": "blocked:host-waits",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What came of one fetch: a page with status 200, or an outcome slug as a crawl counts it."""

    url: str
    page: Page | None = None
    outcome: str = ""
    """`failed:status-404`, `blocked:robots`, ...; "" with a page."""
    final_url: str = ""
    moved: bool = False
    """Every redirect on the way was a permanent one."""
    claims: RightsClaims = field(default_factory=RightsClaims)
    """What the host's file says of reuse; asked for articles only."""


class Fetcher:
    """Fetches within a budget of requests a host, which robots.txt and redirects count against, too."""

    def __init__(self, crawler: Any, *, most_per_host: int) -> None:
        self._crawler = crawler
        self._most = most_per_host
        self.requests: Counter[str] = Counter()
        """Requests made, by host and port."""
        self._asked_rights: set[str] = set()

    def left(self, url: str) -> int:
        """Return how many more requests a URL's host may get."""
        return self._most - self._spent(url)

    async def __call__(self, url: str, *, article: bool = False) -> Fetched:
        """Fetch a URL; `article` asks for its host's reservations, too. Never raises for what a server does."""
        if self.left(url) <= 0:
            return Fetched(url=url, outcome="skipped:budget")
        self._spend(url, article=article)
        try:
            request = scrapy.Request(url, callback=NO_CALLBACK, dont_filter=True, meta={ARTICLE: article})
            response = await self._crawler.engine.download_async(request)
        except ValueError:  # Scrapy takes no address without a scheme
            return Fetched(url=url, outcome="blocked:bad-url")
        except Exception as error:  # noqa: BLE001 - every failure of a fetch is an outcome
            return Fetched(url=url, outcome=failed_outcome(error, url))
        passed = redirects_of(response)
        for hop in (*passed[1:], response.url) if passed else ():
            self._spend(hop, article=article)
        if (outcome := no_page(response)) is not None:
            return Fetched(url=url, outcome=outcome, final_url=response.url)
        return Fetched(
            url=url,
            page=page_of(response),
            final_url=response.url,
            moved=permanently_moved(response),
            claims=host_claims(response),
        )

    async def robots(self, url: str) -> bytes:
        """Return the robots.txt of a URL's host, b"" when there is none; the crawl's own reading of it is apart."""
        parts = urlsplit(url)
        self.requests[parts.netloc] += 1
        return (await asked(f"{parts.scheme}://{parts.netloc}{ROBOTS}", self._crawler, mark=ROBOTS)).body

    def _spend(self, url: str, *, article: bool) -> None:
        host = urlsplit(url).netloc
        # The first request of a host brings its robots.txt along, the first article its tdmrep.json.
        self.requests[host] += 1 if self.requests[host] else 2
        if article and host not in self._asked_rights:
            self._asked_rights.add(host)
            self.requests[host] += 1

    def _spent(self, url: str) -> int:
        spent = self.requests[urlsplit(url).netloc]
        return spent or 1  # robots.txt


def failed_outcome(error: Exception, url: str) -> str:
    """Return the outcome slug of a fetch that raised."""
    return unread_robots(error) or outcome_of(Failure(error), url)  # type: ignore[no-untyped-call]


def unread_robots(error: Exception) -> str | None:
    """Return what is wrong with a host whose robots.txt could not be read, None for any other error.

    A crawl waits for another day; whoever looks at a site wants to know that it is gone.
    """
    if not isinstance(error, Blocked) or not error.passing or error.reason != "robots":
        return None
    why = str(error).rpartition(": ")[2]
    status = why.removeprefix("status ")
    return f"failed:status-{status}" if status.isdecimal() else UNREAD.get(why, "failed:robots-unread")


class _Scout(scrapy.Spider):
    """Does one piece of work that fetches. It has no name as a class: `scrapy list` is for crawls."""

    def __init__(self, *, work: Callable[[Fetcher], Awaitable[Any]], most_per_host: int, **kwargs: Any) -> None:
        super().__init__(name="scout", **kwargs)
        self._work = work
        self._most_per_host = most_per_host
        self.result: Any = None
        self.trouble: BaseException | None = None
        self.task: asyncio.Task[Any] | None = None

    async def start(self) -> AsyncIterator[Any]:
        """Do the work; there is nothing to yield."""
        fetcher = Fetcher(self.crawler, most_per_host=self._most_per_host)
        self.task = asyncio.ensure_future(self._work(fetcher))
        try:
            self.result = await self.task
        except asyncio.CancelledError:
            self.trouble = KeyboardInterrupt()
        except Exception as error:  # noqa: BLE001 - raised again by whoever started this
            self.trouble = error
        return
        yield  # an asynchronous generator without items


def run_scout(
    settings: Settings,
    outlets: Iterable[Outlet],
    work: Callable[[Fetcher], Awaitable[Any]],
    *,
    most_per_host: int,
) -> Any:
    """Run `work` with a fetcher and return its result; raises what it raised. Once in a process (Twisted's reactor)."""
    scrapy_own = scrapy_settings(settings, outlets)
    scrapy_own.set("LOG_INSTALL_ROOT_HANDLER", value=False, priority="cmdline")
    scrapy_own.set("ITEM_PIPELINES", {}, priority="cmdline")
    scrapy_own.set("RETRY_ENABLED", value=False, priority="cmdline")  # the budget is a promise
    process = AsyncCrawlerProcess(scrapy_own)
    crawler = process.create_crawler(_Scout)
    process.crawl(crawler, work=work, most_per_host=most_per_host)
    loop = asyncio.get_event_loop()

    def stop() -> None:
        task = getattr(crawler.spider, "task", None)
        if task is not None:
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    try:
        process.start(install_signal_handlers=False)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.remove_signal_handler(number)
    spider: Any = crawler.spider
    if spider is None:
        raise KeyboardInterrupt
    if spider.trouble is not None:
        raise spider.trouble
    return spider.result
