"""The store's writes as SQL, a statement for many rows; the dialects differ only in where `insert` comes from."""

from __future__ import annotations

from collections import Counter
from itertools import count
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, select, update

from pipelines.steps import near
from storage import FORGOTTEN, revisits, search
from storage.put import put, put_new
from storage.queries import chunks, in_clusters
from storage.rows import (
    LONGEST_URL,
    REVISION_NAMES,
    revision_row,
    revision_values,
    short_key,
    sound_values,
    storable,
    to_text,
)
from storage.schema import addresses, articles, bands, changes, entries, outcomes, revisions, waits

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from kiosque.model import Record
    from storage import Address, ChangeKind, Settled


# Asked before every batch; SQLAlchemy takes longer to build it than SQLite to answer.
LAST_NUMBER = f"SELECT max(number) FROM {changes.name}"  # noqa: S608 - our own name
ONE_MORE = (("attempts", "old.attempts + 1"),)


def next_numbers(connection: Connection) -> Iterator[int]:
    """Return the numbers of the next changes. The caller's transaction is the only one that writes."""
    last = connection.exec_driver_sql(LAST_NUMBER).scalar() or 0
    return count(last + 1)


def settle(connection: Connection, settled: Sequence[Settled]) -> None:
    """Write finished URLs: revisions, their places, addresses, the frontier's rows and the outcomes."""
    numbers = next_numbers(connection)
    fresh = [one for one in settled if one.record is not None and not one.corrects]
    _save(connection, fresh, numbers)
    for one in settled:
        if one.record is not None and one.corrects:
            correct(connection, one.record, numbers, at=one.at)
    _place(connection, fresh, numbers)
    _keep_addresses(connection, settled)
    _close_entries(connection, settled)
    _count(connection, settled)
    revisits.note(connection, settled)


def _save(connection: Connection, settled: Sequence[Settled], numbers: Iterator[int]) -> None:
    """Write revisions and the changes that they are."""
    heads: dict[str, dict[str, Any]] = {}
    made: dict[tuple[str, int], tuple[Record, int]] = {}
    kept = []
    for one, number in zip(settled, numbers, strict=False):
        if (record := one.record) is None:
            continue
        head = _head(one, record, number)
        if before := heads.get(record.id):  # twice in a batch: made by the first, as the last one leaves it
            cluster = before["cluster"] if head["cluster"] is None else head["cluster"]
            head = before | {"revision": record.revision, "change": number, "cluster": cluster}
        heads[record.id] = head
        made[record.id, record.revision] = (record, number)
        kept.append(_change(number, record.id, record.revision, "new" if record.revision == 1 else "revised", one.at))
    cluster_stays = ("cluster", "coalesce(new.cluster, old.cluster)")
    put(
        connection,
        articles,
        list(heads.values()),
        on=("id",),
        change=("revision", "change"),
        formulas=(cluster_stays,),
    )
    _put_revisions(connection, list(made.values()))
    put(connection, changes, kept, on=("number",))


def _put_revisions(connection: Connection, made: Sequence[tuple[Record, int]]) -> None:
    """Write revisions, each with the number of its change."""
    table, on = revisions, ("id", "revision")
    try:
        put_new(connection, table, REVISION_NAMES, [revision_values(record, number) for record, number in made], on=on)
    except UnicodeEncodeError:  # hardly ever, and looking for it beforehand took a tenth of the time
        put_new(connection, table, REVISION_NAMES, [sound_values(record, number) for record, number in made], on=on)


def _head(one: Settled, record: Record, number: int) -> dict[str, Any]:
    return {
        "id": record.id,
        "outlet": record.outlet,
        "revision": record.revision,
        "first_seen_at": to_text(record.first_seen_at),
        "number": number,
        "change": number,
        "cluster": one.placing.cluster if one.placing else record.id if record.revision == 1 else None,
    }


def _change(number: int, article: str, revision: int, kind: ChangeKind, at: datetime) -> dict[str, Any]:
    return {"number": number, "id": article, "revision": revision, "kind": kind, "at": to_text(at)}


def note_changes(
    connection: Connection,
    ids: Collection[str],
    numbers: Iterator[int],
    *,
    kind: ChangeKind,
    at: datetime,
) -> None:
    """Note a change of articles that stand as they are but for their place, or are gone."""
    for some in chunks(sorted(ids)):
        query = select(articles.c.id, articles.c.revision).where(articles.c.id.in_(some))
        standing = {} if kind == "deleted" else dict(connection.execute(query).all())
        rows = [
            _change(number, id_, standing.get(id_, 0), kind, at) for id_, number in zip(some, numbers, strict=False)
        ]
        put(connection, changes, rows, on=("number",))
        for row in rows:
            connection.execute(update(articles).where(articles.c.id == row["id"]).values(change=row["number"]))


