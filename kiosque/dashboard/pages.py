"""The pages: overview, outlets, one outlet, articles."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, HTTPException, Path, Request, Response

from kiosque.dashboard.api import SLUG
from kiosque.dashboard.desk import At  # noqa: TC001 - FastAPI reads the types of a route when it runs
from kiosque.dashboard.render import HERE, page
from kiosque.dashboard.series import by_day, by_hour, coverage_by_week
from kiosque.health import outcomes_since
from storage.coverage import coverage_by_day
from storage.overview import articles_over_time, record_page
from storage.recent import recent_pages

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kiosque.health import Finding, OutletNumbers

HOURS, DAYS, WEEKS, ROWS = 48, 14, 8, 30
# Days of an outlet's own chart.
MONTH = 30
LINES_SHOWN, NEWEST_SHOWN = 60, 12
LONGEST_SEARCH = 200
# The first word of an outcome, in the order of a table.
ENDS = ("new", "revised", "unchanged", "duplicate", "rejected", "blocked", "failed")
CSS, SCRIPT, SVG = "text/css; charset=utf-8", "text/javascript; charset=utf-8", "image/svg+xml"
STATIC = {
    "kiosque.css": CSS,
    "kiosque.js": SCRIPT,
    "kiosque.svg": SVG,
    "vendor/htmx.min.js": SCRIPT,
    "vendor/uPlot.iife.min.js": SCRIPT,
    "vendor/uPlot.min.css": CSS,
}

router = APIRouter(include_in_schema=False)

Slug = Annotated[str, Path(pattern=SLUG, max_length=100)]


@router.get("/")
def overview(request: Request, desk: At) -> Response:
    """Problems first, then freshness, articles per hour, and how pages ended."""
    counted = desk.counted()
    now = datetime.now(UTC)
    hours = articles_over_time(desk.store, since=now - timedelta(hours=HOURS), hours=True)
    yesterday = f"{now - timedelta(days=1):%Y-%m-%d}"
    ends: Counter[str] = Counter()
    for one in counted.numbers.values():
        ends.update(outcomes_since(one, yesterday))
    return page(
        request,
        "overview.html",
        totals=totals(counted.numbers.values()),
        findings=counted.findings,
        service=counted.service,
        names=desk.names,
        hours=by_hour(hours.values(), now=now, hours=HOURS),
        outcomes=ends.most_common(),
        newest=newest_first(counted.numbers.values())[:NEWEST_SHOWN],
    )


@router.get("/outlets")
def outlets(request: Request, desk: At) -> Response:
    """Every outlet that was crawled, those with problems first."""
    counted = desk.counted()
    now = datetime.now(UTC)
    days = articles_over_time(desk.store, since=now - timedelta(days=DAYS))
    rows = ranked(counted.numbers.values(), counted.findings)
    charts = {one.slug: by_day(days.get(one.slug, {}), now=now, days=DAYS).first for one in rows}
    health = {one.slug: Counter(feed.health for feed in one.feeds).most_common() for one in rows}
    troubled = {finding.outlet for finding in counted.findings}
    return page(request, "outlets.html", rows=rows, charts=charts, health=health, troubled=troubled, names=desk.names)


@router.get("/outlets/{slug}")
def outlet(request: Request, desk: At, slug: Slug) -> Response:
    """One outlet: its feeds and why they are asked next when they are, what was learned, its articles."""
    counted = desk.counted()
    one, declared = counted.numbers.get(slug), desk.outlets.get(slug)
    if one is None:
        raise HTTPException(404)
    now = datetime.now(UTC)
    learned = desk.store.learned(slug)
    days = articles_over_time(desk.store, since=now - timedelta(days=MONTH)).get(slug, {})
    covered = coverage_by_day(desk.store, slug, since=now - timedelta(weeks=WEEKS))
    return page(
        request,
        "outlet.html",
        one=one,
        outlet=declared,
        name=declared.name if declared else slug,
        findings=[finding for finding in counted.findings if finding.outlet == slug],
        feeds=one.feeds,
        chart=by_day(days, now=now, days=MONTH),
        covered=coverage_by_week(covered, now=now, weeks=WEEKS),
        ends=[(day, ended(one.days[day])) for day in sorted(one.days, reverse=True)[:DAYS]],
        end_names=ENDS,
        lines=[(line, line.line in learned) for line in desk.store.line_counts(slug, limit=LINES_SHOWN)],
        records=record_page(desk.store, outlet=slug, limit=NEWEST_SHOWN).records,
        pages=recent_pages(desk.store, slug, limit=ROWS),
    )


@router.get("/articles")
def articles(
    request: Request, *, desk: At, q: str = "", outlet: str = "", since: str = "", before: str = ""
) -> Response:
    """Search articles; what cannot be a filter filters nothing."""
    words = q.strip()[:LONGEST_SEARCH]
    slugs = sorted(desk.counted().numbers)
    chosen = outlet if outlet in slugs else None
    day = _day(since)
    found = record_page(
        desk.store,
        outlet=chosen,
        since=day,
        words=words or None,
        cursor=int(before) if re.fullmatch(r"[0-9]{1,18}", before) else None,
        limit=ROWS,
    )
    return page(
        request,
        "articles.html",
        records=found.records,
        next=found.next,
        partial=found.partial,
        words=words,
        chosen=chosen or "",
        since=f"{day:%Y-%m-%d}" if day else "",
        before=before,
        slugs=slugs,
        names=desk.names,
    )


@router.get("/static/{name:path}")
def static(name: str) -> Response:
    """Return a style sheet, a script or the icon."""
    if name not in STATIC:
        raise HTTPException(404)
    body = (HERE / "static" / name).read_bytes()
    return Response(body, media_type=STATIC[name], headers={"Cache-Control": "private, max-age=3600"})


def totals(numbers: Iterable[OutletNumbers]) -> dict[str, int]:
    """Sum what is counted of all outlets."""
    found = {"outlets": 0, "articles": 0, "revisions": 0, "waiting": 0}
    for one in numbers:
        found["outlets"] += 1
        for name in ("articles", "revisions", "waiting"):
            found[name] += getattr(one, name)
    return found


def ranked(numbers: Iterable[OutletNumbers], findings: Iterable[Finding]) -> list[OutletNumbers]:
    """Sort outlets: those with problems first, then by slug."""
    troubled = Counter(finding.outlet for finding in findings)
    return sorted(numbers, key=lambda one: (-troubled[one.slug], one.slug))


def newest_first(numbers: Iterable[OutletNumbers]) -> list[OutletNumbers]:
    """Sort the outlets that have articles by their newest."""
    fresh = [(one.newest.first_seen_at, one.slug, one) for one in numbers if one.newest]
    return [one for _, _, one in sorted(fresh, key=lambda row: row[:2], reverse=True)]


def ended(outcomes: Mapping[str, int]) -> list[int]:
    """Sum a day's outcomes by their first word, in the order of `ENDS`."""
    return [sum(n for name, n in outcomes.items() if name.partition(":")[0] == end) for end in ENDS]


def _day(text: str) -> datetime | None:
    try:
        return datetime.strptime(text[:10], "%Y-%m-%d").replace(tzinfo=UTC) if text else None
    except ValueError:
        return None
