"""The long tail: dateparser, asked only where the scanner knows no reading, and not believed blindly."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipelines.steps.dates.days import ONE_DAY
from pipelines.steps.dates.moments import items_of
from pipelines.steps.dates.values import EARLIEST_UNLABELLED

if TYPE_CHECKING:
    from datetime import datetime

    from kiosque.model import Precision
    from pipelines.steps.dates.days import Fetch
    from pipelines.steps.dates.tokens import Line

MAX_WORDS = 12
"""A longer line is a sentence: dateparser finds dates in sentences that state none."""

_TIMELY = re.compile(r".*[gD]|(?=.*[MW]).*[1-4]")
_FORBIDDEN = re.compile(r"[XBSFIPVeO=!]|h[^g]*$")
_PERIODS: dict[str, Precision] = {"week": "week", "month": "month", "year": "year"}

SETTINGS = {
    "DATE_ORDER": "DMY",
    "PREFER_DATES_FROM": "past",
    "RETURN_AS_TIMEZONE_AWARE": True,
    "RETURN_TIME_AS_PERIOD": True,
    "REQUIRE_PARTS": ["day", "month"],
}


def worth_asking(line: Line) -> bool:
    """Tell whether a line that the scanner could not read may still be a date: short, timely, nothing against it."""
    shape = line.shape
    if len(shape) > MAX_WORDS or _TIMELY.match(shape) is None or _FORBIDDEN.search(shape) is not None:
        return False
    return not items_of(line)  # what the grammar knows and did not believe stays unbelieved


def ask(line: Line, fetch: Fetch, timezone: str) -> tuple[str, Precision] | None:
    """Return dateparser's value and precision, None where it has none or contradicts the text."""
    from dateparser.date import DateDataParser  # noqa: PLC0415  half a second, paid only when it is asked

    wall = fetch.now.astimezone(fetch.zone).replace(tzinfo=None)  # dateparser counts days from it
    where = {"TIMEZONE": timezone, "TO_TIMEZONE": timezone, "RELATIVE_BASE": wall}
    try:
        parser = DateDataParser(languages=["fr", "en"], use_given_order=True, settings=SETTINGS | where)
        found = parser.get_date_data(line.text)
    except Exception:  # noqa: BLE001  whatever its many parsers raise on hostile text, the text states no date
        return None
    if found.date_obj is None or not _agrees(line, found.date_obj):
        return None
    local = found.date_obj.astimezone(fetch.zone)
    if local.date() > fetch.today + ONE_DAY or local.year < EARLIEST_UNLABELLED:
        return None
    if found.period == "time":
        return local.isoformat(timespec="seconds"), "minute"
    return local.date().isoformat(), _PERIODS.get(found.period or "", "day")


def _agrees(line: Line, at: datetime) -> bool:
    """Tell whether every number of the text is found in the reading: dateparser drops what it does not know."""
    read = {at.year, at.year % 100, at.month, at.day, at.hour, at.hour % 12, at.minute, at.second}
    return all(int(word[:9]) in read for word in line.words if word.isdecimal())
