"""The daily round of the outlets' hosts: robots.txt and tdmrep.json asked again, and what changed since."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from kiosque.health import Finding
from kiosque.rights import tdm_for
from spiders.reservations import HostReservations
from spiders.robots import RobotsTxt

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kiosque.model import Outlet

KEY = "rights"
# Hosts asked at once; each one's own pace is kept.
AT_ONCE = 4
# A change is said for so long.
NEWS_FOR = timedelta(days=7)
UNREAD = "unread"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostRights:
    """What a host said at the last round."""

    origin: str
    outlet: str
    says: str
    """`open`, `closed`, `unread`; with `, reserved` where text and data mining is reserved."""
    before: str = ""
    """What it said before the last change."""
    changed: datetime | None = None


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


def compared(
    before: Mapping[str, HostRights], said: Mapping[str, tuple[str, str]], *, now: datetime
) -> tuple[HostRights, ...]:
    """Return what is known of each host after a round. One that gave no answer says what it said before."""
    after = []
    for origin, (outlet, words) in sorted(said.items()):
        old = before.get(origin)
        if old is None:
            after.append(HostRights(origin=origin, outlet=outlet, says=words))
        elif words.startswith(UNREAD) or words == old.says or old.says.startswith(UNREAD):
            says = old.says if words.startswith(UNREAD) else words
            after.append(HostRights(origin=origin, outlet=outlet, says=says, before=old.before, changed=old.changed))
        else:
            after.append(HostRights(origin=origin, outlet=outlet, says=words, before=old.says, changed=now))
    return tuple(after)


def judge_rights(known: Iterable[HostRights], *, now: datetime) -> Iterator[Finding]:
    """Yield the hosts that say something else since some days."""
    for host in known:
        if host.changed is not None and now - host.changed < NEWS_FOR:
            facts = {"host": host.origin[:200], "before": host.before, "now": host.says}
            yield Finding(
                kind="rights-changed", outlet=host.outlet, facts=facts | {"since": f"{host.changed:%Y-%m-%d}"}
            )


def encode(known: Iterable[HostRights]) -> str:
    """Return what is known as JSON."""
    return msgspec.json.encode(tuple(known)).decode()


def decode(text: str | None) -> dict[str, HostRights]:
    """Return what is known from JSON, by origin; nothing from what cannot be read."""
    try:
        known = msgspec.json.decode(text, type=tuple[HostRights, ...]) if text else ()
    except msgspec.MsgspecError:
        return {}
    return {host.origin: host for host in known}
