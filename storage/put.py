"""Many rows in one go: what SQLAlchemy's `on_conflict` writes, without its cost for each value.

It compiles and binds every value by itself, which took as long as SQLite took to write them. Names come from the
tables, values are bound by the driver.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from sqlalchemy.exc import OperationalError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Table


def put(
    connection: Connection,
    table: Table,
    rows: Sequence[dict[str, Any]],
    *,
    on: tuple[str, ...],
    change: tuple[str, ...] = (),
    formulas: tuple[tuple[str, str], ...] = (),
) -> None:
    """Insert rows; where one stands already under its key `on`, take over the columns `change` and the `formulas`.

    All rows have the same columns. In a formula `old.` is the column that stands there, `new.` the one that comes.
    """
    if rows:
        _put(connection, _Saying(table.name, tuple(rows[0]), on, change, formulas), _values(rows))


def _put(connection: Connection, said: _Saying, values: Sequence[tuple[Any, ...]]) -> None:
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    connection.exec_driver_sql(_statement(said, mark), list(values))


def put_new(
    connection: Connection,
    table: Table,
    names: tuple[str, ...],
    values: Sequence[tuple[Any, ...]],
    *,
    on: tuple[str, ...],
) -> None:
    """Insert rows that hardly ever stand there already; those that do stay as they are. PostgreSQL's quickest way.

    Raises `UnicodeEncodeError` for half a surrogate pair; some of the rows may stand there then.
    """
    if not values:
        return
    if connection.dialect.name == "postgresql":
        import psycopg  # noqa: PLC0415 - not everybody has it

        copy = f"COPY {table.name} ({', '.join(names)}) FROM STDIN"
        try:
            with connection.begin_nested():
                driver: Any = connection.connection.driver_connection
                with driver.cursor().copy(copy) as target:
                    for row in values:
                        target.write_row(row)
        except psycopg.errors.UniqueViolation:
            pass
        except psycopg.OperationalError as error:  # as SQLAlchemy would have it
            raise OperationalError(copy, None, error) from error
        else:
            return
    _put(connection, _Saying(table.name, names, on, (), ()), values)


def _values(rows: Sequence[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Return the rows' values, lists and dictionaries as JSON."""
    places = [place for place, value in enumerate(rows[0].values()) if isinstance(value, (list, dict))]
    if not places:
        return [tuple(row.values()) for row in rows]
    encode, found = msgspec.json.encode, []
    for row in rows:
        values = [*row.values()]
        for place in places:
            values[place] = encode(values[place]).decode()
        found.append(tuple(values))
    return found


class _Saying(NamedTuple):
    """What one statement says."""

    table: str
    names: tuple[str, ...]
    on: tuple[str, ...]
    change: tuple[str, ...]
    formulas: tuple[tuple[str, str], ...]


@cache
def _statement(said: _Saying, mark: str) -> str:
    old = f"{said.table}."
    sets = [f"{name} = excluded.{name}" for name in said.change]
    sets += [f"{name} = {how.replace('old.', old).replace('new.', 'excluded.')}" for name, how in said.formulas]
    action = f"UPDATE SET {', '.join(sets)}" if sets else "NOTHING"
    return (
        f"INSERT INTO {said.table} ({', '.join(said.names)}) VALUES ({', '.join([mark] * len(said.names))})"  # noqa: S608
        f" ON CONFLICT ({', '.join(said.on)}) DO {action}"
    )
