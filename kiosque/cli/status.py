"""`kiosque status`: what the store holds and how it goes, on one screen."""

from __future__ import annotations

import contextlib
import json
import time
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kiosque.errors import OutletError, StorageError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.console import RenderableType

    from kiosque.health import OutletNumbers
    from kiosque.service.look import Look
    from kiosque.service.note import ServiceNote
    from kiosque.settings import Settings
    from storage import Store

# Outlets on the screen, those with problems and those that brought something last first.
ROWS, ROWS_WITH_JOBS = 15, 10
WATCH_SECONDS = 2.0


def status(
    context: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Show it anew every two seconds, until Ctrl-C")] = False,
) -> None:
    """Show outlets, articles, feeds by health, the last day's outcomes, the newest articles and the service's jobs.

    Example: kiosque status --json
    """
    from kiosque.cli.outlets_home import settings_of

    settings = settings_of(context)
    if watch and as_json:
        raise UsageError("--watch and --json are two ways to look; choose one")
    if watch:
        watch_status(settings)
        return
    now = datetime.now(UTC)
    with existing_store(settings) as store:
        seen = looked_at(settings, store, now, coverage=False)
    if as_json:
        print(json.dumps(status_json(settings, seen), ensure_ascii=False, indent=2))
    else:
        from rich.console import Console

        Console(highlight=False).print(screen(settings, seen))


def watch_status(settings: Settings) -> None:
    """Show the status anew until Ctrl-C, on a terminal's other screen. A store that does not answer is said."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(highlight=False)
    with contextlib.suppress(KeyboardInterrupt), Live(console=console, screen=console.is_terminal) as live:
        while True:
            try:
                with existing_store(settings) as store:
                    seen = looked_at(settings, store, datetime.now(UTC), coverage=False)
                shown: RenderableType = screen(settings, seen)
            except StorageError as error:
                shown = Text(f"{error}\nAsked again in {WATCH_SECONDS:.0f} s.", style="bold red")
            live.update(shown, refresh=True)
            time.sleep(WATCH_SECONDS)


@contextmanager
def existing_store(settings: Settings) -> Iterator[Store | None]:
    """Open the store; None where none was made yet, and none is made by looking."""
    from storage import open_storage

    if settings.db is None and not (settings.home / "kiosque.sqlite").exists():
        yield None
        return
    store = open_storage(settings.database)
    try:
        yield store
    finally:
        store.close()


def looked_at(settings: Settings, store: Store | None, now: datetime, *, coverage: bool) -> Look:
    """Return the numbers of each crawled outlet, and what a person should look at."""
    from kiosque.outlets import load_outlets
    from kiosque.service.look import Look, look_at, with_broken_file

    if store is None:
        return Look(at=now, numbers={}, findings=())
    archive = settings.home / "archive" if settings.archive_folder else None
    try:
        outlets = load_outlets(settings.outlets_dir)
    except OutletError as error:  # whoever looks what is wrong is to see the rest, too
        return with_broken_file(look_at(store, {}, now=now, coverage=coverage, archive=archive), str(error))
    return look_at(store, outlets, now=now, coverage=coverage, archive=archive)


def status_json(settings: Settings, seen: Look) -> dict[str, Any]:
    """Return the status as plain values."""
    import msgspec

    from kiosque.cli.status_workers import workers_json
    from kiosque.records import instant

    counted = seen.numbers
    return {
        "at": instant(seen.at),
        "home": str(settings.home),
        "outlets": len(counted),
        "articles": sum(one.articles for one in counted.values()),
        "revisions": sum(one.revisions for one in counted.values()),
        "waiting": sum(one.waiting for one in counted.values()),
        "feeds": dict(feeds_by_health(counted)),
        "outcomes": dict(last_day(counted, seen.at).most_common()),
        "problems": [{"kind": one.kind, "outlet": one.outlet, "facts": dict(one.facts)} for one in seen.findings],
        "service": seen.service and service_json(seen.service, seen.at),
        "unsent": [msgspec.to_builtins(one) for one in seen.unsent],
        "workers": seen.queue and workers_json(seen.queue, seen.at),
        "by_outlet": {slug: outlet_json(one, seen.at) for slug, one in counted.items()},
    }


def service_json(note: ServiceNote, now: datetime) -> dict[str, Any]:
    """Return the service and its jobs as plain values; instants as ISO 8601 in UTC."""
    import msgspec

    plain: dict[str, Any] = msgspec.to_builtins(note)
    return plain | {"running": note.stopped is None and not note.is_silent(now)}


def outlet_json(one: OutletNumbers, now: datetime) -> dict[str, Any]:
    """Return one outlet's numbers as plain values."""
    from kiosque.records import instant

    newest = one.newest
    return {
        "articles": one.articles,
        "revisions": one.revisions,
        "waiting": one.waiting,
        "feeds": dict(feeds_by_health({one.slug: one})),
        "outcomes": dict(last_day({one.slug: one}, now).most_common()),
        "last_success": (at := last_success(one)) and instant(at),
        "newest": newest
        and {
            "id": newest.id,
            "title": newest.title,
            "url": newest.url,
            "published": newest.published,
            "first_seen_at": instant(newest.first_seen_at),
        },
    }


