"""`kiosque reread --engine dask`: WARC files read again on a Dask cluster, each by one worker."""

from __future__ import annotations

import json
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import blake2b
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import uuid4

from kiosque.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from threading import Event

    from kiosque.model import Outlet
    from kiosque.settings import Settings
    from pipelines.bulk import Order
    from pipelines.bulk_summary import Together
    from pipelines.verdicts import Verdict
    from storage.distant import DistantFile

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
SAMPLES = 12
# Seconds between two lines of a log.
SAID_EVERY = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a bulk rereading is asked for."""

    slug: str | None = None
    scheduler: str | None = None
    to: str | None = None
    include_reserved: bool = False
    write: bool = False
    again: bool = False


def reread_together(
    settings: Settings, warcs: Sequence[str], wanted: Wanted, *, stop: Event
) -> tuple[dict[str, Any], list[Verdict]]:
    """Read WARC files, or the whole archive, on a cluster; return the summary and some corrections to show.

    Raises `KeyboardInterrupt` when it was stopped: what is done is kept, and known as done.
    """
    from kiosque.outlets import load_outlets

    try:
        from pipelines.bulk import rules_of
        from pipelines.bulk_summary import Together
        from pipelines.cluster import connected, read_files
    except ImportError as error:
        raise UsageError(f"--engine dask needs Dask: pip install 'kiosque[dask]' ({error})") from error

    start, outlets, together = time.monotonic(), load_outlets(settings.outlets_dir), Together()
    rules = rules_of(outlets)
    samples: list[Verdict] = []
    orders = orders_of(settings, warcs, wanted, outlets=outlets, rules=rules)
    left = orders if wanted.again else left_of(orders)
    together.files["skipped"] = len(orders) - len(left)
    slug = orders[0].only if orders else None
    # Before anything is written: new records are no revisions whose page is missing.
    stored = stored_revisions(settings, left, slug=slug, whole=not warcs)
    compared = 0
    if left:
        own = {order.place for order in left if order.archive is not None}
        with (
            connected(wanted.scheduler, workers=settings.worker_count) as client,
            progress(together, len(left)) as said,
        ):
            for place, found in read_files(client, left, rules, stop=stop, said=said):
                together.add(found)
                said(place, 0)
                samples += sampled(found)[: SAMPLES - len(samples)]
                compared += found.get("compared", 0) if place in own else 0
    if stop.is_set():
        raise KeyboardInterrupt
    if not together.files["skipped"]:
        together.numbers["unarchived"] = max(0, stored - compared)
    return together.summary(seconds=time.monotonic() - start), samples


def orders_of(
    settings: Settings, warcs: Sequence[str], wanted: Wanted, *, outlets: dict[str, Outlet], rules: str
) -> list[Order]:
    """Return an order for each file. Raises `UsageError` for what cannot work."""
    from kiosque.outlets.choose import named
    from pipelines.archivist import home_archive
    from pipelines.bulk import Order, note_name
    from storage.distant import DistantFile, is_distant, warc_files
    from storage.naming import name_of
    from storage.parts import Results, part_name

    archive = home_archive(settings)
    only = named(outlets, wanted.slug).slug if wanted.slug else None
    request = {
        "version": 1,
        "rules": digest(rules, common_rules()),
        "outlet": only,
        "reserved": settings.rights_reserved,
        "include_reserved": wanted.include_reserved,
    }
    if wanted.to is not None:
        Results(wanted.to).claim(request)
    first = Order(
        run=uuid4().hex,
        place="",
        mark="",
        database=database_of(settings, wanted),
        to=absolute(wanted.to) if wanted.to is not None else None,
        write=wanted.write,
        only=only,
        reserved=settings.rights_reserved,
        include_reserved=wanted.include_reserved,
        page_time=settings.page_time,
        page_memory=settings.page_memory,
    )
    folder = archive.folder.resolve()
    orders = []
    given = [DistantFile(place) if is_distant(place) else Path(place) for place in warc_files(warcs)]
    for file in given if warcs else archive.every_file():
        place = absolute(str(file)) if isinstance(file, Path) else file.url
        ours = archive.owns(file)
        # A file of ours is known by one name, here and after its move.
        known = str(folder / name_of(file)) if ours and archive.away is not None else place
        order = replace(
            first,
            place=place,
            mark=note_name(known) if wanted.to is None else part_name(known),
            request=digest(json.dumps(request, sort_keys=True), str(size_of(file))),
            archive=str(folder) if ours else None,
            away=archive.away.url if ours and archive.away is not None else None,
        )
        orders.append(order)
    return orders


def size_of(file: Path | DistantFile) -> int:
    """Return what tells that a file has grown: those of others behind a URL are taken to stay as they are."""
    return file.stat().st_size if isinstance(file, Path) else file.size


def absolute(place: str) -> str:
    """Return a path that is the same for every process of this machine."""
    return place if "://" in place else str(Path(place).absolute())


def digest(*texts: str) -> str:
    """Return a short hash of texts."""
    return blake2b("\0".join(texts).encode(), digest_size=12).hexdigest()


def common_rules() -> str:
    """Return the rules that hold on every outlet, as they stand in their file."""
    from kiosque import __version__

    return __version__ + files("outlets").joinpath("_common.toml").read_text(encoding="utf-8")


def database_of(settings: Settings, wanted: Wanted) -> str | None:
    """Return the store for the workers, None where there is none to ask. Raises `UsageError` where they see another."""
    from sqlalchemy.engine import make_url

    url = make_url(settings.database)
    if not url.get_backend_name().startswith("sqlite"):
        return settings.database
    path = Path(url.database or "").absolute()
    if wanted.to is not None and not path.exists():
        return None
    host = urlsplit(wanted.scheduler or "tcp://127.0.0.1").hostname
    if host not in LOOPBACK:
        raise UsageError(f"workers on other machines do not see {path}; give --db postgresql://...")
    return url.set(database=str(path)).render_as_string(hide_password=False)


def left_of(orders: list[Order]) -> list[Order]:
    """Return the orders that no earlier run did, for the same request."""
    from contextlib import closing

    from storage import open_storage
    from storage.notes import read_note
    from storage.parts import Results

    if not orders or not (orders[0].to is not None or orders[0].write):
        return orders
    if orders[0].to is not None:
        done = Results(orders[0].to).done()
        return [order for order in orders if order.done_as not in done]
    with closing(open_storage(str(orders[0].database))) as store:
        return [order for order in orders if read_note(store, order.mark) != order.request]


def stored_revisions(settings: Settings, orders: list[Order], *, slug: str | None, whole: bool) -> int:
    """Return how many stored revisions there are, in all or with their pages in these files."""
    from contextlib import closing

    from storage import open_storage
    from storage.pointers import revision_count

    names = {"/".join(Path(order.place).parts[-2:]) for order in orders if order.archive is not None}
    if not (names or whole):
        return 0
    with closing(open_storage(settings.database)) as store:
        return revision_count(store, outlet=slug, files=None if whole else names)


def sampled(found: dict[str, Any]) -> list[Verdict]:
    """Return the corrections that a file's summary shows."""
    import msgspec

    from kiosque.model import Record
    from pipelines.verdicts import Verdict

    pairs = msgspec.convert(found.get("samples", []), list[tuple[Record, Record]])
    return [Verdict(outlet=before.outlet, outcome="corrected", before=before, after=after) for before, after in pairs]


