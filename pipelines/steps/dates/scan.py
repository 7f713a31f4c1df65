"""Find the dates of a line and what each is for: published, modified, or none of an article's dates."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from pipelines.steps.dates import infer
from pipelines.steps.dates.grammar import GRAMMAR

if TYPE_CHECKING:
    from kiosque.model import Precision
    from pipelines.steps.dates.reading import Role
    from pipelines.steps.dates.tokens import Line

ANNOUNCED = timedelta(days=60)
"""How far ahead a range of days may begin: it announces."""

_GLUE = re.compile(r"[,!:<>/;~LUCAT-]{0,4}\Z")  # between a day and its time, either first
_GOVERNED = re.compile(r"[ULCE&;:A-]*\Z")  # between "loi" and its date
_LABEL_GAP = re.compile(r"[LUCA&:;,!~ab<-]*\Z")
_UNEXPLAINED = re.compile(r"[^LUA&ba!;:,<>%~/TZ-]")
_WEAK = frozenset(
    ("weekday", "weekday day", "day of month", "relative", "last", "ago", "now", "time", "month", "day/month")
)


@dataclass(slots=True)
class Moment:
    """A stretch of tokens that states a day, a time or both."""

    kind: str
    fields: infer.Fields
    start: int
    end: int
    role: Role
    labelled: bool
    time: infer.Fields | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A moment's value."""

    moment: Moment
    day: date | None
    at: datetime | None
    precision: Precision
    reason: str

    @property
    def value(self) -> str:
        """The ISO string."""
        return self.at.replace(microsecond=0).isoformat() if self.at is not None else str(self.day)


def moments(line: Line) -> list[Moment]:
    """Return the moments of a line that may be an article's, in order."""
    shape, words = line.shape, line.words
    found: list[Moment] = []
    spans: list[tuple[int, int]] = []
    role: Role = "unknown"
    label_end = near_end = -1
    clause = show = False
    loose_time: Moment | None = None
    for match in GRAMMAR.pattern.finditer(shape):
        group = match.lastindex or 0
        kind = GRAMMAR.kinds[group]
        start, end = match.span()
        if kind == "separator":
            clause = show = False
            continue
        if kind in ("near", "clause", "show"):
            near_end = end if kind == "near" else near_end
            clause = clause or kind == "clause"
            show = show or kind == "show"
            continue
        spans.append((start, end))
        if kind in ("published", "modified"):
            role = kind  # type: ignore[assignment]
            label_end, clause, show, near_end = end, False, False, -1
            continue
        if kind in ("hours", "byline"):
            continue
        fields = {
            name: words[match.start(place)]
            for name, place in GRAMMAR.fields[group]
            if match.end(place) > match.start(place) >= 0
        }
        governed = near_end >= 0 and _GOVERNED.match(shape, near_end, start) is not None
        timed = kind in ("time", "ago", "now")
        if clause or governed or (show and timed) or shape[end : end + 1] == "F":
            loose_time = None
            continue
        labelled = label_end >= 0 and _LABEL_GAP.match(shape, label_end, start) is not None
        moment = Moment(kind, fields, start, end, role, labelled)
        if kind == "time":
            last = found[-1] if found else None
            if last and last.time is None and last.kind != "time" and _glued(shape, last.end, start):
                last.time, last.end = fields, end
                continue
            loose_time = moment
            found.append(moment)
            continue
        if (
            loose_time is not None
            and found[-1] is loose_time
            and _glued(shape, loose_time.end, start)
            and kind != "ago"
        ):
            found.pop()
            moment = Moment(
                kind, fields, loose_time.start, end, loose_time.role, loose_time.labelled, loose_time.fields
            )
        loose_time = None
        found.append(moment)
    return [moment for moment in found if _believable(moment, line, spans)]


def _glued(shape: str, left: int, right: int) -> bool:
    return _GLUE.match(shape, left, right) is not None


def _believable(moment: Moment, line: Line, spans: list[tuple[int, int]]) -> bool:
    """Tell whether the words around leave it an article's date."""
    shape, fields = line.shape, moment.fields
    if moment.labelled:
        return True
    if moment.kind in ("date", "range") and "month_first" not in fields:
        return not _is_a_name(moment, shape)
    if moment.kind == "date" and ("year" in fields or "weekday" in fields):
        return True
    if moment.kind == "weekday" and shape[moment.start] in "wR" and moment.time is None:
        return False
    if moment.kind == "day/month" and "weekday" not in fields and (len(fields["month"]) == 1 or fields["joint"] == "-"):
        return False
    return _explained(moment, shape, spans)


def _is_a_name(moment: Moment, shape: str) -> bool:
    """Tell "la manifestation du 25 octobre" and "le 11-Septembre" from a date line."""
    fields = moment.fields
    if "year" in fields or "short_year" in fields or "weekday" in fields:
        return False
    if fields.get("joint") == "-" and len(fields["month"]) > 4:
        return True
    before = shape[max(0, moment.start - 2) : moment.start + 1]
    return "xU" in before


def _explained(moment: Moment, shape: str, spans: list[tuple[int, int]]) -> bool:
    """Tell whether nothing unknown stands in the same part of the line (anywhere, for a bare time)."""
    left, right = 0, len(shape)
    if moment.kind != "time":
        left = shape.rfind("!", 0, moment.start) + 1
        right = shape.find("!", moment.end)
        right = len(shape) if right < 0 else right
    place = left
    for start, end in spans:
        if start < left or start >= right:
            continue
        if _UNEXPLAINED.search(shape, place, start):
            return False
        place = end
    return not _UNEXPLAINED.search(shape, place, right)


