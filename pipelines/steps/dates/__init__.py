"""French news dates: one text read, all of a text's dates, one resolved date from many signals.

A text is cleaned (`repair`), cut into classed tokens (`tokens`, with the words of `lexicon` and
`context`), matched against the shapes of `grammar`, joined into moments with roles (`moments`),
believed or not (`belief`), and counted out on the outlet's clock (`days`, `clocks`, `values`).
dateparser reads the long tail (`tail`), and `resolve` weighs many signals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.steps.dates import values
from pipelines.steps.dates.days import fetch_of
from pipelines.steps.dates.reading import DateReading, ResolvedDates, Signal
from pipelines.steps.dates.repair import clean
from pipelines.steps.dates.resolve import resolve_dates
from pipelines.steps.dates.tokens import cut

if TYPE_CHECKING:
    from datetime import datetime

    from pipelines.steps.dates.days import Fetch
    from pipelines.steps.dates.tokens import Line

__all__ = ["DateReading", "ResolvedDates", "Signal", "parse_date", "read_dates", "resolve_dates"]


def parse_date(text: str, *, relative_to: datetime, timezone: str) -> DateReading | None:
    """Return the publication date that a text states, None where it states none.

    `relative_to` is the fetch, timezone-aware; `timezone` the outlet's IANA zone (an unknown one
    raises `ValueError` or `KeyError`). A date marked as a modification is returned only where the
    text states no other, with that role. Only the first 4,000 characters are read.

    >>> from datetime import UTC, datetime
    >>> fetched = datetime(2026, 3, 1, 8, tzinfo=UTC)
    >>> parse_date("vendredi, octobre 25", relative_to=fetched, timezone="Europe/Paris").value
    '2024-10-25'
    """
    fetch = fetch_of(relative_to, timezone)
    line = cut(clean(text))
    found = values.first(line, fetch)
    if found is not None:
        return _reading(found, line)
    return _from_the_tail(line, fetch, timezone)


def read_dates(text: str, *, relative_to: datetime, timezone: str) -> tuple[DateReading, ...]:
    """Return every publication or modification date that a text states, in its order, each with its role."""
    fetch = fetch_of(relative_to, timezone)
    line = cut(clean(text))
    found = values.every(line, fetch)
    if found:
        return tuple(_reading(each, line) for each in found)
    late = _from_the_tail(line, fetch, timezone)
    return (late,) if late else ()


def _reading(found: values.Found, line: Line) -> DateReading:
    moment = found.moment
    return DateReading(
        value=found.value,
        precision=found.precision,
        role=moment.role,
        text=line.piece(moment.start, moment.end),
        reason=found.reason,
    )


def _from_the_tail(line: Line, fetch: Fetch, timezone: str) -> DateReading | None:
    from pipelines.steps.dates import tail  # noqa: PLC0415  its module is needed for few lines

    if not tail.worth_asking(line):
        return None
    answer = tail.ask(line, fetch, timezone)
    if answer is None:
        return None
    value, precision = answer
    return DateReading(
        value=value,
        precision=precision,
        role="unknown",
        text=line.text,
        reason="read by dateparser: the scanner knows no such shape",
        reader="dateparser",
    )
