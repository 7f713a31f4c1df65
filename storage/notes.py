"""Notes: short texts under a name that programs leave for each other in a store. A store in memory keeps none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from storage.put import put
from storage.schema import meta
from storage.sql import SqlStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from storage import Store

# Apart from the store's own rows of that table (`schema`, `store`, `searched`).
PREFIX = "note:"


def read_note(store: Store, name: str) -> str | None:
    """Return a note, None where there is none."""
    if not isinstance(store, SqlStore):
        return None
    with store.reading() as connection:
        found = connection.execute(select(meta.c.value).where(meta.c.key == PREFIX + name)).scalar_one_or_none()
        return None if found is None else str(found)


def notes_like(store: Store, prefix: str) -> dict[str, str]:
    """Return the notes whose names begin so."""
    if not isinstance(store, SqlStore):
        return {}
    with store.reading() as connection:
        query = select(meta.c.key, meta.c.value).where(meta.c.key.startswith(PREFIX + prefix, autoescape=True))
        return {str(key).removeprefix(PREFIX): str(value) for key, value in connection.execute(query)}


def write_notes(store: Store, notes: Mapping[str, str | None]) -> None:
    """Keep notes; None takes one away. Names have 35 characters at most."""
    if not isinstance(store, SqlStore):
        return
    kept = [{"key": PREFIX + name, "value": text} for name, text in notes.items() if text is not None]
    gone = [PREFIX + name for name, text in notes.items() if text is None]
    with store.writing() as connection:
        if kept:
            put(connection, meta, kept, on=("key",), change=("value",))
        if gone:
            connection.execute(delete(meta).where(meta.c.key.in_(gone)))
