"""The count of a crawl: every URL that it saw, and how each one ended."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any


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
    problems: list[str] = field(default_factory=list)
    """What a person should look at, a sentence each."""

    def begin(self, outlet: str) -> None:
        """Count a URL that was taken up."""
        self.begun[outlet] += 1

    def end(self, outlet: str, outcome: str) -> None:
        """Count how a URL ended."""
        self.ended[outlet, outcome] += 1

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
            "problems": self.problems,
            "left": self.under_way,
            "seconds": round(seconds, 3),
        }
