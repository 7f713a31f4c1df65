"""The values of a line's dates: which moment is the publication, and what each comes to on the outlet's clock."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, NamedTuple

from pipelines.steps.dates import clocks, days
from pipelines.steps.dates.belief import believable
from pipelines.steps.dates.moments import items_of, moments_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from kiosque.model import Precision
    from pipelines.steps.dates.days import Fetch, Fields
    from pipelines.steps.dates.moments import Moment
    from pipelines.steps.dates.reading import Role
    from pipelines.steps.dates.tokens import Line

EARLIEST_UNLABELLED = 1985
"""Before it, a date is history unless a label says otherwise."""
COARSE = frozenset(("week", "month", "year"))
EVENING = 18

_TRUST: tuple[Role, ...] = ("published", "unknown", "modified")

_DAYS: dict[str, Callable[[Fields, Fetch], days.Day | None]] = {
    "date": days.calendar_day,
    "day/month": days.calendar_day,
    "compact": days.compact_day,
    "range": days.first_day,
    "month": days.month_day,
    "weekday": days.weekday_day,
    "weekday day": days.day_of_month,
    "day of month": days.day_of_month,
    "relative": days.relative_day,
    "this": days.this_period,
    "last": days.days_ago,
    "days ago": days.days_ago,
}


class Found(NamedTuple):
    """A moment's value."""

    moment: Moment
    day: date
    """The local day, as stated."""
    at: datetime | None
    """The instant, on the outlet's clock, in whole seconds, where a time is known."""
    precision: Precision
    reason: str

    @property
    def value(self) -> str:
        """The ISO string."""
        return self.day.isoformat() if self.at is None else self.at.isoformat()


def believable_moments(line: Line) -> list[Moment]:
    """Return the moments of a line that may be an article's, in order."""
    items = items_of(line)
    return believable(moments_of(items, line.shape), items, line)


def first(line: Line, fetch: Fetch) -> Found | None:
    """Return the publication date: a labelled one, else one without a label, else a modification's."""
    return _first(believable_moments(line), fetch)


def _first(found: list[Moment], fetch: Fetch) -> Found | None:
    """Return the most trusted value, and among those of one role a day or an instant before a month or a year."""
    for role in _TRUST:
        coarse = None
        for moment in found:
            value = value_of(moment, fetch) if moment.role == role else None
            if value is not None and value.precision not in COARSE:
                return value
            coarse = coarse or value
        if coarse is not None:
            return coarse
    return None


def every(line: Line, fetch: Fetch) -> list[Found]:
    """Return all dates in the text's order; a modification takes what it lacks from the dates before it."""
    moments = believable_moments(line)
    before = _first(moments, fetch)
    before = None if before is None or before.moment.role == "modified" else before
    found = []
    for moment in moments:
        modified = moment.role == "modified"
        value = _later(moment, before, fetch) if modified and before else value_of(moment, fetch)
        if value is not None:
            found.append(value)
            before = value if modified and (before is None or value.day >= before.day) else before
    return found


def _later(moment: Moment, before: Found, fetch: Fetch) -> Found | None:
    """Return a modification's value: on the day of the date before it, or past midnight on the next."""
    value = value_of(moment, fetch._replace(since=before.day))
    if moment.kind == "time" and value and value.at and before.at and value.at < before.at:
        return value_of(moment, fetch._replace(since=before.day + days.ONE_DAY))
    return value


def value_of(moment: Moment, fetch: Fetch) -> Found | None:
    """Return the moment's value on the outlet's clock, None where it can be none."""
    try:
        match moment.kind:
            case "now":
                return _elapsed(moment, {"count": "0", "unit": "min"}, fetch)
            case "ago":
                return _elapsed(moment, moment.fields, fetch)
            case "time":
                return _time_only(moment, fetch)
            case "epoch":
                return _since_1970(moment, fetch)
        return _dated(moment, fetch)
    except OverflowError:  # before the year 1 or after 9999
        return None


def _elapsed(moment: Moment, fields: Fields, fetch: Fetch) -> Found | None:
    """Count back in real time: clock changes between make no difference."""
    spent = clocks.elapsed(fields)
    if spent is None:
        return None
    at = (fetch.now.astimezone(UTC).replace(microsecond=0) - spent[0]).astimezone(fetch.zone)
    return Found(moment, at.date(), at, spent[1], "counted back from the fetch")


def _since_1970(moment: Moment, fetch: Fetch) -> Found | None:
    at = datetime.fromtimestamp(int(moment.fields["epoch"][: len("1729850400")]), UTC).astimezone(fetch.zone)
    if at > fetch.now + days.ONE_DAY:
        return None
    return Found(moment, at.date(), at, "second", "counted from 1970, as machines do")


def _time_only(moment: Moment, fetch: Fetch) -> Found:
    clock = clocks.clock_of(moment.fields, moment.zone)
    if fetch.since is not None:
        at = clocks.instant(fetch.since, clock, fetch)
        return Found(moment, fetch.since, at, clock.precision, "the day of the publication")
    day = fetch.today
    at = clocks.instant(day, clock, fetch)
    if at > fetch.now + clocks.CLOCK_SKEW:
        day -= days.ONE_DAY
        at = clocks.instant(day, clock, fetch)
    return Found(moment, day, at, clock.precision, "the latest such time not after the fetch")


def _dated(moment: Moment, fetch: Fetch) -> Found | None:
    day = _DAYS[moment.kind](moment.fields, fetch)
    if day is None or not _is_plausible(day.date, moment, fetch):
        return None
    time = moment.time or (moment.fields if "noon" in moment.fields else None)
    if time is None:
        return Found(moment, day.date, None, day.precision, day.reason)
    clock = clocks.clock_of(time, moment.zone)
    stated = day.date
    at = clocks.instant(stated, clock, fetch)
    early = _days_early(moment, clock)
    if early and at > fetch.now + clocks.CLOCK_SKEW:
        stated -= early * days.ONE_DAY
        at = clocks.instant(stated, clock, fetch)
    return Found(moment, stated, at, clock.precision, day.reason)


def _is_plausible(day: date, moment: Moment, fetch: Fetch) -> bool:
    """Tell whether an article can have that day: not after the fetch by more than a day, nor long before the web."""
    ahead = days.ANNOUNCED if moment.kind == "range" else days.ONE_DAY
    return day <= fetch.today + ahead and (day.year >= EARLIEST_UNLABELLED or moment.labelled)


def _days_early(moment: Moment, clock: clocks.Clock) -> int:
    """Return by how many days a time that has not come yet was earlier: "vendredi à 20h", read on Friday at noon."""
    if moment.kind == "weekday" and "demonstrative" not in moment.fields:
        return 7
    if moment.kind == "relative" and "days" not in moment.fields and clock.hour >= EVENING:
        return 1  # "cette nuit à 23h30", read in the morning
    return 0
