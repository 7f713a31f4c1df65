"""The long tail: dateparser, asked only where the scanner knows no reading, and not believed blindly."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from pipelines.steps.dates.days import ONE_DAY
from pipelines.steps.dates.moments import items_of
from pipelines.steps.dates.values import EARLIEST_UNLABELLED

if TYPE_CHECKING:
    from datetime import datetime

    from dateparser.date import DateDataParser

    from kiosque.model import Precision
    from pipelines.steps.dates.days import Fetch
    from pipelines.steps.dates.tokens import Line

MAX_WORDS = 12
"""A longer line is a sentence: dateparser finds dates in sentences that state none."""

_TIMELY = re.compile(r".*[gD]|(?=.*[MW]).*[1-4]")
_FORBIDDEN = re.compile(r"[XBSFIPVeO=!]|h[^g]*$")
_CLOCK = re.compile(r"[h:]")
_PERIODS: dict[str, Precision] = {"day": "day", "week": "week", "month": "month", "year": "year", "time": "minute"}


def worth_asking(line: Line) -> bool:
    """Tell whether a line that the scanner could not read may still be a date: short, timely, nothing against it."""
    shape = line.shape
    if len(shape) > MAX_WORDS or _TIMELY.match(shape) is None or _FORBIDDEN.search(shape) is not None:
        return False
    return not items_of(line)  # what the grammar knows and did not believe stays unbelieved


@cache
def _parser(timezone: str) -> DateDataParser:
    from dateparser.date import DateDataParser  # noqa: PLC0415  half a second, paid only when it is asked

    return DateDataParser(
        languages=["fr", "en"],
        use_given_order=True,
        settings={
            "DATE_ORDER": "DMY",
            "PREFER_DATES_FROM": "past",
            "TIMEZONE": timezone,
            "TO_TIMEZONE": timezone,
            "RETURN_AS_TIMEZONE_AWARE": True,
            "RETURN_TIME_AS_PERIOD": True,
            "REQUIRE_PARTS": ["day", "month"],
            "NORMALIZE": True,
        },
    )


def ask(line: Line, fetch: Fetch, timezone: str) -> tuple[str, Precision] | None:
    """Return dateparser's value and precision, None where it has none or contradicts the text."""
    parser = _parser(timezone)
    # RELATIVE_BASE is the outlet's wall clock: dateparser counts days in it.
    parser._settings = parser._settings.replace(  # noqa: SLF001
        RELATIVE_BASE=fetch.now.astimezone(fetch.zone).replace(tzinfo=None)
    )
    try:
        found = parser.get_date_data(line.text)
    except Exception:  # noqa: BLE001  whatever its many parsers raise on hostile text, the text states no date
        return None
    at = found.date_obj
    if at is None or found.period is None or not _agrees(line, at):
        return None
    local = at.astimezone(fetch.zone)
    if local.date() > fetch.today + ONE_DAY or local.year < EARLIEST_UNLABELLED:
        return None
    precision = _PERIODS.get(found.period, "day")
    if _CLOCK.search(line.shape) and precision == "minute":
        return local.replace(microsecond=0).isoformat(), precision
    return local.date().isoformat(), "day" if precision == "minute" else precision


def _agrees(line: Line, at: datetime) -> bool:
    """Tell whether every number of the text is found in the reading: dateparser drops what it does not know."""
    read = {at.year, at.year % 100, at.month, at.day, at.hour, at.hour % 12, at.minute, at.second}
    return all(int(word[:9]) in read for word in line.words if word.isdecimal())
