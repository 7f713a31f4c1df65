"""Crawl pages end to end, cold, everything on, beside the usual ways: pages per second, CPU and memory.

    python bench/crawl.py [--pages 600] [--folder PAGES_DIR] [--runs 3] [--only NAME]

PAGES_DIR holds `ID.html.gz`; without it pages are generated, which says less. The server is a process of its own and
is not counted. CPU and memory are those of the whole process tree, start-up included. Peers that are not installed
(extra `bench`) are left out; they read in two processes. trafilatura's command line asks no loopback address.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gzip
import importlib.util
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import Process, Queue
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BENCH = Path(__file__).resolve().parent
BASE = "http://127.0.0.1:{port}"
GENERATED = (
    '<html lang="fr"><head><title>Le titre {n}</title><meta property="article:published_time" '
    'content="2024-10-25T07:12:00+02:00"></head><body><h1>Le titre {n}</h1>{body}</body></html>'
)
PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


def pages(folder: Path | None, number: int) -> list[bytes]:
    if folder is None:
        return [GENERATED.format(n=n, body=made_up(n)).encode() for n in range(number)]
    kept = [gzip.decompress(path.read_bytes()) for path in sorted(folder.glob("*.html.gz"))]
    return [kept[n % len(kept)] for n in range(number)]


def made_up(number: int) -> str:
    """Return the paragraphs of an article that is like no other."""
    dice = random.Random(number)
    sentence = (
        "<p>La commune de {} a voté le budget {}, après un long débat sur {} et le pont de {}, pour {} euros.</p>"
    )
    return "".join(sentence.format(*(f"mot{dice.randrange(30_000)}" for _ in range(5))) for _ in range(30))


def serve(folder: Path | None, number: int, port: Queue[int]) -> None:
    bodies = pages(folder, number)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            name = self.path.strip("/")
            body = bodies[int(name)] if name.isdigit() else rss if name == "rss" else b""
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "application/rss+xml" if name == "rss" else "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 128  # with five, the sixth of sixteen connections waits a second to be tried again

    server = Server(("127.0.0.1", 0), Handler)
    base = BASE.format(port=server.server_address[1])
    items = "".join(f"<item><title>{n}</title><link>{base}/{n}</link></item>" for n in range(number))
    rss = f'<rss version="2.0"><channel><title>b</title>{items}</channel></rss>'.encode()
    port.put(server.server_address[1])
    server.serve_forever()


@contextlib.contextmanager
def served(folder: Path | None, number: int) -> Iterator[str]:
    port: Queue[int] = Queue()
    process = Process(target=serve, args=(folder, number, port), daemon=True)
    process.start()
    yield BASE.format(port=port.get())
    process.kill()


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one run took."""

    wall: float
    cpu: float
    peak: float
    """Megabytes of all its processes, shared pages counted once."""


def measured(command: list[str], environment: dict[str, str]) -> Run:
    """Run a command to the end; raises where it fails."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    process = subprocess.Popen(command, env=os.environ | environment, stdout=subprocess.DEVNULL)
    peaks = [0.0]
    over = threading.Event()
    watch = threading.Thread(target=watch_memory, args=(process.pid, peaks, over))
    watch.start()
    code = process.wait()
    wall = time.perf_counter() - start
    over.set()
    watch.join()
    reap()
    if code:
        raise SystemExit(f"{' '.join(command)} failed with exit status {code}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Run(wall=wall, cpu=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, peak=max(peaks))


def reap() -> None:
    """Wait for grandchildren that were left behind: a pool's workers count only when somebody waited for them."""
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, _ = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                if len(children_of(os.getpid())) <= 1:  # the server
                    return
                time.sleep(0.05)


def watch_memory(root: int, peaks: list[float], over: threading.Event) -> None:
    while not over.wait(0.5):
        peaks.append(tree_memory(root))


def tree_memory(root: int) -> float:
    """Return the megabytes of a process and all its children, shared pages counted once."""
    tree, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        tree.append(pid)
        waiting += children_of(pid)
    return sum(proportional_size(pid) for pid in tree) / 1000


def children_of(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += map(int, task.read_text().split())
    return found


def proportional_size(pid: int) -> int:
    """Return a process's share of memory in kilobytes (PSS)."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


Command = tuple[list[str], dict[str, str]]


def kiosque(base: str, home: Path, number: int) -> Command:
    del number
    command = [sys.executable, str(BENCH / "crawl_lag.py"), str(home / "lag.json")]
    command += ["--home", str(home / "kiosque"), "crawl", "--feed", f"{base}/rss", "--json"]
    # All pages stand on one host here; the other crawlers ask it sixteen at once, too.
    at_once = {"KIOSQUE_CRAWL_CONCURRENCY_PER_HOST": "16"}
    return command, {"KIOSQUE_ALLOW_PRIVATE_HOSTS": base.removeprefix("http://")} | at_once


def plain_scrapy(base: str, home: Path, number: int) -> Command:
    del number
    return [sys.executable, str(BENCH / "plain_scrapy.py"), f"{base}/rss", str(home / "plain.jsonl")], {}


def by_loop(reader: str) -> Callable[[str, Path, int], Command]:
    def command(base: str, home: Path, number: int) -> Command:
        return [sys.executable, str(BENCH / "crawl_loop.py"), reader, base, str(number), str(home / "out.jsonl")], {}

    return command


# Name, the module that must be installed, and what is run.
RUNNERS: tuple[tuple[str, str, Callable[[str, Path, int], Command]], ...] = (
    ("kiosque, everything on", "kiosque", kiosque),
    ("Scrapy + trafilatura inline", "scrapy", plain_scrapy),
    ("loop + trafilatura fast", "trafilatura", by_loop("trafilatura")),
    ("newspaper4k", "newspaper", by_loop("newspaper")),
    ("news-please", "newsplease", by_loop("newsplease")),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=600)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", action="append", metavar="NAME", help="how a row's name begins; may be repeated")
    asked = parser.parse_args()
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    chosen = [row for row in RUNNERS if not asked.only or row[0].startswith(tuple(asked.only))]
    with served(asked.folder, asked.pages) as base:
        rates = {name: several(name, make, base, asked) for name, module, make in chosen if installed(name, module)}
    first, *others = rates.items()
    for name, rate in others:
        print(f"{first[0]} / {name}: {first[1] / rate:.2f}")


def installed(name: str, module: str) -> bool:
    if importlib.util.find_spec(module) is None:
        print(f"{name:28} not installed")
        return False
    return True


def several(name: str, make: Callable[[str, Path, int], Command], base: str, asked: argparse.Namespace) -> float:
    """Return the median of pages per second."""
    runs: list[Run] = []
    lag = ""
    for _ in range(asked.runs):
        with tempfile.TemporaryDirectory() as home:
            runs.append(measured(*make(base, Path(home), asked.pages)))
            said = Path(home) / "lag.json"
            lag = f"  loop lag p99 {json.loads(said.read_text())['p99_ms']:.0f} ms" if said.exists() else ""
    wall, cpu, peak = (statistics.median(getattr(run, part) for run in runs) for part in ("wall", "cpu", "peak"))
    rate = asked.pages / wall
    busy = 100 * cpu / wall / (os.cpu_count() or 1)
    print(
        f"{name:28} {rate:7.1f} pages/s {1000 * cpu / asked.pages:7.1f} ms CPU a page {busy:4.0f} % of all cores "
        f"{peak:6.0f} MB{lag}",
        flush=True,
    )
    return rate


if __name__ == "__main__":
    main()
