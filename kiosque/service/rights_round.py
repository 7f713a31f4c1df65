"""The daily round of the outlets' hosts: robots.txt and tdmrep.json are asked again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from kiosque.rights import tdm_for
from kiosque.service.host_rights import UNREAD
from spiders.reservations import HostReservations
from spiders.robots import RobotsTxt

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kiosque.model import Outlet

# Hosts asked at once; each one's own pace is kept.
AT_ONCE = 4


def origins(outlets: Iterable[Outlet]) -> dict[str, Outlet]:
    """Return the hosts of outlets as `https://exemple.fr`, each with an outlet that it serves."""
    found: dict[str, Outlet] = {}
    for outlet in outlets:
        for url in (outlet.site, *outlet.feeds, *outlet.news_sitemaps):
            parts = urlsplit(url)
            if parts.scheme in {"http", "https"} and parts.netloc:
                found.setdefault(f"{parts.scheme}://{parts.netloc}", outlet)
    return found


async def ask_hosts(crawler: Any, outlets: Iterable[Outlet]) -> dict[str, tuple[str, str]]:
    """Ask every host again through the crawl's own guard and pace; return `{origin: (outlet, what it says)}`."""
    middlewares = crawler.engine.downloader.middleware.middlewares
    robots = next((one for one in middlewares if isinstance(one, RobotsTxt)), None)
    reservations = next((one for one in middlewares if isinstance(one, HostReservations)), None)
    places = asyncio.Semaphore(AT_ONCE)

    async def ask(origin: str, outlet: Outlet) -> tuple[str, tuple[str, str]]:
        async with places:
            said = await _asked(origin, outlet, robots, reservations)
        return origin, (outlet.slug, said)

    return dict(await asyncio.gather(*(ask(origin, outlet) for origin, outlet in origins(outlets).items())))


async def _asked(origin: str, outlet: Outlet, robots: RobotsTxt | None, reservations: HostReservations | None) -> str:
    words = []
    if robots is not None:
        rules = await robots.renew(origin)
        own = [url for url in (*outlet.feeds, *outlet.news_sitemaps, f"{origin}/") if url.startswith(f"{origin}/")]
        words.append(UNREAD if rules.unread else "open" if all(map(rules.allows, own)) else "closed")
    if reservations is not None:
        found = await reservations.renew(origin)
        if not found.unread and tdm_for("/", found.rules).reserved:
            words.append("reserved")
    return ", ".join(words)
