"""Look at known outlets for `kiosque outlets check`: each feed once, two articles, a handful of requests a host."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from kiosque.cli.outlets_explore import one
from kiosque.cli.outlets_seek import parsed
from kiosque.scout.health import Health, Look, in_turn, judge
from kiosque.urls import same_site
from pipelines.steps.dates import parse_date

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import date, datetime

    from kiosque.feeds import FeedReading
    from kiosque.model import FeedEntry, Outlet
    from kiosque.settings import ReservedPolicy
    from pipelines.pool import ReaderPool
    from spiders.scout import Fetcher

MOST_PER_HOST = 8
"""Requests: robots.txt, tdmrep.json, four feeds, two articles."""
MOST_FEEDS, ARTICLES = 4, 2
# Outlets that are looked at together; the crawler's own limits hold besides.
AT_ONCE = 32
_DATED_ENTRIES = 20


async def look_at_all(
    outlets: Iterable[Outlet],
    fetch: Fetcher,
    pool: ReaderPool,
    *,
    now: datetime,
    policy: ReservedPolicy,
    seen: Mapping[str, Look],
    done: Callable[[Health], None] = lambda _: None,
) -> list[Health]:
    """Look at outlets, some at once; `done` hears of each as it is judged. In the order given.

    `seen` is what earlier runs saw of feeds, by address.
    """
    room = asyncio.Semaphore(AT_ONCE)

    async def at(outlet: Outlet) -> Health:
        async with room:
            health = await look_at(outlet, fetch, pool, now=now, policy=policy, seen=seen)
        done(health)
        return health

    return list(await asyncio.gather(*map(at, outlets)))


async def look_at(
    outlet: Outlet,
    fetch: Fetcher,
    pool: ReaderPool,
    *,
    now: datetime,
    policy: ReservedPolicy,
    seen: Mapping[str, Look],
) -> Health:
    """Poll the feeds of an outlet whose turn it is, read two articles, and judge it."""
    declared = (*outlet.feeds, *outlet.news_sitemaps)
    polled_on = {url: look.day for url, look in seen.items() if look.day is not None}
    feeds = in_turn(declared, most=MOST_FEEDS, polled=polled_on)
    polled = [await look_at_feed(url, outlet, fetch, pool, now=now) for url in feeds]
    entries = {entry.url: entry for _, found in polled for entry in found if same_site(entry.url, outlet.site)}
    # An outlet whose articles stand on another host than its site says is no less an outlet.
    chosen = list(entries.values()) or [entry for _, found in polled for entry in found]
    articles = [await look_at_article(entry, outlet, fetch, pool, policy=policy) for entry in chosen[:ARTICLES]]
    # A host that several outlets share may have no request left for one of these.
    waiting = {look.url for look, _ in polled if look.outcome.startswith("skipped:")} | {*declared} - {*feeds}
    return judge(
        outlet.slug,
        outlet.name,
        outlet.site,
        [*(look for look, _ in polled), *articles],
        today=now.date(),
        unpolled=[url for url in declared if url in waiting],
        earlier=[seen[url] for url in declared if url in waiting and url in seen],
        fields=fields_of(outlet, now.date()),
    )


async def look_at_feed(
    url: str, outlet: Outlet, fetch: Fetcher, pool: ReaderPool, *, now: datetime
) -> tuple[Look, tuple[FeedEntry, ...]]:
    """Poll a feed; of an index of sitemaps, the newest one."""
    fetched = await fetch(url)
    if fetched.page is None:
        return Look(place="feed", url=url, outcome=fetched.outcome), ()
    reading = await parsed(fetched.page, pool)
    if reading.sitemaps:
        child = await fetch(reading.sitemaps[0])
        reading = await parsed(child.page, pool) if child.page else reading
    look = Look(
        place="feed",
        url=url,
        outcome=f"problem:{reading.problem}" if reading.problem else "",
        moved_to=fetched.final_url if fetched.moved else "",
        entries=len(reading.entries),
        newest=newest_day(reading, outlet, now=now),
    )
    return look, reading.entries


async def look_at_article(
    entry: FeedEntry, outlet: Outlet, fetch: Fetcher, pool: ReaderPool, *, policy: ReservedPolicy
) -> Look:
    """Read an article."""
    sampled = await one(outlet, entry, fetch, pool, policy=policy)
    article, rights = sampled.article, sampled.rights
    closed = rights is not None and (rights.tdm_reserved or rights.noai)
    return Look(
        place="article",
        url=entry.url,
        outcome=sampled.outcome,
        missing=("no-date",) if article is not None and article.published is None else (),
        unmatched=sampled.unmatched,
        reserved=", ".join(place for place, _ in rights.said) if closed and rights is not None else "",
    )


def fields_of(outlet: Outlet, day: date) -> tuple[str, ...]:
    """Return the selectors that name where today's pages keep their fields."""
    rules = outlet.read_rules(day)
    named = (rules.body_css, rules.title_css, rules.lead_css, rules.authors_css, rules.date_css)
    return tuple(css for css in named if css)


def newest_day(reading: FeedReading, outlet: Outlet, *, now: datetime) -> date | None:
    """Return the day of a feed's newest entry, by the outlet's own clock; None when none is dated."""
    from datetime import date

    texts = [text for entry in reading.entries[:_DATED_ENTRIES] for text in (entry.updated, entry.published) if text]
    found = [parse_date(text, relative_to=now, timezone=outlet.timezone) for text in texts]
    days = [each.value[:10] for each in found if each is not None and each.precision not in {"week", "month", "year"}]
    return date.fromisoformat(max(days)) if days else None
