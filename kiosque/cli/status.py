"""`kiosque status`: what the store holds and how it goes, on one screen."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import Console

    from kiosque.health import Finding, OutletNumbers
    from kiosque.settings import Settings
    from storage import Store

# Outlets on the screen, those with problems and those that brought something last first.
ROWS = 15


def status(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output")] = False,
) -> None:
    """Show outlets, articles, feeds by health, the last day's outcomes and the newest articles.

    Example: kiosque status --json
    """
    from kiosque.cli.outlets_home import settings_of

    settings = settings_of(context)
    now = datetime.now(UTC)
    with existing_store(settings) as store:
        counted, found = looked_at(settings, store, now, coverage=False)
    if as_json:
        print(json.dumps(status_json(settings, counted, found, now), ensure_ascii=False, indent=2))
    else:
        print_status(settings, counted, found, now)


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


def looked_at(
    settings: Settings, store: Store | None, now: datetime, *, coverage: bool
) -> tuple[dict[str, OutletNumbers], tuple[Finding, ...]]:
    """Return the numbers of each crawled outlet, and what a person should look at."""
    from kiosque.health import judge
    from kiosque.outlets import load_outlets
    from storage.overview import numbers

    if store is None:
        return {}, ()
    counted = numbers(store, now=now, coverage=coverage)
    return counted, judge(counted.values(), load_outlets(settings.outlets_dir), now=now)


def status_json(
    settings: Settings, counted: Mapping[str, OutletNumbers], found: Sequence[Finding], now: datetime
) -> dict[str, Any]:
    """Return the status as plain values."""
    from kiosque.records import instant

    return {
        "at": instant(now),
        "home": str(settings.home),
        "outlets": len(counted),
        "articles": sum(one.articles for one in counted.values()),
        "revisions": sum(one.revisions for one in counted.values()),
        "waiting": sum(one.waiting for one in counted.values()),
        "feeds": dict(feeds_by_health(counted)),
        "outcomes": dict(last_day(counted, now).most_common()),
        "problems": [{"kind": one.kind, "outlet": one.outlet, "facts": dict(one.facts)} for one in found],
        "by_outlet": {slug: outlet_json(one, now) for slug, one in counted.items()},
    }


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


def print_status(
    settings: Settings, counted: Mapping[str, OutletNumbers], found: Sequence[Finding], now: datetime
) -> None:
    """Print the status on one screen."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    if not counted:
        console.print(Text(f"Nothing was crawled into {settings.home} yet; begin with: kiosque crawl OUTLET"))
        return
    for line in summary_lines(counted, now):
        console.print(Text(line))
    print_outlets(console, counted, found, now)
    said = f"{many(len(found), 'thing')} to look at: kiosque doctor" if found else "No problems."
    console.print(Text(said, style="bold yellow" if found else "green"))


def summary_lines(counted: Mapping[str, OutletNumbers], now: datetime) -> Iterator[str]:
    """Yield the totals, a line each."""
    articles, revisions, waiting = (
        sum(getattr(one, name) for one in counted.values()) for name in ("articles", "revisions", "waiting")
    )
    stored = f"{many(articles, 'article')} in {many(revisions, 'revision')}"
    yield f"{many(len(counted), 'outlet')} · {stored} · {many(waiting, 'address', 'addresses')} waiting"
    yield "Feeds: " + (_listed(feeds_by_health(counted)) or "none polled yet")
    yield "Since yesterday: " + (_listed(last_day(counted, now)) or "nothing")


def print_outlets(
    console: Console, counted: Mapping[str, OutletNumbers], found: Sequence[Finding], now: datetime
) -> None:
    """Print the outlets' table: those with problems first, then those that brought something last."""
    from rich.table import Table
    from rich.text import Text

    from kiosque.advice import spoken_age

    troubled = Counter(finding.outlet for finding in found)
    ranked = sorted(counted.values(), key=lambda one: (-troubled[one.slug], -_newest_at(one)))
    table = Table(box=None, pad_edge=False, expand=True)
    table.add_column("outlet", no_wrap=True)
    table.add_column("articles", justify="right", no_wrap=True)
    table.add_column("feeds", no_wrap=True)
    table.add_column("newest", justify="right", no_wrap=True)
    table.add_column("", ratio=1, overflow="ellipsis", no_wrap=True)
    for one in ranked[:ROWS]:
        age = spoken_age(now - one.newest.first_seen_at) if one.newest else ""
        title = one.newest.title if one.newest else ""
        mark = "! " if troubled[one.slug] else ""
        feeds = _listed(feeds_by_health({one.slug: one}))
        # Text: what a page or feed says is no markup
        table.add_row(*map(Text, (mark + one.slug, str(one.articles), feeds, age, one_line(title))))
    console.print(table)
    if len(ranked) > ROWS:
        console.print(Text(f"... and {len(ranked) - ROWS} more outlets: kiosque status --json"))


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
