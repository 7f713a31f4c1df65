"""The workers and their queue on the screen of `kiosque status`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from kiosque.cli.status_jobs import ago, short

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from rich.console import RenderableType

    from storage.queue_look import QueueLook, WorkerSeen

# Workers on the screen; `--json` has all.
ROWS = 12


def workers_lines(look: QueueLook, now: datetime) -> Iterator[RenderableType]:
    """Yield who works, and what waits."""
    living = [worker for worker in look.workers if not worker.is_silent(now)]
    depth = ", ".join(f"{n} {kind}" for kind, n in look.waiting.items())
    line = Text(f"Workers: {len(living)} · {look.under_way} sites under way · waiting: {depth}")
    if look.oldest is not None:
        line.append(f" · the oldest for {short((now - look.oldest).total_seconds())}")
    if stalled := look.stalled(now):
        line.append(f" · {stalled} stalled", style="bold red")
    yield line
    if not living and any(look.waiting.values()):
        yield Text("No worker lives; start one: kiosque worker", style="bold red")
    if look.workers:
        yield workers_table(look.workers, now)


def workers_table(workers: tuple[WorkerSeen, ...], now: datetime) -> Table:
    """Return the workers, a row each."""
    table = Table(box=None, pad_edge=False, expand=True)
    for name in ("worker", "running for", "heard", "sites", "pages"):
        table.add_column(name, no_wrap=True, justify="left" if name == "worker" else "right")
    table.add_column("", ratio=1, overflow="ellipsis", no_wrap=True)
    for worker in workers[:ROWS]:
        table.add_row(*map(Text, _cells(worker, now)), style="red" if worker.is_silent(now) else "")
    if len(workers) > ROWS:
        table.add_row(f"... and {len(workers) - ROWS} more: kiosque status --json")
    return table


def _cells(worker: WorkerSeen, now: datetime) -> tuple[str, ...]:
    heard, said = ago(worker.heard, now), worker.said
    if said is None:
        return f"no. {worker.number}", "", heard, str(worker.sites), "", ""
    doing = "plans for all" if said.plans else f"waits for {said.waits_for}" if said.waits_for else ""
    who = f"pid {said.pid} on {said.host}"
    return who, short((now - said.since).total_seconds()), heard, str(worker.sites), str(said.pages), doing


def workers_json(look: QueueLook, now: datetime) -> dict[str, Any]:
    """Return the workers and the queue as plain values; instants as ISO 8601 in UTC."""
    import msgspec

    from kiosque.records import instant

    return {
        "waiting": dict(look.waiting),
        "under_way": look.under_way,
        "stalled": look.stalled(now),
        "oldest_waiting": look.oldest and instant(look.oldest),
        "workers": [
            {
                "number": worker.number,
                "heard": instant(worker.heard),
                "silent": worker.is_silent(now),
                "sites": worker.sites,
                **(msgspec.to_builtins(worker.said) if worker.said is not None else {}),
            }
            for worker in look.workers
        ],
    }
