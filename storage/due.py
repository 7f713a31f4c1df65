"""What is due, by outlet and kind of work: the questions that whoever plans for many workers asks of PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from storage.rows import queued_from, to_text
from storage.schema import entries, feeds, revisits, waits

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from storage import QueuedEntry
    from storage.errands import Kind
    from storage.sql import SqlStore


def due_outlets(store: SqlStore, *, now: datetime, fresh_since: datetime) -> dict[Kind, set[str]]:
    """Return the slugs of the outlets that have something to do, by kind.

    An address that was first seen before `fresh_since` and still waits is `backfill`.
    """
    at, fresh = to_text(now), to_text(fresh_since)
    may_be_tried = func.coalesce(entries.c.next_try, "") <= at
    oldest_and_newest = func.min(entries.c.seen_at), func.max(entries.c.seen_at)
    waiting = select(entries.c.outlet, *oldest_and_newest).where(waits, may_be_tried).group_by(entries.c.outlet)
    with store.reading() as connection:
        spans = connection.execute(waiting).all()
        return {
            "poll": set(connection.execute(select(feeds.c.outlet).where(feeds.c.next_due <= at).distinct()).scalars()),
            "read": {outlet for outlet, _, newest in spans if newest >= fresh},
            "revisit": set(
                connection.execute(select(revisits.c.outlet).where(revisits.c.next_due <= at).distinct()).scalars()
            ),
            "backfill": {outlet for outlet, oldest, _ in spans if oldest < fresh},
        }


def waiting(
    store: SqlStore,
    slugs: Collection[str],
    *,
    now: datetime,
    limit: int,
    since: datetime | None = None,
    before: datetime | None = None,
) -> list[QueuedEntry]:
    """Return addresses of outlets that may be fetched now, oldest first: those first seen `since`, or `before`."""
    query = select(entries).where(
        waits, entries.c.outlet.in_(sorted(slugs)), func.coalesce(entries.c.next_try, "") <= to_text(now)
    )
    if since is not None:
        query = query.where(entries.c.seen_at >= to_text(since))
    if before is not None:
        query = query.where(entries.c.seen_at < to_text(before))
    with store.reading() as connection:
        rows = connection.execute(query.order_by(entries.c.number).limit(limit)).mappings()
        return [queued_from(dict(row)) for row in rows]
