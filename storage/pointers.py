"""How many stored revisions point into the archive, and where: a question for a database alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from storage.schema import revisions
from storage.sql import SqlStore

if TYPE_CHECKING:
    from collections.abc import Collection

    from storage import Store

# Rows asked for in one go.
ROWS = 5_000


def revision_count(store: Store, *, outlet: str | None = None, files: Collection[str] | None = None) -> int:
    """Return how many revisions there are; with `files` (`DAY/NAME`) those alone whose page stands in one of them.

    A store in memory has none that anybody else could ask for.
    """
    if not isinstance(store, SqlStore):
        return 0
    own = () if outlet is None else (revisions.c.outlet == outlet,)
    with store.reading() as connection:
        if files is None:
            return int(connection.execute(select(func.count()).select_from(revisions).where(*own)).scalar_one())
        query = select(revisions.c.archive).where(revisions.c.archive.is_not(None), *own)
        pointers = connection.execution_options(yield_per=ROWS).execute(query).scalars()
        return sum(pointer.partition("@")[0] in files for pointer in pointers)
