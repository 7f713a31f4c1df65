"""Numbers over time as a chart takes them: for a script, for a plain drawing, and as rows of a table. Pure."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from kiosque.health import Coverage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
FIELDS = ("date", "authors", "lead")


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Lines of numbers over the same moments."""

    moments: tuple[datetime, ...]
    """The beginning of each stretch, oldest first."""
    unit: Literal["hour", "day", "week"]
    lines: Mapping[str, Sequence[int | None]]
    """By the key of its word; None where nothing could be measured."""
    is_percent: bool = False

    @property
    def rows(self) -> list[tuple[str, list[int | None]]]:
        """The newest first: the moment as text, and each line's number."""
        form = "%Y-%m-%d %H:00" if self.unit == "hour" else "%Y-%m-%d"
        columns = list(self.lines.values())
        found = [(f"{at:{form}}", [column[i] for column in columns]) for i, at in enumerate(self.moments)]
        return found[::-1]

    @property
    def first(self) -> list[int]:
        """The numbers of the first line, zero where there is none."""
        return [n or 0 for n in next(iter(self.lines.values()), ())]

    def as_json(self, labels: Mapping[str, str], *, time: str) -> str:
        """Return what the script draws from; `labels` are the words of the lines' keys."""
        given = {
            "unit": self.unit,
            "kind": "lines" if self.is_percent else "bars",
            "percent": self.is_percent,
            "time": time,
            "times": [int(at.timestamp()) for at in self.moments],
            "series": [{"label": labels[key], "values": list(line)} for key, line in self.lines.items()],
        }
        return json.dumps(given, ensure_ascii=False)


def by_hour(counts: Iterable[Mapping[str, int]], *, now: datetime, hours: int) -> Series:
    """Sum counts by hour, `2024-10-25T07`, over the last hours."""
    last = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    moments = tuple(last - back * HOUR for back in range(hours - 1, -1, -1))
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return Series(moments=moments, unit="hour", lines={"articles": [total[f"{at:%Y-%m-%dT%H}"] for at in moments]})


def by_day(counts: Mapping[str, int], *, now: datetime, days: int) -> Series:
    """Return counts by day, `2024-10-25`, over the last days."""
    moments = last_days(now, days)
    return Series(moments=moments, unit="day", lines={"articles": [counts.get(f"{at:%Y-%m-%d}", 0) for at in moments]})


def coverage_by_week(days: Mapping[str, Coverage], *, now: datetime, weeks: int) -> Series:
    """Return the share of articles that have each field, in percent, over the last stretches of seven days."""
    moments = tuple(at for i, at in enumerate(last_days(now, 7 * weeks)) if i % 7 == 0)
    sums = [_sum([days.get(f"{at + i * DAY:%Y-%m-%d}", Coverage()) for i in range(7)]) for at in moments]
    shares = {name: [round(100 * one.share(name)) if one.articles else None for one in sums] for name in FIELDS}
    return Series(moments=moments, unit="week", lines=shares, is_percent=True)


def last_days(now: datetime, days: int) -> tuple[datetime, ...]:
    """Return the midnights, UTC, that begin the last days, today's last."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return tuple(today - back * DAY for back in range(days - 1, -1, -1))


def _sum(some: Sequence[Coverage]) -> Coverage:
    return Coverage(
        articles=sum(one.articles for one in some),
        date=sum(one.date for one in some),
        authors=sum(one.authors for one in some),
        lead=sum(one.lead for one in some),
    )