def correct(connection: Connection, record: Record, numbers: Iterator[int], *, at: datetime) -> None:
    """Put a record in the place of the revision of its number."""
    its = and_(revisions.c.id == record.id, revisions.c.revision == record.revision)
    columns = (revisions.c.change, revisions.c.title, revisions.c.text)
    before = connection.execute(select(*columns).where(its)).first()
    if before is None:
        return
    row = revision_row(record)
    if (before.title, before.text) != (row["title"], row["text"]):
        search.remove(connection, [tuple(before)])
        if before.change <= search.searched(connection):
            search.add(connection, [(before.change, row["title"], row["text"])])
    connection.execute(update(revisions).where(its).values(row))
    _rebind(connection, record, before.text, row["text"])
    if record.cluster is not None:
        connection.execute(update(articles).where(articles.c.id == record.id).values(cluster=record.cluster))
    note_changes(connection, [record.id], numbers, kind="corrected", at=at)


def _rebind(connection: Connection, record: Record, before: str, after: str) -> None:
    """Give an article the bands of its corrected text, where that is its latest one."""
    head = select(articles.c.number).where(articles.c.id == record.id, articles.c.revision == record.revision)
    number = connection.execute(head).scalar()
    if number is None or before == after:
        return
    stale, fresh = set(near.bands(before)), set(near.bands(after))
    gone = and_(bands.c.band.in_(sorted(stale - fresh)), bands.c.article == number)
    connection.execute(delete(bands).where(gone))
    rows = [{"band": band, "article": number} for band in sorted(fresh - stale)]
    put(connection, bands, rows, on=("band", "article"))


def _place(connection: Connection, settled: Sequence[Settled], numbers: Iterator[int]) -> None:
    """Keep where articles stand among their near-duplicates."""
    placed = [(one, one.placing) for one in settled if one.placing is not None]
    ids = [one.record.id for one, _ in placed if one.record]
    found = {
        id_: number
        for some in chunks(sorted(set(ids)))
        for id_, number in connection.execute(select(articles.c.id, articles.c.number).where(articles.c.id.in_(some)))
    }
    for one, placing in placed:
        if placing.renamed is not None and one.record is not None:
            moved = and_(in_clusters([placing.renamed]), articles.c.id != one.record.id)
            members = connection.execute(select(articles.c.id).where(moved)).scalars().all()
            connection.execute(update(articles).where(moved).values(cluster=placing.cluster))
            note_changes(connection, members, numbers, kind="corrected", at=one.at)
    pairs = [(found[one.record.id], placing) for one, placing in placed if one.record and one.record.id in found]
    for number, placing in pairs:
        if placing.stale:
            stale = and_(bands.c.band.in_(placing.stale), bands.c.article == number)
            connection.execute(delete(bands).where(stale))
    rows = {(band, number): None for number, placing in pairs for band in placing.bands}
    put(connection, bands, [{"band": band, "article": number} for band, number in rows], on=("band", "article"))


def _keep_addresses(connection: Connection, settled: Sequence[Settled]) -> None:
    """Write the addresses of settled articles."""
    rows: dict[str, dict[str, Any]] = {}
    for one in settled:
        for address in one.addresses if one.article is not None else ():
            if len(address.url) > LONGEST_URL or len(address.url.encode("utf-8", "replace")) > LONGEST_URL:
                continue
            row = _address(one, address)
            before = rows.get(row["url"], {})
            rows[row["url"]] = row | {name: value for name, value in before.items() if row[name] is None}
    stays = (
        ("etag", "coalesce(new.etag, old.etag)"),
        ("last_modified", "coalesce(new.last_modified, old.last_modified)"),
    )
    put(connection, addresses, list(rows.values()), on=("key", "url"), formulas=stays)
    # The articles' other addresses that still waited need no fetch of their own.
    keys = {short_key(a.key) for one in settled if one.article for a in one.addresses if a.key != one.key}
    for some in chunks(sorted(keys)):
        waiting = and_(entries.c.key.in_(some), waits)
        connection.execute(update(entries).where(waiting).values(state="done", outcome="duplicate"))


def _address(one: Settled, address: Address) -> dict[str, Any]:
    return {
        "key": short_key(address.key),
        "article": one.article,
        "url": storable(address.url),
        "etag": storable(address.etag),
        "last_modified": storable(address.last_modified),
    }


def _close_entries(connection: Connection, settled: Sequence[Settled]) -> None:
    """Write how the frontier's entries ended."""
    rows = {
        short_key(one.key): {
            "key": short_key(one.key),
            "outlet": one.outlet,
            "url": storable(one.url),
            "state": one.state,
            "attempts": 1,
            "next_try": to_text(one.next_try) if one.next_try else None,
            "outcome": storable(one.outcome),
            "seen_at": to_text(one.at),
        }
        for one in settled
        if one.outcome != FORGOTTEN  # its mark is enough
    }
    change = ("state", "next_try", "outcome")
    put(connection, entries, list(rows.values()), on=("key",), change=change, formulas=ONE_MORE)


def _count(connection: Connection, settled: Sequence[Settled]) -> None:
    """Count the outcomes of the day."""
    counted = Counter((to_text(one.at)[:10], one.outlet, storable(one.outcome)[:80]) for one in settled)
    rows = [{"day": day, "outlet": outlet, "outcome": outcome, "n": n} for (day, outlet, outcome), n in counted.items()]
    put(connection, outcomes, rows, on=("day", "outlet", "outcome"), formulas=(("n", "old.n + new.n"),))
