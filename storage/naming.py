"""How files of the archive are called: `DAY/NAME` wherever they lie, and a page in one `DAY/NAME@OFFSET`."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from kiosque.errors import StorageError
from storage.hold import mark_of
from storage.segment import rewritten

if TYPE_CHECKING:
    from storage.distant import DistantFile

POINTER = re.compile(r"(\d{4}-\d\d-\d\d/[A-Za-z0-9._-]+\.warc\.gz)@(\d{1,15})")


def name_of(path: Path | DistantFile) -> str:
    """Return the name of an archive's file as pointers have it: `DAY/NAME`."""
    return f"{path.parent.name}/{path.name}" if isinstance(path, Path) else "/".join(path.url.rsplit("/", 2)[1:])


def delete(path: Path) -> None:
    """Delete a file of the archive on this machine, and its day's folder when nothing else is in it."""
    for gone in (path, rewritten(path), mark_of(path)):
        gone.unlink(missing_ok=True)
    with suppress(OSError):  # it holds other files
        path.parent.rmdir()


def place_of(pointer: str) -> tuple[str, int]:
    """Return the name and the offset that a pointer holds. Raises `StorageError` for what is none."""
    match = POINTER.fullmatch(pointer)
    if match is None:
        raise StorageError(f"{pointer[:200]!r} is no place in an archive")
    return match[1], int(match[2])
