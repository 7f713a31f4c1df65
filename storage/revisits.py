"""Which articles are asked again and when, and whose pages are gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, select

from storage import QueuedEntry
from storage.among import among
from storage.put import put
from storage.queries import chunks
from storage.rows import from_text, to_text
from storage.schema import addresses, articles, revisions, revisits

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Select

    from storage import Revisit, Settled

# Since when a page is gone does not move while it stays gone.
SINCE = "CASE WHEN new.removed_at IS NULL THEN NULL ELSE coalesce(old.removed_at, new.removed_at) END"


def note(connection: Connection, settled: Sequence[Settled]) -> None:
    """Keep when the articles are asked again; those that need it no more, and are there, have no row."""
    wanted = {one.revisit.article: (one, one.revisit) for one in settled if one.revisit is not None}
    silent = [_row(one, revisit) for one, revisit in wanted.values() if revisit.removed is None]
    put(connection, revisits, silent, on=("article",), change=("next_due",))
    told = [(one, revisit) for one, revisit in wanted.values() if revisit.removed is not None]
    rows = [_row(one, revisit) for one, revisit in told if revisit.next_due or revisit.removed]
    put(connection, revisits, rows, on=("article",), change=("next_due",), formulas=(("removed_at", SINCE),))
    erase(connection, {revisit.article for _, revisit in told} - {row["article"] for row in rows})


def _row(one: Settled, revisit: Revisit) -> dict[str, Any]:
    return {
        "article": revisit.article,
        "outlet": one.outlet,
        "next_due": to_text(revisit.next_due) if revisit.next_due else None,
        "removed_at": to_text(one.at) if revisit.removed else None,
    }


def erase(connection: Connection, ids: Collection[str]) -> None:
    """Forget what is planned for some articles."""
    for some in chunks(sorted(ids)):
        connection.execute(delete(revisits).where(revisits.c.article.in_(some)))


def due(connection: Connection, outlets: Collection[str], *, at: datetime, limit: int) -> list[QueuedEntry]:
    """Return the main addresses of articles that are to be asked again by then, with their validators."""
    query = own_addresses().join(revisits, revisits.c.article == articles.c.id)
    when = and_(revisits.c.next_due <= to_text(at), among(connection, revisits.c.outlet, outlets))
    return _queued(connection, query.where(when).order_by(revisits.c.next_due).limit(limit))


def recent(connection: Connection, outlets: Collection[str], *, since: datetime) -> list[QueuedEntry]:
    """Return the main addresses of articles first seen since then, with their validators."""
    its = and_(among(connection, articles.c.outlet, outlets), articles.c.first_seen_at >= to_text(since))
    return _queued(connection, own_addresses().where(its).order_by(articles.c.first_seen_at))


def _queued(connection: Connection, query: Select[Any]) -> list[QueuedEntry]:
    names = ("key", "outlet", "url", "etag", "last_modified")
    return [QueuedEntry(**{name: row[name] for name in names}) for row in connection.execute(query).mappings()]


def own_addresses() -> Select[Any]:
    """Select the outlet and the main address of each article."""
    latest = and_(revisions.c.id == articles.c.id, revisions.c.revision == articles.c.revision)
    its = and_(addresses.c.article == articles.c.id, addresses.c.url == revisions.c.url)
    return select(articles.c.outlet, addresses).select_from(articles).join(revisions, latest).join(addresses, its)


def removed(connection: Connection, outlet: str | None) -> dict[str, datetime]:
    """Return the articles whose pages are gone, and since when."""
    query = select(revisits.c.article, revisits.c.removed_at).where(revisits.c.removed_at.is_not(None))
    if outlet is not None:
        query = query.where(revisits.c.outlet == outlet)
    return {article: from_text(since) for article, since in connection.execute(query)}
