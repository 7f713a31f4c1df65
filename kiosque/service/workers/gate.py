"""The gate: no request leaves a worker to a site that another worker may be at, wherever a redirect leads."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kiosque.errors import StorageError
from kiosque.urls import site_of
from spiders.guard import Blocked
from spiders.host_files import NOT_NOW
from spiders.transport import BoundedHandler

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from kiosque.service.workers.signs import Signs
    from storage.queue import Claim, Queue

# How long a request waits for a foreign site, between two tries.
WAIT, TRY_EVERY = 30.0, 0.3
# A foreign site is given back when nothing went there for so long, and its pause is over.
IDLE = 1.0


@dataclass(slots=True, kw_only=True)
class _Guest:
    """A site that a redirect or a feed's entry led to, held beside the shifts."""

    claim: Claim
    used: float = field(default_factory=time.monotonic)


@dataclass(slots=True, kw_only=True)
class Gate:
    """Knows which sites are this worker's now."""

    queue: Queue
    signs: Signs
    at_work: Callable[[], Collection[str]]
    """The sites of the shifts."""
    downloader: Callable[[], Any]
    guests: dict[str, _Guest] = field(default_factory=dict)
    _asking: dict[str, asyncio.Task[bool]] = field(default_factory=dict)

    def is_ours(self, site: str) -> bool:
        """Tell whether a request to a site may leave now."""
        guest = self.guests.get(site)
        if guest is not None:
            guest.used = time.monotonic()
        return self.signs.fresh() and (guest is not None or site in self.at_work())

    async def admit(self, site: str) -> bool:
        """Have a site for us, waiting a while for whoever is there; tell whether it is ours."""
        if self.is_ours(site):
            return True
        task = self._asking.get(site)
        if task is None:
            task = self._asking[site] = asyncio.create_task(self._ask(site))
            task.add_done_callback(lambda _: self._asking.pop(site, None))
        return await asyncio.shield(task)

    async def _ask(self, site: str) -> bool:
        until = time.monotonic() + WAIT
        while time.monotonic() < until and not self.is_ours(site):
            with contextlib.suppress(StorageError):
                if self.signs.fresh() and (claim := await self.queue.take(site)) is not None:
                    self.guests[site] = _Guest(claim=claim)
                    return True
            await asyncio.sleep(TRY_EVERY)
        return self.is_ours(site)

    async def tidy(self) -> None:
        """Give back the foreign sites that nobody needs any more, until cancelled; then all of them."""
        try:
            while True:
                await asyncio.sleep(TRY_EVERY)
                for site, guest in [*self.guests.items()]:
                    if self._is_done(site, guest):
                        await self._give_back(site, guest)
        finally:
            for task in self._asking.values():
                task.cancel()
            for site, guest in [*self.guests.items()]:
                await self._give_back(site, guest)

    def _is_done(self, site: str, guest: _Guest) -> bool:
        busy = any(slot.active for slot in slots_of(self.downloader(), site))
        return not busy and time.monotonic() - guest.used > IDLE and rest_of(self.downloader(), site) <= 0

    async def _give_back(self, site: str, guest: _Guest) -> None:
        with contextlib.suppress(StorageError):  # it is ours still; tried again
            rest = rest_of(self.downloader(), site)
            if self.queue.holds(guest.claim) and rest > 0:
                await self.queue.put_back(guest.claim, after=rest)
            elif self.queue.holds(guest.claim):
                await self.queue.finish(guest.claim)
            self.guests.pop(site, None)


def slots_of(downloader: Any, site: str) -> list[Any]:
    """Return the downloader's slots of a site's hosts."""
    return [slot for host, slot in downloader.slots.items() if site_of(f"http://{host}/") == site]


def rest_of(downloader: Any, site: str) -> float:
    """Return for how many seconds a site's hosts are still to be left alone; 0 and less is not any more."""
    now = time.monotonic()
    return max((slot.lastseen + slot.delay - now for slot in slots_of(downloader, site) if slot.delay), default=0.0)


class OwnSites:
    """Downloader middleware: a request to a foreign site waits until the site is this worker's."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> OwnSites:
        """Scrapy's constructor."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Let a request pass, or raise `Blocked`."""
        gate: Gate = self._crawler.spider.gate  # type: ignore[union-attr]
        if not await gate.admit(site_of(request.url)):
            raise Blocked(NOT_NOW, detail="another worker is at its host", passing=True)


class GatedHandler(BoundedHandler):
    """Download handler: the last look before a request leaves, which may have waited long for its host's pause."""

    async def download_request(self, request: Request) -> Response:
        """Send a request, or raise `Blocked`."""
        gate: Gate = self._crawler.spider.gate  # type: ignore[union-attr]
        if not await gate.admit(site_of(request.url)):
            raise Blocked(NOT_NOW, detail="this worker was cut off, or another one is at its host", passing=True)
        return await super().download_request(request)
