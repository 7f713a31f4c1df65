"""`kiosque demo`: a small fictional press on loopback, crawled for real."""

from __future__ import annotations

import asyncio
import json
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kiosque.errors import KiosqueError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kiosque.demo import DemoPress
    from kiosque.model import Visit
    from kiosque.settings import Settings
    from spiders.press import PressSpider
    from storage import Settled

# Seconds between two things that happen in the demo press.
PACE = 4.0
USUAL_PORT = 8484


def demo(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="One crawl, then end")] = False,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="The dashboard's [default: 8484, or a free one]")
    ] = None,
) -> None:
    """Crawl a small fictional French press on this machine and show the records.

    Without --once it goes on: articles are published and edited, the schedule brings them in, and
    the dashboard shows them.

    Example: kiosque demo --once
    """
    from kiosque.demo import DemoPress

    with DemoPress() as press, demo_home(context.obj.home) as home:
        settings = demo_settings(context.obj.settings(), press, home)
        print(f"Three fictional outlets, {', '.join(outlet.name for outlet in press.outlets)}, on {press.hosts[0]} ...")
        if once:
            crawl_once(settings, press)
        else:
            go_on(settings, press, port=port)
        if context.obj.home:
            print(f"The records stay in {home}: kiosque --home {home} records")


@contextmanager
def demo_home(given: Path | None) -> Iterator[Path]:
    """Return the home that was asked for, else a temporary one."""
    if given is not None:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="kiosque-demo-") as folder:
        yield Path(folder)


def demo_settings(settings: Settings, press: DemoPress, home: Path) -> Settings:
    """Return settings for the demo: its outlets, its hosts, short intervals."""
    folder = home / "demo-outlets"
    folder.mkdir(parents=True, exist_ok=True)
    press.write_outlets(folder)
    return replace(
        settings,
        home=home,
        outlets_dir=folder,
        allow_private_hosts=",".join(press.hosts),
        archive_folder=None,
        tick=1.0,
        poll_min=2.0,
        poll_max=3.0,
        stop_time=3.0,
    )


def crawl_once(settings: Settings, press: DemoPress) -> None:
    """Crawl everything once, and show the outcomes, the records and one record whole."""
    from kiosque.cli.crawl import finish
    from kiosque.cli.progress import show_outcomes
    from kiosque.cli.records import print_table
    from kiosque.records import record_to_dict
    from pipelines.newsroom import Newsroom
    from spiders.plan import Plan
    from spiders.run import Run
    from storage import RecordQuery, open_storage

    newsroom = Newsroom.open(settings)
    run = Run(newsroom=newsroom, plan=Plan.for_outlets(newsroom.outlets, [o.slug for o in press.outlets]))
    run()
    show_outcomes(newsroom.tally.summary(seconds=run.seconds), dry_run=False)
    finish(run)
    store = open_storage(settings.database)
    try:
        print_table(store.records())
        one = next(store.records(RecordQuery(limit=1)), None)
    finally:
        store.close()
    if one is not None:
        print("One record, whole:")
        print(json.dumps(record_to_dict(one), ensure_ascii=False, indent=2))


def go_on(settings: Settings, press: DemoPress, *, port: int | None) -> None:
    """Run the schedule on the demo press while it publishes and edits, with its dashboard, until Ctrl-C."""
    from pipelines.newsroom import Newsroom
    from scheduler import run_service

    async def life(_: PressSpider) -> None:
        await asyncio.sleep(PACE)
        while True:
            for happens in (press.publish, press.edit):
                url = await asyncio.to_thread(happens)
                if url:
                    print(f"    ({'published' if happens == press.publish else 'edited'}: {url})")
                await asyncio.sleep(PACE)

    with demo_dashboard(settings, port=port):
        newsroom = Newsroom.open(settings)
        newsroom.watchers.append(tell)
        print("Records and revisions as they arrive; Ctrl-C ends.", flush=True)
        run_service(newsroom, [outlet.slug for outlet in press.outlets], beside=(life,))
    print_end(newsroom.tally.outcomes())


@contextmanager
def demo_dashboard(settings: Settings, *, port: int | None) -> Iterator[None]:
    """Serve the demo's dashboard beside the schedule; without its packages say what to install."""
    from kiosque.cli.dashboard import listen, need_packages, opened_app, serving

    try:
        need_packages()
    except UsageError as error:
        print(f"No dashboard here: {error}")
        yield
        return
    try:
        listening = listen("127.0.0.1", USUAL_PORT if port is None else port)
    except KiosqueError:
        if port is not None:
            raise
        listening = listen("127.0.0.1", 0)
    with listening, opened_app(settings) as app, serving(app, listening) as address:
        print(f"The dashboard is at {address}", flush=True)
        yield


def tell(visit: Visit, settled: Settled) -> None:
    """Print a record as it arrives."""
    record = settled.record
    if record is not None:
        print(
            f"{settled.outcome:8} r{record.revision}  {record.published or '':25}  {visit.outlet.name}: {record.title}"
        )


def print_end(outcomes: dict[str, Any]) -> None:
    """Print the outcomes of the whole demo."""
    print(", ".join(f"{n} {outcome}" for outcome, n in outcomes.items()))
