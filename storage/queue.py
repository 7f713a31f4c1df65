"""The queue of many machines: procrastinate's jobs in PostgreSQL, one site at a time to one worker.

A job that is `doing` holds its site's lock, whichever worker has it and until it is finished, put back, or taken from
a worker that fell silent. All that the queue holds can be planned anew from the store.
"""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psycopg
from procrastinate import PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException, UniqueViolation
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager

from storage.errands import PRIORITIES, RESTING, Errand, arguments, errand_of
from storage.queue_schema import connection_text, said
from storage.turn import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
QUEUE = "sites"
TASK = "kiosque.errand"
# Seconds that a question waits for a connection before the database counts as away.
CONNECT_SECONDS = 5.0
# A job that failed is tried again after so long, twice as long each time, so often.
RETRY_AFTER, LONGEST_RETRY, MOST_TRIES = 10.0, 3_600.0, 10

PLANNED = "SELECT args FROM procrastinate_jobs WHERE status IN ('todo', 'doing') AND task_name = %(task)s"
SLOWER = (
    "UPDATE procrastinate_jobs SET args = jsonb_set(args, '{pause}', to_jsonb(%(pause)s::float8))"
    " WHERE id = %(job)s AND worker_id = %(worker)s"
)
TAKE = (
    "INSERT INTO procrastinate_jobs (queue_name, task_name, priority, lock, args, status, worker_id)"
    " SELECT %(queue)s, %(task)s, %(priority)s, %(lock)s, %(args)s, 'doing', %(worker)s WHERE NOT EXISTS ("
    "SELECT 1 FROM procrastinate_jobs WHERE lock = %(lock)s AND status = 'todo'"
    " AND priority = %(resting)s AND scheduled_at > now())"
    " ON CONFLICT DO NOTHING RETURNING *"
)
SAID = (
    "INSERT INTO kiosque_workers VALUES (%(worker)s, %(said)s) ON CONFLICT (worker) DO UPDATE SET said = excluded.said"
)
GIVEN_UP = "DELETE FROM procrastinate_jobs WHERE status IN ('succeeded', 'failed', 'cancelled', 'aborted')"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A job that this worker has, with what it asks for."""

    job: Job
    errand: Errand

    @property
    def number(self) -> int:
        """The job's."""
        return self.job.id or 0


