"""robots.txt by RFC 9309: closed where it cannot be read, open where there is none, kept for a day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from protego import Protego

from spiders.guard import Blocked
from spiders.host_files import DAY, HOUR, MARK, Answer, HostFiles, Reading, clock_of
from spiders.pace import slow_down

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler

PATH = "/robots.txt"
AGENT = "Kiosque"
MOST_READ = 500_000  # bytes; RFC 9309, 2.5
# A host whose robots.txt cannot be read is asked for it again after this time.
AGAIN = HOUR / 4
# A Crawl-delay beyond this is a way to say no, for which there is Disallow; a day between two pages helps nobody.
LONGEST_DELAY = 60.0
_OK, _CLIENT, _TOO_MANY, _SERVER = range(200, 300), range(300, 500), 429, 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Robots:
    """What a host lets us do."""

    rules: Protego | None = None
    """None is no rule: everything is open, or closed while `unread`."""
    unread: str = ""
    """Why its robots.txt could not be read; empty when it could, or there is none."""

    def allows(self, url: str) -> bool:
        """Tell whether a URL may be fetched."""
        return not self.unread and (self.rules is None or bool(self.rules.can_fetch(url, AGENT)))

    @property
    def delay(self) -> float:
        """Seconds between two requests that the host asks for, at most `LONGEST_DELAY`; 0 when it asks for none."""
        asked = self.rules.crawl_delay(AGENT) if self.rules is not None else None
        return min(float(asked or 0.0), LONGEST_DELAY)


def read_robots(answer: Answer) -> Reading[Robots]:
    """Return what an answer for robots.txt means (RFC 9309, 2.3.1).

    >>> read_robots(Answer(status=404)).value.allows("https://exemple.fr/a")
    True
    >>> read_robots(Answer(status=503)).value.allows("https://exemple.fr/a")
    False
    """
    status = answer.status
    if status is not None and status in _OK:
        text = answer.body[:MOST_READ].decode("utf-8-sig", errors="replace").replace("\0", "")
        return Reading(value=Robots(rules=Protego.parse(text)), seconds=DAY)
    # Too many requests is no "there is none"; more redirects than are followed are.
    if answer.failure == "redirects" or (status is not None and status in _CLIENT and status != _TOO_MANY):
        return Reading(value=Robots(), seconds=DAY)
    return Reading(value=Robots(unread=answer.failure or f"status {status}"), seconds=AGAIN, sure=False)


class RobotsTxt:
    """Downloader middleware: refuses what robots.txt does not allow, and keeps its Crawl-delay."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._files: HostFiles[Robots] = HostFiles(PATH, read=read_robots, clock=clock_of(crawler).monotonic)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RobotsTxt:
        """Scrapy's constructor."""
        return cls(crawler)

    async def renew(self, origin: str) -> Robots:
        """Ask a host again (`https://exemple.fr`), and return what it lets us do now."""
        return await self._files.renew(origin, self._crawler)

    async def process_request(self, request: Request) -> None:
        """Let a request pass, or raise `Blocked`."""
        if request.meta.get(MARK) == PATH:
            return
        robots = await self._files.get(request.url, self._crawler)
        if robots.unread:
            raise Blocked("robots", detail=f"robots.txt could not be read: {robots.unread}", passing=True)
        if not robots.allows(request.url):
            raise Blocked("robots", detail="robots.txt does not allow it")
        if robots.delay:
            slow_down(self._crawler, urlsplit(request.url).hostname or "", robots.delay)
