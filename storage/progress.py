"""How far an export came: written down now and then, so that the next one can go on."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from storage import ExportFile, Stop  # noqa: TC001 - the decoder reads the types when it runs
from storage.columns import Filters  # noqa: TC001
from storage.folder import PROGRESS

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What an export was asked for: only the same one goes on with it."""

    store: str
    form: str
    after: int | None
    filters: Filters
    version: str
    """Of Kiosque."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What an export has written."""

    request: Request
    stop: Stop
    reserved: int = 0
    duplicates: int = 0
    kinds: dict[str, int] = field(default_factory=dict)
    records: tuple[ExportFile, ...] = ()
    changes: tuple[ExportFile, ...] = ()


def note(staging: Path, progress: Progress) -> None:
    """Write down how far an export came; its files are durable already."""
    fresh = staging / f"{PROGRESS}.new"
    with fresh.open("wb") as file:
        file.write(msgspec.json.encode(progress))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(staging / PROGRESS)


def noted(staging: Path, request: Request) -> Progress | None:
    """Return how far the same export came before it was interrupted; None when it is to begin anew."""
    with suppress(OSError, msgspec.DecodeError):
        found = msgspec.json.decode((staging / PROGRESS).read_bytes(), type=Progress)
        done = [*found.records, *found.changes]
        if found.request == request and all(_size(staging / file.name) >= file.bytes for file in done):
            return found
    return None


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else -1


def clear(staging: Path, *, keep: Progress | None) -> None:
    """Remove what was written aside, all but the files of `keep`."""
    kept = {staging / file.name for file in (*keep.records, *keep.changes)} if keep is not None else set()
    for path in sorted(staging.rglob("*"), reverse=True):  # what is in a folder before the folder
        if path.is_dir():
            with suppress(OSError):  # it holds what is kept
                path.rmdir()
        elif path not in kept and not (keep is not None and path.name == PROGRESS):
            path.unlink()
