"""Lines that repeat over an outlet's articles, as SQL: how often, where, since when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from storage import LineCount
from storage.queries import chunks
from storage.rows import from_text, mark, storable, to_text
from storage.schema import lines
from storage.writes import insert

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import Connection

# A line of this many articles of an outlet is clutter: no sentence is written five times.
CLUTTER_FROM = 5
# Articles remembered for a line: a page that is read again is not counted again.
REMEMBERED = 12


def note(connection: Connection, outlet: str, found: Collection[tuple[str, str]], at: datetime) -> None:
    """Count `(line, article id)` pairs."""
    texts = {mark(line): line for line, _ in found}
    known = {
        row["mark"]: dict(row)
        for some in chunks(sorted(texts))
        for row in connection.execute(select(lines).where(lines.c.outlet == outlet, lines.c.mark.in_(some))).mappings()
    }
    for line, article in found:
        row = known.setdefault(
            mark(line),
            {"outlet": outlet, "line": storable(line), "articles": 0, "seen_in": [], "first_seen": to_text(at)}
            | {"mark": mark(line)},
        )
        row["last_seen"] = to_text(at)
        if article not in row["seen_in"]:
            row["articles"] += 1
            row["seen_in"] = [*row["seen_in"], article][:REMEMBERED]
    if known:
        statement = insert(connection, lines)
        fresh = {name: statement.excluded[name] for name in ("articles", "seen_in", "last_seen")}
        rows = list(known.values())
        connection.execute(statement.on_conflict_do_update(index_elements=["outlet", "mark"], set_=fresh), rows)


def learned(connection: Connection, outlet: str) -> frozenset[str]:
    """Return the lines that are clutter."""
    query = select(lines.c.line).where(lines.c.outlet == outlet, lines.c.articles >= CLUTTER_FROM)
    return frozenset(connection.execute(query).scalars())


def counts(connection: Connection, outlet: str, limit: int | None) -> list[LineCount]:
    """Return the lines of more than one article, the most frequent first."""
    query = select(lines).where(lines.c.outlet == outlet, lines.c.articles > 1)
    rows = connection.execute(query.order_by(lines.c.articles.desc(), lines.c.line).limit(limit)).mappings()
    return [
        LineCount(
            line=row["line"],
            articles=row["articles"],
            first_seen=from_text(row["first_seen"]),
            last_seen=from_text(row["last_seen"]),
        )
        for row in rows
    ]
