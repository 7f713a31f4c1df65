"""What the date step hands out: a reading of one date, a signal that goes into the resolver, what comes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from kiosque.model import DateSource, Precision, PublishedDate

Role = Literal["published", "modified", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DateReading:
    """One date that a text states."""

    value: str
    """An instant with the outlet's offset, or `YYYY-MM-DD` when only the day or less is known."""
    precision: Precision
    role: Role
    text: str
    """The piece it was read from."""
    reason: str
    """How it was read, in one sentence."""
    reader: Literal["scanner", "dateparser"] = "scanner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One place of a page, feed or sitemap that claims a date."""

    source: DateSource
    text: str
    role: Role = "published"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedDates:
    """What all signals together say."""

    published: PublishedDate | None
    modified: str | None
    """As `PublishedDate.value`; never before `published`."""
    signals: tuple[Signal, ...] = ()
    """What was weighed, the surest kind first."""
