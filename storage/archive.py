"""The page archive: a folder of WARC files, one per day and writing process, kept for a time or up to a size."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import socket
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from kiosque.errors import StorageError
from kiosque.urls import canonical_url
from storage.hold import hold, let_go
from storage.members import member
from storage.naming import delete, name_of, place_of
from storage.rows import mark
from storage.segment import Segment, append, erase, mend, sync_folder
from storage.standing import standing_in
from storage.warc import Snapshot, snapshot_at, snapshots
from storage.warc_records import info_record, response_record

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from kiosque.model import FeedEntry, Page
    from storage.distant import DistantFile
    from storage.distant_archive import DistantArchive

MEGABYTE, GIGABYTE = 1_000_000, 1_000_000_000
DAY = re.compile(r"\d{4}-\d\d-\d\d")
# What a crash left is looked for in the files of the newest days; in older ones by whoever reads them.
DAYS_MENDED = 2
LONGEST_HOST = 40
# Where files of object storage lie while they are written anew.
ASIDE = ".rewriting"


class WarcArchive:
    """Pages in WARC files under a folder: `2026-11-22/kiosque-20261122-HOST-RUN-PID-0001.warc.gz`.

    One thread writes; any number of processes read, write and erase in the same folder. With `away`, finished files
    are moved there by whoever sends them (`storage.sending`): a page is looked for here, then there. Every method
    raises `StorageError` with a sentence for a person.
    """

    def __init__(
        self,
        folder: Path,
        *,
        segment_mb: float = 500,
        keep_days: int = 0,
        keep_gb: float = 0,
        away: DistantArchive | None = None,
    ) -> None:
        self.folder = folder
        self.away = away
        self._segment_bytes = int(segment_mb * MEGABYTE)
        self._keep_days = keep_days
        self._keep_bytes = int(keep_gb * GIGABYTE)
        self._open: Segment | None = None
        self._was_mended = False
        self._day, self._number = date.min, 0
        self._held = -1
        # Machines may have one name, and processes one number: in containers, or after a restart.
        self._run = secrets.token_hex(3)

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
        return f"{name_of(file.path)}@{offset}"

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
            if self.away is None:  # else whoever sends files keeps house: pages wait for no network
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
            path = folder / f"kiosque-{day:%Y%m%d}-{host}-{self._run}-{os.getpid()}-{self._number:04}.warc.gz"
            try:
                held = hold(path)
            except FileNotFoundError:  # the folder was emptied and deleted just now
                continue
            try:
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
                break
            except (FileExistsError, FileNotFoundError):
                let_go(path, held)
            except OSError:
                let_go(path, held)
                raise
        file = Segment(path=path, descriptor=descriptor, size=0, day=day)
        try:
            append(file, member(info_record(path.name, datetime.now(UTC))))
        except OSError:
            os.close(descriptor)
            path.unlink(missing_ok=True)
            let_go(path, held)
            raise
        self._held = held
        return file

    def _close_file(self) -> None:
        if self._open is not None:
            file, self._open = self._open, None
            try:
                os.fsync(file.descriptor)
            finally:
                os.close(file.descriptor)
                let_go(file.path, self._held)
            with suppress(FileNotFoundError):  # kept its time, and deleted by another process
                sync_folder(file.path.parent)

    # -- reading ---------------------------------------------------------------------------------

    def files(self) -> list[Path]:
        """Return the archive's files on this machine, oldest first."""
        days = sorted(day for day in self.folder.glob("????-??-??") if DAY.fullmatch(day.name))
        return [path for day in days for path in sorted(day.glob("*.warc.gz"))]

    def every_file(self) -> list[Path | DistantFile]:
        """Return all of the archive's files, oldest first: those of this machine, and those on object storage."""
        found: dict[str, Path | DistantFile] = {}
        if self.away is not None:  # first: a file that is moved meanwhile is seen once at least
            found = {name: self.away.place(name, size) for name, size in self.away.files().items()}
        found |= {name_of(path): path for path in self.files()}
        return [found[name] for name in sorted(found)]

    def owns(self, file: Path | DistantFile) -> bool:
        """Tell whether a file is one of this archive, here or on object storage."""
        if isinstance(file, Path):
            return file.resolve().is_relative_to(self.folder.resolve())
        return self.away is not None and self.away.owns(file.url)

    def snapshot(self, pointer: str) -> Snapshot:
        """Return the page that a record points to, with what was known when it was fetched.

        Raises `StorageError` when the archive does not have it (any more), `ArchiveAwayError` when nobody can tell.
        """
        name, offset = place_of(pointer)
        path = self.folder / name
        try:
            found = snapshot_at(path, offset, pointer=pointer)
        except FileNotFoundError as error:
            found = self._snapshot_away(name, offset, pointer, error)
        except OSError as error:
            raise StorageError(f"{path}: {error.strerror}") from error
        if found is None:
            raise StorageError(f"{path if path.exists() else name}: no page stands at byte {offset}")
        return found

    def _snapshot_away(self, name: str, offset: int, pointer: str, missed: FileNotFoundError) -> Snapshot | None:
        if self.away is None:
            raise StorageError(f"{self.folder / name}: {missed.strerror}") from missed
        try:
            return self.away.snapshot(name, offset, pointer=pointer)
        except FileNotFoundError as error:
            raise StorageError(f"{name}: it is neither in {self.folder} nor in {self.away}") from error

    def read(self, pointer: str) -> Page:
        """Return the page that a record points to. Raises as `snapshot` does."""
        return self.snapshot(pointer).page

    def snapshots(
        self, *, files: Iterable[Path | DistantFile] | None = None, problem: Callable[[str], None] = lambda _: None
    ) -> Iterator[Snapshot]:
        """Yield every page of the archive or of some of its files, oldest first; a broken one is told to `problem`."""
        for given in self.every_file() if files is None else files:
            path = given
            if self.away is not None and isinstance(given, Path) and not given.exists():
                path = self.away.place(name_of(given))  # it was sent since
            if isinstance(path, Path):
                mend(path, problem=problem)
            # What a writer appends from now on is for the next reading.
            size = _size(path) if isinstance(path, Path) else None
            yield from snapshots(path, name=name_of(path), size=size, problem=problem)

    # -- keeping house ---------------------------------------------------------------------------

    def remove(self, *, pointers: Collection[str] = (), urls: Collection[str] = ()) -> int:
        """Erase pages for good, by pointer and every page of these addresses; return how many went.

        Each file is written anew and takes the old one's place at once, with a record of the same
        length that says nothing in the place of an erased one: what stays keeps its offset, and
        every other pointer stays good. Pointers to what is not there are passed over.
        """
        shutil.rmtree(self.folder / ASIDE, ignore_errors=True)  # of a run that was killed: it may hold such pages
        wanted = self.find(pointers=pointers, urls=urls)
        return sum(self._erase(name, offsets) for name, offsets in wanted.items())

    def find(self, *, pointers: Collection[str] = (), urls: Collection[str] = ()) -> dict[str, set[int]]:
        """Return where in which files the pages stand that `remove` would erase, or stood if they are gone."""
        wanted: dict[str, set[int]] = {}
        for name, offset in map(place_of, pointers):
            wanted.setdefault(name, set()).add(offset)
        keys = set(map(canonical_url, urls)) - {""}
        with self._explained():
            for path in self.files() if keys else ():
                with suppress(FileNotFoundError):  # it was sent since, and is found there
                    found = {page.offset for page in standing_in(path) if not keys.isdisjoint(page.keys)}
                    wanted.setdefault(name_of(path), set()).update(found)
        if self.away is not None and keys:
            for name, found in self.away.standing(frozenset(map(mark, keys)), aside=self.folder / ASIDE):
                wanted.setdefault(name, set()).update(found)
        return {name: offsets for name, offsets in wanted.items() if offsets}

    def _erase(self, name: str, offsets: set[int]) -> int:
        # Here first: what is still here will be sent again, and takes the place of what is there.
        with self._explained():
            here = erase(self.folder / name, offsets)
        if self.away is None:
            return here
        try:
            return max(here, self.away.erase(name, offsets, aside=self.folder / ASIDE))
        except FileNotFoundError:  # it was not sent yet, or its time was over
            return here

    def keep(self, *, days: int, gigabytes: float) -> None:
        """Keep pages for another time, or up to another size, from now on; 0 is without a limit."""
        self._keep_days, self._keep_bytes = days, int(gigabytes * GIGABYTE)

    def prune(self, *, today: date) -> list[str]:
        """Delete files that are too old, then the oldest while the archive is too large; return what went.

        The file that is being written stays.
        """
        current = name_of(self._open.path) if self._open else None
        away = self.away.files() if self.away is not None else {}
        sizes = away | {name_of(path): _size(path) for path in self.files()}
        names = sorted(name for name in sizes if name != current)
        oldest = (today - timedelta(days=self._keep_days)).isoformat() if self._keep_days else ""
        gone = [name for name in names if name < oldest]
        left = sum(sizes[name] for name in names[len(gone) :])
        for name in names[len(gone) :] if self._keep_bytes else ():
            if left <= self._keep_bytes:
                break
            gone.append(name)
            left -= sizes[name]
        for name in gone:
            delete(self.folder / name)
            if self.away is not None and name in away:
                self.away.delete(name)
        return gone

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
