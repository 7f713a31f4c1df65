"""One WARC file read again as a whole, on whatever machine is asked to: the unit of a bulk rereading."""

from __future__ import annotations

import logging
import multiprocessing
import resource
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import msgspec

from kiosque.errors import KiosqueError
from kiosque.model import Outlet
from kiosque.outlets import finder
from kiosque.settings import ReservedPolicy  # noqa: TC001 - an order's types are read when it is decoded
from pipelines.own_pages import own_file_jobs
from pipelines.parts import Bystander, Rows
from pipelines.pool import ReaderPool
from pipelines.reread import Desk, foreign_jobs, verdicts
from pipelines.verdicts import Changes, Report
from storage import open_storage, without_password
from storage.archive import WarcArchive
from storage.distant import DistantFile, is_distant
from storage.distant_archive import DistantArchive
from storage.memory import MemoryStore
from storage.notes import write_notes
from storage.parts import Results

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from kiosque.model import Record
    from pipelines.reread import Job
    from pipelines.verdicts import Verdict
    from storage import Store

log = logging.getLogger("kiosque.reread")

# Corrections of one file that are sent back to be shown.
SAMPLES = 2
# Seconds between two signs of life.
TOLD_EVERY = 1.0
# Runs that somebody stopped: their files end with the page under way. One a run: it never grows much.
STOPPED: set[str] = set()


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be done with one WARC file. It travels as a plain dictionary."""

    run: str
    """Names the run."""
    place: str
    """The file's path or URL."""
    mark: str
    """The note or the part's name under which it is known as done."""
    request: str = ""
    """A digest of rules, version and options: what is done for one request is to be done again for another."""
    archive: str | None = None
    """The folder of our own archive, when the file is one of it."""
    away: str | None = None
    """The URL of object storage that finished files of it are moved to."""
    database: str | None = None
    """None reads without a store."""
    to: str | None = None
    """Where parts go; None writes to the store."""
    write: bool = False
    """Without it, what would be written to the store is only counted."""
    only: str | None = None
    reserved: ReservedPolicy = "store"
    include_reserved: bool = False
    page_time: float = 10.0
    page_memory: int = 2000

    @property
    def done_as(self) -> str:
        """The name of the mark among a folder's parts."""
        return f"{self.mark}.{self.request}"


def note_name(place: str) -> str:
    """Return the name of the note that says of a WARC file that it is done: 31 characters.

    >>> note_name("/archive/a.warc.gz")
    'reread:ab8b2eb8b7ad2e0a4a8a7e6d'
    """
    return f"reread:{blake2b(place.encode('utf-8', 'surrogateescape'), digest_size=12).hexdigest()}"


def read_file(given: Mapping[str, Any], rules: str, *, said: Callable[[int], None] = lambda _: None) -> dict[str, Any]:
    """Read the pages of a WARC file again; return a summary as `Report` gives it, and what follows.

    `rules` is the outlets as JSON. `fault` is set when the run cannot go on, whatever the file; what is wrong with the
    file alone stands in `problems`. `samples` are pairs of records, before and after; `compared` counts the stored
    revisions whose pages were read. `said` hears of the pages read.
    """
    order, report, start = msgspec.convert(given, Order), Report(), time.monotonic()
    found: dict[str, Any] = {"rows": 0, "samples": [], "done": False, "fault": None}
    try:
        found |= _read(order, outlets_of(rules), report, said)
    except KiosqueError as error:
        found["fault"] = str(error)
    except Exception as error:
        # A bug of ours, or a library's: the other files are read all the same.
        log.exception("reading %s again failed", without_password(order.place))
        report.problems.append(f"{without_password(order.place)}: {type(error).__name__}: {error}"[:500])
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    return report.summary(seconds=time.monotonic() - start) | found | {"memory_mb": round(memory)}


NO_CHILDREN = (
    "a worker of this cluster may start no processes, which hostile pages are read in; start it with"
    " DASK_DISTRIBUTED__WORKER__DAEMON=False"
)


