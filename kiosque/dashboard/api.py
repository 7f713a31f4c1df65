"""The API: records, changes and outlets as JSON or JSON lines, in bounded pages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter, HTTPException, Path, Query, Request, Response

from kiosque.advice import says
from kiosque.dashboard.described import (
    ALL_OUTLETS,
    CHANGE,
    JSON_TYPE,
    LINES_TYPE,
    OUTLET,
    PAGE_OF_CHANGES,
    PAGE_OF_RECORDS,
    RECORD,
    STRANGE_CURSOR,
    UNKNOWN,
    answers,
    trouble,
)
from kiosque.dashboard.desk import At  # noqa: TC001 - FastAPI reads the types of a route when it runs
from kiosque.records import instant, record_to_dict
from storage.cursor import CURSOR, cursor_text, fault_of
from storage.overview import change_page, record_page, revisions_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kiosque.dashboard.desk import Desk
    from kiosque.health import OutletNumbers
    from kiosque.model import Outlet, Record

MOST, USUAL = 500, 100
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
SLUG = r"^[a-z0-9]+(-[a-z0-9]+)*$"
ID = r"^[0-9a-f]{24}$"

OutletSlug = Annotated[str | None, Query(pattern=SLUG, max_length=100, description="Only this outlet's")]
Since = Annotated[datetime | None, Query(description="Fetched at or after this instant; without an offset it is UTC")]
Search = Annotated[str | None, Query(min_length=1, max_length=200, description="All these words in title or text")]
Cursor = Annotated[
    str | None,
    Query(pattern=rf"^{CURSOR.pattern}$", description="Where an earlier page ended; good for this store alone"),
]
Limit = Annotated[int, Query(ge=1, le=MOST, description="The most items of one page")]
Format = Annotated[Literal["json", "jsonl"], Query(description="One JSON object, or an item a line")]
Reserved = Annotated[bool, Query(description="Also records whose publisher reserves text and data mining")]
Order = Annotated[Literal["newest", "oldest"], Query(description="By the article's last change")]
ArticleId = Annotated[str, Path(pattern=ID)]

router = APIRouter(
    prefix="/api/v1",
    tags=["v1"],
    responses=trouble(422, "A parameter that cannot be") | trouble(503, "The store does not answer"),
)


@router.get("/records", responses=answers(PAGE_OF_RECORDS, lines=RECORD) | STRANGE_CURSOR)
def list_records(
    request: Request,
    *,
    desk: At,
    cursor: Cursor = None,
    outlet: OutletSlug = None,
    since: Since = None,
    search: Search = None,
    limit: Limit = USUAL,
    order: Order = "newest",
    form: Annotated[Format, Query(alias="format")] = "json",
    include_reserved: Reserved = False,
) -> Response:
    """List the latest record of each article. Pages may hold fewer than `limit`; `next` tells whether more follow."""
    page = record_page(
        desk.store,
        outlet=outlet,
        since=_utc(since),
        words=search,
        cursor=_number(desk, cursor),
        oldest_first=order == "oldest",
        limit=limit,
    )
    records = [record_to_dict(one) for one in page.records if include_reserved or not is_reserved(one)]
    going_on = cursor_text(desk.store, page.next) if page.next is not None else None
    headers = _next_page(request, "cursor", going_on) if going_on else {}
    headers |= {"Kiosque-Search": "partial"} if page.partial else {}
    if form == "jsonl":
        return lines_response(records, headers)
    return json_response({"records": records, "next": going_on, "partial": page.partial}, headers)


@router.get("/records/{id}", responses=answers(RECORD) | UNKNOWN)
def one_record(desk: At, article: Annotated[ArticleId, Path(alias="id")]) -> Response:
    """Return an article's latest record, whatever its rights say: they stand in it."""
    return json_response(record_to_dict(_known(desk, article)[-1]))


@router.get("/records/{id}/revisions", responses=answers({"type": "array", "items": RECORD}) | UNKNOWN)
def revisions(desk: At, article: Annotated[ArticleId, Path(alias="id")]) -> Response:
    """Return every revision of an article, the first one first."""
    return json_response([record_to_dict(one) for one in _known(desk, article)])


