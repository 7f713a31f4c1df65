"""The frontier as SQL: entries that wait to be fetched, and the feeds that named them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import func, select, update

from kiosque.polling import FeedState
from storage import Enqueued, QueuedEntry, forget
from storage.among import MOST_NAMED, among
from storage.put import put
from storage.queries import chunks
from storage.rows import claim_changed, claim_text, queued_from, short_key, storable, to_text
from storage.schema import entries, feeds, waits

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from kiosque.model import FeedEntry

# Due feeds looked at in one go to find some of wanted outlets.
MOST_LOOKED_AT = 2_000


def enqueue(connection: Connection, outlet: str, claims: Sequence[tuple[str, FeedEntry]], at: datetime) -> Enqueued:
    """Put a feed's `(key, entry)` pairs on the frontier."""
    wanted = dict(reversed(claims))  # a key that stands twice in a feed: the first entry speaks
    rows = _rows(connection, wanted)
    barred = forget.barred(connection, wanted.keys(), outlet)
    fresh, known, again, gone = [], [], [], []
    # A feed lists its newest first; the frontier is worked off oldest first.
    for key, entry in wanted.items():
        row = rows.get(short_key(key))
        queued = QueuedEntry(key=key, outlet=outlet, url=entry.url, entry=entry)
        if key in barred:
            gone.append(queued)
        elif row is None or row["state"] == "pending":
            fresh.append(queued)
        elif claim_changed(row["claim"], entry):
            again.append(queued)
            fresh.append(queued)
        else:
            known.append(queued)
    _queue(connection, [queued for queued in fresh if short_key(queued.key) not in rows], at)
    for queued in again:
        _queue_again(connection, queued)
    return Enqueued(fresh=tuple(fresh), known=tuple(known), forgotten=tuple(gone))


def _rows(connection: Connection, keys: Collection[str]) -> dict[str, Any]:
    return {
        row["key"]: row
        for some in chunks(sorted(map(short_key, keys)))
        for row in connection.execute(select(entries).where(entries.c.key.in_(some))).mappings()
    }


def _queue(connection: Connection, queued: Sequence[QueuedEntry], at: datetime) -> None:
    rows = {
        short_key(one.key): {
            "key": short_key(one.key),
            "outlet": one.outlet,
            "url": storable(one.url),
            "claim": claim_text(one.entry),
            "state": "pending",
            "attempts": 0,
            "seen_at": to_text(at),
        }
        for one in queued
    }
    put(connection, entries, list(rows.values()), on=("key",))


def _queue_again(connection: Connection, queued: QueuedEntry) -> None:
    again = {"state": "pending", "attempts": 0, "next_try": None, "claim": claim_text(queued.entry)}
    connection.execute(update(entries).where(entries.c.key == short_key(queued.key)).values(again))


def pending(
    connection: Connection, outlets: Collection[str], *, due: datetime | None, limit: int | None
) -> list[QueuedEntry]:
    """Return what still waits to be fetched, oldest first."""
    query = select(entries).where(waits, among(connection, entries.c.outlet, outlets))
    if due is not None:
        query = query.where(func.coalesce(entries.c.next_try, "") <= to_text(due))
    rows = connection.execute(query.order_by(entries.c.number).limit(limit)).mappings()
    return [queued_from(dict(row)) for row in rows]


def feed_states(connection: Connection, urls: Collection[str]) -> dict[str, FeedState]:
    """Return the poll state of the feeds that have one."""
    return {
        row["url"]: msgspec.json.decode(row["state"], type=FeedState)
        for some in chunks(sorted(urls))
        for row in connection.execute(select(feeds).where(feeds.c.url.in_(some))).mappings()
    }


def save_feed(connection: Connection, state: FeedState) -> None:
    """Keep a feed's poll state."""
    row = {
        "url": state.url,
        "outlet": state.outlet,
        "next_due": to_text(state.next_due) if state.next_due else None,
        "state": msgspec.json.encode(state).decode(),
    }
    put(connection, feeds, [row], on=("url",), change=("outlet", "next_due", "state"))


def claim_due(
    connection: Connection, outlets: Collection[str], *, now: datetime, until: datetime, limit: int
) -> list[FeedState]:
    """Take feeds that are due, and set their next poll to `until`."""
    rows = _due(connection, outlets, now=now, limit=limit)
    claimed = [row["url"] for row in rows]
    if claimed:  # most looks find nothing, and then write nothing
        connection.execute(update(feeds).where(feeds.c.url.in_(claimed)).values(next_due=to_text(until)))
    return [msgspec.json.decode(row["state"], type=FeedState) for row in rows]


def release_claims(connection: Connection, outlets: Collection[str], *, now: datetime) -> int:
    """Make feeds due again that were claimed and never answered: a poll's end writes its state, a claim does not."""
    later = select(feeds).where(feeds.c.next_due > to_text(now))
    released = 0
    for row in connection.execute(later.where(among(connection, feeds.c.outlet, outlets))).mappings().all():
        planned = msgspec.json.decode(row["state"], type=FeedState).next_due
        if planned is not None and to_text(planned) < row["next_due"]:
            due = update(feeds).where(feeds.c.url == row["url"], feeds.c.next_due == row["next_due"])
            released += connection.execute(due.values(next_due=to_text(planned))).rowcount
    return released


def _due(connection: Connection, outlets: Collection[str], *, now: datetime, limit: int) -> Sequence[Any]:
    """Return the rows of feeds that are due, those that wait longest first, as quickly for many outlets as for few.

    Nearly every feed belongs to a wanted outlet: the first that are due are looked at, and no outlet is named.
    """
    due = select(feeds).where(feeds.c.next_due <= to_text(now)).order_by(feeds.c.next_due)
    due = due.with_for_update(skip_locked=True)
    for looked_at in (2 * limit, MOST_LOOKED_AT) if len(outlets) > MOST_NAMED else ():
        wanted = frozenset(outlets)
        rows = connection.execute(due.limit(looked_at)).mappings().all()
        found = [row for row in rows if row["outlet"] in wanted]
        if len(found) >= limit or len(rows) < looked_at:
            return found[:limit]
    # Few outlets are wanted, or many feeds are due that nobody wants any more.
    return connection.execute(due.where(among(connection, feeds.c.outlet, outlets)).limit(limit)).mappings().all()
