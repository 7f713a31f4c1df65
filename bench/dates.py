"""Read one file of date strings with our scanner and with dateparser: what is right, and what it costs.

    python bench/dates.py [GOLD.jsonl]

A line of the file is {"text", "now", "tz", "expected", "precision"}, `expected` null for what is no date.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import dateparser

from pipelines.steps.dates import parse_date

if TYPE_CHECKING:
    from collections.abc import Callable

    Row = dict[str, Any]
    Reader = Callable[[Row], str | None]

DEFAULT = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "dates" / "dev.jsonl"
SLACK = {"hour": timedelta(minutes=30), "minute": timedelta(seconds=59), "second": timedelta(seconds=1)}
DAYS = {"day": 0, "week": 4, "month": 31, "year": 366}


def ours(row: Row) -> str | None:
    reading = parse_date(row["text"], relative_to=row["fetched"], timezone=row["tz"])
    return reading.value if reading else None


def theirs(row: Row) -> str | None:
    """Ask dateparser as its documentation suggests for French news: day first, past, the outlet's clock."""
    wall = row["fetched"].astimezone(ZoneInfo(row["tz"])).replace(tzinfo=None)
    settings = {
        "DATE_ORDER": "DMY",
        "PREFER_DATES_FROM": "past",
        "RELATIVE_BASE": wall,
        "TIMEZONE": row["tz"],
        "TO_TIMEZONE": row["tz"],
        "RETURN_AS_TIMEZONE_AWARE": True,
    }
    found = dateparser.parse(row["text"], languages=["fr"], settings=settings)
    if found is None:
        return None
    return found.date().isoformat() if row["precision"] in DAYS else found.isoformat()


def verdict(row: Row, got: str | None) -> str:
    if row["expected"] is None:
        return "no date, rightly" if got is None else "false date"
    if got is None:
        return "missed"
    wanted = [row["expected"], *row.get("accept", [])]
    return "right" if any(is_right(row, want, got) for want in wanted) else "wrong"


def is_right(row: Row, want: str, got: str) -> bool:
    precision, zone = row["precision"], ZoneInfo(row["tz"])
    if precision in SLACK:
        return len(got) > len("2024-10-25") and abs(instant(got) - instant(want)) <= SLACK[precision]
    apart = abs(local_day(got, zone) - local_day(want, zone)).days
    return got[: len(want)] == want if precision in ("month", "year") else apart <= DAYS[precision]


def instant(value: str) -> datetime:
    return datetime.fromisoformat(value).astimezone(UTC)


def local_day(value: str, zone: ZoneInfo) -> date:
    if len(value) <= len("2024-10-25"):
        return date.fromisoformat(value) if len(value) == len("2024-10-25") else date.fromisoformat(f"{value}-01")
    return datetime.fromisoformat(value).astimezone(zone).date()


def measure(reader: Reader, rows: list[Row]) -> tuple[Counter[str], list[float]]:
    """Return the verdicts, and each row's seconds: the better of two passes, what is loaded once not counted."""
    answers = [reader(row) for row in rows]
    passes = [[seconds(reader, row) for row in rows] for _ in range(2)]
    verdicts = Counter(verdict(row, got) for row, got in zip(rows, answers, strict=True))
    return verdicts, list(map(min, *passes))


def seconds(reader: Reader, row: Row) -> float:
    start = perf_counter()
    reader(row)
    return perf_counter() - start


def import_cost() -> float:
    code = "from time import perf_counter as c; s = c(); import pipelines.steps.dates; print(c() - s)"
    runs = (subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True) for _ in range(5))
    return min(float(run.stdout) for run in runs)


def main() -> None:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for row in rows:
        row["fetched"] = datetime.fromisoformat(row["now"])
    medians = {}
    for name, reader in (("kiosque", ours), ("dateparser fr", theirs)):
        verdicts, costs = measure(reader, rows)
        medians[name] = statistics.median(costs)
        print(f"{name}: median {1e6 * medians[name]:.1f} µs, mean {1e6 * statistics.mean(costs):.1f} µs")
        print(f"    {', '.join(f'{count} {what}' for what, count in verdicts.most_common())}")
    print(f"{medians['dateparser fr'] / medians['kiosque']:.0f} times faster by the median")
    print(f"importing the date step: {1000 * import_cost():.0f} ms")


if __name__ == "__main__":
    main()
