"""One resolved date from many signals: the trust order, agreement, zone slips, invented midnights."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from pipelines.steps.dates.clocks import CLOCK_SKEW
from pipelines.steps.dates.days import ONE_DAY, fetch_of, make_day
from pipelines.steps.dates.reading import ResolvedDates, Role, Signal
from pipelines.steps.dates.repair import clean
from pipelines.steps.dates.tokens import cut
from pipelines.steps.dates.values import every

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kiosque.model import DateSource, Precision, PublishedDate
    from pipelines.steps.dates.days import Fetch
    from pipelines.steps.dates.values import Found

# How often a source's date is the article's, alone: machine fields written by the publishing system
# first, then what readers see, then what was guessed. The order is the trust order.
CONFIDENCE: dict[DateSource, float] = {
    "json-ld": 0.9,
    "meta": 0.85,
    "feed": 0.85,
    "sitemap": 0.8,
    "visible": 0.8,
    "time": 0.7,
    "url": 0.7,
    "htmldate": 0.5,
}
TRUST = {source: place for place, source in enumerate(CONFIDENCE)}
HUMAN = frozenset(("visible",))
"""Where a midnight was written by a person."""

_URL_DAY = re.compile(r"(?<!\d)((?:19|20)\d\d)([/_-]?)([01]\d)\2([0-3]\d)(?!\d)")
_COARSE = frozenset(("week", "month", "year"))
_SAME = timedelta(seconds=90)
"""Two clocks of one publishing system: minutes cut off, or a second apart."""
_FARTHEST_ZONE = timedelta(hours=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One signal's date."""

    source: DateSource
    role: Role
    day: date
    at: datetime | None
    precision: Precision
    text: str
    reason: str

    @property
    def value(self) -> str:
        """The ISO string."""
        return self.at.replace(microsecond=0).isoformat() if self.at else self.day.isoformat()


def resolve_dates(signals: Sequence[Signal], *, fetched_at: datetime, timezone: str) -> ResolvedDates:
    """Return the date that the signals together say, with its source, confidence and reason.

    `fetched_at` is timezone-aware. A date more than a day after it is refused. A machine's exact
    midnight counts as a plain day unless another signal states the same instant another way.
    """
    fetch = fetch_of(fetched_at, timezone)
    candidates = [each for signal in signals for each in _candidates(signal, fetch)]
    candidates = _without_invented_midnights(candidates)
    candidates.sort(key=lambda each: TRUST[each.source])
    published = _published([each for each in candidates if each.role != "modified"], fetch)
    modified = _modified([each for each in candidates if each.role == "modified"], published)
    return ResolvedDates(published=published, modified=modified)


def _candidates(signal: Signal, fetch: Fetch) -> list[Candidate]:
    if signal.source == "url":
        return _url_candidates(signal, fetch)
    found = every(cut(clean(signal.text)), fetch)
    wanted = [each for each in found if _role(each, signal) == signal.role] if signal.role != "unknown" else found
    return [_candidate(each, signal, fetch) for each in (wanted or found)[: None if signal.source in HUMAN else 1]]


def _role(found: Found, signal: Signal) -> Role:
    return signal.role if found.moment.role == "unknown" else found.moment.role


def _candidate(found: Found, signal: Signal, fetch: Fetch) -> Candidate:
    local = found.at.astimezone(fetch.zone) if found.at else None
    return Candidate(
        source=signal.source,
        role=_role(found, signal),
        day=found.day,
        at=local,
        precision=found.precision,
        text=signal.text,
        reason=found.reason,
    )


def _url_candidates(signal: Signal, fetch: Fetch) -> list[Candidate]:
    for year, _, month, day in _URL_DAY.findall(signal.text[:2000]):
        found = make_day(int(year), int(month), int(day))
        if found and found <= fetch.today + ONE_DAY:
            return [
                Candidate(
                    source="url",
                    role="published",
                    day=found,
                    at=None,
                    precision="day",
                    text=signal.text,
                    reason="the day in the address",
                )
            ]
    return []


def _without_invented_midnights(candidates: list[Candidate]) -> list[Candidate]:
    confirmed = {each.at for each in candidates if each.at and not _machine_midnight(each)}
    return [_as_day(each) if _machine_midnight(each) and each.at not in confirmed else each for each in candidates]


def _machine_midnight(candidate: Candidate) -> bool:
    """Tell whether a machine's time is midnight on the outlet's clock, in UTC, or as it was written."""
    at = candidate.at
    if at is None or candidate.source in HUMAN or (at.minute, at.second) != (0, 0):
        return False
    return at.hour == 0 or at.astimezone(UTC).hour == 0


def _as_day(candidate: Candidate) -> Candidate:
    return replace(candidate, at=None, precision="day", reason=f"{candidate.reason}; its midnight is no time")


