"""Lines that repeat over an outlet's articles, as SQL: how often, where, since when."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select

from storage import LineCount
from storage.put import put
from storage.queries import chunks
from storage.rows import from_text, mark, storable, to_text
from storage.schema import lines

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import Connection

# The bar that `pipelines.steps.learn` sets for lines between paragraphs, the dearer one of those that
# a store counts: of so many articles, and of this share of all that came since the line was first met.
LEAST, SHARE = 4, 0.04
# Articles remembered for a line: a page that is read again is not counted again.
REMEMBERED = 12
# A line that one article carries is forgotten when it has not come again for so long. It is looked for
# each time that so many articles of its outlet were counted.
PATIENCE = timedelta(days=60)
PRUNED_EVERY = 500
# The outlet's own row: how many of its articles were counted.
COUNTER = ""


def is_clutter(articles: int, counted: int) -> bool:
    """Tell whether a line of so many articles, out of so many since it was first met, is clutter.

    >>> is_clutter(4, 30), is_clutter(4, 500), is_clutter(3, 30)
    (True, False, False)
    """
    return articles >= max(LEAST, SHARE * counted)


def note(connection: Connection, outlet: str, found: Collection[tuple[str, str]], at: datetime) -> None:
    """Count `(line, article id)` pairs."""
    wanted = {mark(line): storable(line) for line, _ in found}
    known = _rows(connection, outlet, [COUNTER, *wanted])
    counter = known.get(COUNTER) or _fresh(outlet, COUNTER, "", 0, at)
    before = counter["articles"]
    counter["articles"] += len({article for _, article in found} - set(counter["seen_in"]))
    counter["seen_in"] = list(dict.fromkeys(article for _, article in found))[-REMEMBERED:]
    for line, article in found:
        row = known.setdefault(mark(line), _fresh(outlet, mark(line), wanted[mark(line)], before, at))
        row["last_seen"] = to_text(at)
        if article not in row["seen_in"]:
            row["articles"] += 1
            row["seen_in"] = [*row["seen_in"], article][:REMEMBERED]
    known[COUNTER] = counter
    _keep(connection, list(known.values()))
    if before // PRUNED_EVERY != counter["articles"] // PRUNED_EVERY:
        _prune(connection, outlet, at)


def _rows(connection: Connection, outlet: str, marks: Collection[str]) -> dict[str, dict[str, Any]]:
    return {
        row["mark"]: dict(row)
        for some in chunks(sorted(marks))
        for row in connection.execute(select(lines).where(lines.c.outlet == outlet, lines.c.mark.in_(some))).mappings()
    }


def _fresh(outlet: str, its_mark: str, line: str, counted: int, at: datetime) -> dict[str, Any]:
    moment = to_text(at)
    row = {"outlet": outlet, "mark": its_mark, "line": line, "articles": 0, "since": counted, "seen_in": []}
    return row | {"first_seen": moment, "last_seen": moment}


def _keep(connection: Connection, rows: list[dict[str, Any]]) -> None:
    put(connection, lines, rows, on=("outlet", "mark"), change=("articles", "seen_in", "last_seen"))


def _prune(connection: Connection, outlet: str, at: datetime) -> None:
    alone = (lines.c.outlet == outlet) & (lines.c.articles == 1) & (lines.c.mark != COUNTER)
    connection.execute(delete(lines).where(alone, lines.c.last_seen < to_text(at - PATIENCE)))


def learned(connection: Connection, outlet: str) -> frozenset[str]:
    """Return the lines that are clutter."""
    counted = _rows(connection, outlet, [COUNTER])
    total = counted[COUNTER]["articles"] if counted else 0
    query = select(lines.c.line, lines.c.articles, lines.c.since).where(
        lines.c.outlet == outlet, lines.c.articles >= LEAST, lines.c.mark != COUNTER
    )
    rows = connection.execute(query)
    return frozenset(line for line, articles, since in rows if is_clutter(articles, total - since))


def counts(connection: Connection, outlet: str, limit: int | None) -> list[LineCount]:
    """Return the lines of more than one article, the most frequent first."""
    query = select(lines).where(lines.c.outlet == outlet, lines.c.articles > 1, lines.c.mark != COUNTER)
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
