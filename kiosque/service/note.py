"""What the running service says of itself, as the store keeps it: who runs, since when, and each job's last run."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

KEY = "service"
# A note is written twice a minute; a service that was not heard for so long has ended without a word.
SILENT_AFTER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRun:
    """A job, its last run and its next."""

    name: str
    every: str = ""
    """In words: `5 s`, `daily`."""
    last_run: datetime | None = None
    seconds: float | None = None
    error: str | None = None
    """Why the last run failed; None when it did not."""
    failures: int = 0
    """In a row."""
    runs: int = 0
    """Since the service started."""
    next_run: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceNote:
    """The service at one moment."""

    host: str
    pid: int
    since: datetime
    heard: datetime
    """When this was written."""
    stopped: datetime | None = None
    version: str = ""
    outlets: int = 0
    last_claim: datetime | None = None
    reload_error: str | None = None
    """What is wrong with a changed file; None when what runs is what the files say."""
    jobs: tuple[JobRun, ...] = field(default=())

    def is_silent(self, now: datetime) -> bool:
        """Tell whether the service ended without saying so."""
        return self.stopped is None and now - self.heard > SILENT_AFTER


def encode(note: ServiceNote) -> str:
    """Return a note as JSON."""
    return msgspec.json.encode(note).decode()


def decode(text: str | None) -> ServiceNote | None:
    """Return a note from JSON; None for none, and for one of another version that cannot be read."""
    with contextlib.suppress(msgspec.MsgspecError):
        return msgspec.json.decode(text, type=ServiceNote) if text else None
    return None
