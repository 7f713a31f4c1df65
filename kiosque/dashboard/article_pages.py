"""The pages of one article: reading, its way from bytes to record, its revisions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from fastapi import APIRouter, HTTPException, Path, Query, Request, Response

from kiosque.dashboard.api import ID
from kiosque.dashboard.beside import rows
from kiosque.dashboard.desk import At  # noqa: TC001 - FastAPI reads the types of a route when it runs
from kiosque.dashboard.diff import only_changes, text_diff
from kiosque.dashboard.provenance import provenance
from kiosque.dashboard.render import page
from kiosque.model import Article
from pipelines.correction import changed_fields, corrected
from pipelines.rights import rights_on_page
from pipelines.steps.claims import says_the_same
from storage.overview import revisions_of

if TYPE_CHECKING:
    from kiosque.dashboard.desk import Desk
    from kiosque.dashboard.diff import Line
    from kiosque.dashboard.reread import Way
    from kiosque.model import Record
    from pipelines.trace import Trace

MEMBERS_SHOWN, ADDRESSES_SHOWN = 30, 50

router = APIRouter(include_in_schema=False)

# Fields whose change is shown by the words that differ.
PROSE = frozenset({"title", "lead", "text"})


class Difference(NamedTuple):
    """A field that today's rules read otherwise."""

    name: str
    before: str
    after: str
    words: list[Line | None]
    """The change of a text word by word; None stands for what is left out."""


ArticleId = Annotated[str, Path(pattern=ID)]
Number = Annotated[int, Path(ge=2, le=1_000_000)]
OldNumber = Annotated[int | None, Query(ge=1, le=1_000_000)]


@router.get("/articles/{article}")
def article(request: Request, desk: At, article: ArticleId, *, text: str = "") -> Response:
    """One article to read, what was taken out beside it, where each field came from, revisions, near-duplicates."""
    revisions = _known(desk, article)
    record = revisions[-1]
    way = desk.way(record)
    is_alone = text == "alone"
    lines = way.trace.lines if way.trace is not None and not is_alone else ()
    members = desk.store.cluster(record.cluster) if record.cluster else []
    return page(
        request,
        "article.html",
        record=record,
        rows=rows(record.text, record.lead, lines),
        is_alone=is_alone,
        way=way,
        revisions=list(reversed(revisions)),
        fields=provenance(record, way.trace.claims if way.trace is not None else None),
        members=[one for one in members if one.id != record.id][:MEMBERS_SHOWN],
        names=desk.names,
    )


@router.get("/articles/{article}/way")
def way(request: Request, desk: At, article: ArticleId, *, revision: OldNumber = None) -> Response:
    """One page's way from bytes to record: what each step gave, with today's rules."""
    revisions = {one.revision: one for one in _known(desk, article)}
    record = revisions.get(revision or max(revisions))
    if record is None:
        raise HTTPException(404)
    found = desk.way(record)
    trace = found.trace
    return page(
        request,
        "way.html",
        record=record,
        is_latest=record.revision == max(revisions),
        way=found,
        trace=trace,
        article=trace.reading if trace is not None and isinstance(trace.reading, Article) else None,
        differs=differences(record, found, desk),
        claims=agreeing(record, trace),
        rights=rights_on_page(trace.reading, trace.headers) if trace is not None else None,
    )


@router.get("/articles/{article}/revisions/{number}")
def revision(request: Request, desk: At, article: ArticleId, number: Number) -> Response:
    """What changed from one revision to the next."""
    revisions = {one.revision: one for one in revisions_of(desk.store, article)}
    new, old = revisions.get(number), revisions.get(number - 1)
    if new is None or old is None:
        raise HTTPException(404)
    return page(
        request,
        "revision.html",
        old=old,
        new=new,
        title=text_diff(old.title, new.title) if old.title != new.title else [],
        text=list(only_changes(text_diff(old.text, new.text))) if old.text != new.text else [],
        fields=[
            (name, getattr(old, name), getattr(new, name))
            for name in ("published", "modified", "section", "paywalled")
            if getattr(old, name) != getattr(new, name)
        ],
    )


def differences(record: Record, way: Way, desk: Desk) -> list[Difference]:
    """Return the fields that today's rules read otherwise than the record has them."""
    reading = way.trace.reading if way.trace is not None else None
    outlet = desk.outlets.get(record.outlet)
    if outlet is None or not isinstance(reading, Article):
        return []
    after = corrected(record, reading, outlet=outlet, version=record.kiosque_version)
    return [_difference(name, getattr(record, name), getattr(after, name)) for name in changed_fields(record, after)]


def _difference(name: str, before: Any, after: Any) -> Difference:
    if name in PROSE and before and after:
        return Difference(name, "", "", list(only_changes(text_diff(before, after))))
    return Difference(name, plain_value(before), plain_value(after), [])


def plain_value(value: Any) -> str:
    """Return a field's value as a person reads it; empty where there is none."""
    return ", ".join(map(str, value)) if isinstance(value, tuple) else "" if value is None else str(value)


def agreeing(record: Record, trace: Trace | None) -> list[tuple[str, str, str, bool]]:
    """Return what the page claims of each field, and whether the record says the same."""
    ours = {name: value for name, value in record_values(record).items() if value}
    claims = trace.claims if trace is not None else ()
    return [
        (claim.field, claim.place, claim.value, claim.field in ours and says_the_same(claim.value, ours[claim.field]))
        for claim in claims
    ]


def record_values(record: Record) -> dict[str, str]:
    """Return the fields of a record that a page can claim, as text."""
    return {
        "title": record.title,
        "lead": record.lead or "",
        "authors": ", ".join(record.authors),
        "section": record.section or "",
        "tags": ", ".join(record.tags),
        "image": record.image or "",
        "language": record.language,
        "url": record.url,
        "modified": record.modified or "",
        "paywalled": "false" if record.paywalled else "true",  # as `isAccessibleForFree` has it
    }


def _known(desk: Desk, article: str) -> list[Record]:
    revisions = revisions_of(desk.store, article)
    if not revisions:
        raise HTTPException(404)
    return revisions
