"""Archived pages read again for a person who looks: one worker, few at once, and the last answers kept at hand."""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import TimeoutError as TooSlowError
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from kiosque.errors import StorageError
from kiosque.model import Rejected
from pipelines.pool import ReaderPool
from storage.distant_archive import ArchiveAwayError
from storage.warc import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from kiosque.model import FeedEntry, Outlet, Record
    from pipelines.trace import Trace
    from storage.archive import WarcArchive

Missing = Literal["no-archive", "archive-gone", "archive-away", "archive-other", "busy", "too-slow", "too-heavy"]

# A person waits no longer, whatever a crawl gives a page; the worker's start is not counted.
LONGEST_READING = 8.0
START_TIME = 15.0
# Readers that may wait for the worker; the next one is told to come back.
MOST_WAITING = 3
KEPT = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How a record's page is read today, or why that cannot be told."""

    trace: Trace | None = None
    entry: FeedEntry | None = None
    """What the feed claimed of it when it was fetched."""
    missing: Missing | None = None


class Rereader:
    """Reads the archived pages of records. Called from any thread; the worker starts with the first page."""

    def __init__(
        self, archive: WarcArchive, *, outlet_of: Callable[[str], Outlet], page_time: float, page_memory: int
    ) -> None:
        self._archive = archive
        self._outlet_of = outlet_of
        self._page_time = min(page_time, LONGEST_READING)
        self._page_memory = page_memory
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(MOST_WAITING)
        self._pool: ReaderPool | None = None
        self._kept: OrderedDict[tuple[str, frozenset[str]], Way] = OrderedDict()

    def way(self, record: Record, *, outlet: Outlet | None, learned: frozenset[str]) -> Way:
        """Read a record's page again with today's rules."""
        if record.archive is None:
            return Way(missing="no-archive")
        key = (record.archive, learned)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        snapshot = self._snapshot(record.archive)
        if not isinstance(snapshot, Snapshot):
            return Way(missing=snapshot)
        if snapshot.page.fetched_at != record.fetched_at:
            return Way(missing="archive-other")
        if not self._places.acquire(blocking=False):
            return Way(missing="busy")
        try:
            way = self._read(snapshot, outlet or self._outlet_of(snapshot.page.final_url), learned)
        finally:
            self._places.release()
        with self._lock:
            self._kept[key] = way
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return way

    def _snapshot(self, pointer: str) -> Snapshot | Missing:
        try:
            return self._archive.snapshot(pointer)
        except ArchiveAwayError:
            return "archive-away"
        except StorageError:
            return "archive-gone"

    def _read(self, snapshot: Snapshot, outlet: Outlet, learned: frozenset[str]) -> Way:
        with self._lock:
            if self._pool is None:
                self._pool = ReaderPool(workers=1, page_time=self._page_time, page_memory=self._page_memory)
            future = self._pool.trace(snapshot.page, outlet, entry=snapshot.entry, learned=learned)
        try:
            found = future.result(timeout=START_TIME + MOST_WAITING * self._page_time)
        except TooSlowError:
            return Way(missing="busy")
        if isinstance(found, Rejected):
            return Way(entry=snapshot.entry, missing="too-slow" if found.reason == "too-slow" else "too-heavy")
        return Way(trace=found, entry=snapshot.entry)

    def close(self) -> None:
        """End the worker."""
        with self._lock:
            if self._pool is not None:
                self._pool.close(now=True)
                self._pool = None
