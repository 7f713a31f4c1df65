"""Crawl pages end to end, cold, everything on, beside the usual way: pages per second and CPU per page.

    python bench/crawl.py [--pages 600] [--folder PAGES_DIR] [--runs 3]

PAGES_DIR holds `ID.html.gz`; without it pages are generated, which says less. The server
runs in this process and is not counted. CPU is that of the whole process tree, start-up included.
"""

from __future__ import annotations

import argparse
import gzip
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

BENCH = Path(__file__).resolve().parent
GENERATED = (
    '<html lang="fr"><head><title>Le titre {n}</title><meta property="article:published_time" '
    'content="2024-10-25T07:12:00+02:00"></head><body><h1>Le titre {n}</h1>{body}</body></html>'
)


def pages(folder: Path | None, number: int) -> list[bytes]:
    if folder is None:
        sentence = "<p>La commune {n} a voté le budget {m}, après un long débat sur l’école et le pont.</p>"
        return [
            GENERATED.format(n=n, body="".join(sentence.format(n=n, m=m) for m in range(40))).encode()
            for n in range(number)
        ]
    kept = [gzip.decompress(path.read_bytes()) for path in sorted(folder.glob("*.html.gz"))]
    return [kept[n % len(kept)] for n in range(number)]


def serve(bodies: list[bytes]) -> ThreadingHTTPServer:
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

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    base = f"http://127.0.0.1:{server.server_address[1]}"
    items = "".join(f"<item><title>{n}</title><link>{base}/{n}</link></item>" for n in range(len(bodies)))
    rss = f'<rss version="2.0"><channel><title>b</title>{items}</channel></rss>'.encode()
    return server


def measured(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Return wall and CPU seconds of a command and its children."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, env=os.environ | environment, check=True, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def kiosque(feed: str, home: str) -> tuple[list[str], dict[str, str]]:
    host = feed.split("/")[2]
    command = [sys.executable, "-m", "kiosque", "--home", f"{home}/kiosque", "crawl", "--feed", feed, "--json"]
    return command, {"KIOSQUE_ALLOW_PRIVATE_HOSTS": host}


def plain_scrapy(feed: str, home: str) -> tuple[list[str], dict[str, str]]:
    return [sys.executable, str(BENCH / "plain_scrapy.py"), feed, f"{home}/plain.jsonl"], {}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=600)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    bodies = pages(arguments.folder, arguments.pages)
    run(bodies, arguments.runs)


def run(bodies: list[bytes], runs: int) -> None:
    server = serve(bodies)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    feed = f"http://127.0.0.1:{server.server_address[1]}/rss"
    rates: dict[str, list[float]] = {}
    for _ in range(runs):
        for make in (kiosque, plain_scrapy):
            with tempfile.TemporaryDirectory() as home:
                wall, cpu = measured(*make(feed, home))
            rates.setdefault(make.__name__, []).append(len(bodies) / wall)
            print(f"{make.__name__:14} {len(bodies) / wall:7.1f} pages/s {1000 * cpu / len(bodies):7.1f} ms CPU a page")
    ratio = statistics.median(rates["kiosque"]) / statistics.median(rates["plain_scrapy"])
    print(f"kiosque / plain_scrapy: {ratio:.2f} (medians of {runs})")
    server.shutdown()


if __name__ == "__main__":
    main()
