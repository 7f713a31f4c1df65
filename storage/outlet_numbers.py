"""What is counted of each outlet, for `status`, `doctor`, the alerts and the dashboard: read-only, bounded."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Text, and_, case, cast, func, literal_column, select

from kiosque.health import COVERAGE_NOW, Coverage, Newest, NewLine, OutletNumbers
from kiosque.polling import FeedState
from storage import lines as learned_lines
from storage.overview import reading_of
from storage.rows import from_text, to_text
from storage.schema import articles, entries, feeds, lines, outcomes, revisions, waits

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from storage import Store

# Days of outcomes that are counted; articles of the last week are compared with those of the month before.
# Where the last days alone bring enough, they are: a template that breaks is seen the day after.
HISTORY_DAYS, SOON_DAYS, RECENT_DAYS, BEFORE_DAYS = 28, 2, 7, 35


def numbers(store: Store, *, now: datetime, coverage: bool = True) -> dict[str, OutletNumbers]:
    """Return what is counted of each outlet that was crawled; without `coverage` quickly in any store."""
    first = f"{now - timedelta(days=HISTORY_DAYS):%Y-%m-%d}"
    with reading_of(store) as connection:
        stored, waiting = _stored(connection), _waiting(connection)
        newest, states = _newest(connection), _states(connection)
        days = _outcomes(connection, first)
        recent, before = _coverage(connection, now) if coverage else ({}, {})
        clutter = _new_clutter(connection, now) if coverage else {}
    slugs = sorted({*stored, *waiting, *states, *days})
    return {
        slug: OutletNumbers(
            slug=slug,
            articles=stored.get(slug, (0, 0))[0],
            revisions=stored.get(slug, (0, 0))[1],
            waiting=waiting.get(slug, 0),
            newest=newest.get(slug),
            feeds=tuple(states.get(slug, ())),
            days=days.get(slug, {}),
            recent=recent.get(slug, Coverage()),
            before=before.get(slug, Coverage()),
            new_clutter=clutter.get(slug, ()),
        )
        for slug in slugs
    }


def _stored(connection: Connection) -> dict[str, tuple[int, int]]:
    """Count articles and their revisions: numbered from 1, so that the large table of texts need not be read."""
    query = select(articles.c.outlet, func.count(), func.sum(articles.c.revision)).group_by(articles.c.outlet)
    return {outlet: (n, int(revised)) for outlet, n, revised in connection.execute(query)}


def _waiting(connection: Connection) -> dict[str, int]:
    query = select(entries.c.outlet, func.count()).where(waits).group_by(entries.c.outlet)
    return {outlet: n for outlet, n in connection.execute(query)}  # noqa: C416 - rows are no tuples to a type checker


def _newest(connection: Connection) -> dict[str, Newest]:
    top = select(articles.c.outlet, func.max(articles.c.first_seen_at).label("at")).group_by(articles.c.outlet)
    last = top.subquery()
    query = (
        select(articles.c.outlet, articles.c.id, articles.c.first_seen_at, *_shown())
        .join(last, and_(articles.c.outlet == last.c.outlet, articles.c.first_seen_at == last.c["at"]))
        .join(revisions, and_(revisions.c.id == articles.c.id, revisions.c.revision == articles.c.revision))
        .order_by(articles.c.number)
    )
    return {
        row.outlet: Newest(
            id=row.id,
            title=row.title,
            url=row.url,
            first_seen_at=from_text(row.first_seen_at),
            published=row.published,
        )
        for row in connection.execute(query)
    }


def _shown() -> tuple[Any, ...]:
    return revisions.c.title, revisions.c.url, revisions.c.published


def _states(connection: Connection) -> dict[str, list[FeedState]]:
    found: dict[str, list[FeedState]] = defaultdict(list)
    for outlet, state in connection.execute(select(feeds.c.outlet, feeds.c.state).order_by(feeds.c.url)):
        found[outlet].append(msgspec.json.decode(state, type=FeedState))
    return found


def _outcomes(connection: Connection, first: str) -> dict[str, dict[str, dict[str, int]]]:
    found: dict[str, dict[str, dict[str, int]]] = defaultdict(dict)
    query = select(outcomes).where(outcomes.c.day >= first).order_by(outcomes.c.day, outcomes.c.n.desc())
    for row in connection.execute(query):
        found[row.outlet].setdefault(row.day, {})[row.outcome] = row.n
    return found


def _coverage(connection: Connection, now: datetime) -> tuple[dict[str, Coverage], dict[str, Coverage]]:
    """Return the coverage of the last days' articles, and of those of the month before the last week.

    The last days are two where these brought enough articles to judge, else seven.
    """
    stretch = case(
        (articles.c.first_seen_at >= to_text(now - timedelta(days=SOON_DAYS)), "soon"),
        (articles.c.first_seen_at >= to_text(now - timedelta(days=RECENT_DAYS)), "recent"),
        else_="before",
    ).label("stretch")
    sums = [func.sum(case((condition, 1), else_=0)).label(name) for name, condition in _has().items()]
    query = (
        select(articles.c.outlet, stretch, func.count().label("articles"), *sums, func.avg(revisions.c.word_count))
        .join(revisions, _is_latest())
        .where(articles.c.first_seen_at >= to_text(now - timedelta(days=BEFORE_DAYS)))
        .group_by(articles.c.outlet, literal_column("stretch"))
    )
    examples = {slug: newest.url for slug, newest in _newest(connection).items()}
    lacking = _lacking(connection, now)
    by_stretch: dict[str, dict[str, Coverage]] = {"soon": {}, "recent": {}, "before": {}}
    for outlet, name, n, dated, signed, led, words in connection.execute(query):
        by_stretch[name][outlet] = Coverage(
            articles=n, date=dated, authors=signed, lead=led, words=float(words), example=examples.get(outlet)
        )
    fresh = {}
    for outlet in by_stretch["soon"].keys() | by_stretch["recent"].keys():
        soon, week = (by_stretch[name].get(outlet, Coverage()) for name in ("soon", "recent"))
        found = soon if soon.articles >= COVERAGE_NOW else _together(soon, week)
        fresh[outlet] = replace(found, lacking=lacking.get(outlet, {}))
    return fresh, by_stretch["before"]


def _has() -> dict[str, Any]:
    return {
        "date": revisions.c.published.is_not(None),
        "authors": cast(revisions.c.authors, Text) != "[]",
        "lead": revisions.c.lead.is_not(None),
    }


def _is_latest() -> Any:
    return and_(revisions.c.id == articles.c.id, revisions.c.revision == articles.c.revision)


def _together(one: Coverage, other: Coverage) -> Coverage:
    n = one.articles + other.articles
    return Coverage(
        articles=n,
        date=one.date + other.date,
        authors=one.authors + other.authors,
        lead=one.lead + other.lead,
        words=(one.words * one.articles + other.words * other.articles) / n,
        example=one.example or other.example,
    )


def _lacking(connection: Connection, now: datetime) -> dict[str, dict[str, str]]:
    """Return by outlet and field the address of the newest article of the last week that does not have it."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for name, condition in _has().items():
        last = (
            select(func.max(articles.c.number).label("number"))
            .join(revisions, _is_latest())
            .where(articles.c.first_seen_at >= to_text(now - timedelta(days=RECENT_DAYS)), ~condition)
            .group_by(articles.c.outlet)
            .subquery()
        )
        query = select(articles.c.outlet, revisions.c.url).join(revisions, _is_latest())
        for outlet, url in connection.execute(query.join(last, articles.c.number == last.c.number)):
            found[outlet][name] = url
    return found


