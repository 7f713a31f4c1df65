"""Reading ahead: what comes next is fetched in a thread of its own while the last is worked on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")


@contextmanager
def ahead(source: Iterator[T]) -> Iterator[Iterator[T]]:
    """Give what a source gives, in its order, with its errors; at most one more is read than was given.

    At the end nothing touches the source any more.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="ahead") as thread:
        yield _given(source, thread)


def _given(source: Iterator[T], thread: ThreadPoolExecutor) -> Iterator[T]:
    nothing = object()
    coming = thread.submit(next, source, nothing)
    while (one := coming.result()) is not nothing:
        coming = thread.submit(next, source, nothing)
        yield one  # type: ignore[misc]
