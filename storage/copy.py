"""A whole store into an empty one, of the other engine perhaps: every table, in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select, text

from kiosque.errors import StorageError, UsageError
from storage.engine import label, opened, reading, writing
from storage.put import put
from storage.schema import entries, meta, metadata

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection, Engine, Table

# Rows read and written at once.
PAGE = 500
# What `meta` says of one database alone.
OWN = ("schema", "searched")


def copy_store(source: str, target: str, *, note: Callable[[str, int], None] = lambda *_: None) -> dict[str, int]:
    """Copy all rows; return how many each table has. The search index is made anew by the next search.

    `note` is told of the progress. Raises `UsageError` for a bad URL or when both are one store,
    `StorageError` when the target holds something already; it then stays as it was.
    """
    if source == target:
        raise UsageError("FROM and TO are the same database")
    with opened(source) as old, opened(target) as new:
        return _copy(old, new, note)


def _copy(old: Engine, new: Engine, note: Callable[[str, int], None]) -> dict[str, int]:
    tables = [table for table in metadata.sorted_tables if table is not meta]
    counts = {}
    with reading(old) as here, writing(new) as there:
        filled = next((table.name for table in tables if there.execute(select(table).limit(1)).first()), None)
        if filled is not None:
            raise StorageError(f"{label(new)} has {filled} already; copy into an empty database")
        for table in tables:
            counts[table.name] = _copy_table(here, there, table, note)
        _copy_notes(here, there)
        if there.dialect.name == "postgresql":
            last = there.execute(select(func.max(entries.c.number))).scalar() or 0
            there.execute(text("SELECT setval(pg_get_serial_sequence('entries', 'number'), :n)"), {"n": last + 1})
    return counts


def _copy_notes(here: Connection, there: Connection) -> None:
    """Take over the store's name and what programs noted; schema and search index are the target's own."""
    rows = [dict(row) for row in here.execute(select(meta).where(meta.c.key.not_in(OWN))).mappings()]
    put(there, meta, rows, on=("key",), change=("value",))


def _copy_table(here: Connection, there: Connection, table: Table, note: Callable[[str, int], None]) -> int:
    keys = tuple(column.name for column in table.primary_key)
    streamed = here.execution_options(stream_results=True, yield_per=PAGE)
    done = 0
    for rows in streamed.execute(select(table)).mappings().partitions(PAGE):
        put(there, table, [dict(row) for row in rows], on=keys)
        done += len(rows)
        note(table.name, done)
    return done