class Queue:
    """One worker's door to the queue. Every method raises `StorageError`; opened once, in a running event loop."""

    def __init__(self, database: str) -> None:
        logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)  # what it complains of is raised here, too
        self._database = database
        self._connector = PsycopgConnector(
            conninfo=connection_text(database, **PATIENCE),
            min_size=1,
            max_size=4,
            timeout=CONNECT_SECONDS,
            num_workers=1,
        )
        self._jobs: JobManager = JobManager(self._connector)
        self.worker: int = 0
        """This worker's number."""

    async def open(self) -> None:
        """Connect, and register as a worker."""
        with said(self._database):
            await self._connector.open_async()
            self.worker = await self._jobs.register_worker()

    async def close(self) -> None:
        """Sign off and disconnect; a database that is away notices by itself."""
        with contextlib.suppress(Exception):
            await self._jobs.unregister_worker(self.worker)
        with contextlib.suppress(Exception):
            await self._connector.close_async()

    async def beat(self, said_of_itself: str) -> bool:
        """Say that this worker lives; tell whether the others still knew it: one given up is registered anew."""
        with said(self._database):
            rows = await self._connector.execute_query_all_async(
                "UPDATE procrastinate_workers SET last_heartbeat = now() WHERE id = %(worker)s RETURNING id",
                worker=self.worker,
            )
            if not rows:
                self.worker = await self._jobs.register_worker()
            await self._connector.execute_query_async(SAID, worker=self.worker, said=said_of_itself)
            return bool(rows)

    # -- planning --------------------------------------------------------------------------------

    async def planned(self) -> set[str]:
        """Return the names of the errands that wait or are being done."""
        with said(self._database):
            rows = await self._connector.execute_query_all_async(PLANNED, task=TASK)
        return {errand.name for row in rows if (errand := errand_of(row["args"])) is not None}

    async def defer(self, errands: Iterable[Errand]) -> int:
        """Put errands into the queue, those that do not wait there already; return how many."""
        put = 0
        for errand in errands:
            with contextlib.suppress(AlreadyEnqueued), said(self._database):
                await self._jobs.defer_job_async(_job(errand))
                put += 1
        return put

    async def take_from_the_silent(self, *, silent_after: float) -> int:
        """Put the jobs of workers that fell silent back into the queue; return how many.

        Each waits until its site has had its pause since the last request that the silent one can have made.
        """
        with said(self._database):
            stalled = list(await self._jobs.get_stalled_jobs(seconds_since_heartbeat=silent_after))
            for job in stalled:
                errand = errand_of(job.task_kwargs)
                # It made no request any more when half of the time was over; see `Signs`.
                rest = max(0.0, errand.pause - silent_after / 2) if errand is not None else 0.0
                await self._put_back(job, after=rest, priority=RESTING if rest else None)
            await self._jobs.prune_stalled_workers(silent_after)
            await self._connector.execute_query_async(GIVEN_UP)
        return len(stalled)

    # -- working ---------------------------------------------------------------------------------

    async def claim(self) -> Claim | None:
        """Take the first job whose site nobody is at; None when there is none."""
        with said(self._database):
            job = await self._jobs.fetch_job(queues=[QUEUE], worker_id=self.worker)
            if job is None:
                return None
            errand = errand_of(job.task_kwargs)
            if errand is None:
                await self._finish(job)
                return None
        return Claim(job=job, errand=errand)

    async def take(self, site: str) -> Claim | None:
        """Take a site that something leads to, beside what the queue gives; None while others have it, or it rests."""
        errand = Errand(kind="read", site=site, outlets=())
        with said(self._database):
            row = await self._connector.execute_query_all_async(
                TAKE,
                queue=QUEUE,
                task=TASK,
                lock=site,
                priority=PRIORITIES["read"],
                resting=RESTING,
                args=arguments(errand),
                worker=self.worker,
            )
        return Claim(job=Job.from_row(row[0]), errand=errand) if row else None

    async def finish(self, claim: Claim) -> None:
        """Take a job that is done out of the queue: its site is free."""
        with said(self._database):
            await self._finish(claim.job)

    async def put_back(self, claim: Claim, *, after: float) -> None:
        """Give a job back that others may go on with after some seconds; its site rests until then."""
        job = _job(claim.errand)
        if after:
            job = job.evolve(priority=RESTING, scheduled_at=datetime.now(UTC) + timedelta(seconds=after))
        with said(self._database):
            with contextlib.suppress(AlreadyEnqueued):
                await self._jobs.defer_job_async(job)  # first: in between nobody may be there
            await self._finish(claim.job)

    async def failed(self, claim: Claim) -> None:
        """Have a job that broke tried again later, each time after twice as long."""
        with said(self._database):
            tries = claim.job.attempts
            if tries >= MOST_TRIES:
                await self._finish(claim.job)
                return
            await self._put_back(claim.job, after=min(RETRY_AFTER * 2**tries, LONGEST_RETRY))

    async def slower(self, claim: Claim, pause: float) -> Claim:
        """Note that a site is to be asked more slowly than the job says."""
        with said(self._database):
            await self._connector.execute_query_async(SLOWER, job=claim.number, worker=self.worker, pause=pause)
        return replace(claim, errand=replace(claim.errand, pause=pause))

    async def give_back_strays(self, in_hand: Collection[int]) -> None:
        """Put back the jobs that are this worker's without its knowing: the answer to its claim was lost."""
        with said(self._database):
            ours = await self._jobs.list_jobs_async(queue=QUEUE, status="doing", worker_id=self.worker)
            for job in ours:
                if job.id not in in_hand:
                    await self._put_back(job, after=0.0)

    def holds(self, claim: Claim) -> bool:
        """Tell whether a job is still this worker's: whoever was given up for a while has lost what it had."""
        return claim.job.worker_id == self.worker

    async def _finish(self, job: Job) -> None:
        with _gone_is_fine():
            await self._jobs.finish_job(job, Status.SUCCEEDED, delete_job=True)

    async def _put_back(self, job: Job, *, after: float, priority: int | None = None) -> None:
        at = datetime.now(UTC) + timedelta(seconds=after)
        try:
            with _gone_is_fine():
                await self._jobs.retry_job(job, retry_at=at, priority=priority)
        except UniqueViolation:  # another one of its name waits already
            await self._finish(job)


@contextlib.contextmanager
def _gone_is_fine() -> Iterator[None]:
    """Pass over a job that is no longer there: procrastinate's functions raise an exception of their own then."""
    try:
        yield
    except ConnectorException as error:
        if not isinstance(error.__cause__, psycopg.errors.RaiseException):
            raise


def _job(errand: Errand) -> Job:
    return Job(
        queue=QUEUE,
        task_name=TASK,
        lock=errand.site,
        queueing_lock=errand.name,
        priority=PRIORITIES[errand.kind],
        task_kwargs=arguments(errand),
    )
