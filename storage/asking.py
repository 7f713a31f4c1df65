"""What a store is asked, and what it answers besides records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordQuery:
    """Which records are asked for, and in what order."""

    outlet: str | None = None
    since: datetime | None = None
    """Fetched then or later."""
    search: str | None = None
    """All these words in title or text."""
    revisions: bool = False
    """Every revision, not only the latest of each article."""
    after: int | None = None
    """A change number: from there on, oldest change first. None is newest change first."""
    limit: int | None = None


EVERYTHING = RecordQuery()


@dataclass(frozen=True, slots=True, kw_only=True)
class LineCount:
    """A line that several articles of an outlet carry."""

    line: str
    """As `pipelines.steps.lines.fold_line` makes it."""
    articles: int
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What was, or would be, erased."""

    articles: tuple[str, ...]
    """Ids."""
    urls: tuple[str, ...]
    """Every address of them, and those asked for."""
    revisions: int
    archived: tuple[str, ...]
    """Pointers into the archive."""
