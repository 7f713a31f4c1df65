"""The pages of one file of our own archive, in the order of the file, each with the revision that was read on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.reread import Job, keys_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from kiosque.model import Record
    from pipelines.reread import Desk
    from pipelines.verdicts import Report
    from storage.archive import WarcArchive
    from storage.warc import Snapshot


def own_file_jobs(desk: Desk, archive: WarcArchive, path: Path, report: Report) -> Iterator[Job]:
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
