"""`FeedReading`: what one answer of a feed or sitemap says, with what is wrong about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from kiosque.model import FeedEntry

FeedKind = Literal["rss", "atom", "rdf", "json", "news-sitemap", "sitemap", "sitemap-index"]

MAX_ENTRIES = 10_000
"""Entries kept of a feed."""
MAX_SITEMAP_URLS = 50_000
"""Addresses kept of a sitemap or index: the sitemap protocol's own limit."""

# The feed was read, if not wholly: its entries and its validators count.
_PARTIAL = frozenset({"malformed", "empty-feed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedReading:
    """What a feed or sitemap says. `kind` is None when the answer is no feed at all; `problem` then says why."""

    kind: FeedKind | None = None
    entries: tuple[FeedEntry, ...] = ()
    """In document order; absolute http(s) addresses, raw date texts, plain-text titles and summaries."""
    sitemaps: tuple[str, ...] = ()
    """An index's sitemaps, the most recently changed first, then those without a date in document order."""
    problem: str | None = None
    """`empty`, `html`, `not-xml`, `not-a-feed`, `bad-json`: no feed. `truncated`: cut off, what came was read.
    `malformed`: broken markup, mended. `empty-feed`: a sound feed without entries."""
    detail: str = ""
    """One sentence about `problem`, `capped` or `skipped`; empty when there is nothing to say."""
    title: str | None = None
    language: str | None = None
    ttl_minutes: int | None = None
    update_period_seconds: int | None = None
    """`sy:updatePeriod` divided by `sy:updateFrequency`."""
    skip_hours: tuple[int, ...] = ()
    """Hours of the day, UTC, 0 to 23."""
    skip_days: tuple[int, ...] = ()
    """Weekdays, UTC, Monday is 0."""
    capped: bool = False
    """There were more entries than are kept."""
    skipped: int = 0
    """Entries without a usable address."""

    @property
    def parsed(self) -> bool:
        """Whether the whole answer was understood: only then may its validators be kept."""
        return self.kind is not None and (self.problem is None or self.problem in _PARTIAL)

    def with_problem(self, problem: str, detail: str) -> FeedReading:
        """Return the same reading with a problem told."""
        return replace(self, problem=problem, detail=detail)


def empty_or_not(found: int, words: str) -> tuple[str | None, str]:
    """Return `problem` and `detail` of a sound answer in which `found` entries or sitemaps were usable."""
    if found:
        return None, words
    return "empty-feed", " ".join(filter(None, ("There are no entries.", words)))


def closing_words(*, entries: int, skipped: int, capped: bool) -> str:
    """Return the sentence about entries that were left out, "" when none was."""
    said = []
    if capped:
        said.append(f"The first {entries + skipped} entries were kept, the rest left.")
    if skipped:
        said.append(f"{skipped} without a usable address.")
    return " ".join(said)
