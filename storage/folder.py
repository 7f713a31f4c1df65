"""The folder of an export: written aside, put in its place at the end, and never somebody else's."""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from kiosque.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MANIFEST, SCHEMA, CARD, DICTIONARY = "manifest.json", "record.schema.json", "README.md", "dictionary.csv"
STAGING, OLD, LOCK = ".export.partial", ".export.old", ".export.lock"
# Stands among what is written aside when a later export can go on with it.
PROGRESS = "progress.json"
# All that an export ever writes into its folder.
OURS = {
    MANIFEST, SCHEMA, CARD, DICTIONARY, "data", "records.jsonl", "records.csv",
    "changes.jsonl", "changes.csv", "changes.parquet",
}  # fmt: skip
HIDDEN = {STAGING, OLD, LOCK}


@contextmanager
def prepared(folder: Path) -> Iterator[Path]:
    """Make the folder and one inside it to write to; refuse a folder that holds something else than an export.

    What an interrupted export left inside is there again, if it wrote down how far it came.
    """
    staging = folder / STAGING
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _refuse_foreign(folder)
        lock = FileLock(folder / LOCK, timeout=0)
        lock.acquire()
    except Timeout:
        raise StorageError(f"another export writes to {folder}; let it finish, or choose another folder") from None
    except OSError as error:
        raise StorageError(f"{folder}: {error.strerror or error}") from error
    try:
        sweep(staging)
        staging.mkdir(exist_ok=True)
        yield staging
    except OSError as error:
        raise StorageError(f"{folder}: {error.strerror or error}; nothing was replaced") from error
    finally:
        sweep(staging)
        lock.release()
        (folder / LOCK).unlink(missing_ok=True)


def sweep(staging: Path) -> None:
    """Remove what was written aside, unless a later export can go on with it."""
    if not (staging / PROGRESS).exists():
        shutil.rmtree(staging, ignore_errors=True)


def _refuse_foreign(folder: Path) -> None:
    """Raise unless the folder is empty or an export, whole or interrupted; more may lie beside a whole one."""
    names = {path.name for path in folder.iterdir()}
    is_export = MANIFEST in names and is_manifest((folder / MANIFEST).read_bytes())
    interrupted = bool(names & HIDDEN) and names <= OURS | HIDDEN
    if names and not is_export and not interrupted:
        raise StorageError(f"{folder} holds something else than an export ({min(names)}); choose an empty folder")


def is_manifest(data: bytes) -> bool:
    """Tell whether a `manifest.json` is that of an export."""
    try:
        found = json.loads(data)
    except ValueError:
        return False
    return isinstance(found, dict) and "kiosque_version" in found and "cursor" in found


def commit(staging: Path, folder: Path) -> None:
    """Put the new export in the place of the old one; the manifest goes first and comes last."""
    old = folder / OLD
    shutil.rmtree(old, ignore_errors=True)
    old.mkdir()
    for name in (MANIFEST, *sorted(OURS - {MANIFEST})):
        if (folder / name).exists():
            (folder / name).rename(old / name)
    for name in (*sorted(OURS - {MANIFEST}), MANIFEST):
        if (staging / name).exists():
            (staging / name).rename(folder / name)
    shutil.rmtree(old, ignore_errors=True)
    (staging / PROGRESS).unlink(missing_ok=True)
