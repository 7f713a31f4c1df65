"""Files of the archive that wait to be sent: what each machine says of its own, as the store keeps it."""

from __future__ import annotations

import contextlib
import re
import secrets
import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from storage.hold import finished
from storage.notes import notes_like, read_note, write_notes

if TYPE_CHECKING:
    from pathlib import Path

    from storage import Store

PREFIX = "unsent:"
OWN, NAME = ".machine", re.compile(r"[0-9a-f]{24}")
# What a machine said that was not heard for so long is no longer told: it is gone, or Kiosque on it.
TOLD_FOR = timedelta(days=30)
LONGEST = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsent:
    """What waits on one machine."""

    host: str
    files: int
    bytes: int
    since: datetime
    """When the oldest of them was finished."""
    heard: datetime
    problem: str | None = None
    """Why it could not be sent; None when nobody tried yet."""


def note_of(folder: Path) -> str | None:
    """Return the name of the note of an archive folder, None where it has none yet.

    It lies in the folder: a container has another host name each time that it is made anew.
    """
    with contextlib.suppress(OSError, UnicodeDecodeError):
        own = (folder / OWN).read_text(encoding="ascii").strip()
        return PREFIX + own if NAME.fullmatch(own) else None
    return None


def unsent(folder: Path, *, now: datetime, problem: str | None = None) -> Unsent | None:
    """Look which finished files lie here; None when there are none."""
    stats = []
    for path in finished(folder):
        with contextlib.suppress(FileNotFoundError):  # it has just gone
            stats.append(path.stat())
    if not stats:
        return None
    return Unsent(
        host=socket.gethostname()[:60],
        files=len(stats),
        bytes=sum(one.st_size for one in stats),
        since=datetime.fromtimestamp(min(one.st_mtime for one in stats), UTC),
        heard=now,
        problem=problem and problem[:LONGEST],
    )


def note(store: Store, folder: Path, found: Unsent | None) -> None:
    """Keep what waits here for whoever looks, from wherever."""
    name = note_of(folder)
    if name is None and found is not None:
        own = secrets.token_hex(12)
        (folder / OWN).write_text(own, encoding="ascii")
        name = PREFIX + own
    if name is not None and (found is not None or read_note(store, name) is not None):
        write_notes(store, {name: msgspec.json.encode(found).decode() if found is not None else None})


def noted(store: Store, *, now: datetime, folder: Path | None = None) -> tuple[Unsent, ...]:
    """Return what waits on each machine; of this one, with its `folder`, what lies there now."""
    known = {name: one for name, text in notes_like(store, PREFIX).items() if (one := _decoded(text)) is not None}
    if folder is not None:
        own = note_of(folder) or PREFIX
        said = known.pop(own, None)
        here = unsent(folder, now=now, problem=said.problem if said is not None else None)
        known |= {own: here} if here is not None else {}
    return tuple(sorted((one for one in known.values() if now - one.heard < TOLD_FOR), key=lambda one: one.since))


def _decoded(text: str) -> Unsent | None:
    """Return a note from JSON; None for one of another version that cannot be read."""
    with contextlib.suppress(msgspec.MsgspecError):
        return msgspec.json.decode(text, type=Unsent)
    return None
