"""The archive's finished files on object storage: sent whole and verified, read a page at a time, written anew."""

from __future__ import annotations

import errno
import io
import os
import re
import shutil
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from kiosque.errors import StorageError, UsageError
from storage import without_password
from storage.arrived import PART, info, is_same, is_version_of, protocols
from storage.distant import DistantFile, file_system, first_line, needs
from storage.members import HEADER, length_in
from storage.remote import FOLDERS
from storage.segment import erase
from storage.standing import Standing, listed, offsets_of, standing_in
from storage.warc import MOST_BODY, MOST_HEAD, Snapshot, snapshot_here

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

# Only what a Kiosque has put there is ever listed, written anew or deleted.
OURS = re.compile(r"\d{4}-\d\d-\d\d/kiosque-[A-Za-z0-9._-]+\.warc\.gz")
LIST = ".pages"
# Asked for at once when one page is wanted: most are smaller (35 KB), the rest is asked for then.
FIRST = 128_000
MOST_MEMBER = MOST_BODY + 2 * MOST_HEAD
# Parts of an upload that are in memory.
AT_ONCE = 2
S3 = {"s3", "s3a"}
# A folder of this machine, or of a network that looks like one.
LOCAL = {"file", "local"}
# A store that refuses connections or cannot be reached is found out in some ten seconds; botocore alone would take a
# minute.
PATIENCE = {"config_kwargs": {"connect_timeout": 5, "read_timeout": 30, "retries": {"max_attempts": 2}}}
HOW = {"chunksize": PART, "max_concurrency": AT_ONCE}
# A store that did not answer is not asked for another page so soon (seconds): whoever reads many would wait for each.
PAUSE = 60.0
# Lists of pages asked for at once: some 200 KB each.
LISTS_AT_ONCE = 32
NO_CREDENTIALS = {"NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"}


class ArchiveAwayError(StorageError):
    """The object storage does not answer, or refuses: what was asked of it can be asked again."""