@router.get("/changes", responses=answers(PAGE_OF_CHANGES, lines=CHANGE) | STRANGE_CURSOR)
def list_changes(
    request: Request,
    *,
    desk: At,
    since: Cursor = None,
    limit: Limit = USUAL,
    form: Annotated[Format, Query(alias="format")] = "json",
    include_reserved: Reserved = False,
) -> Response:
    """Return what changed after a cursor, in its order: apply each, then go on at `cursor`.

    A change carries its article's latest record, which may be newer than the change. `deleted` is also
    what must not be kept: erased articles, and (without `include_reserved`) those that became reserved.
    """
    page = change_page(desk.store, after=_number(desk, since) or 0, limit=limit)
    changes = []
    for change in page.changes:
        record = page.records.get(change.id)
        shown = record if record is not None and (include_reserved or not is_reserved(record)) else None
        kind, revision = (change.kind, change.revision) if shown is not None else ("deleted", 0)
        changes.append(
            {
                "number": change.number,
                "id": change.id,
                "revision": revision,
                "kind": kind,
                "record": record_to_dict(shown) if shown is not None else None,
            }
        )
    cursor = cursor_text(desk.store, page.cursor)
    headers = {"Kiosque-Cursor": cursor} | (_next_page(request, "since", cursor) if page.more else {})
    if form == "jsonl":
        return lines_response(changes, headers)
    return json_response({"changes": changes, "cursor": cursor, "more": page.more}, headers)


@router.get("/outlets", responses=answers(ALL_OUTLETS, lines=OUTLET))
def list_outlets(*, desk: At, form: Annotated[Format, Query(alias="format")] = "json") -> Response:
    """List the outlets that were crawled, with their numbers and what is to be said of each."""
    counted = desk.counted()
    problems: dict[str, list[dict[str, str]]] = {}
    for finding in counted.findings:
        problems.setdefault(finding.outlet, []).append({"kind": finding.kind, "says": says(finding)})
    rows = [
        outlet_json(one, desk.outlets.get(slug)) | {"problems": problems.get(slug, [])}
        for slug, one in counted.numbers.items()
    ]
    if form == "jsonl":
        return lines_response(rows, {})
    return json_response({"at": instant(counted.at), "outlets": rows, "problems": problems.get("", [])})


def outlet_json(one: OutletNumbers, outlet: Outlet | None) -> dict[str, Any]:
    """Return an outlet as plain values."""
    newest = one.newest
    return {
        "slug": one.slug,
        "name": outlet.name if outlet else None,
        "country": outlet.country if outlet else None,
        "site": outlet.site if outlet else None,
        "articles": one.articles,
        "revisions": one.revisions,
        "waiting": one.waiting,
        "newest": newest and {"id": newest.id, "title": newest.title, "first_seen_at": instant(newest.first_seen_at)},
        "feeds": [
            {
                "url": feed.url,
                "health": feed.health,
                "reason": feed.reason,
                "next_due": instant(feed.next_due) if feed.next_due else None,
                "last_success": instant(feed.last_success) if feed.last_success else None,
            }
            for feed in one.feeds
        ],
    }


def is_reserved(record: Record) -> bool:
    """Tell whether the publisher reserves text and data mining: exports leave these out too."""
    return record.rights.tdm_reserved is True


def json_response(content: Any, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with JSON."""
    return Response(msgspec.json.encode(content), media_type=JSON_TYPE, headers=headers)


def lines_response(items: Iterable[Mapping[str, Any]], headers: Mapping[str, str]) -> Response:
    """Answer with JSON lines."""
    return Response(msgspec.json.Encoder().encode_lines(items), media_type=LINES_TYPE, headers=headers)


def _known(desk: Desk, article: str) -> list[Record]:
    found = revisions_of(desk.store, article)
    if not found:
        raise HTTPException(404, "no such article")
    return found


def _number(desk: Desk, cursor: str | None) -> int | None:
    """Return a cursor's change number. Raises a 409 for a cursor of another store."""
    if cursor is None:
        return None
    match = CURSOR.fullmatch(cursor)
    fault = fault_of(match, desk.store) if match is not None else "is none"
    if match is None or fault is not None:
        raise HTTPException(409, f"this cursor {fault}; begin without one")
    return int(match[2])


def _utc(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (OverflowError, ValueError):  # an offset that leads out of the calendar, at its beginning or its end
        return FIRST if moment.year == 1 else LAST


def _next_page(request: Request, name: str, cursor: str) -> dict[str, str]:
    """Return the header that leads to the next page, with the filters of this one."""
    given = [(key, value) for key, value in request.query_params.multi_items() if key != name]
    return {"Link": f'<{request.url.path}?{urlencode([*given, (name, cursor)])}>; rel="next"'}
