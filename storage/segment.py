"""One file of the page archive: append to it, cut its torn end, erase pages in it. All under its lock."""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, BinaryIO, Literal

from storage.members import length_at, stored_content, stored_member, torn_at
from storage.warc import snapshot_at
from storage.warc_records import erased_record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

MEGABYTE = 1_000_000


@dataclass(slots=True, kw_only=True)
class Segment:
    """A file that is being written."""

    path: Path
    descriptor: int
    size: int
    day: date


def mend(path: Path, *, problem: Callable[[str], None] = lambda _: None) -> int:
    """Cut the torn tail that a crash left; return how many bytes went. A file that holds nothing whole goes itself.

    Safe beside a living writer, which appends whole members under the same lock.
    """
    try:
        with opened(path, "r+b") as file:
            rewritten(path).unlink(missing_ok=True)  # its maker crashed: it would hold the lock
            size, end = os.fstat(file.fileno()).st_size, torn_at(file.fileno())
            if end is None:
                return 0
            os.ftruncate(file.fileno(), end)
            os.fsync(file.fileno())
            if end == 0:
                path.unlink(missing_ok=True)
            return size - end
    except FileNotFoundError:
        return 0
    except OSError as error:  # a read-only disk: what is whole can be read all the same
        problem(f"{path}: a torn end could not be looked for: {error.strerror}")
        return 0


@contextmanager
def opened(path: Path, mode: Literal["rb", "r+b"]) -> Iterator[BinaryIO]:
    """Open and lock a file, the one that stands there once the lock is held."""
    while True:
        with path.open(mode) as file, locked(file.fileno()):
            if os.fstat(file.fileno()).st_nlink:
                yield file
                return


def rewritten(path: Path) -> Path:
    """Return where a file is written anew before it takes its place."""
    return path.with_name(f"{path.name}.tmp")


@contextmanager
def locked(descriptor: int) -> Iterator[None]:
    """Hold a file's lock: one process at a time appends, cuts or erases."""
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def append(file: Segment, packed: bytes) -> int | None:
    """Append a member whole or not at all; return its offset, None when the file is no longer in its place."""
    with locked(file.descriptor):
        status = os.fstat(file.descriptor)
        if status.st_nlink == 0 or status.st_size != file.size:
            return None
        offset, written = file.size, 0
        try:
            while written < len(packed):
                written += os.pwrite(file.descriptor, packed[written:], offset + written)
        except BaseException:
            os.ftruncate(file.descriptor, offset)
            raise
        file.size = offset + len(packed)
        return offset


def erase(path: Path, offsets: Iterable[int]) -> int:
    """Write a file anew without the pages at these offsets; return how many there were."""
    try:
        with opened(path, "rb") as source:
            lengths = {
                at: length_at(source.fileno(), at) for at in offsets if snapshot_at(path, at, pointer="") is not None
            }
            found = {at: length for at, length in lengths.items() if length is not None}
            if found:
                _write_anew(path, source, found)
    except FileNotFoundError:  # it has gone, or been sent
        return 0
    return len(found)


def _write_anew(path: Path, source: BinaryIO, blank: Mapping[int, int]) -> None:
    fresh = rewritten(path)
    with fresh.open("wb") as target:
        shutil.copyfileobj(source, target, MEGABYTE)
        for offset, length in blank.items():
            target.seek(offset)
            target.write(_blank(length))
        target.flush()
        os.fsync(target.fileno())
    fresh.replace(path)
    sync_folder(path.parent)


def _blank(length: int) -> bytes:
    """Return a member of `length` bytes that says that something was erased."""
    content, blocks = stored_content(length)
    return stored_member(erased_record(content, datetime.now(UTC)), blocks=blocks)


def sync_folder(folder: Path) -> None:
    """Make the names of a folder's files durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
