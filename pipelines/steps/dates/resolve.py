"""One resolved date from many signals: the trust order, agreement, zone slips, refused futures."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pipelines.steps.dates.candidates import candidates_of, is_after
from pipelines.steps.dates.clocks import CLOCK_SKEW
from pipelines.steps.dates.days import fetch_of
from pipelines.steps.dates.reading import ResolvedDates
from pipelines.steps.dates.values import COARSE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from kiosque.model import DateSource, PublishedDate
    from pipelines.steps.dates.candidates import Candidate
    from pipelines.steps.dates.days import Fetch
    from pipelines.steps.dates.reading import Signal

CONFIDENCE: dict[DateSource, float] = {
    "json-ld": 0.9,  # written by the publishing system for search engines, who check it
    "meta": 0.85,  # the same system, for social networks; some themes put the modification there
    "feed": 0.85,  # the same system; some feeds re-date what they re-publish
    "sitemap": 0.8,
    "visible": 0.8,  # what readers see; may stand beside another article
    "time": 0.7,  # often an hour or two off, beside a right visible text
    "url": 0.7,  # the day alone, at times the day of the first draft
    "htmldate": 0.5,  # a guess from all of the page
}
"""How sure a source is alone. The order is the trust order."""
TRUST = {source: place for place, source in enumerate(CONFIDENCE)}
SLIPPED, CONTRADICTED = 0.8, 0.7
"""What a signal that is whole hours off, or elsewhere, leaves of the confidence."""
SURE = 0.99

_WEEK = timedelta(days=7)
_SAME = timedelta(seconds=90)
"""Two clocks of one publishing system: minutes cut off, or a second apart."""
_HOUR = timedelta(hours=1)
_FARTHEST_ZONE = 14
_RENDERED_NOW = timedelta(minutes=2)
"""So near the fetch, a date that no other signal shares is the moment when the page was made."""
_OUTVOTED = 2
"""By so many more sources is another day, or another page's date, overruled."""


def resolve_dates(signals: Sequence[Signal], *, fetched_at: datetime, timezone: str) -> ResolvedDates:
    """Return the date that the signals together say, with its source, confidence and reason.

    `fetched_at` is timezone-aware, `timezone` the outlet's IANA name. A date more than a day after the
    fetch is refused. A machine's exact midnight counts as a plain day unless another signal states the
    same instant.

    >>> from datetime import UTC
    >>> from pipelines.steps.dates import Signal
    >>> signals = [
    ...     Signal(source="json-ld", text="2024-10-25"),
    ...     Signal(source="visible", text="Publié le 25/10/2024 à 07h12"),
    ... ]
    >>> fetched = datetime(2024, 10, 26, tzinfo=UTC)
    >>> resolve_dates(signals, fetched_at=fetched, timezone="Europe/Paris").published.value
    '2024-10-25T07:12:00+02:00'
    """
    fetch = fetch_of(fetched_at, timezone)
    found = candidates_of(signals, fetch)
    possible = [each for each in found if not is_after(each, fetch)]
    possible.sort(key=lambda each: (TRUST[each.source], each.role != "published"))
    publications = [each for each in possible if each.role != "modified"]
    published = _published(publications, fetch, refused=len(found) - len(possible)) if publications else None
    return ResolvedDates(published=published, modified=_modified(possible, published))


def _published(possible: list[Candidate], fetch: Fetch, *, refused: int) -> PublishedDate:
    from kiosque.model import PublishedDate  # noqa: PLC0415  reading one date costs no import of all types

    chosen, notes = _choose(possible, fetch)
    confidence, remarks = _weigh(chosen, possible)
    if refused:
        remarks.append(f"{refused} after the fetch refused")
    return PublishedDate(
        value=chosen.value,
        precision=chosen.precision,
        source=chosen.source,
        text=chosen.text,
        confidence=round(confidence, 2),
        reason="; ".join((f"{chosen.source}: {chosen.reason}", *notes, *remarks)),
    )


