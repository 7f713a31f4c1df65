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
from kiosque.health import outcomes_since
from kiosque.polling import explain
from storage.overview import articles_over_time, record_page

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kiosque.health import Finding, OutletNumbers

HOURS, DAYS, ROWS = 48, 14, 30
LINES_SHOWN, NEWEST_SHOWN = 60, 12
LONGEST_SEARCH = 200
# The first word of an outcome, in the order of a table.
ENDS = ("new", "revised", "unchanged", "duplicate", "rejected", "blocked", "failed")
STATIC = {"kiosque.css": "text/css; charset=utf-8", "kiosque.svg": "image/svg+xml"}

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
        names=desk.names,
        hours=series(_summed(hours.values()), _last_hours(now)),
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
    charts = {one.slug: series(days.get(one.slug, {}), _last_days(now)) for one in rows}
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
    days = articles_over_time(desk.store, since=now - timedelta(days=DAYS)).get(slug, {})
    return page(
        request,
        "outlet.html",
        one=one,
        outlet=declared,
        name=declared.name if declared else slug,
        findings=[finding for finding in counted.findings if finding.outlet == slug],
        feeds=[(feed, explain(feed)) for feed in one.feeds],
        chart=series(days, _last_days(now)),
        ends=[(day, ended(one.days[day])) for day in sorted(one.days, reverse=True)[:DAYS]],
        end_names=ENDS,
        lines=[(line, line.line in learned) for line in desk.store.line_counts(slug, limit=LINES_SHOWN)],
        records=record_page(desk.store, outlet=slug, limit=NEWEST_SHOWN).records,
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


@router.get("/static/{name}")
def static(name: str) -> Response:
    """Return the style sheet or the icon."""
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


def series(counts: Mapping[str, int], moments: list[str]) -> list[int]:
    """Return a count for each moment, zeros included."""
    return [counts.get(moment, 0) for moment in moments]


def _last_hours(now: datetime) -> list[str]:
    return [f"{now - timedelta(hours=back):%Y-%m-%dT%H}" for back in range(HOURS - 1, -1, -1)]


def _last_days(now: datetime) -> list[str]:
    return [f"{now - timedelta(days=back):%Y-%m-%d}" for back in range(DAYS - 1, -1, -1)]


def _summed(counts: Iterable[dict[str, int]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return total


def _day(text: str) -> datetime | None:
    try:
        return datetime.strptime(text[:10], "%Y-%m-%d").replace(tzinfo=UTC) if text else None
    except ValueError:
        return None
