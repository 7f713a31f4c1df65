"""`kiosque crawl`: one crawl of some outlets, feeds or pages."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kiosque.cli.logs import log_to_stderr
from kiosque.errors import KiosqueError, UsageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from kiosque.model import Outlet
    from kiosque.settings import Settings
    from pipelines.newsroom import Newsroom
    from spiders.plan import Plan
    from spiders.run import Run

FAILED, INTERRUPTED = 1, 130


def crawl(
    context: typer.Context,
    outlets: Annotated[list[str] | None, typer.Argument(metavar="[OUTLET]...", help="Slugs of outlets")] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Every outlet that is known")] = False,
    group: Annotated[
        list[str] | None, typer.Option(help="Outlets of this tag: regional, sport; given again, both hold")
    ] = None,
    country: Annotated[list[str] | None, typer.Option(help="Outlets of this country: BE; may be given again")] = None,
    feed: Annotated[list[str] | None, typer.Option(help="A feed or news sitemap to poll")] = None,
    url: Annotated[list[str] | None, typer.Option(help="An article to read")] = None,
    limit: Annotated[int | None, typer.Option(min=0, help="The most articles to fetch")] = None,
    revisit: Annotated[bool, typer.Option(help="Ask known recent articles again, conditionally")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Fetch and read, but store nothing")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON summary on standard output")] = False,
) -> None:
    """Poll feeds now, read each new article, and save the records.

    Example: kiosque crawl lemonde liberation --limit 20
    Example: kiosque crawl --group regional --country BE
    """
    settings: Settings = context.obj.settings()
    if not (outlets or every or group or country or feed or url):
        raise UsageError(
            "nothing to crawl: name outlets (see `kiosque outlets list`), "
            "or give --all, --group, --country, --feed or --url"
        )
    log_to_stderr(form=settings.log_format)
    from pipelines.forks import start_fork_server

    start_fork_server()  # beside the imports below, on another core
    # What defines a deprecated class in Scrapy holds each frame of the stack against each module: early there are few.
    import scrapy.core.downloader.contextfactory  # noqa: F401

    from kiosque.cli.progress import progress_bar, show_outcomes
    from pipelines.newsroom import Newsroom
    from spiders.run import Run

    newsroom = Newsroom.open(settings, rehearse=dry_run)
    try:
        slugs = [*(outlets or []), *members(newsroom, groups=group or [], countries=country or [])]
        plan = plan_of(newsroom, slugs, every=every, feeds=feed or [], pages=url or [])
        plan = replaced(plan, limit=limit, revisit=revisit)
    except KiosqueError:
        newsroom.close(now=True)
        raise
    beside = (progress_bar,) if sys.stderr.isatty() else ()
    run = Run(newsroom=newsroom, plan=plan, beside=(*beside, sending_beside(settings)))
    run()
    if newsroom.archivist is not None and newsroom.trouble is None and run.stopped_by is None:
        newsroom.tally.problems += send_last(settings)
    summary = newsroom.tally.summary(seconds=run.seconds)
    if as_json:
        print(json.dumps(summary, ensure_ascii=False))
    else:
        show_outcomes(summary, dry_run=dry_run)
    finish(run)


def sending_beside(settings: Settings) -> Callable[[Any], Awaitable[None]]:
    """Return what sends finished files of the archive to object storage while a crawl runs."""
    from kiosque.service.sending import keep_sending

    return lambda _: keep_sending(lambda: settings)


def send_last(settings: Settings) -> list[str]:
    """Send what the crawl has left of the archive; return what a person should look at."""
    if not settings.archive_folder:
        return []
    from kiosque.service.sending import send_home

    try:
        sent = send_home(settings)
    except KiosqueError as error:
        return [f"the archive's files wait to be sent: {error}"]
    said = {"wait to be sent": sent and sent.problem, "that are old could not be deleted": sent and sent.undeleted}
    return [f"the archive's files {what}: {why}" for what, why in said.items() if why]


def members(newsroom: Newsroom, *, groups: list[str], countries: list[str]) -> list[str]:
    """Return the slugs of the outlets that have all of the groups, of one of the countries, and feeds to ask.

    Raises `OutletError` for a group or country that no outlet has, `UsageError` when none of them may be asked.
    """
    if not (groups or countries):
        return []
    from kiosque.outlets import chosen_strictly

    chosen = chosen_strictly(newsroom.outlets, countries=countries, tags=groups)
    slugs = [slug for slug, outlet in chosen.items() if reachable(outlet, newsroom.settings)]
    if not slugs:
        raise UsageError(NO_CONTACT)
    return slugs


def replaced(plan: Plan, **changes: Any) -> Plan:
    """Return the plan with changes."""
    from dataclasses import replace

    return replace(plan, **changes)


def plan_of(newsroom: Newsroom, slugs: list[str], *, every: bool, feeds: list[str], pages: list[str]) -> Plan:
    """Return the plan of a crawl. Raises `UsageError` for what cannot be crawled."""
    from spiders.plan import Plan

    settings, outlets = newsroom.settings, newsroom.outlets
    for address in (*feeds, *pages):
        if not address.startswith(("http://", "https://")):
            raise UsageError(f"{address!r} is no address to crawl: it must begin with http:// or https://")
    if every:
        slugs = sorted({*slugs, *(slug for slug in outlets if reachable(outlets[slug], settings))})
        if not slugs:
            raise UsageError(NO_CONTACT)
    plan = Plan.for_outlets(outlets, slugs, feeds=feeds, pages=pages, outlet_of=newsroom.outlet_of)
    strangers = [address for address in (*plan.feed_urls, *plan.pages) if not may_contact(address, settings)]
    if strangers:
        raise UsageError(f"{strangers[0]}: {NO_CONTACT}")
    return plan


NO_CONTACT = (
    "servers must be able to reach whoever crawls them; "
    "set KIOSQUE_CONTACT (or `contact` in kiosque.toml) to a URL or an e-mail address"
)


def may_contact(url: str, settings: Settings) -> bool:
    """Tell whether a URL may be asked: there is a contact, or its host was allowed as private."""
    from spiders.guard import is_allowed

    return bool(settings.contact) or is_allowed(url, settings.allowed_hosts)


def reachable(outlet: Outlet, settings: Settings) -> bool:
    """Tell whether an outlet's feeds may be asked."""
    addresses = (*outlet.feeds, *outlet.news_sitemaps)
    return bool(addresses) and all(may_contact(address, settings) for address in addresses)


def finish(run: Run) -> None:
    """End with the exit status that the run deserves, and say on standard error what a person should look at."""
    if run.newsroom.trouble is not None:
        raise run.newsroom.trouble
    if run.stopped_by is not None:
        raise KeyboardInterrupt
    tally = run.newsroom.tally
    problems = [*tally.problems, *hopeless(tally.by_outlet()), *unfinished(tally.under_way)]
    for problem in problems:
        print(f"kiosque: {problem}", file=sys.stderr)
    if problems:
        raise typer.Exit(FAILED)


def hopeless(outlets: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Return a sentence for each outlet of which no page at all could be fetched."""
    found = []
    for slug, outcomes in outlets.items():
        failed = {outcome: n for outcome, n in outcomes.items() if outcome.startswith(("failed:", "blocked:"))}
        if len(failed) == len(outcomes):
            found.append(f"{slug}: no page could be read ({', '.join(f'{k} {n}' for k, n in failed.items())})")
    return found


def unfinished(pages: int) -> list[str]:
    """Return a sentence when pages were taken up and never ended: that is a bug, and they stay on the frontier."""
    return [f"{pages} pages were taken up and never ended; they wait for the next crawl"] if pages else []
