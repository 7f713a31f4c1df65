"""Read WARC files again on Dask beside the local pool, on one machine: pages per second, CPU and memory.

    python bench/reread.py [--files 6] [--pages 200] [--folder PAGES_DIR] [--runs 3] [--growth]

PAGES_DIR holds `ID.html.gz`; without it pages are generated, which says less. Each run is a command in a process of
its own over an empty store, start-up included; the ways take turns. `--growth` reads one file, then one of ten times
its pages, with one worker: its memory must not grow with them.
"""

from __future__ import annotations

import argparse
import ctypes
import io
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from crawl import PR_SET_CHILD_SUBREAPER, Run, measured, pages
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

NOON = datetime(2024, 10, 25, 12, tzinfo=UTC)
REREAD = [sys.executable, "-m", "kiosque", "reread", "--json"]
WAYS = {
    "local pool, store": ["--engine", "local", "--write"],
    "Dask, store": ["--engine", "dask", "--write"],
    "Dask, Parquet": ["--engine", "dask", "--to", "{home}/parts"],
}


def write_warc(path: Path, bodies: list[bytes], first: int) -> None:
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=True)
        for n, body in enumerate(bodies, first):
            http = StatusAndHeaders("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.1")
            dated = {"WARC-Date": (NOON + timedelta(seconds=n)).isoformat().replace("+00:00", "Z")}
            url = f"https://exemple-{n % 50}.fr/{n}"
            record = writer.create_warc_record(
                url, "response", io.BytesIO(body), len(body), http_headers=http, warc_headers_dict=dated
            )
            writer.write_record(record)


def compare(folder: Path, warcs: Path, count: int, runs: int, only: str | None) -> None:
    found: dict[str, list[Run]] = {}
    for number in range(runs):
        for name, options in WAYS.items():
            if only is not None and only not in name:
                continue
            home = folder / f"home-{number}-{name.replace(' ', '-')}"
            command = [*REREAD, str(warcs), *(option.format(home=home) for option in options)]
            found.setdefault(name, []).append(measured(command, {"KIOSQUE_HOME": str(home)}))
            shutil.rmtree(home, ignore_errors=True)
    print("| way | pages/s | against the local pool | CPU ms a page | memory MB |\n|---|---|---|---|---|")
    base = statistics.median(run.wall for run in next(iter(found.values())))
    for name, several in found.items():
        wall, cpu, peak = (statistics.median(getattr(run, what) for run in several) for what in ("wall", "cpu", "peak"))
        print(f"| {name} | {count / wall:.1f} | {base / wall:.2f} | {1000 * cpu / count:.1f} | {peak:.0f} |")


def growth(folder: Path, bodies: list[bytes]) -> None:
    print("\n| pages in the file | worker's memory MB |\n|---|---|")
    for times in (1, 10):
        path = folder / f"grows-{times}.warc.gz"
        write_warc(path, bodies * times, 0)
        command = [*REREAD, "--engine", "dask", "--to", str(folder / f"parts-{times}"), str(path)]
        environment = os.environ | {"KIOSQUE_HOME": str(folder / "none"), "KIOSQUE_WORKERS": "1"}
        out = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
        print(f"| {len(bodies) * times} | {json.loads(out)['memory_mb']} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=6)
    parser.add_argument("--pages", type=int, default=200, help="in each file")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only")
    parser.add_argument("--growth", action="store_true")
    given = parser.parse_args()
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # workers that are left behind are counted, too
    with tempfile.TemporaryDirectory() as name:
        folder, warcs = Path(name), Path(name) / "warcs"
        warcs.mkdir()
        bodies = pages(given.folder, given.files * given.pages)
        for number in range(given.files):
            first = number * given.pages
            write_warc(warcs / f"{number:03}.warc.gz", bodies[first : first + given.pages], first)
        print(f"{given.files} files of {given.pages} pages; {os.cpu_count()} cores\n")
        compare(folder, warcs, given.files * given.pages, given.runs, given.only)
        if given.growth:
            growth(folder, bodies[: given.pages])


if __name__ == "__main__":
    main()
