"""The capacity model of docs/scale.md: from feeds and articles a day to polls, delays, machines and disks. Pure.

`bench/capacity.py` checks what it says of polls, delays, statements and bytes by a simulated day.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

HOUR, DAY = 3_600.0, 86_400.0
# Share of a day's articles in each local hour: newsrooms wake at six, and rest after eight in the evening.
HOURS = (1, 1, 1, 1, 1, 3, 6, 8, 8, 7, 7, 7, 6, 6, 7, 7, 7, 7, 6, 5, 4, 3, 2, 1)
PROFILE = tuple(hour / sum(HOURS) for hour in HOURS)
# What kiosque.polling and the settings have; the simulation runs the real ones and would tell a difference.
SHORTEST, LONGEST, EXPECTED, JITTER, NIGHT_SHARE = 300.0, 21_600.0, 0.5, 0.1, 0.1
CLAIMS, TICK = 50, 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What one of each costs, measured on two virtual cores (see docs/performance.md and docs/scale.md)."""

    cpu_poll_ms: float = 6.0
    cpu_article_ms: float = 32.0
    statements_claim: float = 2.0
    statements_poll: float = 3.2
    statements_article: float = 3.1
    database_poll_ms: float = 1.4
    database_article_ms: float = 3.6
    feed_bytes: float = 1_460.0
    entry_bytes: float = 670.0
    article_bytes: float = 7_200.0
    archived_bytes: float = 35_600.0
    feed_answer_bytes: float = 15_000.0
    page_bytes: float = 35_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A feed as the model knows it."""

    rate: float
    """Articles a day."""
    ttl: float = 0.0
    """Seconds that its server asks for between two polls."""
    is_dead: bool = False
    """It has not answered for weeks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day of some feeds."""

    polls: float
    articles: float
    median_delay: float
    """Seconds from an article's publication to the poll that finds it."""
    p95_delay: float


def some_feeds(count: int, *, mean: float, seed: int = 1, spread: float = 1.6) -> list[Feed]:
    """Return feeds of diverse rhythms: log-normal, `mean` articles a day; some dead, some with a time to live.

    >>> round(sum(feed.rate for feed in some_feeds(20_000, mean=5.5)) / 20_000)
    5
    """
    rng = random.Random(seed)
    middle = math.log(mean) - spread**2 / 2
    return [
        Feed(rate=0.0, is_dead=True)
        if n % 33 == 0
        else Feed(rate=min(rng.lognormvariate(middle, spread), 400.0), ttl=HOUR if n % 20 == 1 else 0.0)
        for n in range(count)
    ]


def waits(feed: Feed) -> Iterator[tuple[float, float]]:
    """Yield, for each poll of a day, the seconds since the one before and the articles to be expected in them."""
    if feed.is_dead:
        yield DAY, 0.0
        return
    mean = feed.rate / 24
    now = 0.0
    while now < DAY:
        wait = max(SHORTEST, feed.ttl, _until(feed, now, mean)) * (1 + JITTER / 2)
        yield wait, _expected(feed, now, wait)
        now += wait


def _rate(feed: Feed, second: float) -> float:
    """Return articles an hour."""
    return feed.rate * PROFILE[int(second % DAY // HOUR)]


def _until(feed: Feed, start: float, mean: float) -> float:
    """Return when half an article is to be expected, by what is known of the feed."""
    most, expected, now = LONGEST / (1 + JITTER), 0.0, start
    end = start + most
    while now < end:
        stop = min((now // HOUR + 1) * HOUR, end)
        rate = max(_rate(feed, now), mean * NIGHT_SHARE)
        if rate and expected + rate * (stop - now) / HOUR >= EXPECTED:
            return now - start + HOUR * (EXPECTED - expected) / rate
        expected += rate * (stop - now) / HOUR
        now = stop
    return most


def _expected(feed: Feed, start: float, wait: float) -> float:
    total, now, end = 0.0, start, start + wait
    while now < end:
        stop = min((now // HOUR + 1) * HOUR, end)
        total += _rate(feed, now) * (stop - now) / HOUR
        now = stop
    return total


def day_of(feeds: Iterable[Feed]) -> Day:
    """Predict a day. An article comes at any moment of the wait that it falls into, so its delay is uniform in it."""
    polls, found = 0, []
    for feed in feeds:
        for wait, articles in waits(feed):
            polls += 1
            if articles:
                found.append((wait, articles))
    return Day(
        polls=polls,
        articles=sum(articles for _, articles in found),
        median_delay=_quantile(found, 0.5),
        p95_delay=_quantile(found, 0.95),
    )


def scaled(day: Day, factor: float) -> Day:
    """Return the day of so many times the feeds: their delays are the same."""
    return replace(day, polls=day.polls * factor, articles=day.articles * factor)


def _quantile(found: Sequence[tuple[float, float]], share: float) -> float:
    """Return the quantile of a mixture of uniform delays, each `(longest, weight)`."""
    total, low, high = sum(weight for _, weight in found), 0.0, 2 * DAY
    for _ in range(40):
        middle = (low + high) / 2
        below = sum(weight * min(1.0, middle / longest) for longest, weight in found)
        low, high = (middle, high) if below < share * total else (low, middle)
    return high


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a day's work takes."""

    polls_per_second: float
    cores: float
    """Busy, on average over the day; the busiest hour takes 1.7 times as much."""
    statements_per_second: float
    database_busy: float
    """Share of the day in which the one writer writes."""
    claims_busy: float
    """Share of what one scheduler can claim with its settings."""
    database_gb_a_year: float
    archive_gb_a_year: float
    megabits_per_second: float


def need_of(day: Day, *, feeds: int, costs: Costs) -> Need:
    """Return what a day of so many feeds takes."""
    polls, articles = day.polls / DAY, day.articles / DAY
    return Need(
        polls_per_second=polls,
        cores=(polls * costs.cpu_poll_ms + articles * costs.cpu_article_ms) / 1_000,
        statements_per_second=costs.statements_claim / TICK
        + polls * costs.statements_poll
        + articles * costs.statements_article,
        database_busy=(polls * costs.database_poll_ms + articles * costs.database_article_ms) / 1_000,
        claims_busy=polls / (CLAIMS / TICK),
        database_gb_a_year=(feeds * costs.feed_bytes + 365 * day.articles * (costs.entry_bytes + costs.article_bytes))
        / 1e9,
        archive_gb_a_year=365 * day.articles * costs.archived_bytes / 1e9,
        megabits_per_second=8 * (polls * costs.feed_answer_bytes + articles * costs.page_bytes) / 1e6,
    )


def misses(predicted: dict[str, float], measured: dict[str, float], factors: dict[str, float]) -> list[str]:
    """Return a sentence for each figure that the model has wrong by more than its factor.

    >>> misses({"polls": 100.0}, {"polls": 130.0}, {"polls": 1.2})
    ['polls: predicted 100, measured 130: off by 1.30, allowed 1.20']
    """
    said = []
    for name, factor in factors.items():
        one, other = predicted[name], measured[name]
        off = max(one, other) / min(one, other) if min(one, other) > 0 else math.inf
        if off > factor:
            said.append(f"{name}: predicted {one:.3g}, measured {other:.3g}: off by {off:.2f}, allowed {factor:.2f}")
    return said
