"""The TDM Reservation Protocol's file of each host: asked once a day, before the first article there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from scrapy.exceptions import NotConfigured

from kiosque.model import RightsClaims
from kiosque.rights import TdmRule, parse_tdmrep, tdm_for
from kiosque.settings import load_settings
from spiders.guard import Blocked
from spiders.host_files import DAY, HOUR, Answer, HostFiles, Reading, clock_of

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

PATH = "/.well-known/tdmrep.json"
# Meta keys: a request for an article, to which rights apply; and what its host says of it.
ARTICLE, CLAIMS = "kiosque_article", "kiosque_host_claims"
_OK, _UNKNOWN = 200, 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservations:
    """A host's rules."""

    rules: tuple[TdmRule, ...] = ()
    unread: bool = False
    """The host gave no real answer."""


def read_reservations(answer: Answer) -> Reading[Reservations]:
    """Return what an answer for tdmrep.json means: no file, no rules.

    >>> read_reservations(Answer(status=404)).value
    Reservations(rules=(), unread=False)
    """
    if answer.status == _OK:
        return Reading(value=Reservations(rules=parse_tdmrep(answer.body)), seconds=DAY)
    if answer.failure in {"robots", "redirects"} or (answer.status is not None and answer.status < _UNKNOWN):
        return Reading(value=Reservations(), seconds=DAY)
    return Reading(value=Reservations(unread=True), seconds=HOUR, sure=False)


class HostReservations:
    """Downloader middleware: notes what a host's file says of an article; with `refuse`, stops what it reserves."""

    def __init__(self, crawler: Crawler, *, refuse: bool) -> None:
        self._crawler = crawler
        self._refuse = refuse
        self._files: HostFiles[Reservations] = HostFiles(
            PATH, read=read_reservations, clock=clock_of(crawler).monotonic
        )

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> HostReservations:
        """Scrapy's constructor. With `rights.reserved = "ignore"` nothing is asked."""
        policy = crawler.settings.get("KIOSQUE_RESERVED") or load_settings().rights_reserved
        if policy == "ignore":
            raise NotConfigured
        return cls(crawler, refuse=policy == "refuse")

    async def renew(self, origin: str) -> Reservations:
        """Ask a host again (`https://exemple.fr`), and return its rules."""
        return await self._files.renew(origin, self._crawler)

    async def process_request(self, request: Request) -> None:
        """Let a request pass, or raise `Blocked`."""
        if not request.meta.get(ARTICLE):
            return
        found = await self._files.get(request.url, self._crawler)
        if found.unread and self._refuse:  # whoever wants to be sure is not served by a guess
            raise Blocked("reserved", detail=f"{PATH} could not be read", passing=True)
        parts = urlsplit(request.url)
        tdm = tdm_for(f"{parts.path}?{parts.query}" if parts.query else parts.path, found.rules)
        if tdm.reserved and self._refuse:
            raise Blocked("reserved", detail=f"{PATH} reserves it")
        request.meta[CLAIMS] = RightsClaims(tdm_reserved=tdm.reserved, tdm_policy=tdm.policy)


def host_claims(response: Response) -> RightsClaims:
    """Return what the host's file says of the address that answered."""
    claims = response.meta.get(CLAIMS)
    return claims if isinstance(claims, RightsClaims) else RightsClaims()
