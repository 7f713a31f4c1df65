"""The time of day that fields state, its zone, and the instant that it makes of a day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from pipelines.steps.dates.days import ONE_DAY, amount, zone_of
from pipelines.steps.dates.lexicon import DAY_PARTS, NAMED_ZONES, NOON, STANDARD_TIMES, UNIT_OF, ZONES

if TYPE_CHECKING:
    from kiosque.model import Precision
    from pipelines.steps.dates.days import Fetch, Fields

CLOCK_SKEW = timedelta(minutes=5)
"""How far a server's clock may run ahead of ours."""
MOST_ELAPSED = 99_999
FARTHEST_OFFSET = 15
NOON_HOUR = 12

SECONDS = {"h": 3600, "m": 60, "s": 1}
PRECISION: dict[str, Precision] = {"h": "hour", "m": "minute", "s": "second"}
SMALLER = {"h": "m", "m": "s", "s": "s"}


class Clock(NamedTuple):
    """A time of the day, with the zone that the text names."""

    hour: int
    minute: int
    second: int
    precision: Precision
    zone: tzinfo | None
    standard: bool
    """The zone is a standard time by name, which people also write in summer."""


def clock_of(fields: Fields, zone: Fields | None) -> Clock:
    """Return the time of day of a time's fields and its zone's."""
    stated = _zone(zone) if zone else None
    standard = zone is not None and zone.get("zone") in STANDARD_TIMES
    half = ("15" if fields["half"].startswith("quart") else "30") if "half" in fields else None
    if "noon" in fields:
        return Clock(NOON[fields["noon"]], int(half or 0), 0, "minute", stated, standard)
    if "clock" in fields or "long_clock" in fields:
        return _compact(fields, stated)
    hour = _twenty_four(int(fields["hour"]), fields.get("half_day"), fields.get("part"))
    minute = fields.get("minute") or half
    precision: Precision = "second" if "second" in fields else "minute" if minute else "hour"
    return Clock(hour, int(minute or 0), int(fields.get("second", 0)), precision, stated, standard)


def _compact(fields: Fields, zone: tzinfo | None) -> Clock:
    """Return the time of "T1836" or "T183607"."""
    word = fields.get("clock") or fields["long_clock"]
    return Clock(int(word[:2]), int(word[2:4]), int(word[4:6] or 0), "second" if word[4:] else "minute", zone, False)  # noqa: FBT003  positional: the standard time


def _twenty_four(hour: int, half_day: str | None, part: str | None) -> int:
    if half_day:
        return hour % NOON_HOUR + (NOON_HOUR if half_day.startswith("p") else 0)
    if part and hour < NOON_HOUR:
        return hour + DAY_PARTS[part]
    return hour


def _zone(fields: Fields) -> tzinfo | None:
    """Return the zone of "HAE", "UTC+2", "+0200" or "Europe/Paris"; None where there is no such zone."""
    if "sign" in fields:
        return _offset(fields)
    name = fields["zone"]
    if "/" in name:
        return _region(name)
    if name in NAMED_ZONES:
        return zone_of(NAMED_ZONES[name])
    return timezone(timedelta(minutes=ZONES[name]))


def _offset(fields: Fields) -> tzinfo | None:
    word = fields.get("clock")
    hours, minutes = (int(word[:2]), int(word[2:])) if word else (int(fields["hours"]), int(fields.get("minutes", 0)))
    if hours > FARTHEST_OFFSET:
        return None
    return timezone(timedelta(hours=hours, minutes=minutes) * (1 if fields["sign"] == "+" else -1))


def _region(name: str) -> tzinfo | None:
    """Return the zone of a name that was folded to lower case."""
    places = [place.strip("_-").title() for place in name.split("/")]
    for spelled in ("/".join(places), "/".join(places).replace("-Au-", "-au-")):  # America/Port-au-Prince
        try:
            return zone_of(spelled)
        except (ValueError, KeyError, OSError):
            continue
    return None


def instant(day: date, clock: Clock, fetch: Fetch) -> datetime:
    """Return the instant of a day and a time, on the outlet's clock.

    In the hour that a clock change skips or repeats the earlier offset is meant (PEP 495), unless that
    is after the fetch. A standard time by name ("CET") that is after the fetch was meant as summer time.
    """
    wall = datetime(
        day.year, day.month, day.day, clock.hour, clock.minute, clock.second, tzinfo=clock.zone or fetch.zone
    )
    if clock.zone is not None:
        late = clock.standard and wall > fetch.now + CLOCK_SKEW
        return (wall - timedelta(hours=1) if late else wall).astimezone(fetch.zone)
    if _is_steady(fetch.zone, day):
        return wall
    other = wall.replace(fold=1)
    if wall.utcoffset() == other.utcoffset():
        return wall
    if wall.astimezone(UTC) > fetch.now >= other.astimezone(UTC):
        wall = other
    return wall.astimezone(UTC).astimezone(fetch.zone)


@lru_cache(maxsize=4096)
def _is_steady(zone: tzinfo, day: date) -> bool:
    """Tell whether the zone's clock is not changed from the day before to the day after."""
    noons = (datetime(day.year, day.month, day.day, NOON_HOUR, tzinfo=zone) + days * ONE_DAY for days in (-1, 1))
    return len({noon.utcoffset() for noon in noons}) == 1


def elapsed(fields: Fields) -> tuple[timedelta, Precision] | None:
    """Return how long ago, in hours, minutes and seconds; None where that is beyond counting."""
    unit = UNIT_OF[fields["unit"]]
    if "count" not in fields:  # "une demi-heure", "trois quarts d'heure"
        quarters = 2 if fields["fraction"].startswith("demi") else amount(fields.get("quarters", "un"))
        return timedelta(minutes=15 * quarters), "minute"
    spent, precision = amount(fields["count"]) * SECONDS[unit], PRECISION[unit]
    if fields.get("about", "").startswith("moins") and spent == SECONDS[unit]:
        spent //= 2  # "moins d'une heure": between none and one
    if "fraction" in fields:  # "une heure et demie"
        spent, precision = spent + SECONDS[unit] // (2 if fields["fraction"].startswith("demi") else 4), "minute"
    elif "more" in fields:
        smaller = UNIT_OF.get(fields.get("more_unit", ""), SMALLER[unit])
        spent, precision = spent + amount(fields["more"]) * SECONDS[smaller], PRECISION[smaller]
    return (timedelta(seconds=spent), precision) if spent <= MOST_ELAPSED * SECONDS[unit] else None
