"""Host files: one small file of each host (robots.txt, tdmrep.json), asked for once and kept for a time."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.exceptions import IgnoreRequest
from scrapy.http.request import NO_CALLBACK

from kiosque.clock import Clock
from spiders.guard import Blocked

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy.crawler import Crawler

DAY, HOUR = 86_400.0, 3_600.0
# A meta key: which host file a request is for. Redirects carry it along.
MARK = "kiosque_host_file"
# More than anything that is read of such a file; what is larger did not come.
LARGEST = 2_000_000
REDIRECTS = 5  # RFC 9309, 2.3.1.2
# What is kept of all hosts together: a service meets strangers' hosts for months.
MOST_HOSTS, MOST_BYTES = 5_000, 50_000_000

# Why a request is not made while another worker is at its host: a word on us, not on the host.
NOT_NOW = "host-busy"

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of asking: a status with a body, or no status at all."""

    status: int | None = None
    body: bytes = b""
    failure: str = ""
    """Why there is no status: `redirects`, a reason of `Blocked`, or the error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading(Generic[T]):
    """What an answer means, and how many seconds that holds."""

    value: T
    seconds: float
    sure: bool = True
    """False when the server gave no real answer: then what it said before holds on."""


@dataclass(slots=True, kw_only=True)
class _Kept(Generic[T]):
    reading: Reading[T]
    until: float
    weight: int


class HostFiles(Generic[T]):
    """The files of all hosts at one path. Each is asked for once, however many wait for it."""

    def __init__(
        self,
        path: str,
        *,
        read: Callable[[Answer], Reading[T]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path = path
        self._read = read
        self._clock = clock
        self._kept: OrderedDict[str, _Kept[T]] = OrderedDict()
        self._asking: dict[str, asyncio.Task[T]] = {}
        self._weight = 0

    async def get(self, url: str, crawler: Crawler) -> T:
        """Return what holds for the host of this URL, asking it when nothing fresh is known."""
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        kept = self._kept.get(origin)
        if kept is not None and self._clock() < kept.until:
            self._kept.move_to_end(origin)
            return kept.reading.value
        task = self._asking.get(origin)
        if task is None:
            task = asyncio.ensure_future(self._ask(origin, crawler))
            self._asking[origin] = task
            task.add_done_callback(lambda _: self._asking.pop(origin, None))
        return await asyncio.shield(task)  # one that stops waiting does not stop the others

    async def _ask(self, origin: str, crawler: Crawler) -> T:
        answer = await asked(origin + self.path, crawler, mark=self.path)
        return self.keep(origin, answer)

    async def renew(self, origin: str, crawler: Crawler) -> T:
        """Ask a host again, whatever is known of it, and return what holds now."""
        return await self._ask(origin, crawler)

    def keep(self, origin: str, answer: Answer) -> T:
        """Read an answer and keep what it means; return what holds now."""
        reading = self._read(answer)
        if answer.failure == NOT_NOW:  # nobody asked: whoever needs it next does
            reading = replace(reading, seconds=0.0)
        before = self._kept.pop(origin, None)
        weight = len(answer.body)
        if before is not None:
            self._weight -= before.weight
            if not reading.sure and before.reading.sure:
                reading, weight = Reading(value=before.reading.value, seconds=reading.seconds), before.weight
        self._kept[origin] = _Kept(reading=reading, until=self._clock() + reading.seconds, weight=weight)
        self._weight += weight
        while len(self._kept) > MOST_HOSTS or (self._weight > MOST_BYTES and len(self._kept) > 1):
            _, old = self._kept.popitem(last=False)
            self._weight -= old.weight
        return reading.value


def clock_of(crawler: Crawler) -> Clock:
    """Return the clock of a crawl: its newsroom's, else the machine's."""
    newsroom = getattr(getattr(crawler, "spider", None), "newsroom", None)
    return newsroom.clock if newsroom is not None else Clock()


async def asked(url: str, crawler: Crawler, *, mark: str) -> Answer:
    """Ask a host for one of its files, politely: through the guard, its delay and its limits. Never raises."""
    request = Request(
        url,
        callback=NO_CALLBACK,
        priority=1000,
        meta={MARK: mark, "redirect_ttl": REDIRECTS, "download_maxsize": LARGEST},
    )
    engine: Any = crawler.engine
    try:
        response = await engine.download_async(request)
    except Blocked as error:
        return Answer(failure=error.reason)
    except IgnoreRequest as error:
        return Answer(failure="redirects" if "redirect" in str(error) else "ignored")
    except Exception as error:  # noqa: BLE001 - whatever it was, the host did not tell
        return Answer(failure=type(error).__name__)
    return Answer(status=response.status, body=response.body)
