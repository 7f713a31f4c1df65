"""The day that fields state: the missing year, the weekday, days counted back from the fetch."""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from pipelines.steps.dates.lexicon import (
    AMBIGUOUS_MONTHS,
    DAYS_AGO,
    LOST_LETTER_MONTHS,
    MONTH_NAMES,
    MONTHS,
    QUANTITIES,
    UNIT_OF,
    WEEKDAY_NAMES,
    WEEKDAY_NUMBERS,
)

if TYPE_CHECKING:
    from kiosque.model import Precision

ONE_DAY = timedelta(days=1)
ANNOUNCED = timedelta(days=60)
"""How far ahead a range of days may begin: it announces."""
YEARS_BACK = 40
"""In 40 years every day of the year has fallen on every weekday, 29 February too."""
MOST_COUNTED = 9_999
DECEMBER = 12

Fields = dict[str, str]
"""The named tokens of an item."""


class Fetch(NamedTuple):
    """The moment of the fetch, on the outlet's clock."""

    now: datetime
    zone: tzinfo
    today: date
    since: date | None = None
    """For a modification: the day of the publication, which it cannot precede."""


class Day(NamedTuple):
    """A local day, with how it was found."""

    date: date
    precision: Precision
    reason: str


@lru_cache(maxsize=512)
def zone_of(name: str) -> ZoneInfo:
    """Return the zone; an unknown name raises `ValueError` or `ZoneInfoNotFoundError` (a `KeyError`)."""
    return ZoneInfo(name)


def fetch_of(relative_to: datetime, timezone: str) -> Fetch:
    """Return the fetch as the outlet's clock showed it."""
    zone = zone_of(timezone)
    return Fetch(relative_to, zone, relative_to.astimezone(zone).date())


def make_day(year: int, month: int, day: int) -> date | None:
    """Return the day, None where the calendar has none."""
    try:
        return date(year, month, day)
    except ValueError:
        return None


def calendar_day(fields: Fields, fetch: Fetch) -> Day | None:
    """Return the day of a date with a day and a month, finding its year where it has none."""
    day = day_number(fields["day"])
    weekday = WEEKDAY_NUMBERS.get(fields.get("weekday", ""))
    months = month_numbers(fields.get("month") or fields["month_first"])
    if "year" in fields:
        return _stated_day(int(fields["year"]), months, day, weekday)
    if "short_year" in fields:
        return (
            _stated_day(full_year(fields["short_year"], fetch), months, day, weekday) if months[0] <= DECEMBER else None
        )
    found = [each for month in months if (each := _with_year(month, day, weekday, fetch))]
    return max(found, default=None)


def day_number(word: str) -> int:
    """Return the day of the month: figures, "premier" or "vingt-cinq"."""
    return int(word) if word.isdecimal() else QUANTITIES.get(word, 1)


def month_numbers(word: str) -> tuple[int, ...]:
    """Return the months that a word or number may mean: two only for "jui"."""
    if word.isdecimal():
        return (int(word),)
    if word in AMBIGUOUS_MONTHS:
        return AMBIGUOUS_MONTHS[word]
    return (MONTHS.get(word) or LOST_LETTER_MONTHS[word],)


def full_year(short: str, fetch: Fetch) -> int:
    """Return the latest year that ends so, next year at most."""
    year = fetch.today.year - fetch.today.year % 100 + int(short)
    return year - 100 if year > fetch.today.year + 1 else year


def _stated_day(year: int, months: tuple[int, ...], day: int, weekday: int | None) -> Day | None:
    found = make_day(year, months[0], day)
    if found is None and months[0] > DECEMBER:
        swapped = make_day(year, day, months[0])  # "10/24/2024"
        return Day(swapped, "day", "month before day, the only reading") if swapped else None
    if len(months) > 1 and (found is None or found.weekday() != weekday):
        found = make_day(year, months[1], day)  # "jui" for juillet
    if found is None:
        return None
    if weekday is not None and found.weekday() != weekday:
        return Day(found, "day", f"the date as stated, though it is no {WEEKDAY_NAMES[weekday]}")
    return Day(found, "day", "the date as stated")


def _with_year(month: int, day: int, weekday: int | None, fetch: Fetch) -> Day | None:
    """Return the latest such day not after the fetch; a day's grace where a weekday confirms it."""
    name = f"{day} {MONTH_NAMES[month]}"
    latest = fetch.today if weekday is None else fetch.today + ONE_DAY
    if fetch.since is not None:
        for year in (fetch.since.year, fetch.since.year + 1):
            found = make_day(year, month, day)
            if found and fetch.since <= found <= latest:
                return Day(found, "day", f"year {year}: the first {name} from the publication on")
    for year in range(latest.year, max(latest.year - YEARS_BACK, 1), -1):
        found = make_day(year, month, day)
        if found and found <= latest and (weekday is None or found.weekday() == weekday):
            which = name if weekday is None else f"in which {name} is a {WEEKDAY_NAMES[weekday]},"
            return Day(found, "day", f"year {year}: the latest {which} not after the fetch")
    return None


