"""Polls per second and CPU per poll over 1,000 feeds on loopback, beside lemon24/reader on the same feeds.

    python bench/polling.py [--feeds 1000] [--passes 5] [--latency MS] [--only kiosque|reader]

The first pass finds every feed new (200). In each later one a fifth of the feeds has one new entry (200), and the
others answer 304. Entries are stored, articles are not fetched: reader does not fetch them either.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # not this folder: its storage.py is not the package
ENTRIES = 20
SHARE = 5  # one feed of so many has news in a pass
ITEM = (
    "<item><title>Titre {n}-{k}</title><link>{base}/a/{n}/{k}</link><guid>{n}-{k}</guid>"
    "<pubDate>Fri, 25 Oct 2024 07:{k:02}:00 +0200</pubDate><description>{text}</description></item>"
)
TEXT = "Le conseil a voté le budget du chantier après deux heures de débat, en présence des riverains. " * 3


class Press:
    """Answers `/f/N` by the pass that it is in; `/next` begins the next pass."""

    def __init__(self, latency: float) -> None:
        self.latency = latency
        self.number = 0
        self.base = ""

    def version(self, feed: int) -> int:
        """Return in which pass a feed changed last."""
        return max((p for p in range(1, self.number + 1) if (feed + p) % SHARE == 0), default=0)

    def body(self, feed: int) -> bytes:
        """Return a feed as it stands."""
        newest = ENTRIES + self.version(feed)
        items = "".join(ITEM.format(n=feed, k=k, base=self.base, text=TEXT) for k in range(newest - ENTRIES, newest))
        head = '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>Essai</title>'
        return f"{head}{items}</channel></rss>".encode()

    def answer(self, path: str, tag: str) -> bytes:
        """Return a whole answer."""
        if path == "/next":
            self.number += 1
        if not path.startswith("/f/"):
            return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        feed = int(path[3:])
        etag = f'"{feed}-{self.version(feed)}"'
        if tag == etag:
            return f"HTTP/1.1 304 Not Modified\r\nETag: {etag}\r\n\r\n".encode()
        body = self.body(feed)
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\nETag: {etag}\r\n"
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection, kept alive."""
        try:
            while (head := await reader.readuntil(b"\r\n\r\n")) is not None:
                first, *lines = head.decode("latin-1").split("\r\n")
                tag = next((line[15:] for line in lines if line.lower().startswith("if-none-match: ")), "")
                await asyncio.sleep(self.latency)
                writer.write(self.answer(first.split(" ")[1], tag))
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            writer.close()


