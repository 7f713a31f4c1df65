"""Bring an older database to today's schema: a copy of the SQLite file first, then alembic's operations."""

from __future__ import annotations

import contextlib
import sqlite3
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from kiosque.errors import StorageError
from storage.schema import SCHEMA_VERSION, meta

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

STEPS = Path(__file__).parent / "migrations"


def schema_of(connection: Connection) -> int:
    """Return the number of the schema that a database has."""
    return int(connection.execute(select(meta.c.value).where(meta.c.key == "schema")).scalar_one())


def upgrade(connection: Connection) -> None:
    """Run the steps that are missing, in the caller's transaction: all of them or none."""
    # Imported when there is something to do: alembic costs a fifth of a second.
    from alembic.migration import MigrationContext  # noqa: PLC0415
    from alembic.operations import Operations  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    found = schema_of(connection)  # another program may have been quicker
    steps = sorted(ScriptDirectory(str(STEPS)).walk_revisions(), key=lambda step: step.revision)
    with Operations.context(MigrationContext.configure(connection)):
        for step in steps:
            if int(step.revision) > found:
                step.module.upgrade()
    connection.execute(update(meta).where(meta.c.key == "schema").values(value=str(SCHEMA_VERSION)))


def back_up(engine: Engine, schema: int) -> Path | None:
    """Copy a SQLite database beside itself, `FILE.bak-SCHEMA`; a copy that is there already is kept.

    Other databases are backed up by whoever runs them: None. Raises `StorageError`.
    """
    if engine.dialect.name != "sqlite" or not engine.url.database or engine.url.database == ":memory:":
        return None
    path = Path(engine.url.database)
    names = (f"{path.name}.bak-{schema}{f'.{n}' if n else ''}" for n in count())
    backup = next(place for place in (path.with_name(name) for name in names) if not place.exists())
    try:
        with (
            contextlib.closing(sqlite3.connect(path)) as source,
            contextlib.closing(sqlite3.connect(backup)) as target,
        ):
            source.backup(target)
    except (sqlite3.Error, OSError) as error:
        backup.unlink(missing_ok=True)
        raise StorageError(
            f"{path}: no backup could be made before its upgrade ({error}); nothing was changed"
        ) from error
    return backup
