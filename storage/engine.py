"""Opening a database: the engine, SQLite's settings, the tables, and errors in a person's words."""

from __future__ import annotations

import contextlib
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import create_engine, event, func, insert, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError, SQLAlchemyError

from kiosque.errors import StorageError, UsageError
from storage import StoreAwayError, search, without_password
from storage.schema import SCHEMA_VERSION, meta, metadata
from storage.upgrade import back_up, schema_of, upgrade

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL, Connection, Engine

# Seconds that a writer waits for another one before it gives up.
LOCK_TIME = 15.0
# PostgreSQL's lock for writers, by a number that only Kiosque uses.
WRITERS = 0x6B696F73

# What SQLite says, and what a person can do about it.
MENDS = (
    ("readonly database", "it is read-only; give write access to the file and its folder, or choose another --home"),
    ("unable to open", "it cannot be opened or made; check that the folder exists and may be written"),
    ("disk is full", "the disk is full; make room and run again: what was saved so far is kept"),
    ("disk i/o error", "the disk failed or is full; what was saved so far is kept"),
    ("database is locked", "another program holds it locked; let that one finish, then run again"),
    (
        "malformed",
        "it is damaged; `kiosque doctor` says more; restore a backup, or save the rest by `sqlite3 FILE .recover`",
    ),
    ("not a database", "it is not a SQLite database; choose another --home or --db"),
)


JSON_BY_MSGSPEC: dict[str, Any] = {
    "json_serializer": lambda value: msgspec.json.encode(value).decode(),
    "json_deserializer": msgspec.json.decode,
}


def make_engine(url_text: str) -> Engine:
    """Return an engine for a database URL. Raises `UsageError` when the URL or its driver is no good."""
    shown = without_password(url_text)
    try:
        url = make_url(url_text)
        if url.get_backend_name().startswith("postgres"):
            url = url.set(drivername="postgresql+psycopg")
            return create_engine(url, pool_pre_ping=True, **JSON_BY_MSGSPEC)
        return _sqlite_engine(url)
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise UsageError(f"--db {shown!r} is not a database URL: {error}") from error
    except ImportError as error:
        raise UsageError(f"--db {shown!r} needs a driver: pip install 'kiosque[postgresql]'") from error


def _sqlite_engine(url: URL) -> Engine:
    if url.database and url.database != ":memory:":
        try:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"{Path(url.database).parent}: {error.strerror}; choose another --home") from error
    arguments = {"timeout": LOCK_TIME, "check_same_thread": False}
    engine = create_engine(url, connect_args=arguments, **JSON_BY_MSGSPEC)
    event.listen(engine, "connect", _sqlite_settings)
    event.listen(engine, "begin", _begin)
    return engine


def _sqlite_settings(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # transactions are ours: see _begin
    cursor = connection.cursor()
    # Kilobytes, of each connection. 32,000 let a service grow by 30 MB as its store grew, and saved 5 to 10 % faster.
    cursor.execute("PRAGMA cache_size=-8000")
    # Pages, 32 MB: many batches write to the same pages of an index, which move into the file once. 4,000 took longer.
    cursor.execute("PRAGMA wal_autocheckpoint=8000")
    cursor.execute("PRAGMA secure_delete=ON")  # what is deleted is overwritten
    cursor.execute("PRAGMA synchronous=FULL")  # a batch costs one fsync, and survives a power cut
    cursor.close()


def _begin(connection: Any) -> None:
    # A deferred transaction that turns into a writer fails at once when another one wrote meanwhile;
    # taking the write lock first waits instead.
    reads = connection.get_execution_options().get("kiosque_reads")
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    """Open a database for a while: whatever happens, no connection is left behind."""
    engine = make_engine(url)
    try:
        prepare(engine)
        yield engine
    finally:
        engine.dispose()


def prepare(engine: Engine) -> None:
    """Make the tables of a new database, upgrade those of an older one, and refuse what is not ours or is newer."""
    with explained(engine), engine.connect() as connection:
        names = set(inspect(connection).get_table_names())
    if not names:
        with writing(engine) as connection:
            create(connection)
    elif meta.name not in names:
        raise StorageError(
            f"{label(engine)} holds something else (tables {', '.join(sorted(names)[:3])}); nothing was written"
        )
    _write_ahead(engine)
    with reading(engine) as connection:
        found = schema_of(connection)
    if found > SCHEMA_VERSION:
        known = f"schema {found}, this one knows {SCHEMA_VERSION}"
        raise StorageError(f"{label(engine)} was written by a newer Kiosque ({known}); upgrade Kiosque")
    if found < SCHEMA_VERSION:
        back_up(engine, found)
        with writing(engine) as connection:
            upgrade(connection)


def _write_ahead(engine: Engine) -> None:
    """Let readers and a writer work side by side. Written into the file: only once it is known to be ours."""
    if engine.dialect.name == "sqlite":
        with explained(engine), contextlib.closing(engine.raw_connection()) as connection:
            connection.cursor().execute("PRAGMA journal_mode=WAL")


def empty_journal(engine: Engine) -> None:
    """Move what was written into the file itself: no erased text is left in the journal."""
    if engine.dialect.name == "sqlite":
        with explained(engine), contextlib.closing(engine.raw_connection()) as connection:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")


def create(connection: Connection) -> None:
    """Make today's tables, unless another program was quicker."""
    if meta.name in inspect(connection).get_table_names():
        return
    metadata.create_all(connection)
    search.create(connection)
    rows = {"schema": str(SCHEMA_VERSION), "store": uuid.uuid4().hex[:12], "searched": "0"}
    connection.execute(insert(meta), [{"key": key, "value": value} for key, value in rows.items()])


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Open a transaction in which nobody else writes: change numbers are then given out in the order of the commits."""
    with explained(engine), engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(WRITERS)))
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that sees one state of the database, whatever is written meanwhile."""
    options: dict[str, Any] = {"kiosque_reads": True}
    if engine.dialect.name == "postgresql":
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with explained(engine), engine.connect() as bare:
        connection = bare.execution_options(**options)
        with connection.begin():
            yield connection


def label(engine: Engine) -> str:
    """Name the database for a person, without its password."""
    url = engine.url
    return str(url.database) if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)


def is_away(error: DBAPIError) -> bool:
    """Tell whether a PostgreSQL server went away, closes, starts, or takes no more connections."""
    state = getattr(error.orig, "sqlstate", "none")  # only psycopg's errors have one; it is None when nobody answered
    if error.connection_invalidated:
        return True
    return isinstance(error, OperationalError) and (state is None or state.startswith(("08", "57P", "53300")))


@contextmanager
def explained(engine: Engine) -> Iterator[None]:
    """Turn a database's errors into `StorageError` sentences that name it and the mend."""
    try:
        yield
    except DBAPIError as error:
        cause = str(error.orig)
        if is_away(error):
            raise StoreAwayError(f"{label(engine)} does not answer: {cause.splitlines()[0]}") from error
        mend = next((mend for sign, mend in MENDS if sign in cause.lower()), cause)
        raise StorageError(f"{label(engine)}: {mend}") from error
    except SQLAlchemyError as error:
        raise StorageError(f"{label(engine)}: {error}") from error
