"""Read archived pages again with today's rules: what changes, and the writing of it as corrections."""

from __future__ import annotations

import logging
import pickle
import tempfile
from collections import Counter, deque
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from kiosque import __version__
from kiosque.errors import StorageError
from kiosque.model import Article, Record, Rejected, Visit
from kiosque.urls import canonical_url
from pipelines.conclude import Finding
from pipelines.correction import changed_fields, corrected
from pipelines.french import looks_french
from pipelines.keeper import BATCH, settle
from pipelines.rights import rights_on_page
from pipelines.tally import Tally
from storage.memory import MemoryStore
from storage.warc import snapshots

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from concurrent.futures import Future
    from pathlib import Path

    from kiosque.model import Outlet
    from pipelines.pool import ReaderPool
    from storage import Store
    from storage.archive import WarcArchive
    from storage.warc import Snapshot

log = logging.getLogger("kiosque.reread")

OK = 200
# Outcomes that write a record.
WRITTEN = {"corrected", "new", "revised"}
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
class Verdict:
    """What reading a page again came to."""

    outlet: str
    outcome: str
    """`corrected`, or one of a crawl's outcomes."""
    before: Record | None = None
    after: Record | None = None
    """The correction."""
    finding: Finding | None = None
    """A page that the store does not know: it is settled as a crawl's."""


@dataclass(slots=True, kw_only=True)
class Report:
    """The counts of a rereading, as it goes."""

    tally: Tally = field(default_factory=Tally)
    fields: Counter[str] = field(default_factory=Counter)
    """Corrected revisions by the field that changes."""
    by_outlet: dict[str, Counter[str]] = field(default_factory=dict)
    """The same for each outlet."""
    lost: int = 0
    """Stored revisions whose page is no article by today's rules. They stay."""
    unarchived: int = 0
    """Stored revisions whose page was not kept, or is no longer."""
    written: int = 0
    problems: list[str] = field(default_factory=list)

    def count(self, verdict: Verdict) -> None:
        """Count a page."""
        self.tally.begin(verdict.outlet)
        self.tally.end(verdict.outlet, verdict.outcome)
        self.lost += verdict.before is not None and verdict.outcome.startswith("rejected:")
        if verdict.before is not None and verdict.after is not None:
            names = changed_fields(verdict.before, verdict.after)
            self.fields.update(names)
            self.by_outlet.setdefault(verdict.outlet, Counter()).update(names)

    def summary(self, *, seconds: float) -> dict[str, Any]:
        """Return the counts; `seen` is the sum of `outcomes`."""
        return {
            "seen": self.tally.ended.total(),
            "outcomes": self.tally.outcomes(),
            "outlets": self.tally.by_outlet(),
            "fields": dict(self.fields.most_common()),
            "fields_by_outlet": {slug: dict(names.most_common()) for slug, names in sorted(self.by_outlet.items())},
            "lost": self.lost,
            "unarchived": self.unarchived,
            "written": self.written,
            "problems": self.problems,
            "seconds": round(seconds, 3),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What a rereading works with."""

    store: Store
    outlets: Mapping[str, Outlet]
    outlet_of: Callable[[str], Outlet]
    only: str | None = None
    """The slug of the one outlet that is read again."""
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
    for record in desk.store.records(outlet=desk.only, revisions=True):
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
            outcome = "unchanged" if desk.store.known(_keys(snapshot)) else None
            yield Job(snapshot=snapshot, outlet=outlet, archive=snapshot.pointer, outcome=outcome)


def foreign_jobs(desk: Desk, paths: Iterable[Path], report: Report) -> Iterator[Job]:
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
    latest = max(desk.store.known(_keys(snapshot)).values(), key=lambda record: record.fetched_at, default=None)
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


def _keys(snapshot: Snapshot) -> set[str]:
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
            yield _verdict(*under_way.popleft())
    while under_way:
        yield _verdict(*under_way.popleft())


def _verdict(job: Job, future: Future[Article | Rejected] | None) -> Verdict:
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
    if before is None:
        return Verdict(outlet=slug, outcome="new", finding=_finding(job, reading))
    after = corrected(before, reading, outlet=job.outlet, version=__version__)
    if after is before:
        return Verdict(outlet=slug, outcome="unchanged", before=before)
    return Verdict(outlet=slug, outcome="corrected", before=before, after=after)


def _finding(job: Job, reading: Article) -> Finding:
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
        rights=rights_on_page(reading, page.headers),
        at=page.fetched_at,
        archive=job.archive,
    )


class Changes:
    """Takes verdicts and writes what they change, in batches; or keeps it aside until somebody agrees."""

    def __init__(self, store: Store, report: Report, *, write: bool) -> None:
        self._store = store
        self._report = report
        # Without leave to write, a store in memory stands before the real one, as in a dry run of a crawl.
        self._rehearsal = None if write else MemoryStore(behind=store)
        self._batch: list[Verdict] = []
        self._aside: Any = None if write else tempfile.TemporaryFile()  # noqa: SIM115 - closed with the rest

    def add(self, verdict: Verdict) -> None:
        """Take a verdict; it is counted once its batch is settled."""
        self._batch.append(verdict)
        if len(self._batch) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Settle what waits."""
        batch, self._batch = self._batch, []
        findings = [verdict.finding for verdict in batch if verdict.finding is not None]
        outcomes = iter(one.outcome for one in settle(self._rehearsal or self._store, findings))
        if self._rehearsal is None:
            self._correct([verdict.after for verdict in batch if verdict.after is not None])
        for verdict in batch:
            outcome = next(outcomes) if verdict.finding is not None else verdict.outcome
            self._report.count(replace(verdict, outcome=outcome))
            if outcome not in WRITTEN:
                continue
            if self._rehearsal is None:
                self._report.written += 1
            else:
                pickle.dump(verdict.after or verdict.finding, self._aside)

    def _correct(self, records: list[Record]) -> None:
        with self._store.transaction():
            for record in records:
                # The cluster is the neighbours' affair: it may have changed since.
                self._store.correct(replace(record, cluster=None), at=datetime.now(UTC))

    def write_aside(self) -> None:
        """Write what was kept aside."""
        self.flush()
        self._aside.seek(0)
        while chunk := self._next_aside():
            self._correct([one for one in chunk if isinstance(one, Record)])
            settle(self._store, [one for one in chunk if isinstance(one, Finding)])
            self._report.written += len(chunk)

    def _next_aside(self) -> list[Record | Finding]:
        chunk: list[Record | Finding] = []
        try:
            while len(chunk) < BATCH:
                chunk.append(pickle.load(self._aside))  # noqa: S301 - our own file, which has no name
        except EOFError:
            pass
        return chunk

    def close(self) -> None:
        """Let go of the store."""
        self._store.close()
        if self._aside is not None:
            self._aside.close()
