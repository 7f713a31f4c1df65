"""The pace of each host: no faster than it was set or asked for, slower when it answers slowly."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from scrapy import signals
from scrapy.pqueues import DownloaderAwarePriorityQueue, DownloaderInterface

from spiders.host_files import MOST_HOSTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

# A host that needs so long to answer is asked no more seldom than this.
LONGEST_PAUSE = 60.0
# Requests to one host that may stand in the downloader, for each that may be under way: the others leave
# room for other hosts. A thousand feeds of one slow host would else fill every place.
CROWD = 4
_OK = 200


def slow_down(crawler: Crawler, host: str, delay: float) -> None:
    """Let at least `delay` seconds pass between two requests to a host, from now on."""
    downloader: Any = crawler.engine.downloader
    known = downloader.per_slot_settings.get(host, {})
    if known.get("delay", _usual_delay(downloader)) >= delay:
        return
    pace = {"concurrency": 1, "delay": delay, "jitter": 0.0}
    if len(downloader.per_slot_settings) < MOST_HOSTS:  # Scrapy forgets an idle host's slot after a minute
        downloader.per_slot_settings[host] = known | pace
    if (slot := downloader.slots.get(host)) is not None:
        slot.concurrency, slot.delay, slot.jitter = pace.values()


def _usual_delay(downloader: Any) -> float:
    return float(downloader.settings.getfloat("DOWNLOAD_DELAY"))


class HostPace:
    """Extension: a host that answers slowly is asked more slowly, one request at a time on average.

    Scrapy's AutoThrottle has one floor for all hosts, and would undercut a Crawl-delay.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> HostPace:
        """Scrapy's constructor."""
        pace = cls(crawler)
        crawler.signals.connect(pace.answered, signal=signals.response_downloaded)
        return pace

    def answered(self, response: Response, request: Request) -> None:
        """Set the host's pause to what its last answers took."""
        downloader: Any = self._crawler.engine.downloader
        host, took = request.meta.get("download_slot"), request.meta.get("download_latency")
        slot = downloader.slots.get(host)
        floor = downloader.per_slot_settings.get(host, {}).get("delay", _usual_delay(downloader))
        if slot is None or took is None or floor == 0:  # a host of our own, that was allowed by name
            return
        pause = next_pause(slot.delay, took, floor=floor)
        if response.status == _OK or pause > slot.delay:  # errors come quickly and mean nothing good
            slot.delay = pause


def next_pause(pause: float, took: float, *, floor: float) -> float:
    """Return the next pause: as long as the last answer took, or half way down to it.

    >>> next_pause(1.0, 8.0, floor=1.0), next_pause(8.0, 0.2, floor=1.0), next_pause(1.5, 0.1, floor=1.0)
    (8.0, 4.1, 1.0)
    """
    return max(floor, min(max(took, (pause + took) / 2), max(LONGEST_PAUSE, floor)))


class FairQueue(DownloaderAwarePriorityQueue):
    """Scrapy's queue that asks the least busy host next, and lets no host crowd the downloader."""

    def __init__(self, crawler: Crawler, *args: Any, **kwargs: Any) -> None:
        super().__init__(crawler, *args, **kwargs)
        self._downloader_interface: _Room = _Room(crawler)

    def pop(self) -> Request | None:
        """Return the next request, None when every host that has one is busy."""
        request: Request | None = super().pop()
        if request is not None:
            self._downloader_interface.hand_out(request)
        return request


class _Room(DownloaderInterface):
    """What each host has under way: Scrapy sees a request only once it waits for its turn.

    One that waits for its host's robots.txt before that would be counted for nothing.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._handed_out: set[Request] = set()

    def hand_out(self, request: Request) -> None:
        """Count a request for its host until the downloader is done with it."""
        self._handed_out.add(request)

    def stats(self, possible_slots: Iterable[str]) -> list[tuple[int, str]]:
        """Return how busy each host is that may have one more."""
        self._handed_out &= self.downloader.active
        handed_out = Counter(map(self.get_slot_key, self._handed_out))
        busy = [(max(handed_out[host], self._active_downloads(host)), host) for host in possible_slots]
        return [(active, host) for active, host in busy if active < CROWD * _places(self.downloader, host)]


def _places(downloader: Any, host: str) -> int:
    """Return how many requests to a host may be under way: what its outlet says, before the first one too."""
    slot = downloader.slots.get(host)
    if slot is not None:
        return int(slot.concurrency)
    return int(downloader.per_slot_settings.get(host, {}).get("concurrency", downloader.domain_concurrency))
