"""Signs of life of one worker: what the others know of it, and for how long it may trust that its sites are its own."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class Signs:
    """When the database last heard of this worker, by the steady clock."""

    silent_after: float
    heard: float = field(default_factory=time.monotonic)
    since: float = field(default_factory=time.monotonic)
    """Since when it is heard without a break."""

    @property
    def every(self) -> float:
        """Seconds between two signs."""
        return self.silent_after / 6

    def fresh(self) -> bool:
        """Tell whether requests may be made: others take over after `silent_after`, this one stops at half of it."""
        return time.monotonic() - self.heard < self.silent_after / 2

    def hear(self, *, sent: float) -> None:
        """Note that the database took a sign of life that was `sent` then: its answer may have come late."""
        if sent - self.heard >= self.silent_after / 2:
            self.since = sent
        self.heard = sent
