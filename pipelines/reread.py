"""Read archived pages again with today's rules: what changes, and the writing of it as corrections."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import blake2b
from itertools import takewhile
from typing import TYPE_CHECKING

from kiosque import __version__
from kiosque.errors import StorageError
from kiosque.model import Article, Record, Rejected, Visit
from kiosque.urls import canonical_url
from pipelines.conclude import Finding
from pipelines.correction import corrected
from pipelines.french import looks_french
from pipelines.rights import rights_of
from pipelines.verdicts import Verdict
from storage import RecordQuery
from storage.warc import snapshots

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from concurrent.futures import Future
    from pathlib import Path

    from kiosque.model import Outlet
    from kiosque.settings import ReservedPolicy
    from pipelines.pool import ReaderPool
    from pipelines.verdicts import Report
    from storage import Store
    from storage.archive import WarcArchive
    from storage.distant import DistantFile
    from storage.warc import Snapshot

log = logging.getLogger("kiosque.reread")

OK = 200
# Pages handed to the pool ahead of the one whose answer is looked at, for each worker.
AHEAD = 4
# Outlets whose learned lines are kept at hand.
OUTLETS_AT_HAND = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """An archived page that is to be read again."""

    snapshot: Snapshot
    outlet: Outlet
    before: Record | None = None
    """The revision that was read on it."""
    archive: str | None = None
    """Its pointer, where it stands in our own archive."""
    outcome: str | None = None
    """Set when it need not be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What a rereading works with."""

    store: Store
    outlets: Mapping[str, Outlet]
    outlet_of: Callable[[str], Outlet]
    only: str | None = None
    """The slug of the one outlet that is read again."""
    reserved: ReservedPolicy = "store"
    """What is done with pages whose publisher reserves text and data mining."""
    stopped: Callable[[], bool] = lambda: False
    """Somebody has had enough: no more pages are taken up."""

    def outlet(self, slug: str | None, url: str) -> Outlet:
        """Return the outlet of a page."""
        return self.outlets.get(slug or "") or self.outlet_of(url)

    def wants(self, outlet: Outlet) -> bool:
        """Tell whether an outlet's pages are read again; once stopped every page is looked at, to end there."""
        return self.stopped() or self.only in (None, outlet.slug)


def own_jobs(
    desk: Desk, archive: WarcArchive, report: Report, *, files: Collection[Path] | None = None
) -> Iterator[Job]:
    """Yield the pages of stored revisions, the newest change first, then the pages that gave no record.

    With `files`, only those that stand in these files of the archive.
    """
    names = None if files is None else {f"{path.parent.name}/{path.name}" for path in files}
    read: set[bytes] = set()
    for record in desk.store.records(RecordQuery(outlet=desk.only, revisions=True)):
        if desk.stopped():
            return
        if names is not None and (record.archive or "").partition("@")[0] not in names:
            continue
        snapshot = _page_of(record, archive)
        if snapshot is None:
            report.unarchived += 1
        elif (place := _digest(snapshot.pointer)) not in read:
            read.add(place)
            outlet = desk.outlet(record.outlet, snapshot.page.final_url)
            yield Job(snapshot=snapshot, outlet=outlet, before=record, archive=snapshot.pointer)
    for snapshot in archive.snapshots(files=files, problem=report.problems.append):
        outlet = desk.outlet(snapshot.outlet, snapshot.page.final_url)
        if desk.wants(outlet) and _digest(snapshot.pointer) not in read:
            # Another fetch of an article that is known: what its words are is told by the pages above.
            outcome = "unchanged" if desk.store.known(keys_of(snapshot)) else None
            yield Job(snapshot=snapshot, outlet=outlet, archive=snapshot.pointer, outcome=outcome)


def foreign_jobs(desk: Desk, paths: Iterable[Path | DistantFile], report: Report) -> Iterator[Job]:
    """Yield the pages of WARC files that others made; a revision that was read on one is known by its instant."""

    def wanted(url: str) -> bool:
        return desk.only is None or desk.wants(desk.outlet_of(url))

    for path in paths:
        for snapshot in snapshots(path, wanted=wanted, problem=report.problems.append):
            yield _foreign_job(desk, snapshot)


