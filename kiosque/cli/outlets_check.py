"""`kiosque outlets check`: how each outlet fares, why, and what would mend it. Made for a weekly run."""

from __future__ import annotations

import json
import sys
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kiosque.cli.outlets_add import short
from kiosque.cli.outlets_home import known_outlets, settings_of
from kiosque.errors import UsageError

if TYPE_CHECKING:
    from kiosque.model import Outlet
    from kiosque.scout.health import Health
    from kiosque.settings import Settings

FAILED = 1
SHOWN = 3
"""Unpolled feeds that are named for a reader; `--json` names all."""


def check_outlets(
    ctx: typer.Context,
    slugs: Annotated[list[str] | None, typer.Argument(metavar="[SLUG]...", help="Outlets; none given, all")] = None,
    *,
    country: Annotated[list[str] | None, typer.Option(help="ISO code; may be given again for one more")] = None,
    group: Annotated[list[str] | None, typer.Option("--group", "--tag", help="Given again, both hold")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output")] = False,
) -> None:
    """Poll each outlet's feeds once and read two articles: ok, warning, broken or blocked, with the likely mend.

    A host gets a handful of requests: of more than four feeds the main one is polled each time, the others take
    turns. Nothing is stored but whose turn it is. Exit status 1 when an outlet is broken.

    Example: kiosque outlets check lemonde rtbf
    """
    settings = settings_of(ctx)
    outlets = known_outlets(ctx)
    chosen = chosen_outlets(outlets, settings, slugs or [], countries=country or [], groups=group or [])
    found = checked(settings, outlets, chosen, quiet=as_json)
    if as_json:
        print(json.dumps(summary(found), ensure_ascii=False, default=str))
    else:
        for line in summary_lines(found):
            print(line)
    if any(health.state == "broken" for health in found):
        raise typer.Exit(FAILED)


def chosen_outlets(
    outlets: dict[str, Outlet], settings: Settings, slugs: list[str], *, countries: list[str], groups: list[str]
) -> list[Outlet]:
    """Return the outlets to check. Raises `UsageError` for a name that is none, and when none may be asked."""
    from kiosque.cli.crawl import NO_CONTACT, may_contact
    from kiosque.outlets import chosen_strictly, named

    given = {slug: named(outlets, slug) for slug in slugs}
    if countries or groups or not slugs:
        given |= chosen_strictly(outlets, countries=countries, tags=groups)
    askable = [
        outlet
        for slug, outlet in given.items()
        if slug in slugs or all(may_contact(url, settings) for url in (*outlet.feeds, *outlet.news_sitemaps))
    ]
    strangers = [
        o.site for o in askable if not any(may_contact(u, settings) for u in (*o.feeds, *o.news_sitemaps, o.site))
    ]
    if strangers or not askable:
        raise UsageError(f"{strangers[0]}: {NO_CONTACT}" if strangers else NO_CONTACT)
    return askable


def checked(settings: Settings, outlets: dict[str, Outlet], chosen: list[Outlet], *, quiet: bool) -> list[Health]:
    """Look at the outlets in this process, telling of each as it is judged."""
    from datetime import UTC, datetime

    from kiosque.cli.logs import log_to_stderr
    from kiosque.cli.outlets_look import MOST_PER_HOST, look_at_all
    from kiosque.cli.outlets_turns import looks_seen, remember
    from pipelines.pool import ReaderPool
    from spiders.scout import run_scout

    log_to_stderr(form=settings.log_format)
    pool = ReaderPool(workers=settings.worker_count, page_time=settings.page_time, page_memory=settings.page_memory)
    now = datetime.now(UTC)
    seen = looks_seen(settings.home)

    def tell(health: Health) -> None:
        if not quiet:
            print_health(health)

    try:
        found: list[Health] = run_scout(
            settings,
            outlets.values(),
            lambda fetch: look_at_all(
                chosen, fetch, pool, now=now, policy=settings.rights_reserved, seen=seen, done=tell
            ),
            most_per_host=MOST_PER_HOST,
        )
    finally:
        pool.close(now=True)
    if trouble := remember(settings.home, found, seen, today=now.date()):
        print(trouble, file=sys.stderr)
    return found


def print_health(health: Health) -> None:
    """Print what is to be said of an outlet."""
    print(f"{health.state:8} {health.slug}: {short(health.name)}")
    for finding in health.findings:
        print(f"         {short(finding.url)}: {short(finding.reason)}; {finding.mend}")
    if health.unpolled:
        print(f"         not polled this time: {', '.join(map(short, health.unpolled[:SHOWN]))}{_more(health)}")
    sys.stdout.flush()


def _more(health: Health) -> str:
    return f" and {len(health.unpolled) - SHOWN} more" if len(health.unpolled) > SHOWN else ""


def summary_lines(found: list[Health]) -> list[str]:
    """Return the closing lines."""
    states = Counter(health.state for health in found)
    lines = [", ".join(f"{states[state]} {state}" for state in ("ok", "warning", "broken", "blocked") if states[state])]
    left = sum(len(health.unpolled) for health in found)
    if left:
        lines.append(
            f"{left} feeds wait for their turn in the next runs, so that no host gets more than a handful of requests"
        )
    return lines


def summary(found: list[Health]) -> dict[str, Any]:
    """Return everything, for automation."""
    from dataclasses import asdict

    return {
        "states": dict(Counter(health.state for health in found)),
        "outlets": [asdict(health) for health in found],
    }
