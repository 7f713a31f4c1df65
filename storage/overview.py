"""Pages of records and changes, for the dashboard and its API: read-only, over one state of the database, bounded."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from kiosque.errors import StorageError, UsageError
from storage import Change, search
from storage.queries import every, filters, latest, records_by, records_of
from storage.rows import to_text
from storage.schema import articles, changes, revisions
from storage.sql import SqlStore

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from sqlalchemy import Connection

    from kiosque.model import Record
    from storage import Store

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
