"""Whether a page costs the same in a large store as in an empty one, and a long crawl's memory stays level.

    python bench/growth.py [--stored 0,1000,10000,100000] [--pages 600] [--folder PAGES_DIR] [--runs 2]
    python bench/growth.py --long 50000

The first fills stores with made-up articles of the outlet that is crawled, then crawls the same pages into each: CPU a
page of the whole process tree, start-up included. The second crawls so many generated pages at once, and prints the
memory of the process tree at each tenth of the way.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from pipelines.conclude import Finding

BENCH = Path(__file__).resolve().parent
sys.path = [place for place in sys.path if Path(place or ".").resolve() != BENCH]

from kiosque.model import Outlet  # noqa: E402
from pipelines.keeper import settle  # noqa: E402
from storage import open_storage  # noqa: E402

sys.path.append(str(BENCH))
from crawl import PR_SET_CHILD_SUBREAPER, kiosque, measured, served, tree_memory  # noqa: E402
from made_up import finding, lines  # noqa: E402

BATCH = 100
START = datetime(2026, 1, 1, tzinfo=UTC)


def stored_already(number: int, outlet: Outlet) -> Finding:
    """Return an article of some 3 KB."""
    text = "\n".join(lines(random.Random(number), 10))
    return finding(f"{outlet.site}/stored/{number}", outlet, at=START + timedelta(minutes=number), text=text)


def fill(database: Path, base: str, number: int) -> None:
    """Make a store with so many articles of the outlet that stands at `base`."""
    host = urlsplit(base).netloc
    outlet = Outlet(slug=host.replace(".", "-").replace(":", "-"), name=host, site=base, country="FR")
    store = open_storage(f"sqlite:///{database}")
    for first in range(0, number, BATCH):
        settle(store, [stored_already(n, outlet) for n in range(first, min(first + BATCH, number))])
    store.close()


def by_size(sizes: list[int], pages: int, folder: Path | None, runs: int) -> None:
    with served(folder, pages) as base, tempfile.TemporaryDirectory() as kept:
        usual = None
        for size in sizes:
            database = Path(kept) / f"{size}.sqlite"
            fill(database, base, size)
            found = []
            for _ in range(runs):
                with tempfile.TemporaryDirectory() as place:
                    home = Path(place) / "kiosque"
                    home.mkdir()
                    shutil.copy(database, home / "kiosque.sqlite")
                    found.append(measured(*kiosque(base, Path(place), pages)))
            database.unlink()
            cpu = 1000 * statistics.median(run.cpu for run in found) / pages
            usual = usual or cpu
            rate = pages / statistics.median(run.wall for run in found)
            print(
                f"{size:9,} stored  {rate:6.1f} pages/s  {cpu:6.1f} ms CPU a page  ratio {cpu / usual:.2f}", flush=True
            )


def along(pages: int) -> None:
    """Crawl so many generated pages, and look at the memory on the way."""
    with served(None, pages) as base, tempfile.TemporaryDirectory() as place:
        command, environment = kiosque(base, Path(place), pages)
        began = time.perf_counter()
        process = subprocess.Popen(command, env=os.environ | environment, stdout=subprocess.DEVNULL)
        database, seen = Path(place) / "kiosque" / "kiosque.sqlite", 0
        levels: list[float] = []
        while process.poll() is None:
            time.sleep(2)
            done = stored(database)
            level = tree_memory(process.pid)
            if level and done >= seen + pages // 10:
                seen = done - done % (pages // 10)
                levels.append(level)
                passed = time.perf_counter() - began
                print(f"{done:9,} pages  {levels[-1]:6.0f} MB  {done / passed:6.1f} pages/s so far", flush=True)
        if process.returncode:
            raise SystemExit(f"the crawl failed with exit status {process.returncode}")
        if levels:
            print(f"memory at the end / at the first tenth: {levels[-1] / levels[0]:.2f}")


def stored(database: Path) -> int:
    import sqlite3

    with (
        contextlib.suppress(sqlite3.Error),
        contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db,
    ):
        return int(db.execute("SELECT count(*) FROM articles").fetchone()[0])
    return 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stored", default="0,1000,10000,100000")
    parser.add_argument("--pages", type=int, default=600)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--long", type=int, metavar="PAGES")
    asked = parser.parse_args()
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    if asked.long:
        along(asked.long)
    else:
        by_size([int(size) for size in asked.stored.split(",")], asked.pages, asked.folder, asked.runs)


if __name__ == "__main__":
    main()
