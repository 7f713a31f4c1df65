"""What every decision leans on: the time, the dice, the bounds; and how a stretch of time is said."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kiosque.polling.waits import DAY

if TYPE_CHECKING:
    from datetime import datetime

    from kiosque.polling.state import Bounds

JITTER = 0.1
"""Share of a wait that is added at most, so that feeds do not march in step."""


class Moment(NamedTuple):
    """What every decision leans on; `rng_fraction` is in [0, 1)."""

    now: datetime
    rng_fraction: float
    bounds: Bounds

    def jittered(self, seconds: float) -> float:
        """Return the wait with its jitter, at most a day (or the longest wait that is set)."""
        return min(seconds * (1 + JITTER * self.rng_fraction), max(DAY, self.bounds.longest))


def spoken(seconds: float) -> str:
    """Say a stretch of time: `12 min`, `3.5 h`, `2.0 days`."""
    minutes = seconds / 60
    if minutes < 90:  # noqa: PLR2004 -- where minutes stop being easy to read
        return f"{minutes:.0f} min"
    hours = minutes / 60
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} days"  # noqa: PLR2004 -- as above