def _new_clutter(connection: Connection, now: datetime) -> dict[str, tuple[NewLine, ...]]:
    """Return the learned lines first met in the last week, of outlets that were read a week before that."""
    since, long_before = (to_text(now - timedelta(days=days)) for days in (RECENT_DAYS, 2 * RECENT_DAYS))
    first_seen = func.min(articles.c.first_seen_at)
    oldest = select(articles.c.outlet).group_by(articles.c.outlet).having(first_seen < long_before)
    query = (
        select(lines.c.outlet, lines.c.line, lines.c.first_seen)
        .where(
            lines.c.articles >= learned_lines.LEAST,
            lines.c.mark != learned_lines.COUNTER,
            lines.c.first_seen >= since,
            lines.c.outlet.in_(oldest),
        )
        .order_by(lines.c.outlet, lines.c.articles.desc(), lines.c.line)
    )
    rows = connection.execute(query).all()
    learned = {outlet: learned_lines.learned(connection, outlet) for outlet in {row.outlet for row in rows}}
    found: dict[str, list[NewLine]] = defaultdict(list)
    for outlet, line, met in rows:
        if line in learned[outlet]:
            found[outlet].append(NewLine(line=line, first_seen=from_text(met)))
    return {outlet: tuple(some) for outlet, some in found.items()}