async def press(latency: float) -> None:
    site = Press(latency)
    server = await asyncio.start_server(site.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    site.base = f"http://127.0.0.1:{port}"
    print(site.base, flush=True)
    await server.serve_forever()


# -- the two pollers -----------------------------------------------------------------------------


class Meter:
    """Measures a pass: seconds, CPU of this process and its children, memory at its end."""

    def __init__(self, feeds: int) -> None:
        self.feeds = feeds
        self.rows: list[dict[str, float]] = []
        self.start()

    def start(self) -> None:
        """Begin a pass."""
        self._time, self._cpu = time.perf_counter(), cpu()

    def stop(self) -> None:
        """End a pass."""
        seconds = time.perf_counter() - self._time
        row = {"polls_per_second": self.feeds / seconds, "cpu_ms_per_poll": 1000 * (cpu() - self._cpu) / self.feeds}
        self.rows.append(row | {"memory_mb": memory_mb()})


def cpu() -> float:
    """Return the CPU seconds of this process and all of its descendants, running ones included."""
    clock = os.sysconf("SC_CLK_TCK")
    own = resource.getrusage(resource.RUSAGE_SELF)
    total = own.ru_utime + own.ru_stime
    mine = {str(os.getpid())}
    stats = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stats[entry.name] = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
    for _ in range(4):
        mine |= {pid for pid, fields in stats.items() if fields[1] in mine}
    return total + sum(
        (int(stats[p][11]) + int(stats[p][12])) / clock for p in mine if p in stats and p != str(os.getpid())
    )


def memory_mb() -> float:
    """Return the resident memory of this process now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def next_pass(base: str) -> None:
    with contextlib.suppress(urllib.error.HTTPError):  # 404, as it should be
        urllib.request.urlopen(f"{base}/next")  # noqa: S310 - our own server


def run_kiosque(base: str, feeds: int, passes: int, home: Path) -> list[dict[str, float]]:
    """Poll as the service does: states from the store into the spider's inbox."""
    from kiosque.settings import load_settings
    from pipelines.newsroom import Newsroom
    from spiders.plan import Plan
    from spiders.polls import fresh_feed
    from spiders.run import Run

    outlets = home / "outlets"
    outlets.mkdir()
    urls = [f"{base}/f/{n}" for n in range(feeds)]
    toml = f'name = "Essai"\nsite = "{base}"\ncountry = "FR"\nfeeds = {json.dumps(urls, indent=0)}\n'
    (outlets / "essai.toml").write_text(toml)
    environment = {"KIOSQUE_ALLOW_PRIVATE_HOSTS": base.removeprefix("http://")}
    newsroom = Newsroom.open(load_settings(environment=environment, home=home, outlets_dir=outlets))
    meter = Meter(feeds)

    async def drive(spider) -> None:
        keeper = newsroom.keeper
        for number in range(passes):
            known = await keeper.ask(keeper.store.feed_states, urls)
            done = newsroom.tally.polls.total() + feeds
            meter.start()
            for url in urls:
                spider.inbox.put_nowait(known.get(url) or fresh_feed(url, newsroom.outlets["essai"]))
            while newsroom.tally.polls.total() < done:  # noqa: ASYNC110 - the tally has no event
                await asyncio.sleep(0.01)
            await keeper.ask(lambda: None)  # the last write is through
            meter.stop()
            if number + 1 < passes:
                await asyncio.to_thread(next_pass, base)
        run.stop(0)

    run = Run(newsroom=newsroom, plan=Plan(endless=True, limit=0), beside=(drive,))
    run()
    print(dict(newsroom.tally.polls), file=sys.stderr)
    return meter.rows


def run_reader(base: str, feeds: int, passes: int, home: Path, workers: int) -> list[dict[str, float]]:
    """Poll with reader's own update."""
    from reader import make_reader

    with make_reader(str(home / "reader.sqlite")) as reader:
        for n in range(feeds):
            reader.add_feed(f"{base}/f/{n}")
        meter = Meter(feeds)
        for number in range(passes):
            meter.start()
            reader.update_feeds(workers=workers, scheduled=False)
            meter.stop()
            if number + 1 < passes:
                next_pass(base)
    return meter.rows


def measured(name: str, feeds: int, passes: int, workers: int, latency: float) -> list[dict[str, float]]:
    """Run one poller in a process of its own, against a server of its own."""
    serve = [sys.executable, __file__, "--part", "press", "--latency", str(latency)]
    with subprocess.Popen(serve, stdout=subprocess.PIPE, text=True) as server:
        try:
            base = server.stdout.readline().strip() if server.stdout else ""
            part = [sys.executable, __file__, "--part", name, "--base", base, "--workers", str(workers)]
            size = ["--feeds", str(feeds), "--passes", str(passes)]
            return json.loads(subprocess.run([*part, *size], stdout=subprocess.PIPE, check=True).stdout)
        finally:
            server.terminate()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--feeds", type=int, default=1000)
    parser.add_argument("--passes", type=int, default=5)
    parser.add_argument("--latency", type=float, default=0.0, help="milliseconds before each answer")
    parser.add_argument("--only", choices=["kiosque", "reader"])
    parser.add_argument("--part", help=argparse.SUPPRESS)
    parser.add_argument("--base", default="", help=argparse.SUPPRESS)
    parser.add_argument("--workers", type=int, default=1, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.part == "press":
        asyncio.run(press(given.latency / 1000))
        return
    if given.part:
        with tempfile.TemporaryDirectory() as home:
            size = (given.base, given.feeds, given.passes, Path(home))
            rows = run_kiosque(*size) if given.part == "kiosque" else run_reader(*size, given.workers)
        print(json.dumps(rows))
        return
    print(f"{given.feeds} feeds; {os.cpu_count()} cores\n")
    print("| poller | pass | polls/s | CPU ms/poll | MB |\n|---|---|---|---|---|")
    for name, workers in (("kiosque", 0), ("reader", 1), ("reader", 8)):
        if given.only in {None, name}:
            label = name if name == "kiosque" else f"reader, {workers} workers"
            for number, row in enumerate(measured(name, given.feeds, given.passes, workers, given.latency)):
                kind = "all new" if number == 0 else "1 in 5 changed"
                figures = f"{row['polls_per_second']:.0f} | {row['cpu_ms_per_poll']:.1f} | {row['memory_mb']:.0f}"
                print(f"| {label} | {number}: {kind} | {figures} |", flush=True)


if __name__ == "__main__":
    main()
