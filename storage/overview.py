"""Questions of `status`, `doctor` and the dashboard: read-only, over one state of the database, bounded."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Text, and_, case, cast, func, literal_column, select

from kiosque.errors import StorageError, UsageError
from kiosque.health import COVERAGE_NOW, Coverage, Newest, NewLine, OutletNumbers
from kiosque.polling import FeedState
from storage import Change, search
from storage import lines as learned_lines
from storage.queries import every, filters, latest, records_by, records_of
from storage.rows import from_text, to_text
from storage.schema import articles, changes, entries, feeds, lines, outcomes, revisions, waits
from storage.sql import SqlStore

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection

    from kiosque.model import Record
    from storage import Store

# Days of outcomes that are counted; articles of the last week are compared with those of the month before.
# Where the last days alone bring enough, they are: a template that breaks is seen the day after.
HISTORY_DAYS, SOON_DAYS, RECENT_DAYS, BEFORE_DAYS = 28, 2, 7, 35
MOST_RECORDS = 1_000
# PostgreSQL's integers: a cursor beyond is one that no store gave.
LAST_NUMBER = 2**31 - 1
# Batches of revisions that one search indexes before it answers: a second or two, whatever was crawled meanwhile.
INDEXED_AT_ONCE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPage:
    """Some records, and where to go on."""

    records: tuple[Record, ...]
    next: int | None
    """The change number after (or before) which the next page stands; None at the end."""
    partial: bool = False
    """Revisions wait to be indexed: a search did not look at them, and the next one will look at more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePage:
    """Some changes in their order, each with its article's latest record."""

    changes: tuple[Change, ...]
    records: dict[str, Record]
    """By id; an article that was deleted since has none."""
    cursor: int
    """The change after which the next page stands."""
    more: bool


def numbers(store: Store, *, now: datetime, coverage: bool = True) -> dict[str, OutletNumbers]:
    """Return what is counted of each outlet that was crawled; without `coverage` quickly in any store."""
    first = f"{now - timedelta(days=HISTORY_DAYS):%Y-%m-%d}"
    with _sql(store).reading() as connection:
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


def articles_over_time(store: Store, *, since: datetime, hours: bool = False) -> dict[str, dict[str, int]]:
    """Return `{outlet: {day: articles first seen}}`, `2024-10-25`; by hour `2024-10-25T07`. In UTC."""
    moment = func.substr(articles.c.first_seen_at, 1, 13 if hours else 10).label("moment")
    query = (
        select(articles.c.outlet, moment, func.count())
        .where(articles.c.first_seen_at >= to_text(since))
        .group_by(articles.c.outlet, moment)
        .order_by(moment)
    )
    found: dict[str, dict[str, int]] = defaultdict(dict)
    with _sql(store).reading() as connection:
        for outlet, when, n in connection.execute(query):
            found[outlet][when] = n
    return dict(found)


def record_page(
    store: Store,
    *,
    outlet: str | None = None,
    since: datetime | None = None,
    words: str | None = None,
    cursor: int | None = None,
    oldest_first: bool = False,
    limit: int,
) -> RecordPage:
    """Return a page of latest records in the order of their last change; `cursor` is a page's `next`."""
    sql = _sql(store)
    order = articles.c.change
    # Ids first: a sort of all that matches would carry the texts along.
    query = latest().with_only_columns(articles.c.id, order).where(*filters(outlet, since))
    partial = False
    if words:
        partial = not _indexed(sql)
        wanted = search.matches(sql.dialect, words)
        if wanted is None:
            return RecordPage(records=(), next=None, partial=partial)
        query = query.where(wanted)
    if cursor is not None:
        place = min(cursor, LAST_NUMBER)
        query = query.where(order > place if oldest_first else order < place)
    limit = min(limit, MOST_RECORDS)
    query = query.order_by(order if oldest_first else order.desc()).limit(limit + 1)
    with sql.reading() as connection:
        found = connection.execute(query).all()
        by_id = {one.id: one for one in _latest_of(connection, [id_ for id_, _ in found[:limit]])}
    last = found[limit - 1][1] if len(found) > limit else None
    return RecordPage(records=tuple(by_id[id_] for id_, _ in found[:limit]), next=last, partial=partial)


def change_page(store: Store, *, after: int, limit: int) -> ChangePage:
    """Return the next changes, each article's last one among them, with its latest record."""
    query = select(changes).where(changes.c.number > min(after, LAST_NUMBER)).order_by(changes.c.number)
    with _sql(store).reading() as connection:
        rows = connection.execute(query.limit(min(limit, MOST_RECORDS) + 1)).mappings().all()
        more = len(rows) > min(limit, MOST_RECORDS)
        kept = rows[: min(limit, MOST_RECORDS)]
        last = {row["id"]: row for row in kept}
        records = {one.id: one for one in _latest_of(connection, list(last))}
    noted = sorted(last.values(), key=lambda row: int(row["number"]))
    return ChangePage(
        changes=tuple(Change(number=r["number"], id=r["id"], revision=r["revision"], kind=r["kind"]) for r in noted),
        records=records,
        cursor=kept[-1]["number"] if kept else after,
        more=more,
    )


def revisions_of(store: Store, article: str) -> list[Record]:
    """Return every revision of an article by its id, the first one first."""
    with _sql(store).reading() as connection:
        query = every().where(articles.c.id == article).order_by(revisions.c.revision)
        return records_of(connection, query.limit(MOST_RECORDS))


def reading_of(store: Store) -> AbstractContextManager[Connection]:
    """Open one state of a store's database for reading. Raises `UsageError` for a store that is no database."""
    return _sql(store).reading()


def _sql(store: Store) -> SqlStore:
    if not isinstance(store, SqlStore):
        raise UsageError("--db: this store cannot be looked into; use sqlite:///FILE or postgresql://USER@HOST/NAME")
    return store


def _latest_of(connection: Connection, ids: Sequence[str]) -> list[Record]:
    return records_by(connection, articles.c.id, ids)


def _indexed(sql: SqlStore) -> bool:
    """Go on with the search index; what may not be written, or is locked for long, is searched as it is."""
    try:
        return sql.index(most=INDEXED_AT_ONCE)
    except StorageError:
        return False


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
