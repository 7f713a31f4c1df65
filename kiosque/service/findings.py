"""What a person should look at in the service itself: it fell silent, a job fails, files of the archive wait."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from kiosque.advice import spoken_age
from kiosque.health import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from kiosque.service.note import ServiceNote
    from storage.unsent import Unsent

# A job that fails once may meet a fault of the minute; one that runs once a day may not fail at all.
FAILURES = 3
LONGEST = 300
# A finished file is on its way within a minute; a store may be away for some.
UNSENT = timedelta(hours=1)
GIGABYTE = 1_000_000_000


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


def judge_unsent(waiting: Iterable[Unsent], *, now: datetime) -> Iterator[Finding]:
    """Yield the machines whose finished files of the archive do not get to where they belong."""
    for one in waiting:
        if now - one.since > UNSENT:
            facts = {
                "n": str(one.files),
                "size": spoken_size(one.bytes),
                "machine": one.host,
                "age": spoken_age(now - one.since),
                "reason": (one.problem or "nobody sends them")[:LONGEST],
            }
            yield Finding(kind="archive-unsent", outlet="", facts=facts)


def spoken_size(size: int) -> str:
    """Say how large something is.

    >>> spoken_size(812_345_678), spoken_size(40_300_000_000)
    ('812 MB', '40.3 GB')
    """
    return f"{size / 1e6:.0f} MB" if size < GIGABYTE else f"{size / 1e9:.1f} GB"