def feeds_by_health(counted: Mapping[str, OutletNumbers]) -> Counter[str]:
    """Count feeds by their health, the sound ones first."""
    from kiosque.health import FEED_HEALTHS

    found: Counter[str] = Counter(feed.health for one in counted.values() for feed in one.feeds)
    return Counter({health: found[health] for health in FEED_HEALTHS if found[health]})


def last_day(counted: Mapping[str, OutletNumbers], now: datetime) -> Counter[str]:
    """Sum the outcomes of today and yesterday, by UTC: outcomes are counted by the day."""
    from datetime import timedelta

    from kiosque.health import outcomes_since

    total: Counter[str] = Counter()
    for one in counted.values():
        total.update(outcomes_since(one, f"{now - timedelta(days=1):%Y-%m-%d}"))
    return total


def last_success(one: OutletNumbers) -> datetime | None:
    """Return when a feed of an outlet answered well last."""
    return max((feed.last_success for feed in one.feeds if feed.last_success is not None), default=None)


def screen(settings: Settings, seen: Look) -> RenderableType:
    """Return the status as one screen."""
    from rich.console import Group
    from rich.text import Text

    from kiosque.cli.status_jobs import jobs_table, service_line, unsent_lines
    from kiosque.cli.status_workers import workers_lines

    service: list[RenderableType] = [*workers_lines(seen.queue, seen.at)] if seen.queue is not None else []
    if seen.service is not None:
        service += [service_line(seen.service, seen.at), jobs_table(seen.service, seen.at)]
    service += unsent_lines(seen.unsent, seen.at)
    if not seen.numbers:
        nothing = Text(f"Nothing was crawled into {settings.home} yet; begin with: kiosque crawl OUTLET")
        return Group(nothing, *service)
    found = seen.findings
    said = f"{many(len(found), 'thing')} to look at: kiosque doctor" if found else "No problems."
    return Group(
        *map(Text, summary_lines(seen.numbers, seen.at)),
        *outlets_table(seen),
        *service,
        Text(said, style="bold yellow" if found else "green"),
    )


def summary_lines(counted: Mapping[str, OutletNumbers], now: datetime) -> Iterator[str]:
    """Yield the totals, a line each."""
    articles, revisions, waiting = (
        sum(getattr(one, name) for one in counted.values()) for name in ("articles", "revisions", "waiting")
    )
    stored = f"{many(articles, 'article')} in {many(revisions, 'revision')}"
    yield f"{many(len(counted), 'outlet')} · {stored} · {many(waiting, 'address', 'addresses')} waiting"
    yield "Feeds: " + (_listed(feeds_by_health(counted)) or "none polled yet")
    yield "Since yesterday: " + (_listed(last_day(counted, now)) or "nothing")


def outlets_table(seen: Look) -> Iterator[RenderableType]:
    """Yield the outlets' table: those with problems first, then those that brought something last."""
    from rich.table import Table
    from rich.text import Text

    from kiosque.advice import spoken_age

    troubled = Counter(finding.outlet for finding in seen.findings)
    ranked = sorted(seen.numbers.values(), key=lambda one: (-troubled[one.slug], -_newest_at(one)))
    table = Table(box=None, pad_edge=False, expand=True)
    table.add_column("outlet", no_wrap=True)
    table.add_column("articles", justify="right", no_wrap=True)
    table.add_column("feeds", no_wrap=True)
    table.add_column("newest", justify="right", no_wrap=True)
    table.add_column("", ratio=1, overflow="ellipsis", no_wrap=True)
    rows = ROWS_WITH_JOBS if seen.service else ROWS
    for one in ranked[:rows]:
        age = spoken_age(seen.at - one.newest.first_seen_at) if one.newest else ""
        title = one.newest.title if one.newest else ""
        mark = "! " if troubled[one.slug] else ""
        feeds = _listed(feeds_by_health({one.slug: one}))
        # Text: what a page or feed says is no markup
        table.add_row(*map(Text, (mark + one.slug, str(one.articles), feeds, age, one_line(title))))
    yield table
    if len(ranked) > rows:
        yield Text(f"... and {len(ranked) - rows} more outlets: kiosque status --json")


def _newest_at(one: OutletNumbers) -> float:
    return one.newest.first_seen_at.timestamp() if one.newest else 0.0


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{n} {name}" for name, n in counts.most_common())


def many(n: int, one: str, more: str | None = None) -> str:
    """Return a number with its noun.

    >>> many(1, "outlet"), many(0, "address", "addresses")
    ('1 outlet', '0 addresses')
    """
    return f"{n} {one if n == 1 else more or one + 's'}"


def one_line(text: str) -> str:
    """Return a text that moves no cursor: control characters of a hostile title are shown as spaces."""
    return "".join(character if character.isprintable() else " " for character in text)
