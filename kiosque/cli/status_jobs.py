"""The service and its jobs on the screen of `kiosque status`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from kiosque.advice import spoken_age
from kiosque.service.findings import spoken_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from kiosque.service.note import JobRun, ServiceNote
    from storage.unsent import Unsent


def service_line(note: ServiceNote, now: datetime) -> Text:
    """Say who schedules, and since when."""
    who = f"pid {note.pid} on {note.host}"
    if note.stopped is not None:
        return Text(f"Service: stopped {spoken_age(now - note.stopped)} ago ({who})", style="yellow")
    if note.is_silent(now):
        return Text(f"Service: not heard for {spoken_age(now - note.heard)} ({who})", style="bold red")
    line = Text(f"Service: {who}, running for {spoken_age(now - note.since)}, {note.outlets} outlets")
    line.append(f"; as of {ago(note.heard, now)}:")
    if note.reload_error is not None:
        line.append("\n" + _one_line(f"Not reloaded: {note.reload_error}"), style="bold red")
    return line


def unsent_lines(waiting: Iterable[Unsent], now: datetime) -> Iterator[Text]:
    """Say which machines have files of the archive that wait to be sent."""
    for one in waiting:
        line = Text(_one_line(f"Archive: {one.files} files ({spoken_size(one.bytes)}) on {one.host} wait to be sent"))
        line.append(f", the oldest for {short((now - one.since).total_seconds())}")
        if one.problem is not None:
            line.append(_one_line(f": {one.problem}"), style="bold red")
        yield line


def jobs_table(note: ServiceNote, now: datetime) -> Table:
    """Return the jobs, a row each."""
    table = Table(box=None, pad_edge=False, expand=True)
    for name in ("job", "every", "last run", "took", "next run"):
        table.add_column(name, no_wrap=True, justify="left" if name in {"job", "every"} else "right")
    table.add_column("", ratio=1, overflow="ellipsis", no_wrap=True)
    running = note.stopped is None and not note.is_silent(now)
    at = note.heard if running else now  # the note is half a minute old at most, and says what was then
    for job in note.jobs:
        table.add_row(*map(Text, _cells(job, at, running=running)), style="red" if job.error else "")
    return table


def _cells(job: JobRun, now: datetime, *, running: bool) -> tuple[str, ...]:
    last = ago(job.last_run, now) if job.last_run is not None else "never"
    took = f"{job.seconds:.2f} s" if job.seconds is not None else ""
    due = (job.next_run - now).total_seconds() if job.next_run is not None and running else None
    coming = "" if due is None else "now" if due <= 0 else f"in {short(due)}"
    return job.name, job.every, last, took, coming, _one_line(job.error or "")


def ago(then: datetime, now: datetime) -> str:
    """Say how long ago an instant was, briefly."""
    return f"{short((now - then).total_seconds())} ago"


def short(seconds: float) -> str:
    """Say a stretch of time briefly.

    >>> short(7), short(400), short(9000), short(-3)
    ('7 s', '6 min', '2 h', '0 s')
    """
    seconds = max(0, int(seconds))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _one_line(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)
