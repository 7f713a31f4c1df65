"""What a person should look at in the service itself: it fell silent, a job fails, a changed file cannot be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiosque.advice import spoken_age
from kiosque.health import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from kiosque.service.note import ServiceNote

# A job that fails once may meet a fault of the minute; one that runs once a day may not fail at all.
FAILURES = 3
LONGEST = 300


def judge_service(note: ServiceNote | None, *, now: datetime) -> Iterator[Finding]:
    """Yield what is wrong with the service; nothing of one that was stopped, or never ran."""
    if note is None or note.stopped is not None:
        return
    if note.is_silent(now):
        facts = {"host": note.host, "pid": str(note.pid), "age": spoken_age(now - note.heard)}
        yield Finding(kind="service-silent", outlet="", facts=facts)
        return
    if note.reload_error is not None:
        yield Finding(kind="reload-failed", outlet="", facts={"reason": note.reload_error[:LONGEST]})
    for job in note.jobs:
        if job.failures >= (1 if job.every.startswith(("daily", "1 d", "1 h")) else FAILURES):
            facts = {"job": job.name, "n": str(job.failures), "reason": (job.error or "")[:LONGEST]}
            yield Finding(kind="job-failing", outlet="", facts=facts)
