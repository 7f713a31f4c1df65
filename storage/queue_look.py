"""A look at the queue of many machines, over the store's own connection: who works, what waits, what is stuck."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - the decoder reads the types when it runs
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import text

from storage.errands import KINDS
from storage.queue_schema import SCHEMA
from storage.sql import SqlStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from storage import Store
    from storage.errands import Kind

IS_THERE = text(f"SELECT to_regclass('{SCHEMA}.kiosque_workers')")
# One job of each site can be given out; the others of that site wait behind it.
DEPTH = text(
    "SELECT args ->> 'kind' AS kind, status::text AS status, count(*) AS n"  # noqa: S608 - the schema's name is ours
    f" FROM {SCHEMA}.procrastinate_jobs WHERE status IN ('todo', 'doing') GROUP BY 1, 2"
)
OLDEST = text(
    f"SELECT min(e.at) FROM {SCHEMA}.procrastinate_events e JOIN {SCHEMA}.procrastinate_jobs j ON j.id = e.job_id"  # noqa: S608
    " WHERE j.status = 'todo' AND e.type = 'deferred'"
)
WORKERS = text(
    "SELECT w.id, w.last_heartbeat, k.said,"  # noqa: S608
    f" (SELECT count(*) FROM {SCHEMA}.procrastinate_jobs j WHERE j.worker_id = w.id AND j.status = 'doing') AS jobs"
    f" FROM {SCHEMA}.procrastinate_workers w LEFT JOIN {SCHEMA}.kiosque_workers k ON k.worker = w.id ORDER BY w.id"
)
ORPHANS = text(
    f"SELECT count(*) FROM {SCHEMA}.procrastinate_jobs WHERE status = 'doing' AND worker_id IS NULL"  # noqa: S608
)


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker says of itself with its signs of life."""

    host: str
    pid: int
    since: datetime
    version: str = ""
    silent_after: float = 60.0
    pages: int = 0
    """Addresses that it settled since it started."""
    plans: bool = False
    """Whether it plans for all now."""
    waits_for: str = ""
    """The scheduler that has the store and keeps it from working."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSeen:
    """A worker as the database knows it."""

    number: int
    heard: datetime
    sites: int
    """That are its own now."""
    said: Said | None = None

    def is_silent(self, now: datetime) -> bool:
        """Tell whether it was not heard for as long as makes others take its sites."""
        return (now - self.heard).total_seconds() > (self.said.silent_after if self.said is not None else 60.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLook:
    """The queue at one moment."""

    workers: tuple[WorkerSeen, ...] = ()
    waiting: Mapping[Kind, int] = field(default_factory=dict)
    """Jobs that wait, the most urgent kind first."""
    under_way: int = 0
    """Sites that somebody is at."""
    oldest: datetime | None = None
    """Since when the job waits that has waited longest."""
    orphans: int = 0
    """Jobs whose worker is not known any more."""

    def stalled(self, now: datetime) -> int:
        """Return how many jobs are in the hands of workers that fell silent."""
        return self.orphans + sum(worker.sites for worker in self.workers if worker.is_silent(now))


def look_at_queue(store: Store | None) -> QueueLook | None:
    """Return what is to be seen of the queue; None where no worker ever was."""
    if not isinstance(store, SqlStore) or store.dialect != "postgresql":
        return None
    with store.reading() as connection:
        return _look(connection) if connection.execute(IS_THERE).scalar() is not None else None


def _look(connection: Connection) -> QueueLook:
    depth = {(row.kind, row.status): row.n for row in connection.execute(DEPTH)}
    workers = tuple(
        WorkerSeen(number=row.id, heard=row.last_heartbeat, sites=row.jobs, said=_said(row.said))
        for row in connection.execute(WORKERS)
    )
    return QueueLook(
        workers=workers,
        waiting={kind: depth.get((kind, "todo"), 0) for kind in KINDS},
        under_way=sum(n for (_, status), n in depth.items() if status == "doing"),
        oldest=connection.execute(OLDEST).scalar(),
        orphans=connection.execute(ORPHANS).scalar_one(),
    )


def _said(given: Any) -> Said | None:
    with contextlib.suppress(msgspec.MsgspecError):
        return msgspec.json.decode(given, type=Said) if given else None
    return None