def _published(candidates: list[Candidate], fetch: Fetch) -> PublishedDate | None:
    believable = [each for each in candidates if not _in_the_future(each, fetch)]
    if not believable:
        return None
    from kiosque.model import PublishedDate  # noqa: PLC0415  reading one date costs no import of all types

    refused = len(candidates) - len(believable)
    chosen, notes = _choose(believable, fetch)
    others = [each for each in believable if each.source != chosen.source]
    confidence, remarks = _weigh(chosen, others)
    notes = [*notes, *remarks, *([f"{refused} date(s) after the fetch refused"] if refused else [])]
    return PublishedDate(
        value=chosen.value,
        precision=chosen.precision,
        source=chosen.source,
        text=chosen.text,
        confidence=round(confidence, 2),
        reason="; ".join([f"{chosen.source}: {chosen.reason}", *notes]),
    )


def _in_the_future(candidate: Candidate, fetch: Fetch) -> bool:
    if candidate.at:
        return candidate.at > fetch.now + ONE_DAY
    return candidate.day > fetch.today + ONE_DAY


def _choose(believable: list[Candidate], fetch: Fetch) -> tuple[Candidate, list[str]]:
    """Return the most trusted candidate, or a less trusted one that says the same more finely."""
    chosen = believable[0]
    rest = believable[1:]
    if chosen.at is None:
        finer = next((each for each in rest if _refines(chosen, each)), None)
        return (finer, [f"{chosen.source} gives the day alone"]) if finer else (chosen, [])
    slipped = [each for each in rest if _slip(chosen, each)]
    if chosen.at > fetch.now + CLOCK_SKEW and slipped:
        return slipped[0], [f"{chosen.source} is whole hours later, after the fetch"]
    agreeing = sum(_agree(chosen, each) for each in rest if each.at)
    for each in slipped:
        supporters = {other.source for other in slipped if _agree(each, other)}
        if len(supporters) > 1 + agreeing:
            return each, [f"{chosen.source} is whole hours off {len(supporters)} signals that agree"]
    return chosen, []


def _refines(coarse: Candidate, fine: Candidate) -> bool:
    if coarse.precision in _COARSE:
        return fine.precision not in _COARSE and _within(fine.day, coarse)
    return fine.at is not None and fine.at.date() == coarse.day


def _within(day: date, coarse: Candidate) -> bool:
    if coarse.precision == "week":
        return abs((day - coarse.day).days) <= 7  # noqa: PLR2004
    return day.year == coarse.day.year and (coarse.precision == "year" or day.month == coarse.day.month)


def _agree(one: Candidate, other: Candidate) -> bool:
    if one.precision in _COARSE or other.precision in _COARSE:
        coarse, fine = (one, other) if one.precision in _COARSE else (other, one)
        return _within(fine.day, coarse)
    if one.at and other.at:
        slack = timedelta(hours=1) if "hour" in (one.precision, other.precision) else _SAME
        return abs(one.at - other.at) < slack
    return _local_day(one) == _local_day(other)


def _local_day(candidate: Candidate) -> date:
    return candidate.at.date() if candidate.at else candidate.day


def _slip(one: Candidate, other: Candidate) -> bool:
    """Tell whether two instants are whole hours apart, as a wrong zone makes them."""
    if not (one.at and other.at) or "hour" in (one.precision, other.precision):
        return False
    apart = abs(one.at - other.at)
    hours = round(apart / timedelta(hours=1))
    return hours > 0 and apart <= _FARTHEST_ZONE and abs(apart - timedelta(hours=hours)) < _SAME


def _weigh(chosen: Candidate, others: Iterable[Candidate]) -> tuple[float, list[str]]:
    """Return the confidence: each agreeing source takes away half of the doubt, each other one adds to it."""
    doubt = 1 - CONFIDENCE[chosen.source]
    notes = []
    seen: set[str] = set()
    for other in others:
        if other.source in seen:
            continue
        seen.add(other.source)
        if _agree(chosen, other):
            doubt /= 2
            notes.append(f"{other.source} agrees")
        elif _slip(chosen, other):
            doubt = 1 - (1 - doubt) * 0.8
            notes.append(f"zone slip: {other.source} is whole hours off")
        else:
            doubt = 1 - (1 - doubt) * 0.7
            notes.append(f"{other.source} says {other.value}")
    return min(0.99, 1 - doubt), notes


def _modified(candidates: list[Candidate], published: PublishedDate | None) -> str | None:
    for each in candidates:
        if published is None or not _before(each.value, published.value):
            return each.value
    return None


def _before(modified: str, published: str) -> bool:
    if "T" in modified and "T" in published:
        return datetime.fromisoformat(modified) < datetime.fromisoformat(published)
    return modified[:10] < published[:10]
