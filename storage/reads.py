"""The store's answers as SQL: records by address, by likeness, by query."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, false, func, select

from kiosque.urls import canonical_url
from storage.queries import chunks, every, filters, latest, records_by, records_of, urls_of
from storage.rows import record_from, short_key
from storage.schema import addresses, articles, bands, entries, revisions, waits
from storage.search import matches

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection, Select

    from kiosque.model import Record
    from storage import RecordQuery

# Records read at once when a table is streamed.
PAGE = 200


def known(connection: Connection, keys: Collection[str]) -> dict[str, Record]:
    """Return the latest record of each address key that belongs to an article."""
    given = {short_key(key): key for key in keys}
    owner = {
        key: article
        for some in chunks(sorted(given))
        for key, article in connection.execute(
            select(addresses.c.key, addresses.c.article).where(addresses.c.key.in_(some))
        )
    }
    by_id = {record.id: record for record in records_by(connection, articles.c.id, owner.values())}
    return {given[key]: by_id[article] for key, article in owner.items()}


def near(connection: Connection, bands_: Collection[int], *, limit: int) -> list[Record]:
    """Return the latest records of articles that share bands, those that share most first."""
    meet = func.count().label("meet")
    query = select(bands.c.article, meet).where(bands.c.band.in_(list(bands_))).group_by(bands.c.article)
    met = connection.execute(query.order_by(meet.desc(), bands.c.article).limit(limit)).scalars().all()
    most = case({number: place for place, number in enumerate(met)}, value=articles.c.number)
    return records_of(connection, latest().where(articles.c.number.in_(met)).order_by(most)) if met else []


def history(connection: Connection, url: str) -> list[Record]:
    """Return every revision of the article at an address, the first one first."""
    its = addresses.c.key == short_key(canonical_url(url))
    ids = connection.execute(select(addresses.c.article).where(its)).scalars().all()
    return records_of(connection, every().where(articles.c.id.in_(ids[:1])).order_by(revisions.c.change))


def counts(connection: Connection) -> dict[str, dict[str, int]]:
    """Return how many articles, revisions and waiting entries each outlet has."""
    queries = {
        "articles": select(articles.c.outlet, func.count()).group_by(articles.c.outlet),
        "revisions": select(revisions.c.outlet, func.count()).group_by(revisions.c.outlet),
        "pending": select(entries.c.outlet, func.count()).where(waits).group_by(entries.c.outlet),
    }
    found: dict[str, dict[str, int]] = {}
    for name, query in queries.items():
        for outlet, n in connection.execute(query):
            found.setdefault(outlet, dict.fromkeys(queries, 0))[name] = n
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of a stream of records: which rows, and where in their order it begins."""

    rows: Select[Any]
    revisions: bool
    newest_first: bool
    place: int | None
    """The change that the one before ended with."""
    left: int | None
    """Records that are still wanted."""


def first_page(query: RecordQuery, *, dialect: str) -> Page:
    """Return where the answer to a query begins."""
    rows = (every() if query.revisions else latest()).where(*filters(query.outlet, query.since))
    if query.search:
        wanted = matches(dialect, query.search)
        rows = rows.where(false() if wanted is None else wanted)
    return Page(
        rows=rows,
        revisions=query.revisions,
        newest_first=query.after is None,
        place=query.after,
        left=query.limit,
    )


def read_page(connection: Connection, page: Page) -> tuple[list[Record], Page | None]:
    """Return records, and where the next ones stand; None at the end."""
    # An article stands where its last change is; an old revision where it was made.
    order = revisions.c.change if page.revisions else articles.c.change
    size = PAGE if page.left is None else min(PAGE, page.left)
    query = page.rows.order_by(order.desc() if page.newest_first else order).limit(size)
    if page.place is not None:
        query = query.where(order < page.place if page.newest_first else order > page.place)
    rows = connection.execute(query).mappings().all()
    urls = urls_of(connection, {row["id"] for row in rows})
    found = [record_from(row, urls.get(row["id"], ())) for row in rows]
    left = None if page.left is None else page.left - len(rows)
    if len(rows) < size or left == 0:
        return found, None
    return found, replace(page, place=rows[-1]["change" if page.revisions else "last_change"], left=left)
