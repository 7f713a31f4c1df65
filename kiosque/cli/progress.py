"""How a crawl shows itself: a progress bar while it runs on a terminal, a table of outcomes at the end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spiders.press import PressSpider


async def progress_bar(spider: PressSpider) -> None:
    """Draw the crawl's progress on standard error until cancelled."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    tally = spider.newsroom.tally
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("polling feeds", total=None)
        while True:
            ended, begun = tally.ended.total(), tally.begun.total()
            new = tally.outcomes().get("new", 0)
            progress.update(task, completed=ended, total=begun or None, description=f"{new} new")
            await asyncio.sleep(0.2)


def show_outcomes(summary: dict[str, Any], *, dry_run: bool) -> None:
    """Print the table of outcomes, an outlet a row."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    outcomes = list(summary["outcomes"])
    table = Table(title="Outcomes (nothing was stored)" if dry_run else "Outcomes", title_justify="left")
    table.add_column("outlet")
    for outcome in (*outcomes, "seen"):
        table.add_column(outcome, justify="right")
    rows = [*summary["outlets"].items()]
    if len(rows) > 1:
        rows.append(("all", summary["outcomes"]))
    for outlet, counts in rows:
        cells = [str(counts.get(outcome) or "") for outcome in outcomes]
        table.add_row(outlet, *cells, str(sum(counts.values())))
    console.print(table)
    polls = ", ".join(f"{n} {outcome}" for outcome, n in summary["polls"].items()) or "none"
    cleaned = f"; {summary['corrected']} records cleaned of learned lines" if summary["corrected"] else ""
    console.print(f"{summary['seen']} seen in {summary['seconds']:.1f} s; feeds: {polls}{cleaned}")
