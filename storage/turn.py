"""Whose turn it is: one scheduler works on a store. A file beside SQLite's, an advisory lock in PostgreSQL."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

from filelock import FileLock, Timeout
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from kiosque.errors import StorageError
from storage.engine import explained, make_engine

if TYPE_CHECKING:
    from sqlalchemy import Connection

# The scheduler's lock in PostgreSQL, by a number that only Kiosque uses.
SCHEDULER = 0x6B696F73_0001
# A host that vanishes keeps its lock until the server has given up its connection: after half a minute.
KEEPALIVE = "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 4"
# And a server that vanishes is noticed here as soon (libpq's names; seconds, the last one in milliseconds).
PATIENCE = {
    "connect_timeout": "10",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "4",
    "tcp_user_timeout": "30000",
}
# A scheduler fetches by itself; a worker that has the turn only plans what all workers fetch.
Role = Literal["scheduler", "worker"]
SIGN = "kiosque-"

Hold = Literal["held", "away", "lost"]
"""`away`: nobody can tell, the database does not answer; `lost`: another scheduler has it now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who schedules."""

    host: str
    pid: int
    since: datetime
    role: Role = "scheduler"

    def __str__(self) -> str:
        who = "worker pid" if self.role == "worker" else "pid"
        return f"{who} {self.pid} on {self.host}, since {self.since:%Y-%m-%d %H:%M:%S} UTC"


class Turn(Protocol):
    """The right to schedule on one store."""

    patience: float
    """Seconds that it must have been free before one in waiting takes it."""

    def is_free(self) -> bool:
        """Tell whether it is worth a try to take it. Raises `StorageError`."""

    def take(self) -> bool:
        """Take it if nobody has it; tell whether we have it. Raises `StorageError`."""

    def holder(self) -> Holder | None:
        """Return who has it, None where that cannot be told."""

    def check(self) -> Hold:
        """Tell whether it is still ours; what a database's restart took is taken again when it is free."""

    def release(self) -> None:
        """Give it back."""


def turn_of(database: str, home: Path, *, role: Role = "scheduler") -> Turn:
    """Return the turn of a store."""
    url = make_url(database)
    if url.get_backend_name().startswith("postgres"):
        return ServerTurn(database, role=role)
    path = Path(url.database) if url.database and url.database != ":memory:" else home / "kiosque.sqlite"
    return FileTurn(path)


def me() -> Holder:
    """Return this process."""
    return Holder(host=socket.gethostname()[:60], pid=os.getpid(), since=datetime.now(UTC).replace(microsecond=0))


class FileTurn:
    """Of a SQLite file: the system lets go of the lock when its process ends, however it ends."""

    patience = 0.0

    def __init__(self, database: Path) -> None:
        self._folder = database.parent
        self._lock = FileLock(f"{database}.scheduler.lock", timeout=0, thread_local=False)
        self._sign = Path(f"{database}.scheduler.json")

    def take(self) -> bool:
        """Take it if nobody has it."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        except Timeout:
            return False
        except OSError as error:
            raise StorageError(f"{self._folder}: {error.strerror}; choose another --home") from error
        own = me()
        # A sign that cannot be written is a sentence that says less, not a service that does not run.
        with contextlib.suppress(OSError):
            self._sign.write_text(
                json.dumps({"host": own.host, "pid": own.pid, "since": own.since.isoformat()}), encoding="utf-8"
            )
        return True

    def is_free(self) -> bool:
        """Nobody knows before he tries."""
        return True

    def holder(self) -> Holder | None:
        """Return who has it."""
        try:
            said = json.loads(self._sign.read_text(encoding="utf-8"))
            return Holder(
                host=str(said["host"]), pid=int(said["pid"]), since=datetime.fromisoformat(str(said["since"]))
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def check(self) -> Hold:
        """A file's lock stays as long as the process."""
        return "held"

    def release(self) -> None:
        """Give it back."""
        if self._lock.is_locked:  # the sign is of whoever has the lock
            self._sign.unlink(missing_ok=True)
            self._lock.release()


class ServerTurn:
    """Of a PostgreSQL database: a session's lock on a connection of its own."""

    # Who lost it because the database was restarted takes it again within this time, and comes first.
    patience = 6.0

    def __init__(self, database: str, *, role: Role = "scheduler") -> None:
        url = make_url(database)
        self._role = role
        asked = PATIENCE | {str(name): value for name, value in url.query.items()}
        self._engine = make_engine(url.set(query=asked).render_as_string(hide_password=False))
        self._connection: Connection | None = None

    def take(self) -> bool:
        """Take it if nobody has it."""
        own = me()
        name = f"{SIGN}{self._role} {own.since:%Y%m%dT%H%M%S} {own.pid} {own.host}"[:63]  # PostgreSQL cuts names there
        with explained(self._engine):
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            try:
                connection.exec_driver_sql(KEEPALIVE)
                connection.execute(text("SELECT set_config('application_name', :name, false)"), {"name": name})
                taken = bool(connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": SCHEDULER}).scalar())
            except BaseException:
                _drop(connection)
                raise
        if taken:
            self._connection = connection
        else:
            _drop(connection)
        return taken

    def is_free(self) -> bool:
        """Tell whether no connection has the lock."""
        return self._name() is None

    def holder(self) -> Holder | None:
        """Return who has it, from the name of the connection that has the lock."""
        sign, _, rest = str(self._name()).partition(" ")
        parts = rest.split(" ", 2)
        with contextlib.suppress(ValueError, LookupError):
            since = datetime.strptime(parts[0], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
            roles: dict[str, Role] = {f"{SIGN}{role}": role for role in get_args(Role)}
            return Holder(host=parts[2], pid=int(parts[1]), since=since, role=roles[sign])
        return None

    def _name(self) -> str | None:
        """Return the name of the connection that has the lock, None where there is none."""
        query = text(
            "SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid"
            " WHERE l.locktype = 'advisory' AND l.granted AND l.classid = :high AND l.objid = :low AND l.objsubid = 1"
            " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        with explained(self._engine), self._engine.connect() as connection:
            halves = {"high": SCHEDULER >> 32, "low": SCHEDULER & 0xFFFFFFFF}
            name = connection.execute(query, halves).scalar()
        return None if name is None else str(name)

    def check(self) -> Hold:
        """Ask the connection that has the lock; where it is gone, take the lock again."""
        try:
            if self._connection is not None:
                self._connection.execute(text("SELECT 1"))
                return "held"
        except SQLAlchemyError:
            _drop(self._connection)
            self._connection = None
        try:
            return "held" if self.take() else "lost"
        except StorageError:
            return "away"

    def release(self) -> None:
        """Give it back: the lock goes with its connection."""
        _drop(self._connection)
        self._connection = None
        self._engine.dispose()


def _drop(connection: Any) -> None:
    """Close a connection, also one that is broken."""
    if connection is not None:
        with contextlib.suppress(SQLAlchemyError):
            connection.invalidate()
        with contextlib.suppress(SQLAlchemyError):
            connection.close()
