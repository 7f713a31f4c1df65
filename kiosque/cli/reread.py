"""`kiosque reread`: the archived pages, or any WARC files, read again with today's rules."""

from __future__ import annotations

import json
import signal
import sys
import time
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kiosque.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.table import Table

    from kiosque.cli.reread_cluster import Wanted
    from kiosque.model import Record
    from kiosque.settings import Settings
    from pipelines.verdicts import Changes, Report, Verdict
    from storage.archive import WarcArchive
    from storage.distant import DistantFile

FAILED = 1
# Corrections that are shown: of one outlet, of all, and changes of one text.
SAMPLES_OF_ONE, SAMPLES, CHANGES = 2, 12, 4
# Outlets in a table: an archive of the whole world's news has thousands.
ROWS = 40
# Fields whose change is shown by the words that differ.
PROSE = {"title", "lead", "text"}


class Engine(StrEnum):
    """Where pages are read."""

    local = "local"
    dask = "dask"


def reread(
    context: typer.Context,
    warcs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[WARC]...", help="WARC files, folders or URLs [default: the archive]"),
    ] = None,
    *,
    outlet: Annotated[str | None, typer.Option(metavar="SLUG", help="Only this outlet's pages")] = None,
    engine: Annotated[
        Engine, typer.Option(help="Where pages are read: on this machine's cores, or on a Dask cluster")
    ] = Engine.local,
    write: Annotated[bool, typer.Option("--write", "--yes", help="Write what changes without asking")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON summary on standard output")] = False,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="dask: tcp://HOST:PORT [default: a cluster of these cores]")
    ] = None,
    to: Annotated[
        str | None, typer.Option(metavar="DIR", help="dask: write Parquet parts there, and nothing to the store")
    ] = None,
    include_reserved: Annotated[
        bool, typer.Option(help="with --to: also records whose publisher reserves text and data mining")
    ] = False,
    again: Annotated[bool, typer.Option(help="dask: also files that an earlier run did with these rules")] = False,
) -> None:
    """Read archived pages again with today's rules, and show what would change.

    Stored revisions are corrected, not revised. Pages of WARC files that others made become new
    records. Nothing is written before you agree, on the terminal or by --write.

    Example: kiosque reread --outlet lemonde
    """
    settings: Settings = context.obj.settings()
    if engine is Engine.dask:
        from kiosque.cli.reread_cluster import Wanted

        wanted = Wanted(
            slug=outlet, scheduler=scheduler, to=to, include_reserved=include_reserved, write=write, again=again
        )
        end(together(settings, warcs or [], wanted, as_json=as_json))
        return
    if scheduler or to or include_reserved or again:
        raise UsageError("--scheduler, --to, --include-reserved and --again need --engine dask")
    samples: list[Verdict] = []
    stop = Event()
    with opened(settings, outlet, warcs or [], write=write, stop=stop) as (found, changes, report):
        start = time.monotonic()
        with stopping(stop):
            work_through(found, changes, samples)
        if stop.is_set():
            raise KeyboardInterrupt
        summary = report.summary(seconds=time.monotonic() - start)
        if not as_json:
            show(summary, samples, write=write)
        if not write and not as_json:
            agree(changes, report, summary)
        elif as_json:
            print(json.dumps(summary, ensure_ascii=False))
    end(summary)


def end(summary: dict[str, Any]) -> None:
    """Say what a person should look at, and leave with the status that tells it."""
    for problem in summary["problems"]:
        print(f"kiosque: {problem}", file=sys.stderr)
    if summary["problems"] or "failed:error" in summary["outcomes"]:
        raise typer.Exit(FAILED)


def together(settings: Settings, warcs: list[str], wanted: Wanted, *, as_json: bool) -> dict[str, Any]:
    """Read on a cluster, and show what came of it; return the summary."""
    from kiosque.cli.reread_cluster import reread_together

    stop = Event()
    with stopping(stop):
        summary, samples = reread_together(settings, warcs, wanted, stop=stop)
    if as_json:
        print(json.dumps(summary, ensure_ascii=False))
        return summary
    show(summary, samples, write=wanted.write and wanted.to is None)
    counts = summary["files"]
    print(f"{counts['read']} files read, {counts['broken']} broken, {counts['skipped']} done before")
    if wanted.to is not None:
        print(f"{summary['rows']} records in {wanted.to}")
    elif not wanted.write and any(name in summary["outcomes"] for name in ("corrected", "new", "revised")):
        print("Nothing was written; --write does it.")
    return summary


@contextmanager
def opened(
    settings: Settings, slug: str | None, warcs: list[str], *, write: bool, stop: Event
) -> Iterator[tuple[Iterator[Verdict], Changes, Report]]:
    """Open store, archive and pool; give the verdicts, their taker and the counts."""
    from itertools import chain

    from kiosque.outlets import finder, load_outlets
    from kiosque.outlets.choose import named
    from pipelines.archivist import home_archive
    from pipelines.own_pages import archive_jobs, counted
    from pipelines.pool import ReaderPool
    from pipelines.reread import Desk, foreign_jobs, verdicts
    from pipelines.verdicts import Changes, Report
    from storage import open_storage
    from storage.pointers import revision_count

    outlets, archive, report = load_outlets(settings.outlets_dir), home_archive(settings), Report()
    only = named(outlets, slug).slug if slug else None
    own, foreign = sorted_out(warcs, archive)
    store = open_storage(settings.database)
    workers = settings.worker_count
    pool = ReaderPool(workers=workers, page_time=settings.page_time, page_memory=settings.page_memory)
    changes = Changes(store, report, write=write)
    desk = Desk(
        store=store,
        outlets=outlets,
        outlet_of=finder(outlets),
        only=only,
        reserved=settings.rights_reserved,
        stopped=stop.is_set,
    )
    ours = archive_jobs(desk, archive, report, files=own if warcs else None)
    try:
        found = verdicts(chain(ours, foreign_jobs(desk, foreign, report)), desk, pool, workers=workers)
        if archive.away is not None and not warcs:
            found = counted(found, report, revisions=revision_count(store, outlet=only))
        yield (found, changes, report)
        pool.close()
    except BaseException as error:
        # After an orderly stop nothing runs any more, and workers that are just starting may finish that.
        pool.close(now=not (stop.is_set() and isinstance(error, KeyboardInterrupt)))
        raise
    finally:
        changes.close()


