"""The store's questions as SQL: pure builders, and records out of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Select, and_, or_, select

from storage.rows import record_from, to_text
from storage.schema import addresses, articles, revisions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, RowMapping

    from kiosque.model import Record

# Keys in one statement: under SQLite's limit on variables, and short enough to plan.
CHUNK = 400

T = TypeVar("T")


def chunks(keys: list[T]) -> Iterable[list[T]]:
    """Cut a list into pieces that one statement can take."""
    return (keys[start : start + CHUNK] for start in range(0, len(keys), CHUNK))


def every() -> Select[Any]:
    """Select every revision with what is kept of its article."""
    columns = (articles.c.first_seen_at, articles.c.cluster, articles.c.change.label("last_change"))
    return select(revisions, *columns).join(articles, articles.c.id == revisions.c.id)


def latest() -> Select[Any]:
    """Select the latest revision of each article."""
    return every().where(revisions.c.revision == articles.c.revision)


def in_clusters(names: Sequence[str]) -> Any:
    """Return the condition that an article belongs to one of these clusters; at most as many as `chunks` gives.

    The earliest of a cluster bears its name, and only the others stand in the index.
    """
    others = and_(articles.c.cluster.in_(names), articles.c.cluster != articles.c.id)
    return or_(others, and_(articles.c.id.in_(names), articles.c.cluster == articles.c.id))


def filters(outlet: str | None, since: datetime | None) -> list[Any]:
    """Return the conditions on a revision."""
    wanted: list[Any] = []
    if outlet is not None:
        wanted.append(revisions.c.outlet == outlet)
    if since is not None:
        wanted.append(revisions.c.fetched_at >= to_text(since))
    return wanted


def records_of(connection: Connection, query: Select[Any]) -> list[Record]:
    """Return the records of a query on revisions."""
    rows: Sequence[RowMapping] = connection.execute(query).mappings().all()
    urls = urls_of(connection, {row["id"] for row in rows})
    return [record_from(row, urls.get(row["id"], ())) for row in rows]


def urls_of(connection: Connection, ids: set[str]) -> dict[str, tuple[str, ...]]:
    """Return every address of each article."""
    found: dict[str, list[str]] = {}
    for some in chunks(sorted(ids)):
        query = select(addresses.c.article, addresses.c.url).where(addresses.c.article.in_(some))
        for article, url in connection.execute(query.order_by(addresses.c.url)):
            found.setdefault(article, []).append(url)
    return {article: tuple(urls) for article, urls in found.items()}


def records_by(connection: Connection, column: Any, values: Iterable[Any]) -> list[Record]:
    """Return the latest records of the articles whose column has one of these values."""
    return [
        record
        for some in chunks(sorted(set(values)))
        for record in records_of(connection, latest().where(column.in_(some)))
    ]
