"""Reading ahead: what comes next is fetched in a thread of its own while the last is worked on."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

# Reading does not wait while a row group is compressed.
MOST = 2

T = TypeVar("T")


@contextmanager
def ahead(source: Iterator[T]) -> Iterator[Iterator[T]]:
    """Give what a source gives, in its order, with its errors; at most `MOST` more are read than were given.

    At the end nothing touches the source any more.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="ahead") as thread:
        yield _given(source, thread)


def _given(source: Iterator[T], thread: ThreadPoolExecutor) -> Iterator[T]:
    nothing = object()
    coming = deque(thread.submit(next, source, nothing) for _ in range(MOST))
    while (one := coming.popleft().result()) is not nothing:
        coming.append(thread.submit(next, source, nothing))
        yield one  # type: ignore[misc]
