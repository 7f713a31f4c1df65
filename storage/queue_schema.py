"""The queue's own tables: procrastinate's, in a schema of their own beside the store's; made and upgraded here."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import make_url

from kiosque.errors import StorageError, UsageError
from storage import StoreAwayError, without_password

if TYPE_CHECKING:
    from collections.abc import Iterator

# Apart from the store's tables, and from those of whoever else uses procrastinate in this database.
SCHEMA = "kiosque_queue"
# PostgreSQL's lock for whoever makes or upgrades the queue, by a number that only Kiosque uses.
MAKERS = 0x6B696F73_0002
# What each worker says of itself; it goes with the worker.
WORKERS = (
    "CREATE TABLE IF NOT EXISTS kiosque_workers (worker bigint PRIMARY KEY"
    " REFERENCES procrastinate_workers (id) ON DELETE CASCADE, said text NOT NULL)"
)
NO_POSTGRESQL = (
    "workers need PostgreSQL: give --db postgresql://USER@HOST/NAME (or KIOSQUE_DB); "
    "on SQLite `kiosque schedule` does it all by itself"
)
NO_LIBRARY = "workers need a library: pip install 'kiosque[workers]'"


def is_postgresql(database: str) -> bool:
    """Tell whether a database URL is PostgreSQL's."""
    return make_url(database).get_backend_name().startswith("postgres")


def require(database: str) -> None:
    """Raise `UsageError` where workers cannot run: another database, or without procrastinate."""
    if not is_postgresql(database):
        raise UsageError(NO_POSTGRESQL)
    try:
        import procrastinate  # noqa: F401, PLC0415 - not everybody has it
        import psycopg  # noqa: F401, PLC0415
    except ImportError as error:
        raise UsageError(f"{NO_LIBRARY} ({error})") from error


def connection_text(database: str, **more: str) -> str:
    """Return what libpq connects by, with the queue's schema in its search path."""
    from psycopg.conninfo import conninfo_to_dict, make_conninfo  # noqa: PLC0415

    url = make_url(database).set(drivername="postgresql").render_as_string(hide_password=False)
    options = f"{conninfo_to_dict(url).get('options', '')} -c search_path={SCHEMA}".strip()
    return make_conninfo(url, options=options, **more)


def make_queue(database: str) -> None:
    """Make the queue's tables, or bring older ones to what the installed procrastinate expects.

    Raises `StorageError`, also for a queue that a newer procrastinate made.
    """
    import psycopg  # noqa: PLC0415

    with said(database), psycopg.connect(connection_text(database, connect_timeout="10")) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [MAKERS])
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        connection.execute("CREATE TABLE IF NOT EXISTS kiosque_steps (step text PRIMARY KEY)")
        done = connection.execute("SELECT max(step) FROM kiosque_steps").fetchone()
        _upgrade(connection, done[0] if done else None)
        connection.execute(WORKERS)


def _upgrade(connection: Any, done: str | None) -> None:
    from procrastinate.schema import SchemaManager  # noqa: PLC0415

    steps = sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))
    newest = steps[-1].name
    if done is not None and done > newest:
        raise StorageError(f"the queue was made by a newer procrastinate ({done}); upgrade Kiosque on this machine")
    if done is None:
        connection.execute(SchemaManager.get_schema())
    for step in steps:
        if done is not None and step.name > done:
            connection.execute(step.read_text(encoding="utf-8"))
    if done != newest:
        connection.execute("INSERT INTO kiosque_steps VALUES (%s)", [newest])


@contextmanager
def said(database: str) -> Iterator[None]:
    """Turn the driver's and procrastinate's errors into `StorageError` sentences that name the database."""
    import psycopg  # noqa: PLC0415
    from procrastinate.exceptions import ConnectorException  # noqa: PLC0415

    try:
        yield
    except (psycopg.Error, ConnectorException) as error:
        cause = error.__cause__ if isinstance(error, ConnectorException) and error.__cause__ else error
        words = (str(cause) or type(cause).__name__).splitlines()[0]
        away = isinstance(cause, psycopg.OperationalError)
        raise (StoreAwayError if away else StorageError)(f"{without_password(database)}: {words}") from error
