"""The pages of our own archive by its files, each with the revision that was read on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.reread import Job, keys_of, own_jobs

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from kiosque.model import Record
    from pipelines.reread import Desk
    from pipelines.verdicts import Report, Verdict
    from storage.archive import WarcArchive
    from storage.distant import DistantFile
    from storage.warc import Snapshot


def archive_jobs(
    desk: Desk, archive: WarcArchive, report: Report, *, files: Collection[Path | DistantFile] | None = None
) -> Iterator[Job]:
    """Yield the pages of the archive, or of some of its files.

    On object storage each file is read once, from its beginning to its end: a request a page would take for ever.
    """
    if archive.away is not None:
        for file in archive.every_file() if files is None else files:
            yield from own_file_jobs(desk, archive, file, report)
    elif files is None or files:
        here = None if files is None else [file for file in files if isinstance(file, Path)]
        yield from own_jobs(desk, archive, report, files=here)


def counted(found: Iterable[Verdict], report: Report, *, revisions: int) -> Iterator[Verdict]:
    """Pass verdicts on, and count the stored revisions whose pages were not among those that were read."""
    compared = 0
    for verdict in found:
        compared += verdict.before is not None
        yield verdict
    report.unarchived = max(0, revisions - compared)


def own_file_jobs(desk: Desk, archive: WarcArchive, path: Path | DistantFile, report: Report) -> Iterator[Job]:
    """Yield the pages of a file of the archive, as `own_jobs` does for all of it; memory does not grow with it.

    Whoever has many files for many machines cannot go by the store's records: each would look at all of them.
    """
    for snapshot in archive.snapshots(files=[path], problem=report.problems.append):
        outlet = desk.outlet(snapshot.outlet, snapshot.page.final_url)
        known = desk.store.known(keys_of(snapshot)).values()
        before = _read_on(desk, snapshot, {record.id: record for record in known}.values())
        if desk.wants(outlet if before is None else desk.outlet(before.outlet, snapshot.page.final_url)):
            outcome = "unchanged" if known and before is None else None
            yield Job(snapshot=snapshot, outlet=outlet, before=before, archive=snapshot.pointer, outcome=outcome)


def _read_on(desk: Desk, snapshot: Snapshot, latest: Iterable[Record]) -> Record | None:
    """Return the revision that was read on a page: the latest of its article, or an earlier one."""
    for record in latest:
        for one in [record] if record.revision == 1 else [record, *desk.store.history(record.url)]:
            if one.archive == snapshot.pointer and one.fetched_at == snapshot.page.fetched_at:
                return one
    return None
