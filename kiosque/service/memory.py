"""A service's memory over weeks: glibc's malloc keeps what a large question needed, unless it is told."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

# glibc's malloc.h. Each thread would have an arena of its own, and each keep what its largest question needed.
M_ARENA_MAX = -8
MOST_ARENAS = 2


@cache
def _libc() -> Any:
    """Return the C library where it is glibc, else None: musl and macOS give memory back by themselves."""
    try:
        libc = ctypes.CDLL(None)
        return libc if hasattr(libc, "malloc_trim") and hasattr(libc, "mallopt") else None
    except (OSError, TypeError):
        return None


def share_arenas() -> None:
    """Let threads share their heaps; called before they start."""
    if (libc := _libc()) is not None:
        libc.mallopt(M_ARENA_MAX, MOST_ARENAS)


def give_back() -> None:
    """Return to the system what is not in use. A few milliseconds."""
    if (libc := _libc()) is not None:
        libc.malloc_trim(0)
