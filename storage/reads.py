"""The store's answers as SQL: records by address, by likeness, by query."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import false, func, select, text

from kiosque.urls import canonical_url
from storage.queries import chunks, every, filters, latest, records_by, records_of, urls_of
from storage.rows import record_from, short_key
from storage.schema import addresses, articles, entries, revisions, waits
from storage.search import matches

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

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


# The bands of many texts are one parameter: a statement with thousands takes longer to make than to run.
_BANDS = {
    "sqlite": (
        "SELECT texts.key AS place, one.value AS band FROM json_each(:bands) AS texts, json_each(texts.value) AS one"
    ),
    "postgresql": (
        "SELECT texts.place - 1 AS place, CAST(one.value AS bigint) AS band"
        " FROM jsonb_array_elements(CAST(:bands AS jsonb)) WITH ORDINALITY AS texts (bands, place),"
        " jsonb_array_elements_text(texts.bands) AS one (value)"
    ),
}
_NEAR = (
    "SELECT place, article FROM ("
    "SELECT wanted.place AS place, bands.article AS article,"
    " row_number() OVER (PARTITION BY wanted.place ORDER BY count(*) DESC, bands.article) AS rank"
    " FROM ({}) AS wanted JOIN bands ON bands.band = wanted.band GROUP BY wanted.place, bands.article"
    ") AS met WHERE rank <= :most ORDER BY place, rank"
)


def near(connection: Connection, texts: Sequence[Collection[int]], *, limit: int) -> list[list[Record]]:
    """Return, for the bands of each text, the latest records of articles that share some, the most first."""
    wanted = {"bands": json.dumps([list(one) for one in texts]), "most": limit}
    question = text(_NEAR.format(_BANDS[connection.dialect.name]))
    met = [(row.place, row.article) for row in connection.execute(question, wanted)] if any(texts) else []
    found = _numbered(connection, sorted({article for _, article in met}))
    answers: list[list[Record]] = [[] for _ in texts]
    for place, article in met:
        if article in found:
            answers[place].append(found[article])
    return answers


def _numbered(connection: Connection, numbers: list[int]) -> dict[int, Record]:
    """Return the latest records of articles by their number."""
    by_id: dict[str, int] = {}
    for some in chunks(numbers):
        rows = connection.execute(select(articles.c.id, articles.c.number).where(articles.c.number.in_(some)))
        by_id |= {row.id: row.number for row in rows}
    return {by_id[record.id]: record for record in records_by(connection, articles.c.id, by_id)}


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
