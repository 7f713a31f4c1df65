"""Run `kiosque` and write how late its event loop was: `python crawl_lag.py OUT.json ARGUMENTS...` (bench/crawl.py)."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spiders.press import PressSpider

EVERY = 0.01
late: list[float] = []
"""Milliseconds by which each sleep was too long."""


async def watch(_: PressSpider) -> None:
    while True:
        start = time.perf_counter()
        await asyncio.sleep(EVERY)
        late.append(1000 * (time.perf_counter() - start - EVERY))


def main(out: Path) -> None:
    sys.path.pop(0)  # this folder has modules of other names
    from kiosque import cli
    from spiders import run

    class WatchedRun(run.Run):
        """A run whose loop is watched."""

        def __init__(self, **given: Any) -> None:
            super().__init__(**given)
            self.beside = (*self.beside, watch)

    run.Run = WatchedRun  # type: ignore[misc]
    try:
        cli.main()
    finally:
        late.sort()
        out.write_text(json.dumps({"p99_ms": late[int(0.99 * len(late))], "most_ms": late[-1]}))


if __name__ == "__main__":
    main(Path(sys.argv.pop(1)))