def _choose(possible: list[Candidate], fetch: Fetch) -> tuple[Candidate, list[str]]:
    """Return the most trusted candidate that is not overruled, or one that says the same more finely."""
    first = possible[0]
    chosen = next((each for each in possible[1:] if _overrules(each, first, possible, fetch)), first)
    notes = [] if chosen is first else [f"{first.source} overruled"]
    finer = next((each for each in possible if _refines(chosen, each)), None)
    if finer is None:
        return chosen, notes
    return finer, [*notes, f"{chosen.source} gives the {chosen.precision} alone"]


def _overrules(other: Candidate, first: Candidate, possible: list[Candidate], fetch: Fetch) -> bool:
    """Tell whether a less trusted candidate is right where the most trusted cannot be.

    Whole hours apart, one of the two has the wrong zone: the one that more sources share is right, or
    the one that is not after the fetch. On another day, it takes more.
    """
    if _agree(other, first):
        return False
    votes = _supporters(other, possible) - _supporters(first, possible)
    if _slip(other, first):
        return votes > 0 or (first.at is not None and first.at > fetch.now + CLOCK_SKEW)
    rendered = first.at is not None and abs(first.at - fetch.now) < _RENDERED_NOW
    return votes >= (1 - _OUTVOTED if rendered and other.source != first.source else _OUTVOTED)


def _supporters(candidate: Candidate, possible: list[Candidate]) -> int:
    return len({each.source for each in possible if each is candidate or _agree(each, candidate)})


def _refines(coarse: Candidate, fine: Candidate) -> bool:
    if coarse.precision in COARSE:
        return fine.precision not in COARSE and _within(fine.day, coarse)
    return coarse.at is None and fine.at is not None and fine.at.date() == coarse.day


def _within(day: date, coarse: Candidate) -> bool:
    if coarse.precision == "week":
        return abs(day - coarse.day) <= _WEEK
    return day.year == coarse.day.year and (coarse.precision == "year" or day.month == coarse.day.month)


def _agree(one: Candidate, other: Candidate) -> bool:
    """Tell whether two candidates say the same, each as finely as it speaks."""
    if one.precision in COARSE:
        return _within(other.day, one)
    if other.precision in COARSE:
        return _within(one.day, other)
    if one.at and other.at:
        return abs(one.at - other.at) < (_HOUR if "hour" in (one.precision, other.precision) else _SAME)
    return (one.at.date() if one.at else one.day) == (other.at.date() if other.at else other.day)


def _slip(one: Candidate, other: Candidate) -> bool:
    """Tell whether two instants are whole hours apart, as a wrong zone makes them."""
    if one.at is None or other.at is None or "hour" in (one.precision, other.precision):
        return False
    apart = abs(one.at - other.at)
    hours = round(apart / _HOUR)
    return 0 < hours <= _FARTHEST_ZONE and abs(apart - hours * _HOUR) < _SAME


def _weigh(chosen: Candidate, possible: list[Candidate]) -> tuple[float, list[str]]:
    """Return the confidence: each agreeing source halves the doubt, each other one takes a share away."""
    confidence = CONFIDENCE[chosen.source]
    remarks = []
    others = {each.source: each for each in reversed(possible) if each.source != chosen.source}
    for source, other in reversed(others.items()):
        if _agree(chosen, other):
            confidence = (1 + confidence) / 2
            remarks.append(f"{source} agrees")
        elif _slip(chosen, other):
            confidence *= SLIPPED
            remarks.append(f"zone slip: {source} says {other.value}")
        else:
            confidence *= CONTRADICTED
            remarks.append(f"{source} says {other.value}")
    return min(SURE, confidence), remarks


def _modified(possible: list[Candidate], published: PublishedDate | None) -> str | None:
    """Return the most trusted modification that is not before the publication."""
    values = (each.value for each in possible if each.role == "modified")
    return next((value for value in values if published is None or not _is_before(value, published.value)), None)


def _is_before(modified: str, published: str) -> bool:
    if "T" in modified and "T" in published:
        return datetime.fromisoformat(modified) < datetime.fromisoformat(published)
    return modified[:10] < published[:10]
