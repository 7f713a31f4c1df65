"""Erasure as SQL: an article and all that was kept of it goes, a mark stays that keeps it from coming back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import String, and_, cast, delete, select, update

from storage import Forgotten, revisits, search
from storage.lines import COUNTER
from storage.put import put
from storage.queries import chunks, in_clusters, latest, records_by, records_of
from storage.rows import mark, short_key, to_text
from storage.schema import addresses, articles, bands, entries, lines, revisions, tombstones
from storage.writes import next_numbers, note_changes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from kiosque.model import Record

from kiosque.urls import canonical_url
from pipelines.steps import near


def outlet_mark(outlet: str) -> str:
    """Return the mark of a whole outlet."""
    return mark(f"outlet:{outlet}")


def barred(connection: Connection, keys: Collection[str], outlet: str) -> set[str]:
    """Return those of an outlet's address keys that may not come back."""
    by_mark = {mark(key): key for key in keys}
    found: set[str] = set()
    for some in chunks([outlet_mark(outlet), *sorted(by_mark)]):
        query = select(tombstones.c.mark).where(tombstones.c.mark.in_(some))
        found |= set(connection.execute(query).scalars())
    return set(keys) if outlet_mark(outlet) in found else {by_mark[one] for one in found}


def plan(connection: Connection, urls: Collection[str], outlet: str | None) -> Forgotten:
    """Return what would be erased; nothing is written."""
    keys = {canonical_url(url) for url in urls} - {""}
    ids: set[str] = set()
    for some in chunks(sorted(map(short_key, keys))):
        ids |= set(connection.execute(select(addresses.c.article).where(addresses.c.key.in_(some))).scalars())
    if outlet is not None:
        ids |= set(connection.execute(select(articles.c.id).where(articles.c.outlet == outlet)).scalars())
    # Pages that made no article were fetched, too, and may lie in the archive.
    its_own = select(entries.c.url).where(entries.c.outlet == outlet)
    known = set(connection.execute(its_own).scalars()) if outlet is not None else set()
    archived: set[str] = set()
    count = 0
    for some in chunks(sorted(ids)):
        known |= set(connection.execute(select(addresses.c.url).where(addresses.c.article.in_(some))).scalars())
        pages = connection.execute(select(revisions.c.archive, revisions.c.url).where(revisions.c.id.in_(some))).all()
        archived |= {page.archive for page in pages if page.archive}
        known |= {page.url for page in pages}
        count += len(pages)
    return Forgotten(
        articles=tuple(sorted(ids)),
        urls=tuple(sorted({*known, *urls})),
        revisions=count,
        archived=tuple(sorted(archived)),
    )


def erase(connection: Connection, found: Forgotten, outlet: str | None, at: datetime) -> None:
    """Erase what `plan` found."""
    numbers = next_numbers(connection)
    note_changes(connection, found.articles, numbers, kind="deleted", at=at)
    marks = {mark(key) for url in found.urls if (key := canonical_url(url))}
    keys = {short_key(key) for url in found.urls if (key := canonical_url(url))}
    if outlet is not None:
        marks.add(outlet_mark(outlet))
    for some in chunks(list(found.articles)):
        _erase_articles(connection, some, numbers, at)
    if found.articles:
        search.forget_words(connection)
    rows = [{"mark": one, "at": to_text(at)} for one in sorted(marks)]
    put(connection, tombstones, rows, on=("mark",))
    for some in chunks(sorted(keys)):
        connection.execute(delete(entries).where(entries.c.key.in_(some)))
    if outlet is not None:
        connection.execute(delete(entries).where(entries.c.outlet == outlet))
        connection.execute(delete(lines).where(lines.c.outlet == outlet))


def _erase_articles(connection: Connection, ids: list[str], numbers: Iterator[int], at: datetime) -> None:
    columns = (revisions.c.change, revisions.c.title, revisions.c.text)
    search.remove(connection, connection.execute(select(*columns).where(revisions.c.id.in_(ids))).all())
    heads = select(articles.c.number).where(articles.c.id.in_(ids))
    for record in records_by(connection, articles.c.id, ids):
        its = and_(bands.c.band.in_(near.bands(record.text)), bands.c.article.in_(heads))
        connection.execute(delete(bands).where(its))
    for id_ in ids:  # its own lines: those that no other article carried
        alone = and_(lines.c.articles == 1, lines.c.mark != COUNTER, cast(lines.c.seen_in, String).contains(f'"{id_}"'))
        connection.execute(delete(lines).where(alone))
    revisits.erase(connection, ids)
    connection.execute(delete(addresses).where(addresses.c.article.in_(ids)))
    connection.execute(delete(revisions).where(revisions.c.id.in_(ids)))
    connection.execute(delete(articles).where(articles.c.id.in_(ids)))
    _new_heads(connection, ids, numbers, at)


def _new_heads(connection: Connection, gone: Sequence[str], numbers: Iterator[int], at: datetime) -> None:
    """Name the clusters anew that lost their earliest article."""
    left: dict[str, list[Record]] = {}
    for record in records_of(connection, latest().where(in_clusters(gone))):
        left.setdefault(record.cluster or "", []).append(record)
    for members in left.values():
        head = min(members, key=near.appeared)
        ids = [member.id for member in members]
        connection.execute(update(articles).where(articles.c.id.in_(ids)).values(cluster=head.id))
        note_changes(connection, ids, numbers, kind="corrected", at=at)
