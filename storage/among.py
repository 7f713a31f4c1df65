"""The condition that a row belongs to one of these outlets, however many they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import ARRAY, String, any_, func, literal, select

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection

# Names that a statement takes one by one. PostgreSQL takes 65,535 parameters, SQLite as few as 32,766, and both need
# longer to read tens of thousands than to answer.
MOST_NAMED = 500


def among(connection: Connection, column: Any, names: Collection[str]) -> Any:
    """Return the condition; more names than a statement takes are one parameter."""
    if len(names) <= MOST_NAMED:
        return column.in_(sorted(names))
    if connection.dialect.name == "postgresql":
        return column == any_(literal(sorted(names), ARRAY(String)))
    listed = func.json_each(msgspec.json.encode(sorted(names)).decode()).table_valued("value")
    return column.in_(select(listed.c.value))
