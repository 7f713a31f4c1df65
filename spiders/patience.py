"""Hosts that refuse us or ask us to wait: they are left alone for a while, and that is said."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kiosque.polling.waits import retry_after
from spiders.challenge import is_challenge
from spiders.guard import Blocked
from spiders.host_files import MARK, MOST_HOSTS, clock_of
from spiders.messages import headers_of
from spiders.waits import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

# Refusals in a row after which a host is left alone: one page may have its own reason.
MOST_REFUSALS = 5
REFUSED_FOR = 6 * 3_600.0
# Status 429 without a word on how long.
BUSY_FOR = 300.0
_FORBIDDEN, _TOO_MANY, _UNAVAILABLE = 403, 429, 503

log = logging.getLogger("kiosque.crawl")


@dataclass(slots=True, kw_only=True)
class _Host:
    refusals: int = 0
    """In a row."""
    until: float = 0.0
    why: str = ""


class Patience:
    """Downloader middleware: counts a host's refusals, hears its Retry-After, and asks nothing until it is over."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        known: Mapping[str, tuple[float, str]] | None = None,
        keep: Callable[[str, float, str], None] = lambda _host, _seconds, _why: None,
    ) -> None:
        """`known` are hosts that are left alone already: for how many seconds, and why; `keep` hears of new ones."""
        self._clock = clock
        self._keep = keep
        self._hosts: OrderedDict[str, _Host] = OrderedDict()
        self.heed(known or {})

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Patience:
        """Scrapy's constructor. What a store knows of hosts that asked us to wait holds on."""
        clock = clock_of(crawler)
        newsroom = getattr(crawler.spider, "newsroom", None)
        if newsroom is None:
            return cls(clock=clock.monotonic)
        ledger = Ledger(newsroom)
        return cls(clock=clock.monotonic, known=ledger.known(), keep=ledger.keep)

    def heed(self, known: Mapping[str, tuple[float, str]]) -> None:
        """Leave hosts alone for so many seconds, and why: another crawl of this store may have been told."""
        for name, (seconds, why) in known.items():
            host = self._hosts.setdefault(name, _Host())
            host.until, host.why = max(host.until, self._clock() + seconds), why

    def process_request(self, request: Request) -> None:
        """Let a request pass, or raise `Blocked`."""
        host = self._hosts.get(urlsplit(request.url).netloc)
        if host is not None and self._clock() < host.until:
            minutes = (host.until - self._clock()) / 60
            raise Blocked("host-waits", detail=f"{host.why}; asked again in {minutes:.0f} min", passing=True)

    def process_response(self, request: Request, response: Response) -> Response:
        """Note what an answer says of us."""
        name = urlsplit(response.url).netloc
        said = self._said(response)
        if said is None:
            if request.meta.get(MARK) is None and name in self._hosts and response.status < _FORBIDDEN:
                self._hosts[name].refusals = 0
            return response
        host = self._hosts.setdefault(name, _Host())
        self._hosts.move_to_end(name)
        if len(self._hosts) > MOST_HOSTS:
            self._hosts.popitem(last=False)
        seconds, why = said
        host.refusals += seconds is None and request.meta.get(MARK) is None
        if host.refusals >= MOST_REFUSALS:
            seconds, why = REFUSED_FOR, f"{why}, {host.refusals} times in a row"
        if seconds:
            host.until, host.why = max(host.until, self._clock() + seconds), why
            self._keep(name, seconds, why)
            log.warning("%s: %s; left alone for %.0f min", name, why, seconds / 60)
        return response

    @staticmethod
    def _said(response: Response) -> tuple[float | None, str] | None:
        """Return the seconds to wait and why; None seconds for a refusal, None for neither."""
        status = response.status
        if is_challenge(status, headers_of(response), response.body):
            return None, "it wants to see a browser"
        if status == _FORBIDDEN:
            return None, "it refuses: status 403"
        if status not in {_TOO_MANY, _UNAVAILABLE}:
            return None
        headers = dict(headers_of(response))
        asked = retry_after(headers.get("retry-after"), server_date=headers.get("date"), now=datetime.now(UTC))
        if asked is None and status == _UNAVAILABLE:
            return None
        return (BUSY_FOR if asked is None else asked), f"it asks to wait: status {status}"
