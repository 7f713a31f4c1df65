"""The count of a crawl: every URL that it saw, and how each one ended."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import Counter, deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

# Upper bounds in seconds under which timings are counted; what takes longer is counted above the last one.
BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 21600.0, 86400.0)
# A service runs for months: of what it could complain about the last are kept.
MOST_PROBLEMS = 2_000


@dataclass(slots=True, kw_only=True)
class Timing:
    """How long something took, each time."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    """By the bound that it kept; the last one is for what kept none."""
    total: float = 0.0
    """Seconds of all together."""

    def add(self, seconds: float) -> None:
        """Count one."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += max(0.0, seconds)


@dataclass(slots=True, kw_only=True)
class Tally:
    """Counts as the crawl goes; `begun` minus `ended` is what is under way."""

    begun: Counter[str] = field(default_factory=Counter)
    """URLs taken up, by outlet."""
    ended: Counter[tuple[str, str]] = field(default_factory=Counter)
    """URLs that ended, by outlet and outcome."""
    polls: Counter[str] = field(default_factory=Counter)
    """Polls of feeds and sitemaps, by what came of them."""
    corrected: int = 0
    """Stored records that were corrected because lines were learned."""
    problems: deque[str] = field(default_factory=lambda: deque(maxlen=MOST_PROBLEMS))
    """What a person should look at, a sentence each."""
    fetching: Timing = field(default_factory=Timing)
    """Until a server's answer began."""
    reading: Timing = field(default_factory=Timing)
    """A page's time in the worker pool, waiting for a worker included."""
    arriving: Timing = field(default_factory=Timing)
    """From an article's publication, where its time is known, to its record."""
    delays: dict[str, tuple[int, float]] = field(default_factory=dict)
    """The same by outlet: how many articles, and their seconds together."""
    in_pool: int = 0
    """Pages that workers read, or that wait for one."""

    def begin(self, outlet: str) -> None:
        """Count a URL that was taken up."""
        self.begun[outlet] += 1

    def end(self, outlet: str, outcome: str) -> None:
        """Count how a URL ended."""
        self.ended[outlet, outcome] += 1

    def arrive(self, outlet: str, seconds: float) -> None:
        """Count how long after its publication an article came."""
        self.arriving.add(seconds)
        n, total = self.delays.get(outlet, (0, 0.0))
        self.delays[outlet] = (n + 1, total + seconds)

    @contextmanager
    def page_in_pool(self) -> Iterator[None]:
        """Count a page that is being read, and its time."""
        start = time.perf_counter()
        self.in_pool += 1
        try:
            yield
        finally:
            self.in_pool -= 1
            self.reading.add(time.perf_counter() - start)

    @property
    def under_way(self) -> int:
        """URLs taken up that have not ended."""
        return self.begun.total() - self.ended.total()

    def outcomes(self) -> dict[str, int]:
        """Return how many URLs ended each way, most frequent first."""
        found: Counter[str] = Counter()
        for (_, outcome), n in self.ended.items():
            found[outcome] += n
        return dict(found.most_common())

    def by_outlet(self) -> dict[str, dict[str, int]]:
        """Return the outcomes of each outlet."""
        found: dict[str, dict[str, int]] = {}
        for (outlet, outcome), n in sorted(self.ended.items()):
            found.setdefault(outlet, {})[outcome] = n
        return found

    def summary(self, *, seconds: float) -> dict[str, Any]:
        """Return the crawl's summary: `seen` is the sum of `outcomes`.

        What was taken up and had not ended when the crawl was interrupted is not `seen`: it stays
        on the frontier and the next crawl takes it up again.
        """
        return {
            "seen": self.ended.total(),
            "outcomes": self.outcomes(),
            "outlets": self.by_outlet(),
            "corrected": self.corrected,
            "polls": dict(self.polls.most_common()),
            "problems": list(self.problems),
            "left": self.under_way,
            "seconds": round(seconds, 3),
        }
