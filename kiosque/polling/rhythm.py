"""A feed's own rhythm: how many entries come in each hour of the outlet's day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_HOURS = 24
_HALF_LIFE_DAYS = 7.0
_LOOK_BACK = timedelta(days=14)
_ENOUGH_HOURS = 1.5  # watched before an hour of the day speaks for itself
_NIGHT_SHARE = 0.1  # of the mean rate, expected even in an hour that never brought anything


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """Entries counted and hours watched, for each local hour of the day; both fade by half in a week."""

    counts: tuple[float, ...] = (0.0,) * _HOURS
    watched: tuple[float, ...] = (0.0,) * _HOURS
    """In hours."""
    newest: datetime | None = None
    """The newest instant counted."""
    until: datetime | None = None
    """Time is watched up to here."""

    @property
    def per_hour(self) -> float | None:
        """Mean number of entries an hour; None before anything was counted."""
        hours = sum(self.watched)
        return sum(self.counts) / hours if hours > 0 and sum(self.counts) > 0 else None


def observed(rhythm: Rhythm, instants: Iterable[datetime], *, now: datetime, timezone: str) -> Rhythm:
    """Count the instants that are newer than those counted, and the time since.

    The first time, the feed's own window counts: its entries of the last two weeks, and the time since the oldest.
    """
    zone = zone_of(timezone)
    past = sorted(instant for instant in instants if now - _LOOK_BACK <= instant <= now)
    since = rhythm.until or (past[0] if past else now)
    fresh = [instant for instant in past if rhythm.newest is None or instant > rhythm.newest]
    fading = 0.5 ** (max(0.0, (now - since).total_seconds()) / 86_400 / _HALF_LIFE_DAYS)
    counts = [count * fading for count in rhythm.counts]
    watched = [hours * fading for hours in rhythm.watched]
    for instant in fresh:
        counts[instant.astimezone(zone).hour] += 1
    for start, hours in _hours_between(max(since, now - _LOOK_BACK), now):
        watched[start.astimezone(zone).hour] += hours
    newest = fresh[-1] if fresh else rhythm.newest
    return Rhythm(counts=_rounded(counts), watched=_rounded(watched), newest=newest, until=max(since, now))


def seconds_until(rhythm: Rhythm, share: float, *, now: datetime, timezone: str, most: float) -> float | None:
    """Return after how many seconds `share` entries are to be expected, at most `most`; None without experience."""
    mean = rhythm.per_hour or _quiet_rate(rhythm)
    if mean is None:
        return None
    zone = zone_of(timezone)
    expected = 0.0
    for start, hours in _hours_between(now, now + timedelta(seconds=most)):
        rate = _rate(rhythm, start.astimezone(zone).hour, mean)
        if expected + rate * hours >= share:
            return (start - now).total_seconds() + 3_600 * (share - expected) / rate
        expected += rate * hours
    return most


def _quiet_rate(rhythm: Rhythm) -> float | None:
    """Return the rate of a feed that brought nothing for a day or more: half an entry in that time, not none."""
    hours = sum(rhythm.watched)
    return 0.5 / hours if hours >= _HOURS else None


def _rate(rhythm: Rhythm, hour: int, mean: float) -> float:
    own = rhythm.counts[hour] / rhythm.watched[hour] if rhythm.watched[hour] >= _ENOUGH_HOURS else mean
    return max(own, mean * _NIGHT_SHARE)


def _hours_between(start: datetime, end: datetime) -> Iterator[tuple[datetime, float]]:
    """Yield each clock hour that the stretch touches, from where it starts, with how much of it in hours."""
    while start < end:
        clock_hour = start.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        stop = min(clock_hour, end)
        yield start, (stop - start).total_seconds() / 3_600
        start = stop


def zone_of(name: str) -> ZoneInfo:
    """Return the zone of that name, UTC where there is none."""
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        return ZoneInfo("UTC")


def _rounded(values: Iterable[float]) -> tuple[float, ...]:
    return tuple(round(value, 3) for value in values)
