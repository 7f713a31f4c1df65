"""Which fields an outlet's articles have, day by day: read-only, bounded by the days asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Text, and_, case, cast, func, select

from kiosque.health import Coverage
from storage.overview import reading_of
from storage.rows import to_text
from storage.schema import articles, revisions

if TYPE_CHECKING:
    from datetime import datetime

    from storage import Store


def coverage_by_day(store: Store, outlet: str, *, since: datetime) -> dict[str, Coverage]:
    """Return `{day: coverage of the articles first seen then}`, `2024-10-25`, in UTC; without examples."""
    day = func.substr(articles.c.first_seen_at, 1, 10).label("day")
    has = {
        "date": revisions.c.published.is_not(None),
        "authors": cast(revisions.c.authors, Text) != "[]",
        "lead": revisions.c.lead.is_not(None),
    }
    sums = [func.sum(case((condition, 1), else_=0)).label(name) for name, condition in has.items()]
    query = (
        select(day, func.count(), *sums, func.avg(revisions.c.word_count))
        .join(revisions, and_(revisions.c.id == articles.c.id, revisions.c.revision == articles.c.revision))
        .where(articles.c.outlet == outlet, articles.c.first_seen_at >= to_text(since))
        .group_by(day)
        .order_by(day)
    )
    with reading_of(store) as connection:
        return {
            when: Coverage(articles=n, date=dated, authors=signed, lead=led, words=float(words))
            for when, n, dated, signed, led, words in connection.execute(query)
        }
