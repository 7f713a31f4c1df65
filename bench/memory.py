"""How a service's memory follows the size of its store: it saves articles and does its rounds, in one process.

    python bench/memory.py [--sizes 2000,10000,40000] [--outlets 50] [--days 28]

Made-up articles are settled in the keeper's thread, in batches, as a crawl does; after every 500 all outlets' health
is looked at, learned lines are cleaned away and the metrics are made, as `kiosque schedule` does. At each size the
process's resident memory is printed, as the median of the last looks, and its ratio to that at the first size.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.conclude import Finding

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not this folder: its storage.py is not the package
sys.path.append(str(ROOT / "bench"))

from made_up import finding, lines  # noqa: E402
from soak import resident  # noqa: E402

from kiosque.model import Outlet  # noqa: E402
from kiosque.service.memory import give_back, share_arenas  # noqa: E402
from kiosque.service.metrics import Seen, exposition  # noqa: E402
from kiosque.service.rounds import check_health  # noqa: E402
from kiosque.service.vitals import Vitals  # noqa: E402
from kiosque.settings import Settings  # noqa: E402
from pipelines.newsroom import Newsroom  # noqa: E402

BATCH, LOOK_EVERY = 20, 500
START = datetime(2026, 1, 1, tzinfo=UTC)


def outlet_of(number: int) -> Outlet:
    return Outlet(slug=f"o{number}", name=f"Outlet {number}", site=f"https://o{number}.example", country="FR")


def article(number: int, outlet: Outlet, at: datetime) -> Finding:
    """Return an article of some 2 KB; each outlet has a line that stands in a tenth of its articles."""
    dice = random.Random(number)
    text = lines(dice, 6, words=100_000)
    if dice.random() < 0.1:
        text.append(f"Retrouvez toute l’actualité de {outlet.name} dans notre lettre du matin.")
    made = finding(f"{outlet.site}/a/{number}", outlet, at=at, text="\n".join(text))
    return replace(made, revisit_after=(timedelta(hours=1),))


async def play(newsroom: Newsroom, sizes: list[int], pause: timedelta) -> list[dict[str, float]]:
    outlets = list(newsroom.outlets.values())
    seen = Seen(tally=newsroom.tally, vitals=Vitals(), jobs=tuple, now=time.time)
    levels, samples, done, look = [], [], 0, None
    for size in sizes:
        began = time.process_time()
        while done < size:
            at = START + done * pause
            some = [
                article(n, outlets[n % len(outlets)], START + n * pause) for n in range(done, min(done + BATCH, size))
            ]
            for one, settled in zip(some, await asyncio.gather(*map(newsroom.keeper.keep, some)), strict=True):
                newsroom.settled(one.visit, settled)
            done += len(some)
            if done % LOOK_EVERY == 0:
                look = await check_health(newsroom.settings, newsroom.outlets, now=at, last=look)
                give_back()
                seen.look = look
                await newsroom.keeper.ask(newsroom.clean_learned)
                exposition(seen)
                samples.append(resident(os.getpid()))
        mb = statistics.median(samples[-5:])
        cpu = time.process_time() - began
        levels.append(
            {"articles": size, "mb": mb, "ratio": round(mb / (levels[0]["mb"] if levels else mb), 3), "cpu": cpu}
        )
        print(f"{size:8,} articles  {mb:6.1f} MB  ratio {levels[-1]['ratio']:.2f}  ({cpu:.1f} s CPU)", flush=True)
    return levels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="2000,10000,40000")
    parser.add_argument("--outlets", type=int, default=50)
    parser.add_argument("--days", type=float, default=28.0, help="that the last size's articles take to come")
    parser.add_argument("--db", help="PostgreSQL, or another file")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    sizes = [int(size) for size in given.sizes.split(",")]
    with tempfile.TemporaryDirectory() as place, contextlib.ExitStack() as stack:
        settings = Settings(home=Path(place), db=given.db, archive_enabled=False, workers=1)
        share_arenas()
        newsroom = Newsroom.open(settings)
        stack.callback(newsroom.close, now=True)
        newsroom.outlets = {one.slug: one for one in map(outlet_of, range(given.outlets))}
        levels = asyncio.run(play(newsroom, sizes, timedelta(days=given.days) / sizes[-1]))
    if given.json:
        print(json.dumps(levels))


if __name__ == "__main__":
    main()