def compact_day(fields: Fields, _fetch: Fetch) -> Day | None:
    """Return the day of "20241025"."""
    word = fields["compact"]
    found = make_day(int(word[:4]), int(word[4:6]), int(word[6:]))
    return Day(found, "day", "the date as stated, without signs") if found else None


def first_day(fields: Fields, fetch: Fetch) -> Day | None:
    """Return the first day of several: what it leaves out stands at the last."""
    month = fields.get("month") or fields["end_month"]
    first = {"day": fields["day"], "month": month}
    if "weekday" in fields:
        first["weekday"] = fields["weekday"]
    year = fields.get("year") or fields.get("end_year")
    if year is None:
        return calendar_day(first, fetch._replace(today=fetch.today + ANNOUNCED))
    turns = "year" not in fields and month_numbers(month) > month_numbers(fields["end_month"])
    return calendar_day(first | {"year": str(int(year) - turns)}, fetch)


def month_day(fields: Fields, _fetch: Fetch) -> Day | None:
    """Return the first day of a month, which stands for all of it."""
    year, month = int(fields["year"]), month_numbers(fields["month"])[0]
    if fields["month"].isdecimal() and month == year % 100 + 1:
        return None  # "2010-11" is a season
    found = make_day(year, month, 1)
    return Day(found, "month", "only the month is stated") if found else None


def weekday_day(fields: Fields, fetch: Fetch) -> Day:
    """Return the latest such weekday: "jeudi", "ce jeudi", "jeudi dernier"."""
    weekday = WEEKDAY_NUMBERS[fields["weekday"]]
    back = (fetch.today.weekday() - weekday) % 7
    if "week" in fields:
        back = fetch.today.weekday() - weekday + 7
    elif back == 0 and "last" in fields:
        back = 7
    return Day(fetch.today - back * ONE_DAY, "day", f"the latest {WEEKDAY_NAMES[weekday]} not after the fetch")


def day_of_month(fields: Fields, fetch: Fetch) -> Day | None:
    """Return the latest such day of a month: "le 24", "mardi 22"."""
    day = day_number(fields["day"])
    weekday = WEEKDAY_NUMBERS.get(fields.get("weekday", ""))
    latest = fetch.today if weekday is None else fetch.today + ONE_DAY
    months = latest.year * 12 + latest.month - 1
    for index in range(months, max(months - 30, 12), -1):
        found = make_day(index // 12, index % 12 + 1, day)
        if found and found <= latest and (weekday is None or found.weekday() == weekday):
            return Day(found, "day", f"{MONTH_NAMES[found.month]} {found.year}: the latest month in which the day fits")
    return None


def relative_day(fields: Fields, fetch: Fetch) -> Day:
    """Return the day of "hier" or "ce matin"."""
    back = DAYS_AGO[fields["days"]] if "days" in fields else 0
    return Day(fetch.today - back * ONE_DAY, "day", "counted from the fetch, on the outlet's calendar")


def days_ago(fields: Fields, fetch: Fetch) -> Day | None:
    """Return the day so many days, weeks, months or years ago; "la semaine dernière" is one week."""
    unit = UNIT_OF[fields["unit"]]
    count = amount(fields.get("count", "un"))
    if count > MOST_COUNTED:
        return None
    reason = "counted back from the fetch, on the outlet's calendar"
    match unit:
        case "j":
            return Day(fetch.today - count * ONE_DAY, "day", reason)
        case "k":
            return Day(fetch.today - count * 7 * ONE_DAY, "week", reason)
        case "o":
            return _months_ago(count, "month", fetch)
    return _months_ago(12 * count, "year", fetch)


def this_period(fields: Fields, fetch: Fetch) -> Day | None:
    """Return the fetch's day for "cette semaine", "ce mois-ci", "cette année"."""
    return days_ago({**fields, "count": "0"}, fetch)


def _months_ago(months: int, precision: Precision, fetch: Fetch) -> Day | None:
    """Return the same day some months ago, or the last day of that month."""
    year, month = divmod(fetch.today.year * 12 + fetch.today.month - 1 - months, 12)
    found = next((each for less in range(4) if (each := make_day(year, month + 1, fetch.today.day - less))), None)
    return Day(found, precision, "counted back from the fetch, on the outlet's calendar") if found else None


def amount(word: str) -> int:
    """Return the number that a word or figures state."""
    return int(word[:9]) if word.isdecimal() else QUANTITIES[word]
