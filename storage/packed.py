"""Many rows of SQLite as one: a page's columns, each joined to one text, which Arrow cuts again.

A Python value for each of three million cells took longer than SQLite took to read them, and no other thread ran
meanwhile. A page that cannot be cut for certain, since a text holds what stands between texts, is left to the caller.
"""

from __future__ import annotations

from array import array
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import LargeBinary, cast, func, literal_column, select
from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import ColumnElement, Connection, Select

# Between two values, and in the place of none: control characters (unit and record separator).
BETWEEN, NONE = "\x1f", "\x1e"
# In the statement itself: a bound value is copied for each row.
_BETWEEN: ColumnElement[str] = literal_column(f"'{BETWEEN}'")
_NONE: ColumnElement[str] = literal_column(f"'{NONE}'")
# Whoever writes paragraphs may write anything: these are cut by their lengths.
LONG = ("text",)
REAL = ("published_confidence",)
# Digits after which any floating-point number is itself again.
EXACT = "%!.17g"


def packed_page(
    connection: Connection, rows: Select[Any], *, names: Sequence[str], nullable: Collection[str], order: str
) -> dict[str, pa.Array] | None:
    """Return the columns of a query's rows, so named, as binary arrays; None where it cannot be sure of them.

    The rows come with a limit, in the order of a number column `order`. No rows are no columns.
    """
    inner = dict(zip(names, rows.subquery().c, strict=True))
    asked = [func.count(), *(_joined(name, column) for name, column in inner.items())]
    keys = [_key(name, inner[name]) for name in names if name in nullable or name in LONG]
    driver: Any = connection.connection.driver_connection
    driver.text_factory = bytes
    try:
        count, *found = connection.execute(select(*asked, *keys)).one()
    except DBAPIError:  # longer than SQLite joins: a billion bytes
        return None
    finally:
        driver.text_factory = str
    if count == 0:
        return {}
    known = iter(found[len(names) :])
    columns = {
        name: _by_length(joined, next(known), count)
        if name in LONG
        else _cut(joined, next(known) if name in nullable else count, count)
        for name, joined in zip(names, found, strict=False)
    }
    made = {name: column for name, column in columns.items() if column is not None}
    return made if len(made) == len(names) and _rises(made[order]) else None


def _joined(name: str, column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Select a column's values as one text."""
    if name in LONG:
        return func.group_concat(column, literal_column("''"))
    if name in REAL:  # `printf` writes a null as a number
        return func.group_concat(func.iif(column.is_(None), _NONE, func.printf(EXACT, column)), _BETWEEN)
    return func.group_concat(func.coalesce(column, _NONE), _BETWEEN)


def _key(name: str, column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Select what is needed to cut a column again: the lengths, or how many of its values are not null."""
    return func.group_concat(func.length(cast(column, LargeBinary))) if name in LONG else func.count(column)


def _cut(joined: bytes, there: int, count: int) -> pa.Array | None:
    """Cut a text into `count` values, of which so many are `there`."""
    whole = pa.Array.from_buffers(
        pa.binary(), 1, [None, pa.py_buffer(array("i", [0, len(joined)])), pa.py_buffer(joined)]
    )
    found = pc.split_pattern(whole, BETWEEN).values
    if len(found) != count:
        return None
    if there == count:
        return found
    found = pc.if_else(pc.equal(found, NONE.encode()), pa.scalar(None, pa.binary()), found)
    return found if len(found) - found.null_count == there else None


def _by_length(joined: bytes, lengths: bytes, count: int) -> pa.Array | None:
    ends = array("i", accumulate(map(int, lengths.split(b",")), initial=0))
    if len(ends) != count + 1 or ends[-1] != len(joined):
        return None
    return pa.Array.from_buffers(pa.binary(), count, [None, pa.py_buffer(ends), pa.py_buffer(joined)])


def _rises(numbers: pa.Array) -> bool:
    """Tell whether numbers come in their order: SQLite joins rows as they come, but does not promise it."""
    given = numbers.cast(pa.string()).cast(pa.int64())
    return bool(pc.all(pc.less(given[:-1], given[1:])).as_py()) if len(given) > 1 else True