def resolve(moment: Moment, fetch: infer.Fetch, after: date | None = None) -> Found | None:
    """Return the moment's value on the outlet's clock, None where it can be none."""
    fields = moment.fields
    if moment.kind == "now":
        return Found(moment, None, fetch.now.astimezone(fetch.zone), "minute", "the fetch itself")
    if moment.kind == "ago" and (spent := infer.elapsed(fields)):
        return Found(
            moment,
            None,
            (fetch.now.astimezone(UTC) - spent[0]).astimezone(fetch.zone),
            spent[1],
            "counted back from the fetch",
        )
    if moment.kind == "time":
        return _time_only(moment, fetch, after)
    day = _day(moment, fetch, after)
    if day is None or not _plausible(day.day, moment, fetch):
        return None
    if moment.time is None:
        if "noon" in fields:
            return _timed(moment, day, fields, fetch)
        return Found(moment, day.day, None, day.precision, day.reason)
    return _timed(moment, day, moment.time, fetch)


def _day(moment: Moment, fetch: infer.Fetch, after: date | None) -> infer.Day | None:
    fields = moment.fields
    match moment.kind:
        case "date":
            return infer.compact_day(fields) if "compact" in fields else infer.calendar_day(fields, fetch, after)
        case "day/month":
            return infer.calendar_day(fields, fetch, after)
        case "range":
            return _range_day(fields, fetch)
        case "month":
            return infer.month_day(fields)
        case "weekday":
            return infer.weekday_day(fields, fetch)
        case "weekday day" | "day of month":
            return infer.day_of_month(fields, fetch)
        case "relative":
            return infer.relative_day(fields, fetch)
        case "last":
            return infer.days_back(infer.UNIT_OF[fields["unit"]], 1, fetch)
        case "ago" if infer.UNIT_OF[fields["unit"]] not in infer.SECONDS:
            return infer.days_back(infer.UNIT_OF[fields["unit"]], infer.amount(fields["count"]), fetch)
    return None


def _range_day(fields: infer.Fields, fetch: infer.Fetch) -> infer.Day | None:
    """Return the first day: what it leaves out stands at the last."""
    month = fields.get("month") or fields["end_month"]
    first = {"day": fields["day"], "month": month} | ({"weekday": fields["weekday"]} if "weekday" in fields else {})
    year = fields.get("year") or fields.get("end_year")
    if year is None:
        return infer.calendar_day(first, fetch._replace(today=fetch.today + ANNOUNCED))
    crossing = "year" not in fields and infer.month_numbers(month) > infer.month_numbers(fields["end_month"])
    return infer.calendar_day(first | {"year": str(int(year) - crossing)}, fetch)


def _plausible(day: date, moment: Moment, fetch: infer.Fetch) -> bool:
    ahead = ANNOUNCED if moment.kind == "range" else infer.DAY
    if day > fetch.today + ahead:
        return False
    return day.year >= infer.EARLIEST_UNLABELLED or moment.labelled


def _timed(moment: Moment, day: infer.Day, fields: infer.Fields, fetch: infer.Fetch) -> Found:
    clock = infer.clock_of(fields)
    at = infer.instant(day.day, clock, fetch)
    if moment.kind == "weekday" and "demonstrative" not in moment.fields and at > fetch.now + infer.CLOCK_SKEW:
        at = infer.instant(day.day - 7 * infer.DAY, clock, fetch)
    if (
        moment.kind == "relative"
        and "days" not in moment.fields
        and clock.hour >= 18
        and at > fetch.now + infer.CLOCK_SKEW
    ):  # noqa: PLR2004
        at = infer.instant(day.day - infer.DAY, clock, fetch)  # "cette nuit à 23h30", read in the morning
    return Found(moment, day.day, at, clock.precision, day.reason)


def _time_only(moment: Moment, fetch: infer.Fetch, after: date | None) -> Found:
    clock = infer.clock_of(moment.fields)
    if after is not None:
        return Found(moment, after, infer.instant(after, clock, fetch), clock.precision, "the day of the publication")
    at = infer.instant(fetch.today, clock, fetch)
    if at > fetch.now + infer.CLOCK_SKEW:
        at = infer.instant(fetch.today - infer.DAY, clock, fetch)
    return Found(moment, None, at, clock.precision, "the latest such time not after the fetch")


_TRUST: tuple[Role, ...] = ("published", "unknown", "modified")


def _resolved(moment: Moment, fetch: infer.Fetch, after: date | None = None) -> Found | None:
    try:
        return resolve(moment, fetch, after)
    except OverflowError:  # before the year 1 or after 9999
        return None


def first(line: Line, fetch: infer.Fetch) -> Found | None:
    """Return the publication date: a labelled one, else one without a label, else a modification's."""
    found = moments(line)
    for role in _TRUST:
        for moment in found:
            if moment.role == role and (value := _resolved(moment, fetch)):
                return value
    return None


def every(line: Line, fetch: infer.Fetch) -> list[Found]:
    """Return all dates in the text's order; a modification without a day or year takes the publication's."""
    publication = first(line, fetch)
    after = None
    if publication is not None and publication.moment.role != "modified":
        after = publication.day or (publication.at.date() if publication.at else None)
    found = []
    for moment in moments(line):
        value = _resolved(moment, fetch, after if moment.role == "modified" else None)
        if value is not None:
            found.append(value)
    return found
