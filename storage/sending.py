"""Finished files of the archive go to object storage; the copy here goes once a file has arrived whole."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from kiosque.errors import StorageError
from storage.distant_archive import OURS, ArchiveAwayError
from storage.hold import finished
from storage.naming import delete, name_of
from storage.segment import erase, mend, opened
from storage.standing import standing_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from storage import Store
    from storage.distant_archive import DistantArchive
    from storage.standing import Standing

LOCK = ".sending.lock"
# A file that is written anew each time that it was sent is left for the next round.
MOST_TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What a round came to."""

    files: int = 0
    bytes: int = 0
    problem: str | None = None
    """Why not all were sent, the first reason."""
    undeleted: str | None = None
    """Why what need not be kept any more could not be deleted."""


@contextmanager
def alone(folder: Path) -> Iterator[bool]:
    """Say whether nobody else on this machine sends from this folder, and keep it so."""
    lock = FileLock(folder / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        yield False
        return
    except OSError as error:
        raise StorageError(f"{folder}: {error.strerror or error}") from error
    try:
        yield True
    finally:
        lock.release()


def send_finished(
    folder: Path, away: DistantArchive, store: Store, *, said: Callable[[str], None] = lambda _: None
) -> Sent:
    """Send every finished file; `said` hears the name of each that has gone.

    What is killed in between is done again by the next round. A file that cannot be sent is a problem, and the next
    one follows, unless the store does not answer at all. Raises `UsageError` where a library is missing.
    """
    files, size, problem = 0, 0, None
    for path in (one for one in finished(folder) if OURS.fullmatch(name_of(one))):  # what others put here stays
        try:
            gone = _send(path, away, store)
        except ArchiveAwayError as error:
            return Sent(files=files, bytes=size, problem=str(error))
        except StorageError as error:
            problem = problem or str(error)
        except OSError as error:
            problem = problem or f"{path}: {error.strerror or error}"
        else:
            if gone is not None:
                files, size = files + 1, size + gone
                said(name_of(path))
    return Sent(files=files, bytes=size, problem=problem)


def _send(path: Path, away: DistantArchive, store: Store) -> int | None:
    """Send a file and let go of the copy here; return its size, None when it went otherwise."""
    for _ in range(MOST_TRIES):
        mend(path)
        try:
            before = path.stat()
        except FileNotFoundError:  # it held nothing, or its time was over
            delete(path)
            return None
        pages = list(standing_in(path))
        if _erase_forgotten(path, pages, store):
            continue
        away.send(path, name_of(path), pages)
        # What was forgotten while it was on its way was looked for there in vain.
        if not _erase_forgotten(path, pages, store) and _let_go(path, before):
            return before.st_size
    raise StorageError(f"{path}: it changes as often as it is sent")


def _erase_forgotten(path: Path, pages: list[Standing], store: Store) -> int:
    """Erase pages that were forgotten from another machine, which could not reach this file."""
    outlets: dict[str, list[Standing]] = {}
    for page in pages:
        outlets.setdefault(page.outlet, []).append(page)
    found: set[int] = set()
    for outlet, its in outlets.items():
        gone = store.forgotten({key for page in its for key in page.keys}, outlet)
        found |= {page.offset for page in its if not gone.isdisjoint(page.keys)}
    return erase(path, found) if found else 0


def _let_go(path: Path, sent: os.stat_result) -> bool:
    """Delete the file that was sent, unless another has taken its place since."""
    with suppress(FileNotFoundError), opened(path, "rb") as file:
        now = os.fstat(file.fileno())
        if (now.st_ino, now.st_size, now.st_mtime_ns) != (sent.st_ino, sent.st_size, sent.st_mtime_ns):
            return False
        delete(path)
    return True