@contextmanager
def progress(together: Together, total: int) -> Iterator[Callable[[str, int], None]]:
    """Draw files and pages on standard error where that is a terminal; else say every minute how far it came."""
    pages: dict[str, int] = {}

    def pages_read() -> int:
        return together.numbers["seen"] + sum(pages.values())

    def note(place: str, n: int) -> None:
        if n:
            pages[place] = n
        else:  # it is counted among those that ended
            pages.pop(place, None)

    if not sys.stderr.isatty():
        yield said_each_minute(together, total, note, pages_read)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        line = bar.add_task("reading", total=total)

        def draw(place: str, n: int) -> None:
            note(place, n)
            ended = together.files["read"] + together.files["broken"]
            bar.update(line, completed=ended, description=f"{pages_read()} pages, files")

        yield draw


def said_each_minute(
    together: Together, total: int, note: Callable[[str, int], None], pages_read: Callable[[], int]
) -> Callable[[str, int], None]:
    """Return what takes signs of life and writes a line now and then: for logs, where no bar is drawn."""
    last = [time.monotonic()]

    def say(place: str, n: int) -> None:
        note(place, n)
        if time.monotonic() - last[0] >= SAID_EVERY:
            last[0] = time.monotonic()
            ended = together.files["read"] + together.files["broken"]
            print(f"kiosque: {ended} of {total} files, {pages_read()} pages", file=sys.stderr)

    return say
