"""Opening a database: the engine, SQLite's settings, the tables, and errors in a person's words."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event, insert, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from kiosque.errors import StorageError, UsageError
from storage.schema import SCHEMA_VERSION, meta, metadata

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL, Engine

# Seconds that a writer waits for another one before it gives up.
LOCK_TIME = 15.0

# What SQLite says, and what a person can do about it.
MENDS = (
    ("readonly database", "it is read-only; give write access to the file and its folder, or choose another --home"),
    ("unable to open", "it cannot be opened or made; check that the folder exists and may be written"),
    ("disk is full", "the disk is full; make room and run again: what was saved so far is kept"),
    ("disk i/o error", "the disk failed or is full; what was saved so far is kept"),
    ("database is locked", "another program holds it locked; let that one finish, then run again"),
    ("malformed", "it is damaged; restore a backup (`sqlite3 FILE .recover` may save the rest)"),
    ("not a database", "it is not a SQLite database; choose another --home or --db"),
)


def make_engine(url_text: str) -> Engine:
    """Return an engine for a database URL. Raises `UsageError` when the URL or its driver is no good."""
    try:
        url = make_url(url_text)
        if url.get_backend_name().startswith("postgres"):
            url = url.set(drivername="postgresql+psycopg")
            return create_engine(url, pool_pre_ping=True)
        return _sqlite_engine(url)
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise UsageError(f"--db {url_text!r} is not a database URL: {error}") from error
    except ImportError as error:
        raise UsageError(f"--db {url_text!r} needs a driver: pip install 'kiosque[postgresql]'") from error


def _sqlite_engine(url: URL) -> Engine:
    if url.database and url.database != ":memory:":
        try:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"{Path(url.database).parent}: {error.strerror}; choose another --home") from error
    engine = create_engine(url, connect_args={"timeout": LOCK_TIME, "check_same_thread": False})
    event.listen(engine, "connect", _sqlite_settings)
    event.listen(engine, "begin", _begin_for_writing)
    return engine


def _sqlite_settings(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # transactions are ours: see _begin_for_writing
    connection.create_function("kiosque_fold", 1, fold_search, deterministic=True)
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")  # a batch costs one fsync, and survives a power cut
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_for_writing(connection: Any) -> None:
    # A deferred transaction that turns into a writer fails at once when another one wrote meanwhile;
    # taking the write lock first waits instead.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def fold_search(text: str | None) -> str:
    """Fold a text for search: case, accents, œ and æ, typographic apostrophes.

    >>> fold_search("L’Œuvre d’été")
    "l'oeuvre d'ete"
    """
    import unicodedata  # noqa: PLC0415 - called from SQLite only when somebody searches

    folded = (text or "").casefold().replace("œ", "oe").replace("æ", "ae").replace("’", "'")
    return "".join(c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c))


def prepare(engine: Engine) -> None:
    """Make the tables of a new database, and refuse one that is not ours or is newer."""
    with explained(engine), engine.connect() as connection:
        names = set(inspect(connection).get_table_names())
    if not names:
        _create(engine)
    elif meta.name not in names:
        raise StorageError(
            f"{label(engine)} holds something else (tables {', '.join(sorted(names)[:3])}); nothing was written"
        )
    with explained(engine), engine.connect() as connection:
        found = int(connection.execute(select(meta.c.value).where(meta.c.key == "schema")).scalar_one())
    if found > SCHEMA_VERSION:
        known = f"schema {found}, this one knows {SCHEMA_VERSION}"
        raise StorageError(f"{label(engine)} was written by a newer Kiosque ({known}); upgrade Kiosque")


def _create(engine: Engine) -> None:
    with explained(engine), engine.begin() as connection:
        metadata.create_all(connection)
        if connection.execute(select(meta.c.value).where(meta.c.key == "schema")).first() is None:
            connection.execute(insert(meta).values(key="schema", value=str(SCHEMA_VERSION)))


def label(engine: Engine) -> str:
    """Name the database for a person, without its password."""
    url = engine.url
    return str(url.database) if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)


@contextmanager
def explained(engine: Engine) -> Iterator[None]:
    """Turn a database's errors into `StorageError` sentences that name it and the mend."""
    try:
        yield
    except DBAPIError as error:
        cause = str(error.orig)
        mend = next((mend for sign, mend in MENDS if sign in cause.lower()), cause)
        raise StorageError(f"{label(engine)}: {mend}") from error
    except SQLAlchemyError as error:
        raise StorageError(f"{label(engine)}: {error}") from error
