"""From a signal to a candidate date: one place's claim, read and freed of invented midnights."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC
from typing import TYPE_CHECKING

from pipelines.steps.dates.days import ONE_DAY, make_day
from pipelines.steps.dates.repair import clean
from pipelines.steps.dates.tokens import cut
from pipelines.steps.dates.values import every

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date, datetime

    from kiosque.model import DateSource, Precision
    from pipelines.steps.dates.days import Fetch
    from pipelines.steps.dates.reading import Role, Signal
    from pipelines.steps.dates.values import Found

HUMAN: frozenset[DateSource] = frozenset(("visible",))
"""Where a midnight was written by a person, and where one text may state several dates."""
EARLIEST_IN_A_URL = 1990

# /2024/10/25/, -20241025-, -25-10-2024-: year first, or day first as French slugs end.
_URL_DAYS = (
    re.compile(r"(?<!\d)(?P<year>(?:19|20)\d\d)(?P<sign>[/_-]?)(?P<month>[01]\d)(?P=sign)(?P<day>[0-3]\d)(?!\d)"),
    re.compile(r"(?<!\d)(?P<day>[0-3]\d)(?P<sign>[/_-])(?P<month>[01]\d)(?P=sign)(?P<year>(?:19|20)\d\d)(?!\d)"),
)
_MAX_URL = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One signal's date."""

    source: DateSource
    role: Role
    day: date
    """The local day, or the day as a machine wrote it beside an invented midnight."""
    at: datetime | None
    """The instant, on the outlet's clock."""
    precision: Precision
    text: str
    reason: str

    @property
    def value(self) -> str:
        """The ISO string."""
        return self.at.isoformat() if self.at else self.day.isoformat()


def candidates_of(signals: Sequence[Signal], fetch: Fetch) -> list[Candidate]:
    """Return the dates that the signals claim and that can be: none more than a day after the fetch."""
    found = [each for signal in signals for each in _read(signal, fetch)]
    stated = {each.at for each in found if each.at and not _is_machine_midnight(each)}
    return [_as_day(each) if _is_machine_midnight(each) and each.at not in stated else each for each in found]


def is_after(candidate: Candidate, fetch: Fetch) -> bool:
    """Tell whether a date lies more than a day after the fetch."""
    if candidate.at:
        return candidate.at > fetch.now + ONE_DAY
    return candidate.day > fetch.today + ONE_DAY


def _read(signal: Signal, fetch: Fetch) -> Iterator[Candidate]:
    if signal.source == "url":
        yield from _url_day(signal, fetch)
        return
    found = every(cut(clean(signal.text)), fetch)
    wanted = [each for each in found if _role(each, signal) == signal.role]
    for each in (wanted or found)[: None if signal.source in HUMAN else 1]:
        yield _candidate(signal, each, _role(each, signal))


def _role(found: Found, signal: Signal) -> Role:
    """Return what the text says of its date, else what its place says."""
    return signal.role if found.moment.role == "unknown" else found.moment.role


def _candidate(signal: Signal, found: Found, role: Role) -> Candidate:
    return Candidate(
        source=signal.source,
        role=role,
        day=found.day,
        at=found.at,
        precision=found.precision,
        text=signal.text,
        reason=found.reason,
    )


def _url_day(signal: Signal, fetch: Fetch) -> Iterator[Candidate]:
    for pattern in _URL_DAYS:
        for match in pattern.finditer(signal.text[:_MAX_URL]):
            day = make_day(int(match["year"]), int(match["month"]), int(match["day"]))
            if day and day.year >= EARLIEST_IN_A_URL and day <= fetch.today + ONE_DAY:
                text, reason = signal.text, "the day in the address"
                yield Candidate(
                    source="url", role=signal.role, day=day, at=None, precision="day", text=text, reason=reason
                )
                return


def _is_machine_midnight(candidate: Candidate) -> bool:
    """Tell whether a machine's time is midnight, in UTC or on the outlet's clock.

    Publishing systems that keep a day fill the time with zeros; one article in some thousands does
    appear at midnight sharp, and loses its time unless another signal states it.
    """
    at = candidate.at
    if at is None or candidate.source in HUMAN or (at.minute, at.second) != (0, 0):
        return False
    return at.hour == 0 or at.astimezone(UTC).hour == 0


def _as_day(candidate: Candidate) -> Candidate:
    return replace(candidate, at=None, precision="day", reason=f"{candidate.reason}; its midnight is no time")
