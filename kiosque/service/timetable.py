"""The jobs of the service over APScheduler: when each runs, and what came of its last run."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from apscheduler.events import EVENT_JOB_MISSED
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from kiosque.clock import Clock
from kiosque.errors import KiosqueError
from kiosque.service.note import JobRun

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

log = logging.getLogger("kiosque.schedule")

# A job that could not run in time runs once, not once for each time it was missed; one that is later than this
# waits for its next time, unless it runs once a day.
GRACE_SECONDS = 60
DAY = timedelta(days=1)
# A daily job that was missed while the service was down runs so long after its start.
CATCH_UP_SECONDS = 60.0
LONGEST_ERROR = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Something that the service does again and again."""

    name: str
    run: Callable[[], Awaitable[Any]]
    every: float = 0.0
    """Seconds between two runs, or 0 when it runs once a day `at` an hour and minute, UTC."""
    at: str = ""
    wait: float = 0.0
    """Seconds after the start for the first run, when it does not run `at` a time of day."""
    remembers: bool = False
    """Its last run before the service was restarted counts: the next is due after that one."""

    @property
    def spoken(self) -> str:
        """How often it runs, in words.

        >>> async def nothing(): ...
        >>> Job(name="a", run=nothing, every=5.0).spoken, Job(name="b", run=nothing, at="02:30").spoken
        ('5 s', 'daily 02:30')
        """
        if self.at:
            return f"daily {self.at}"
        for seconds, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
            if self.every >= seconds and self.every % seconds == 0:
                return f"{self.every / seconds:g} {unit}"
        return f"{self.every:g} s"


class Timetable:
    """Runs jobs, each once at a time, and knows of each when it ran and how that ended."""

    def __init__(self, jobs: Iterable[Job], *, clock: Clock | None = None, known: Iterable[JobRun] = ()) -> None:
        """Take `known` runs of an earlier service."""
        before = {run.name: run for run in known}
        self.clock = clock or Clock()
        self._jobs = {job.name: job for job in jobs}
        self._runs = {
            name: replace(before.get(name, JobRun(name=name)), every=job.spoken, runs=0, next_run=None)
            for name, job in self._jobs.items()
        }
        self._scheduler: Any = AsyncIOScheduler(timezone=UTC)
        self._scheduler.add_listener(self._missed, EVENT_JOB_MISSED)

    def start(self) -> None:
        """Begin; the running event loop runs the jobs."""
        # A job that waits for its database is not started a second time, which APScheduler would say at each tick.
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        for job in self._jobs.values():
            self._add(job, first=self._first(job))
        self._scheduler.start()

    def _add(self, job: Job, **more: Any) -> None:
        given = {"next_run_time": more["first"]} if more else {}
        self._scheduler.add_job(
            self.run,
            self._trigger(job),
            args=[job.name],
            id=job.name,
            name=job.name,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None if self._is_daily(job) else GRACE_SECONDS,
            replace_existing=True,
            **given,
        )

    async def stop(self) -> None:
        """Start no job any more, and cancel those that run."""
        if self._scheduler.running:
            self._scheduler.pause()
            await asyncio.sleep(0)  # one that was cancelled before its first step would complain
            self._scheduler.shutdown(wait=False)

    def nudge(self) -> None:
        """Reckon every next run anew: the machine's clock was set, and a time to come may be an hour too far."""
        for job in self._jobs.values():
            self._scheduler.reschedule_job(job.name, trigger=self._trigger(job))

    def put(self, job: Job) -> None:
        """Run a job by these times from now on, whether it ran before or not."""
        self._jobs[job.name] = job
        self._runs[job.name] = replace(self._runs.get(job.name, JobRun(name=job.name)), every=job.spoken)
        self._add(job)

    def drop(self, name: str) -> None:
        """Run a job no more."""
        if self._jobs.pop(name, None) is not None:
            del self._runs[name]
            self._scheduler.remove_job(name)

    def job(self, name: str) -> Job:
        """Return a job."""
        return self._jobs[name]

    def runs(self) -> tuple[JobRun, ...]:
        """Return what is known of each job."""
        return tuple(replace(run, next_run=self._next(run.name)) for run in self._runs.values())

    async def run(self, name: str) -> None:
        """Run a job now. What goes wrong is kept and logged; one cancelled as the service stops did not fail."""
        began, start = self.clock.now(), time.monotonic()
        error = None
        try:
            await self._jobs[name].run()
        except asyncio.CancelledError:
            return
        except KiosqueError as problem:
            error = str(problem)
            log.error("job %s failed: %s", name, error)  # noqa: TRY400 - its sentence says all
        except Exception as problem:
            error = f"{type(problem).__name__}: {problem}"
            log.exception("job %s failed", name)
        before = self._runs.get(name)
        if before is None:  # it was dropped meanwhile
            return
        self._runs[name] = replace(
            before,
            last_run=began,
            seconds=round(time.monotonic() - start, 3),
            error=error and error[:LONGEST_ERROR],
            failures=before.failures + 1 if error else 0,
            runs=before.runs + 1,
        )

    @staticmethod
    def _is_daily(job: Job) -> bool:
        return bool(job.at) or timedelta(seconds=job.every) >= DAY

    def _trigger(self, job: Job) -> Any:
        if job.at:
            hour, minute = job.at.split(":")
            return CronTrigger(hour=int(hour), minute=int(minute), timezone=UTC, jitter=60)
        every = self.clock.real(job.every)
        return IntervalTrigger(seconds=every, jitter=every / 10, timezone=UTC)

    def _first(self, job: Job) -> datetime:
        now, last = datetime.now(UTC), self._runs[job.name].last_run
        if job.at:
            missed = last is not None and self.clock.now() - last > DAY
            usual: datetime = self._trigger(job).get_next_fire_time(None, now)
            return now + timedelta(seconds=self.clock.real(CATCH_UP_SECONDS)) if missed else usual
        first = now + timedelta(seconds=self.clock.real(job.wait))
        if job.remembers and last is not None:
            ago = (self.clock.now() - last).total_seconds()
            if 0 <= ago < job.every:  # a time to come was never: the clock was wrong
                first = max(first, now + timedelta(seconds=self.clock.real(job.every - ago)))
        return first

    def _next(self, name: str) -> datetime | None:
        job = self._scheduler.get_job(name) if self._scheduler.running else None
        if job is None or job.next_run_time is None:
            return None
        due: datetime = job.next_run_time.astimezone(UTC)
        left = (due - datetime.now(UTC)).total_seconds() * self.clock.speed
        return due if self.clock.speed == 1.0 else self.clock.now() + timedelta(seconds=left)

    @staticmethod
    def _missed(event: Any) -> None:
        log.warning(
            "job %s was due at %s and was too late; its next time counts", event.job_id, event.scheduled_run_time
        )
