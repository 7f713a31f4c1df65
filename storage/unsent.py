"""Files of the archive that wait to be sent: what each machine says of its own, as the store keeps it."""

from __future__ import annotations

import contextlib
import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec

from storage.hold import finished
from storage.notes import notes_like, read_note, write_notes

if TYPE_CHECKING:
    from pathlib import Path

    from storage import Store

PREFIX = "unsent:"
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


def note_of(folder: Path) -> str:
    """Return the name of the note of this machine's archive folder."""
    place = f"{socket.gethostname()}\0{folder.absolute()}"
    return PREFIX + blake2b(place.encode("utf-8", "surrogateescape"), digest_size=12).hexdigest()


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
    if found is not None or read_note(store, note_of(folder)) is not None:
        write_notes(store, {note_of(folder): msgspec.json.encode(found).decode() if found is not None else None})


def noted(store: Store, *, now: datetime, folder: Path | None = None) -> tuple[Unsent, ...]:
    """Return what waits on each machine; of this one, with its `folder`, what lies there now."""
    known = {name: one for name, text in notes_like(store, PREFIX).items() if (one := _decoded(text)) is not None}
    if folder is not None:
        said = known.pop(note_of(folder), None)
        here = unsent(folder, now=now, problem=said.problem if said is not None else None)
        known |= {note_of(folder): here} if here is not None else {}
    return tuple(sorted((one for one in known.values() if now - one.heard < TOLD_FOR), key=lambda one: one.since))


def _decoded(text: str) -> Unsent | None:
    """Return a note from JSON; None for one of another version that cannot be read."""
    with contextlib.suppress(msgspec.MsgspecError):
        return msgspec.json.decode(text, type=Unsent)
    return None