@lru_cache(maxsize=2)
def outlets_of(rules: str) -> dict[str, Outlet]:
    """Read what `rules_of` wrote."""
    return {outlet.slug: outlet for outlet in msgspec.json.decode(rules, type=list[Outlet])}


def rules_of(outlets: Mapping[str, Outlet]) -> str:
    """Write outlets as JSON."""
    return msgspec.json.encode(list(outlets.values())).decode()


def _read(order: Order, outlets: Mapping[str, Outlet], report: Report, said: Callable[[int], None]) -> dict[str, Any]:
    if multiprocessing.current_process().daemon:
        raise KiosqueError(NO_CHILDREN)
    if order.run in STOPPED:
        return {}
    with closing(open_storage(order.database) if order.database else MemoryStore()) as store, _pool(order) as pool:
        desk = Desk(
            store=store if order.to is None or order.archive else cast("Store", Bystander(store)),
            outlets=outlets,
            outlet_of=finder(outlets),
            only=order.only,
            reserved=order.reserved,
            stopped=lambda: order.run in STOPPED,
        )
        found = verdicts(_jobs(order, desk, report), desk, pool, workers=1)
        return (
            _into_part(order, found, desk, report, said) if order.to else _into_store(order, found, desk, report, said)
        )


@contextmanager
def _pool(order: Order) -> Iterator[ReaderPool]:
    """Open a pool of one process: a page that hangs or eats memory takes neither the file nor the worker with it."""
    pool = ReaderPool(workers=1, page_time=order.page_time, page_memory=order.page_memory)
    try:
        yield pool
    except BaseException:
        pool.close(now=True)
        raise
    pool.close()


def _jobs(order: Order, desk: Desk, report: Report) -> Iterator[Job]:
    place = DistantFile(order.place) if is_distant(order.place) else Path(order.place)
    if order.archive is not None:
        away = DistantArchive(order.away) if order.away is not None else None
        return own_file_jobs(desk, WarcArchive(Path(order.archive), away=away), place, report)
    jobs = foreign_jobs(desk, [place], report)
    # In a store a pointer is one into our own archive; a row in a file says where its page stands.
    return jobs if order.to is None else (replace(job, archive=job.snapshot.pointer) for job in jobs)


def _into_store(
    order: Order, found: Iterator[Verdict], desk: Desk, report: Report, said: Callable[[int], None]
) -> dict[str, Any]:
    changes = Changes(desk.store, report, write=order.write)
    with closing(changes):
        facts = _work_through(found, changes, said)
        done = order.write and not desk.stopped() and not report.problems
        if done:
            write_notes(desk.store, {order.mark: order.request})
    return facts | {"done": done}


def _into_part(
    order: Order, found: Iterator[Verdict], desk: Desk, report: Report, said: Callable[[int], None]
) -> dict[str, Any]:
    with Rows(desk.store, report, include_reserved=order.include_reserved) as rows:
        facts = _work_through(found, rows, said)
        if desk.stopped():
            return facts
        rows.part.finish()
        n, done, results = rows.part.rows, not report.problems, Results(order.to or ".")
        results.finish(order.mark, rows.part.path if n else None)
        if done:
            results.mark(order.done_as, {"place": order.place, "rows": n})
        return facts | {"done": done, "rows": n}


def _work_through(found: Iterator[Verdict], taker: Changes | Rows, said: Callable[[int], None]) -> dict[str, Any]:
    """Take every verdict, keep some corrections to show, and say now and then how many there were."""
    samples: list[tuple[Record, Record]] = []
    n, compared, told = 0, 0, time.monotonic()
    for n, verdict in enumerate(found, 1):
        taker.add(verdict)
        compared += verdict.before is not None
        if verdict.before is not None and verdict.after is not None and len(samples) < SAMPLES:
            samples.append((verdict.before, verdict.after))
        if time.monotonic() - told > TOLD_EVERY:
            said(n)
            told = time.monotonic()
    taker.flush()
    said(n)
    return {"samples": msgspec.to_builtins(samples), "compared": compared}