def _foreign_job(desk: Desk, snapshot: Snapshot) -> Job:
    page, outlet = snapshot.page, desk.outlet_of(snapshot.page.final_url)
    if page.status != OK:
        return Job(snapshot=snapshot, outlet=outlet, outcome=f"failed:status-{page.status}")
    if outlet.slug not in desk.outlets and not looks_french(page):
        return Job(snapshot=snapshot, outlet=outlet, outcome="rejected:not-french")
    latest = max(desk.store.known(keys_of(snapshot)).values(), key=lambda record: record.fetched_at, default=None)
    if latest is not None and latest.fetched_at > page.fetched_at:
        return Job(snapshot=snapshot, outlet=outlet, outcome="unchanged")  # an old capture revises nothing
    before = latest if latest is not None and latest.fetched_at == page.fetched_at else None
    return Job(snapshot=snapshot, outlet=outlet, before=before)


def _page_of(record: Record, archive: WarcArchive) -> Snapshot | None:
    if record.archive is None:
        return None
    try:
        found = archive.snapshot(record.archive)
    except StorageError:
        return None
    return found if found.page.fetched_at == record.fetched_at else None


def keys_of(snapshot: Snapshot) -> set[str]:
    """Return the address keys under which a page's article may be known."""
    return set(map(canonical_url, (snapshot.page.url, snapshot.page.final_url, *snapshot.via))) - {""}


def _digest(pointer: str) -> bytes:
    return blake2b(pointer.encode(), digest_size=8).digest()


def verdicts(jobs: Iterable[Job], desk: Desk, pool: ReaderPool, *, workers: int) -> Iterator[Verdict]:
    """Read pages in the pool, a bounded number at once, and yield what each came to in the order of the jobs.

    Once the desk is stopped, what is under way is finished.
    """
    learned = lru_cache(OUTLETS_AT_HAND)(desk.store.learned)
    under_way: deque[tuple[Job, Future[Article | Rejected] | None]] = deque()
    for job in takewhile(lambda _: not desk.stopped(), jobs):
        page, entry, slug = job.snapshot.page, job.snapshot.entry, job.outlet.slug
        future = pool.submit(page, job.outlet, entry=entry, learned=learned(slug)) if job.outcome is None else None
        under_way.append((job, future))
        if len(under_way) >= AHEAD * workers:
            yield _verdict(*under_way.popleft(), policy=desk.reserved)
    while under_way:
        yield _verdict(*under_way.popleft(), policy=desk.reserved)


def _verdict(job: Job, future: Future[Article | Rejected] | None, *, policy: ReservedPolicy) -> Verdict:
    slug, before = job.outlet.slug, job.before
    if future is None:
        return Verdict(outlet=slug, outcome=job.outcome or "unchanged")
    try:
        reading = future.result()
    except Exception:
        # `read_article` never raises: this is a bug of ours. The other pages are read all the same.
        log.exception("reading %s (%s) failed", job.snapshot.page.final_url, job.snapshot.pointer)
        return Verdict(outlet=slug, outcome="failed:error", before=before)
    if isinstance(reading, Rejected):
        return Verdict(outlet=slug, outcome=f"rejected:{reading.reason}", before=before)
    return _found(job, reading, policy) if before is None else _compared(job, reading, before)


def _compared(job: Job, reading: Article, before: Record) -> Verdict:
    after = corrected(before, reading, outlet=job.outlet, version=__version__)
    if after is before:
        return Verdict(outlet=job.outlet.slug, outcome="unchanged", before=before)
    return Verdict(outlet=job.outlet.slug, outcome="corrected", before=before, after=after)


def _found(job: Job, reading: Article, policy: ReservedPolicy) -> Verdict:
    finding = _finding(job, reading, policy)
    if finding.rights.tdm_reserved and policy == "refuse":
        return Verdict(outlet=job.outlet.slug, outcome="blocked:reserved")
    return Verdict(outlet=job.outlet.slug, outcome="new", finding=finding)


def _finding(job: Job, reading: Article, policy: ReservedPolicy) -> Finding:
    snapshot, page = job.snapshot, job.snapshot.page
    visit = Visit(
        outlet=job.outlet,
        key=canonical_url(page.url) or page.url,
        url=page.url,
        entry=snapshot.entry,
        via=snapshot.via,
        page=replace(page, body=b""),  # it was read; headers and addresses are still wanted
    )
    return Finding(
        visit=visit,
        reading=reading,
        rights=rights_of(visit, reading, policy=policy),
        at=page.fetched_at,
        archive=job.archive,
    )
