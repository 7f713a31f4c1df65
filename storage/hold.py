"""Which files of the archive are being written: each has a mark beside it, locked for as long as its writer lives."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def mark_of(path: Path) -> Path:
    """Return the mark of a file."""
    return path.with_name(f"{path.name}.open")


def hold(path: Path) -> int:
    """Mark a file as being written, before it is made; return what `let_go` takes. Raises `OSError`."""
    descriptor = os.open(mark_of(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def let_go(path: Path, descriptor: int) -> None:
    """Say that a file is finished."""
    mark_of(path).unlink(missing_ok=True)
    os.close(descriptor)


def is_held(path: Path) -> bool:
    """Tell whether a file is being written. The mark of a writer that was killed is nobody's."""
    try:
        descriptor = os.open(mark_of(path), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:  # nobody can tell: it is left alone
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def finished(folder: Path) -> list[Path]:
    """Return the files under an archive's folder that nobody writes any more, oldest first."""
    # Looked for before their marks: a file is made after its mark.
    found = sorted(folder.glob("????-??-??/*.warc.gz"))
    return [path for path in found if not is_held(path)]
