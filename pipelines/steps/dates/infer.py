"""From fields to a day or an instant: the missing year, relative days, the outlet's clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from pipelines.steps.dates.lexicon import (
    AMBIGUOUS_MONTHS,
    DAY_PARTS,
    DAYS_AGO,
    MONTHS,
    NAMED_ZONES,
    NOON,
    QUANTITIES,
    SHORT_WEEKDAYS,
    UNITS,
    WEEKDAYS,
    ZONES,
)

if TYPE_CHECKING:
    from kiosque.model import Precision

DAY = timedelta(days=1)
CLOCK_SKEW = timedelta(minutes=5)
"""How far a server's clock may run ahead of ours."""

WEEKDAY_NUMBER = {**WEEKDAYS, **SHORT_WEEKDAYS, "mar": 1}
WEEKDAY_NAME = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
MONTH_NAME = (
    "", "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip
UNIT_OF = {word: unit for unit, words in UNITS.items() for word in words.split()}
SECONDS = {"h": 3600, "m": 60, "s": 1}
PRECISION_OF: dict[str, Precision] = {
    "h": "hour", "m": "minute", "s": "second", "j": "day", "k": "week", "o": "month", "y": "year",
}  # fmt: skip
EARLIEST_UNLABELLED = 1980
"""Before it, a date is history unless a label says otherwise."""


class Fetch(NamedTuple):
    """The moment of the fetch, on the outlet's clock."""

    now: datetime
    zone: tzinfo
    today: date


class Day(NamedTuple):
    """A local day, with how it was found."""

    day: date
    precision: Precision
    reason: str


class Clock(NamedTuple):
    """A time of the day; `offset` in minutes or a zone where the text names one."""

    hour: int
    minute: int
    second: int
    precision: Precision
    zone: tzinfo | None


Fields = dict[str, str]


@lru_cache(maxsize=512)
def zone_of(name: str) -> ZoneInfo:
    """Return the zone, raising `ValueError` or `ZoneInfoNotFoundError` (a `KeyError`) for an unknown name."""
    return ZoneInfo(name)


def fetch_of(relative_to: datetime, timezone_name: str) -> Fetch:
    """Return the fetch as the outlet's clock showed it."""
    zone = zone_of(timezone_name)
    return Fetch(relative_to, zone, relative_to.astimezone(zone).date())


def month_numbers(word: str) -> tuple[int, ...]:
    """Return the months that a word may mean: two only for "jui"."""
    if word.isdecimal():
        return (int(word),)
    if word == "mar":
        return (3,)
    if word in AMBIGUOUS_MONTHS:
        return AMBIGUOUS_MONTHS[word]
    number = MONTHS.get(word)
    if number is None:  # a lost accent
        number = {"f": 2, "a": 8, "d": 12}[word[0]]
    return (number,)


def make_day(year: int, month: int, day: int) -> date | None:
    """Return the day, None where the calendar has none."""
    try:
        return date(year, month, day)
    except ValueError:
        return None


def full_year(short: str, fetch: Fetch) -> int:
    """Return the latest year that ends so and has begun."""
    year = fetch.today.year - fetch.today.year % 100 + int(short)
    return year - 100 if year > fetch.today.year + 1 else year


def infer_year(month: int, day: int, weekday: int | None, fetch: Fetch, after: date | None = None) -> Day | None:
    """Return the latest such day that is not after the fetch (by more than a day where the weekday agrees).

    `after` is the publication day that a modification without a year cannot precede.
    """
    name = f"{day} {MONTH_NAME[month]}"
    if after is not None:
        for year in range(after.year, after.year + 2):
            found = make_day(year, month, day)
            if found and after <= found <= fetch.today + DAY:
                return Day(found, "day", f"year {year}: the first {name} from the publication on")
    latest = fetch.today + DAY if weekday is not None else fetch.today
    for year in range(latest.year, latest.year - 41, -1):
        found = make_day(year, month, day)
        if found and found <= latest and (weekday is None or found.weekday() == weekday):
            if weekday is None:
                return Day(found, "day", f"year {year}: the latest {name} not after the fetch")
            return Day(
                found,
                "day",
                f"year {year}: the latest in which {name} is a {WEEKDAY_NAME[weekday]}, not after the fetch",
            )
    return None


def calendar_day(fields: Fields, fetch: Fetch, after: date | None = None) -> Day | None:
    """Return the day of a date with a day and a month."""
    day = int(fields["day"])
    weekday = WEEKDAY_NUMBER.get(fields.get("weekday", ""))
    months = month_numbers(fields.get("month") or fields["month_first"])
    short = fields.get("short_year")
    if "year" in fields or short:
        year = int(fields["year"]) if "year" in fields else full_year(short or "", fetch)
        return _stated_day(year, months, day, weekday)
    found = [each for month in months if (each := infer_year(month, day, weekday, fetch, after))]
    return max(found, default=None)


def _stated_day(year: int, months: tuple[int, ...], day: int, weekday: int | None) -> Day | None:
    found = [each for month in months if (each := make_day(year, month, day))]
    if not found and day <= 12:
        swapped = make_day(year, day, months[0])
        return swapped and Day(swapped, "day", "month before day: the only reading")
    agreeing = [each for each in found if weekday is None or each.weekday() == weekday]
    if agreeing:
        return Day(agreeing[0], "day", "the date as stated")
    return Day(found[0], "day", f"the date as stated, though it is no {WEEKDAY_NAME[weekday or 0]}") if found else None


def compact_day(fields: Fields) -> Day | None:
    """Return the day of "20241025"."""
    word = fields["compact"]
    found = make_day(int(word[:4]), int(word[4:6]), int(word[6:]))
    return found and Day(found, "day", "the date as stated, without signs")


def month_day(fields: Fields) -> Day | None:
    """Return the first day of a month, which stands for all of it."""
    found = make_day(int(fields["year"]), month_numbers(fields["month"])[0], 1)
    return found and Day(found, "month", "only the month is stated")


def weekday_day(fields: Fields, fetch: Fetch) -> Day | None:
    """Return the latest such weekday: "jeudi", "ce jeudi", "jeudi dernier"."""
    weekday = WEEKDAY_NUMBER[fields["weekday"]]
    back = (fetch.today.weekday() - weekday) % 7
    if back == 0 and "last" in fields:
        back = 7
    return Day(fetch.today - back * DAY, "day", f"the latest {WEEKDAY_NAME[weekday]} not after the fetch")


def day_of_month(fields: Fields, fetch: Fetch) -> Day | None:
    """Return the latest month's such day: "le 24", "mardi 22"."""
    day = int(fields["day"])
    weekday = WEEKDAY_NUMBER.get(fields.get("weekday", ""))
    latest = fetch.today if weekday is None else fetch.today + DAY
    year, month = latest.year, latest.month
    for _ in range(30):
        found = make_day(year, month, day)
        if found and found <= latest and (weekday is None or found.weekday() == weekday):
            return Day(found, "day", f"the latest month in which the day fits: {MONTH_NAME[month]} {year}")
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
    return None


def relative_day(fields: Fields, fetch: Fetch) -> Day:
    """Return the day of "hier" or "ce matin"."""
    back = DAYS_AGO[fields["days"]] if "days" in fields else 0
    return Day(fetch.today - back * DAY, "day", "counted from the fetch, on the outlet's calendar")


def months_before(day: date, months: int) -> date | None:
    """Return the same day some months before, or the month's last."""
    index = day.year * 12 + day.month - 1 - months
    year, month = divmod(index, 12)
    if year < 1:
        return None
    return next(filter(None, (make_day(year, month + 1, day.day - less) for less in range(4))), None)


def days_back(unit: str, count: int, fetch: Fetch) -> Day | None:
    """Return the day some days, weeks, months or years before the fetch."""
    if count > 9999:
        return None
    if unit in "jk":
        found: date | None = fetch.today - count * (DAY if unit == "j" else 7 * DAY)
    else:
        found = months_before(fetch.today, count * (12 if unit == "y" else 1))
    return found and Day(found, PRECISION_OF[unit], "counted back from the fetch, on the outlet's calendar")


def amount(word: str) -> int:
    """Return the number that a word or figures state."""
    return int(word[:9]) if word.isdecimal() else QUANTITIES[word]


def elapsed(fields: Fields) -> tuple[timedelta, Precision] | None:
    """Return how long ago, for hours, minutes and seconds; None for longer units."""
    unit = UNIT_OF[fields["unit"]]
    if unit not in SECONDS:
        return None
    if "count" not in fields:
        minutes = 30 if fields["fraction"].startswith("demi") else 15 * amount(fields.get("quarters", "un"))
        return timedelta(minutes=minutes), "minute"
    count = amount(fields["count"])
    if count > 99_999:
        return None
    spent, precision = timedelta(seconds=count * SECONDS[unit]), PRECISION_OF[unit]
    if "fraction" in fields:
        return spent + timedelta(seconds=SECONDS[unit] // (2 if fields["fraction"].startswith("demi") else 4)), "minute"
    if "more" in fields:
        smaller = UNIT_OF.get(fields.get("more_unit", ""), {"h": "m", "m": "s"}.get(unit, "s"))
        spent += timedelta(seconds=amount(fields["more"]) * SECONDS[smaller])
        precision = PRECISION_OF[smaller]
    return spent, precision


def clock_of(fields: Fields, zone_fields: Fields | None) -> Clock:
    """Return the time of day of a time's fields and its zone's."""
    zone = _stated_zone(zone_fields) if zone_fields else None
    if "noon" in fields:
        return Clock(NOON[fields["noon"]], 0, 0, "minute", zone)
    if "clock" in fields or "long_clock" in fields:
        word = fields.get("clock") or fields["long_clock"]
        return Clock(int(word[:2]), int(word[2:4]), int(word[4:6] or 0), "second" if word[4:] else "minute", zone)
    hour = _twenty_four(int(fields["hour"]), fields.get("half_day"), fields.get("part"))
    minute = fields.get("minute")
    precision: Precision = "second" if "second" in fields else "minute" if minute or "half" in fields else "hour"
    return Clock(hour, int(minute or (30 if "half" in fields else 0)), int(fields.get("second", 0)), precision, zone)


def _twenty_four(hour: int, half_day: str | None, part: str | None) -> int:
    if half_day:
        return hour % 12 + (12 if half_day.startswith("p") else 0)
    if part and DAY_PARTS[part] and hour < 12:
        return hour + DAY_PARTS[part]
    return hour


def _stated_zone(fields: Fields) -> tzinfo | None:
    name = fields.get("zone")
    if name and "/" in name:
        return _region(name)
    minutes = ZONES.get(name) if name else None
    if name in NAMED_ZONES:
        return zone_of(NAMED_ZONES[name])
    if "sign" in fields:
        minutes = _offset_minutes(fields)
    return None if minutes is None else timezone(timedelta(minutes=minutes))


def _region(name: str) -> tzinfo | None:
    places = (place.strip("_-") for place in name.split("/"))
    spelled = "/".join("_".join(word.capitalize() for word in place.split("_")) for place in places)
    try:
        return zone_of(spelled)
    except (ValueError, KeyError, OSError):
        return None


def _offset_minutes(fields: Fields) -> int | None:
    word = fields.get("clock")
    hours, minutes = (int(word[:2]), int(word[2:])) if word else (int(fields["hours"]), int(fields.get("minutes", 0)))
    if hours > 15:
        return None
    return (hours * 60 + minutes) * (1 if fields["sign"] == "+" else -1)


def instant(day: date, clock: Clock, fetch: Fetch) -> datetime:
    """Return the instant on the outlet's clock.

    In the hour that a clock change skips or repeats, the earlier offset is meant (PEP 495), unless
    that is after the fetch.
    """
    wall = datetime(
        day.year, day.month, day.day, clock.hour, clock.minute, clock.second, tzinfo=clock.zone or fetch.zone
    )
    if clock.zone is None:
        other = wall.replace(fold=1)
        if wall.utcoffset() == other.utcoffset():
            return wall
        if wall.astimezone(UTC) > fetch.now >= other.astimezone(UTC):
            wall = other
    return wall.astimezone(UTC).astimezone(fetch.zone)