@contextmanager
def stopping(stop: Event) -> Iterator[None]:
    """Let the first Ctrl-C (or SIGTERM) set `stop`: the pages under way are finished. The second one interrupts."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}

    def note(*_: object) -> None:
        stop.set()
        for number in numbers:
            signal.signal(number, signal.default_int_handler)

    for number in numbers:
        signal.signal(number, note)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def sorted_out(warcs: list[str], archive: WarcArchive) -> tuple[list[Path | DistantFile], list[Path | DistantFile]]:
    """Return the files of the archive itself, and those of others. Raises `UsageError` for what is not there."""
    from storage.distant import DistantFile, is_distant, warc_files

    ours: list[Path | DistantFile] = []
    others: list[Path | DistantFile] = []
    for place in warc_files(warcs):
        file = DistantFile(place) if is_distant(place) else Path(place)
        (ours if archive.owns(file) else others).append(file)
    return ours, others


def work_through(found: Iterator[Verdict], changes: Changes, samples: list[Verdict]) -> None:
    """Take every verdict, and keep some corrections to show. After a stop, what is under way is the last."""
    shown: dict[str, int] = {}
    with progress() as advance:
        for verdict in found:
            changes.add(verdict)
            advance(verdict.outcome)
            of_this_outlet = shown.get(verdict.outlet, 0)
            if verdict.after is not None and len(samples) < SAMPLES and of_this_outlet < SAMPLES_OF_ONE:
                shown[verdict.outlet] = of_this_outlet + 1
                samples.append(verdict)
        changes.flush()


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Draw how many pages were read on standard error, where that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task, counts = bar.add_task("reading"), {"read": 0, "corrected": 0}

        def advance(outcome: str) -> None:
            counts["read"] += 1
            counts["corrected"] += outcome == "corrected"
            bar.update(task, description=f"{counts['read']} pages read, {counts['corrected']} change")

        yield advance


def agree(changes: Changes, report: Report, summary: dict[str, Any]) -> None:
    """Ask whether what would change is written, where somebody can answer."""
    n = sum(summary["outcomes"].get(outcome, 0) for outcome in ("corrected", "new", "revised"))
    if not n:
        return
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        print("Nothing was written; --write does it.")
    elif typer.confirm(f"Write these {n} records?"):
        changes.write_aside()
        print(f"{report.written} written.")


def show(summary: dict[str, Any], samples: list[Verdict], *, write: bool) -> None:
    """Print the outcomes and the fields that change, then some of the changes."""
    from rich.console import Console

    console = Console()
    if summary["seen"]:
        console.print(table("Outcomes", summary["outlets"], summary["outcomes"]))
    if summary["fields"]:
        title = "Corrected fields" if write else "Fields that would be corrected"
        console.print(table(title, summary["fields_by_outlet"], summary["fields"]))
    for verdict in samples:
        if verdict.before is not None and verdict.after is not None:
            for line in sample(verdict.before, verdict.after):
                console.print(line, markup=False, highlight=False, soft_wrap=True)
    for n, sentence in (
        (summary["lost"], "stored revisions are no article by today's rules; they stay"),
        (
            summary["unarchived"],
            "stored revisions have no page in the archive: it was kept its time, erased, or never kept",
        ),
    ):
        if n:
            console.print(f"{n} {sentence}")
    written = f", {summary['written']} written" if write else ""
    console.print(f"{summary['seen']} pages in {summary['seconds']:.1f} s{written}")


def table(title: str, outlets: dict[str, dict[str, int]], all_of_them: dict[str, int]) -> Table:
    """Return a table of counts: an outlet a row, the largest first, and the sum of all."""
    from rich.table import Table

    found = Table(title=title, title_justify="left")
    found.add_column("outlet")
    for name in all_of_them:
        found.add_column(name, justify="right")
    rows = sorted(outlets.items(), key=lambda row: -sum(row[1].values()))
    for slug, counts in [*rows[:ROWS], *([("all", all_of_them)] if len(rows) > 1 else [])]:
        found.add_row(slug, *(str(counts.get(name) or "") for name in all_of_them))
    if len(rows) > ROWS:
        found.caption = f"and {len(rows) - ROWS} more outlets; --json names them all"
    return found


def sample(before: Record, after: Record) -> Iterator[str]:
    """Yield the lines that show one correction."""
    from itertools import islice

    from pipelines.correction import changed_fields, word_diff

    yield f"\n{before.outlet} · {before.url}"
    for name in changed_fields(before, after):
        old, new = getattr(before, name), getattr(after, name)
        if name in PROSE:
            yield from (f"  {name}: {line}" for line in islice(word_diff(old or "", new or ""), CHANGES))
        else:
            yield f"  {name}: {old!r} -> {new!r}"[:500]
