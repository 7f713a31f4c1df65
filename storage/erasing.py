"""Erasures come one after the other: two that write a file of object storage anew would undo each other."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout
from sqlalchemy import text
from sqlalchemy.engine import make_url

from kiosque.errors import StorageError
from storage.engine import explained, make_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

# The lock in PostgreSQL, by a number that only Kiosque uses.
ERASERS = 0x6B696F73_0003
LOCK = ".forget.lock"
BUSY = "another `kiosque forget` is at work on this store; let it finish first"


@contextmanager
def erasing(database: str, home: Path) -> Iterator[None]:
    """Be the only one who erases pages of this store's archive. Raises `StorageError` where somebody else does."""
    if make_url(database).get_backend_name().startswith("postgres"):
        with _on_server(database):
            yield
        return
    # Beside the database, which several homes may share.
    file = make_url(database).database
    place = Path(f"{file}{LOCK}") if file and file != ":memory:" else home / LOCK
    try:
        lock = FileLock(place, timeout=0)
        lock.acquire()
    except Timeout:
        raise StorageError(BUSY) from None
    except OSError as error:
        raise StorageError(f"{home}: {error.strerror or error}") from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _on_server(database: str) -> Iterator[None]:
    engine = make_engine(database)
    try:
        with explained(engine):
            connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            taken = bool(connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": ERASERS}).scalar())
        try:
            if not taken:
                raise StorageError(BUSY)
            yield
        finally:
            with suppress(Exception):  # a connection that is gone took the lock with it
                if taken:
                    connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": ERASERS})
            connection.invalidate()
            connection.close()
    finally:
        engine.dispose()
