"""Find the dates of a line and what each is for: published, modified, or none of an article's dates."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from pipelines.steps.dates import infer
from pipelines.steps.dates.grammar import FAMILIES

if TYPE_CHECKING:
    from kiosque.model import Precision
    from pipelines.steps.dates.reading import Role
    from pipelines.steps.dates.tokens import Line

ANNOUNCED = timedelta(days=60)
"""How far ahead a range of days may begin: it announces."""

_GLUE = re.compile(r"[,!:<>/;~LUCAT-]{0,4}\Z")  # between a day and its time, either first
_GOVERNED = re.compile(r"[ULCE&;:AO0-9YK/-]*\Z")  # between "loi" and its date
_LABEL_GAP = re.compile(r"[LUCA&:;,!~ab<-]*\Z")
_EXPLAINED = frozenset("LUA&baO!;:,<>%~/TZ-")
MAX_NAMES = 4
"""More capitals are a headline."""
_CONTEXT = frozenset(("near", "clause", "show", "separator"))
_TIMED = frozenset(("time", "ago", "now"))


class Item(NamedTuple):
    """A stretch of tokens that one rule of the grammar fits."""

    kind: str
    start: int
    end: int
    fields: infer.Fields


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
    zone: infer.Fields | None = None


class Found(NamedTuple):
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
    items = _items(line)
    found = _joined(_in_context(items, line.shape), line.shape)
    if all(moment.labelled or moment.kind in _STRONG for moment in found):
        return [moment for moment in found if moment.labelled or _is_strong(moment, line.shape)]
    unknown = _unknown(items, line.shape)
    return [moment for moment in found if _believable(moment, line, unknown)]


def _items(line: Line) -> list[Item]:
    """Return what the grammar finds, in order."""
    words, shape = line.words, line.shape
    items = []
    place, end = 0, len(shape)
    while place < end:
        family = FAMILIES.get(shape[place])
        match = family and family.pattern.match(shape, place)
        if not family or not match or match.end() == place:
            place += 1
            continue
        group = match.lastindex or 0
        fields = {name: words[match.start(index)] for name, index in family.fields[group] if match[index]}
        items.append(Item(family.kinds[group], place, match.end(), fields))
        place = match.end()
    return items


def _in_context(items: list[Item], shape: str) -> list[Moment]:
    """Return the days and times that belong to nothing else, each with the role of the label before it."""
    found = []
    role: Role = "unknown"
    label_end = near_end = -1
    clause = show = False
    for item in items:
        match item.kind:
            case "separator":
                clause = show = False
            case "published" | "modified" as label:
                role, label_end, near_end, clause, show = label, item.end, -1, False, False
            case "near":
                near_end = item.end
            case "clause":
                clause = True
            case "show":
                show = True
            case "hours" | "byline" | "number" | "programme":
                pass
            case kind:
                governed = near_end >= 0 and _GOVERNED.match(shape, near_end, item.start)
                if clause or governed or (show and kind in _TIMED) or shape[item.end : item.end + 1] == "F":
                    continue
                labelled = label_end >= 0 and _LABEL_GAP.match(shape, label_end, item.start) is not None
                found.append(Moment(kind, item.fields, item.start, item.end, role, labelled))
    return found


def _joined(found: list[Moment], shape: str) -> list[Moment]:
    """Join each time with its zone, and with the day right before or after it."""
    joined: list[Moment] = []
    for moment in found:
        last = joined[-1] if joined else None
        if moment.kind == "zone":
            if last and last.end == moment.start and (last.time or last.kind == "time"):
                last.zone, last.end = moment.fields, moment.end
        elif last is None or not _GLUE.match(shape, last.end, moment.start):
            joined.append(moment)
        elif moment.kind == "time" and last.time is None and last.kind not in _TIMED:
            last.time, last.end = moment.fields, moment.end
        elif last.kind == "time" and moment.kind not in _TIMED:
            joined[-1] = replace(moment, start=last.start, role=last.role, labelled=last.labelled, time=last.fields, zone=last.zone)
        else:
            joined.append(moment)
    return joined


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
    if moment.kind == "day/month" and "weekday" not in fields and (fields["joint"] == "-" or _is_short(moment)):
        return False
    return _explained(moment, line, spans)


def _is_short(moment: Moment) -> bool:
    """Tell "7/9" and "8/10" (a programme, a mark) from "24/10" and "08/03"."""
    return moment.time is None and min(len(moment.fields["day"]), len(moment.fields["month"])) == 1


def _is_a_name(moment: Moment, shape: str) -> bool:
    """Tell "la manifestation du 25 octobre" and "le 11-Septembre" from a date line."""
    fields = moment.fields
    if "year" in fields or "short_year" in fields or "weekday" in fields:
        return False
    if fields.get("joint") == "-" and len(fields["month"]) > 4:
        return True
    before = shape[max(0, moment.start - 2) : moment.start + 1]
    return "xU" in before


def _explained(moment: Moment, line: Line, spans: list[tuple[int, int]]) -> bool:
    """Tell whether nothing unknown stands in the same part of the line (anywhere, for a bare time).

    Names may stand beside an age, and beside a relative day with a time: "Le Courrier, il y a 2 heures".
    """
    shape = line.shape
    left, right = 0, len(shape)
    if moment.kind != "time":
        left = shape.rfind("!", 0, moment.start) + 1
        right = shape.find("!", moment.end)
        right = len(shape) if right < 0 else right
    known = {place for start, end in spans for place in range(start, end)}
    unknown = [place for place in range(left, right) if place not in known and shape[place] not in _EXPLAINED]
    if not unknown:
        return True
    named = moment.kind == "ago" or (moment.kind == "relative" and moment.time is not None)
    return named and len(unknown) <= MAX_NAMES and all(shape[place] == "x" and line.is_name(place) for place in unknown)


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
    clock = infer.clock_of(fields, moment.zone)
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
    clock = infer.clock_of(moment.fields, moment.zone)
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