class DistantArchive:
    """The files of an archive behind a URL, `URL/2026-11-22/NAME.warc.gz`. Many machines may share one.

    Every method raises `ArchiveAwayError` with a sentence for a person, `UsageError` where a library is missing.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._away_until, self._why = 0.0, ""

    def __str__(self) -> str:
        return without_password(self._url)

    @property
    def url(self) -> str:
        """Where it is, with whatever stands in it: not to be shown."""
        return self._url

    def check(self) -> None:
        """Raise `UsageError` where the library that opens it is not installed, or it names no folder."""
        needs(self._url)

    # -- reading ---------------------------------------------------------------------------------

    def files(self) -> dict[str, int]:
        """Return the names and sizes of its files, oldest first."""
        return {name: size for name, size in self._all().items() if OURS.fullmatch(name)}

    def place(self, name: str, size: int = 0) -> DistantFile:
        """Return a file, to be read from its beginning to its end."""
        return DistantFile(f"{self._url}/{name}", size)

    def owns(self, url: str) -> bool:
        """Tell whether a URL is that of a file of this archive."""
        return url.startswith(f"{self._url}/") and OURS.fullmatch(url[len(self._url) + 1 :]) is not None

    def holds(self, name: str) -> bool:
        """Tell whether a file is there."""
        with self._asked() as (files, root):
            return bool(files.exists(f"{root}/{name}"))

    def snapshot(self, name: str, offset: int, *, pointer: str = "") -> Snapshot | None:
        """Return the page at an offset, None where no whole page stands; only its own bytes are asked for.

        Raises `FileNotFoundError` when the file is not there.
        """
        if time.monotonic() < self._away_until:
            raise ArchiveAwayError(self._why)
        try:
            member = self._member(name, offset)
        except ArchiveAwayError as error:
            self._away_until, self._why = time.monotonic() + PAUSE, str(error)
            raise
        return snapshot_here(io.BytesIO(member), pointer=pointer) if member else None

    def _member(self, name: str, offset: int) -> bytes:
        first = self._range(name, offset, offset + FIRST)
        length = length_in(first[:HEADER])
        if length is None or length > MOST_MEMBER:
            return b""
        rest = self._range(name, offset + FIRST, offset + length) if length > FIRST else b""
        return (first + rest)[:length]

    def _range(self, name: str, start: int, end: int) -> bytes:
        with self._asked() as (files, root):
            try:
                return bytes(files.cat_file(f"{root}/{name}", start=start, end=end))
            except OSError as error:
                if error.errno == errno.EINVAL and "range" in str(error).lower():  # S3: it ends before that
                    return b""
                raise

    # -- writing ---------------------------------------------------------------------------------

    def send(self, path: Path, name: str, pages: Iterable[Standing]) -> None:
        """Put a finished file there, with the list of its pages, and make sure that it arrived whole.

        One that stands there already, from a run that was killed, is taken over where it is the same. Raises
        `StorageError` when another file has its name, or what arrived is not what was sent.
        """
        with self._asked() as (files, root):
            there = info(files, f"{root}/{name}")
            if there is not None and not is_version_of(files, f"{root}/{name}", path):
                raise StorageError(f"{self}/{name}: another file stands there; it was left alone, and this one kept")
            self._put_list(name, pages)
            if there is None or not is_same(files, there, path):
                self._put(path, name)

    def erase(self, name: str, offsets: Collection[int], *, aside: Path) -> int:
        """Write a file anew without the pages at these offsets; return how many there were.

        It is fetched to `aside` and put back in one go: a reader finds the old one or the new one.
        """
        # By its list: asking for each page would be thousands of requests. One that is older than its file, since an
        # erasure was killed in between, costs a file that is fetched for nothing.
        listed_there = offsets_of(self._lists([name]).get(name, b""))
        if listed_there is not None and listed_there.isdisjoint(offsets):
            return 0
        if listed_there is None and all(self.snapshot(name, at) is None for at in offsets):
            return 0
        with self._fetched(name, aside) as path:
            count = erase(path, offsets)
            if count:
                self._put(path, name)
            self._put_list(name, standing_in(path))
        return count

    @contextmanager
    def _fetched(self, name: str, aside: Path) -> Iterator[Path]:
        """Have a file on this machine; what an earlier run left there goes first."""
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        try:
            path = aside / name.rpartition("/")[2]
            with self._asked() as (files, root):
                files.get_file(f"{root}/{name}", str(path))
            yield path
        finally:
            shutil.rmtree(aside, ignore_errors=True)

    def delete(self, name: str) -> None:
        """Delete a file and the list of its pages."""
        with self._asked() as (files, root):
            for gone in (name + LIST, f"{name}.part", name):
                with suppress(FileNotFoundError):
                    files.rm_file(f"{root}/{gone}")

    def _put(self, path: Path, name: str) -> None:
        with self._asked() as (files, root):
            target = f"{root}/{name}"
            if FOLDERS & protocols(files):  # where a file that is being written can be seen
                files.makedirs(target.rpartition("/")[0], exist_ok=True)
                files.put_file(str(path), f"{target}.part")
                if LOCAL & protocols(files):
                    _sync(f"{target}.part")
                files.mv(f"{target}.part", target)
                if LOCAL & protocols(files):
                    _sync(target.rpartition("/")[0])
            else:
                files.put_file(str(path), target, **(HOW if S3 & protocols(files) else {}))
            there = info(files, target)
            if there is None or not is_same(files, there, path):
                raise StorageError(f"{self}/{name}: what arrived is not what was sent")

    def _put_list(self, name: str, pages: Iterable[Standing]) -> None:
        with self._asked() as (files, root):
            target = f"{root}/{name}{LIST}"
            if FOLDERS & protocols(files):
                files.makedirs(target.rpartition("/")[0], exist_ok=True)
            files.pipe_file(target, listed(pages))

    # -- what stands where -----------------------------------------------------------------------

    def standing(self, marks: frozenset[str], *, aside: Path) -> Iterator[tuple[str, set[int]]]:
        """Yield `(name, offsets)` of the pages that have one of these marks, by the lists beside the files.

        A file without a list (somebody copied it there) is fetched to `aside` and read as a whole, and gets one.
        """
        there = self._all()
        names = [name for name in there if OURS.fullmatch(name)]
        for start in range(0, len(names), LISTS_AT_ONCE):
            lists = self._lists([name for name in names[start : start + LISTS_AT_ONCE] if name + LIST in there])
            for name in names[start : start + LISTS_AT_ONCE]:
                found = offsets_of(lists.get(name, b""), marks)
                if found is None:
                    with suppress(FileNotFoundError):  # its time was over
                        found = offsets_of(self._list_anew(name, aside), marks)
                if found:
                    yield name, found

    def _lists(self, names: list[str]) -> dict[str, bytes]:
        with self._asked() as (files, root):
            found = files.cat([f"{root}/{name}{LIST}" for name in names], on_error="return") if names else {}
            for data in found.values():
                if isinstance(data, Exception) and not isinstance(data, FileNotFoundError):
                    raise data  # a list that does not come now is none that is not there
        there = {path: data for path, data in found.items() if isinstance(data, bytes)}
        return {path.removesuffix(LIST)[len(root) + 1 :]: data for path, data in there.items()}

    def _list_anew(self, name: str, aside: Path) -> bytes:
        with self._fetched(name, aside) as path:
            pages = list(standing_in(path))
        self._put_list(name, pages)
        return listed(pages)

    def keeps_versions(self) -> bool:
        """Tell whether the bucket keeps what is overwritten or deleted, as far as that can be told."""
        with suppress(Exception), self._asked() as (files, root):
            return bool(files.is_bucket_versioned(root.partition("/")[0]))
        return False

    def _all(self) -> dict[str, int]:
        with self._asked() as (files, root):
            try:
                found = files.find(root, detail=True)
            except FileNotFoundError as error:
                if _names_bucket(error):
                    raise
                found = {}
        named = {name[len(root) + 1 :]: int(one.get("size") or 0) for name, one in found.items()}
        return dict(sorted(named.items()))

    @contextmanager
    def _asked(self) -> Iterator[tuple[Any, str]]:
        """Give the file system and the folder; whatever a backend raises becomes one sentence."""
        try:
            options = PATIENCE if self._url.partition("://")[0] in S3 else {}
            files, root = file_system(self._url, use_listings_cache=False, **options)
            yield files, root
        except (StorageError, UsageError):
            raise
        except FileNotFoundError as error:
            if _names_bucket(error):
                raise ArchiveAwayError(f"{self}: {first_line(error)}") from error
            raise
        except Exception as error:  # each backend has its own, many of them no OSError
            raise ArchiveAwayError(f"{self}: {_reason(error)}") from error


def _sync(place: str) -> None:
    """Make a file or folder durable: the copy here goes next."""
    descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _reason(error: Exception) -> str:
    if type(error).__name__ in NO_CREDENTIALS:
        return "there are no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the machine a role"
    said = without_password(first_line(error))
    return f"refused: {said}" if isinstance(error, PermissionError) else said


def _names_bucket(error: FileNotFoundError) -> bool:
    """Tell whether it is the bucket that is not there, not a file in it."""
    return "specified bucket" in str(error).lower()
