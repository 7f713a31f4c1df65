"""The signs of life of a service, from which /healthz, /readyz and systemd's watchdog are answered."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from storage.turn import Hold

# The event loop beats every second; one that did not for so long hangs.
DEAD_AFTER = 30.0
# Claims come with each tick, and the store is written to twice a minute.
CLAIM_AFTER, STORE_AFTER = 60.0, 90.0


def _now() -> float:
    return time.monotonic()


@dataclass(slots=True, kw_only=True)
class Vitals:
    """Moments of the steady clock at which something was last well."""

    beat: float = field(default_factory=_now)
    claimed: float = field(default_factory=_now)
    store_answered: float = field(default_factory=_now)
    tick: float = 5.0
    """Seconds between two claims."""
    hold: Hold = "held"
    """What is known of the scheduler's turn."""
    stopping: bool = False
    last_claim: datetime | None = None

    def sick(self, *, at: float | None = None) -> str:
        """Return why the process should be started anew, empty when it lives."""
        since = (_now() if at is None else at) - self.beat
        return f"the event loop has hung for {since:.0f} s" if since > DEAD_AFTER else ""

    def unready(self, *, at: float | None = None) -> str:
        """Return why the service does no work now, empty when it does."""
        now = _now() if at is None else at
        if why := self.sick(at=now):
            return why
        if self.stopping:
            return "it is stopping"
        if self.hold != "held":
            return "another scheduler has the store" if self.hold == "lost" else "the database does not answer"
        if (since := now - self.store_answered) > STORE_AFTER:
            return f"the store has not answered for {since:.0f} s"
        if (since := now - self.claimed) > CLAIM_AFTER + 3 * self.tick:
            return f"no feed was looked for since {since:.0f} s"
        return ""
