"""The page archive: a folder of WARC files, one per day and writing process, kept for a time or up to a size."""

from __future__ import annotations

import os
import re
import socket
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from kiosque.errors import StorageError
from kiosque.urls import canonical_url
from storage.members import member
from storage.segment import Segment, append, erase, mend, rewritten, sync_folder
from storage.warc import Snapshot, addresses, snapshot_at, snapshots
from storage.warc_records import info_record, response_record

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from pathlib import Path

    from kiosque.model import FeedEntry, Page

MEGABYTE, GIGABYTE = 1_000_000, 1_000_000_000
POINTER = re.compile(r"(\d{4}-\d\d-\d\d/[A-Za-z0-9._-]+\.warc\.gz)@(\d{1,15})")
DAY = re.compile(r"\d{4}-\d\d-\d\d")
# What a crash left is looked for in the files of the newest days; in older ones by whoever reads them.
DAYS_MENDED = 2
LONGEST_HOST = 40


class WarcArchive:
    """Pages in WARC files under a folder: `2026-11-22/kiosque-20261122-HOST-PID-0001.warc.gz`.

    One thread writes; any number of processes read, write and erase in the same folder. Every
    method raises `StorageError` with a sentence for a person.
    """

    def __init__(self, folder: Path, *, segment_mb: float = 500, keep_days: int = 0, keep_gb: float = 0) -> None:
        self.folder = folder
        self._segment_bytes = int(segment_mb * MEGABYTE)
        self._keep_days = keep_days
        self._keep_bytes = int(keep_gb * GIGABYTE)
        self._open: Segment | None = None
        self._was_mended = False
        self._day, self._number = date.min, 0

    # -- writing ---------------------------------------------------------------------------------

    def append(
        self, page: Page, *, outlet: str | None = None, entry: FeedEntry | None = None, via: tuple[str, ...] = ()
    ) -> str:
        """Keep a page, with what is known besides (see `Snapshot`); return its pointer."""
        packed = member(response_record(Snapshot(page=page, outlet=outlet, entry=entry, via=via)))
        day = page.fetched_at.astimezone(UTC).date()
        with self._explained():
            file = self._file_for(day, len(packed))
            while (offset := append(file, packed)) is None:
                # Somebody erased a page, and another file stands in the place of this one.
                self._close_file()
                file = self._file_for(day, len(packed))
        return f"{file.path.parent.name}/{file.path.name}@{offset}"

    def close(self) -> None:
        """Make what was written durable, and let go of the file."""
        with self._explained():
            self._close_file()

    def _file_for(self, day: date, size: int) -> Segment:
        file = self._open
        # A page that was fetched before midnight and comes after it goes where the others are.
        is_full = file is not None and file.size + size > self._segment_bytes
        if file is None or day > file.day or is_full:
            self._close_file()
            if not self._was_mended:
                self._mend_newest()
            self.prune(today=max(day, file.day) if file else day)
            file = self._open = self._new_file(max(day, file.day) if file else day)
        return file

    def _new_file(self, day: date) -> Segment:
        folder = self.folder / day.isoformat()
        host = re.sub(r"[^A-Za-z0-9]+", "-", socket.gethostname())[:LONGEST_HOST].strip("-") or "host"
        while True:
            # No name comes twice, even when its file is gone: pointers may still name it.
            self._day, self._number = day, self._number + 1 if day == self._day else 1
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"kiosque-{day:%Y%m%d}-{host}-{os.getpid()}-{self._number:04}.warc.gz"
            try:
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
                break
            except (FileExistsError, FileNotFoundError):
                # Of an earlier process that had our number; or the folder was emptied and deleted just now.
                continue
        file = Segment(path=path, descriptor=descriptor, size=0, day=day)
        try:
            append(file, member(info_record(path.name, datetime.now(UTC))))
        except OSError:
            os.close(descriptor)
            path.unlink(missing_ok=True)
            raise
        return file

    def _close_file(self) -> None:
        if self._open is not None:
            file, self._open = self._open, None
            try:
                os.fsync(file.descriptor)
            finally:
                os.close(file.descriptor)
            with suppress(FileNotFoundError):  # kept its time, and deleted by another process
                sync_folder(file.path.parent)

    # -- reading ---------------------------------------------------------------------------------

    def files(self) -> list[Path]:
        """Return the archive's files, oldest first."""
        days = sorted(day for day in self.folder.glob("????-??-??") if DAY.fullmatch(day.name))
        return [path for day in days for path in sorted(day.glob("*.warc.gz"))]

    def snapshot(self, pointer: str) -> Snapshot:
        """Return the page that a record points to, with what was known when it was fetched.

        Raises `StorageError` when the archive does not have it (any more).
        """
        path, offset = self._place(pointer)
        try:
            found = snapshot_at(path, offset, pointer=pointer)
        except OSError as error:
            raise StorageError(f"{path}: {error.strerror}") from error
        if found is None:
            raise StorageError(f"{path}: no page stands at byte {offset}")
        return found

    def read(self, pointer: str) -> Page:
        """Return the page that a record points to. Raises as `snapshot` does."""
        return self.snapshot(pointer).page

    def snapshots(
        self, *, files: Iterable[Path] | None = None, problem: Callable[[str], None] = lambda _: None
    ) -> Iterator[Snapshot]:
        """Yield every page of the archive or of some of its files, oldest first; a broken one is told to `problem`."""
        for path in self.files() if files is None else files:
            mend(path, problem=problem)
            # What a writer appends from now on is for the next reading.
            yield from snapshots(path, name=f"{path.parent.name}/{path.name}", size=_size(path), problem=problem)

    def _place(self, pointer: str) -> tuple[Path, int]:
        match = POINTER.fullmatch(pointer)
        if match is None:
            raise StorageError(f"{pointer[:200]!r} is no place in an archive")
        return self.folder / match[1], int(match[2])

    # -- keeping house ---------------------------------------------------------------------------

    def remove(self, *, pointers: Collection[str] = (), urls: Collection[str] = ()) -> int:
        """Erase pages for good, by pointer and every page of these addresses; return how many went.

        Each file is written anew and takes the old one's place at once, with a record of the same
        length that says nothing in the place of an erased one: what stays keeps its offset, and
        every other pointer stays good. Pointers to what is not there are passed over.
        """
        wanted: dict[Path, set[int]] = {}
        for pointer in pointers:
            path, offset = self._place(pointer)
            wanted.setdefault(path, set()).add(offset)
        keys = set(map(canonical_url, urls)) - {""}
        with self._explained():
            for path in self.files() if keys else ():
                found = {at for at, met in addresses(path) if not keys.isdisjoint(map(canonical_url, met))}
                if found:
                    wanted.setdefault(path, set()).update(found)
            return sum(erase(path, offsets) for path, offsets in wanted.items())

    def keep(self, *, days: int, gigabytes: float) -> None:
        """Keep pages for another time, or up to another size, from now on; 0 is without a limit."""
        self._keep_days, self._keep_bytes = days, int(gigabytes * GIGABYTE)

    def prune(self, *, today: date) -> list[str]:
        """Delete files that are too old, then the oldest while the archive is too large; return what went.

        The file that is being written stays.
        """
        current = self._open.path if self._open else None
        files = [path for path in self.files() if path != current]
        sizes = {path: _size(path) for path in files}
        oldest = (today - timedelta(days=self._keep_days)).isoformat() if self._keep_days else ""
        gone = [path for path in files if path.parent.name < oldest]
        left = sum(sizes.values()) - sum(sizes[path] for path in gone)
        for path in files[len(gone) :] if self._keep_bytes else ():
            if left <= self._keep_bytes:
                break
            gone.append(path)
            left -= sizes[path]
        for path in gone:
            path.unlink(missing_ok=True)
            rewritten(path).unlink(missing_ok=True)
            with suppress(OSError):  # it holds other files
                path.parent.rmdir()
        return [f"{path.parent.name}/{path.name}" for path in gone]

    def _mend_newest(self) -> None:
        self._was_mended = True
        days = sorted({path.parent for path in self.files()})[-DAYS_MENDED:]
        for path in self.files():
            if path.parent in days:
                mend(path)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StorageError(f"the archive {self.folder} cannot be written: {error.strerror or error}") from error


def pages(paths: Iterable[Path], *, problem: Callable[[str], None] = lambda _: None) -> Iterator[Page]:
    """Yield the pages of any WARC files; a broken file is a sentence to `problem`, and the next one follows."""
    for path in paths:
        for snapshot in snapshots(path, problem=problem):
            yield snapshot.page


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # another process keeps house, too
        return 0
