"""The pages that an outlet's feeds named last, and how each ended: read-only and bounded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from storage.overview import reading_of
from storage.rows import from_text
from storage.schema import addresses, entries

if TYPE_CHECKING:
    from datetime import datetime

    from storage import Store

# Rows of the frontier that are looked at, the newest first: an outlet that is older than all of them shows nothing.
LOOKED_AT = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentPage:
    """An address that was found, and how it ended."""

    url: str
    """As the outlet gave it."""
    outcome: str | None
    """None while it was not tried."""
    waits: bool
    attempts: int
    seen_at: datetime
    article: str | None = None
    """The id of the article that it belongs to."""


def recent_pages(store: Store, outlet: str, *, limit: int) -> list[RecentPage]:
    """Return an outlet's newest addresses, the last one found first."""
    newest = select(func.max(entries.c.number)).scalar_subquery()
    query = (
        select(entries)
        .where(entries.c.number > newest - LOOKED_AT, entries.c.outlet == outlet)
        .order_by(entries.c.number.desc())
        .limit(limit)
    )
    with reading_of(store) as connection:
        rows = connection.execute(query).mappings().all()
        known = select(addresses.c.key, addresses.c.article).where(addresses.c.key.in_([row["key"] for row in rows]))
        articles = {key: article for key, article in connection.execute(known)}  # noqa: C416 - rows are no tuples to a type checker
    return [
        RecentPage(
            url=row["url"],
            outcome=row["outcome"],
            waits=row["state"] == "pending",
            attempts=row["attempts"],
            seen_at=from_text(row["seen_at"]),
            article=articles.get(row["key"]),
        )
        for row in rows
    ]
