"""The shell's clock: the machine's, or a quicker one for trials that live through weeks."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Tells the time. With a `speed`, the time since `start` passes so many times as fast, in every process alike."""

    speed: float = 1.0
    start: datetime = EPOCH

    def now(self) -> datetime:
        """Return the time, in UTC."""
        real = datetime.now(UTC)
        return real if self.speed == 1.0 else self.start + (real - self.start) * self.speed

    def monotonic(self) -> float:
        """Return seconds that never go back, from an unknown beginning."""
        return time.monotonic() * self.speed

    def real(self, seconds: float) -> float:
        """Return how many seconds of the machine's clock these are.

        >>> Clock(speed=100.0).real(500.0)
        5.0
        """
        return seconds / self.speed


def jumped(*, wall: float, steady: float) -> bool:
    """Tell whether the machine's clock was set, or the machine slept: it went otherwise than the steady one.

    Both in seconds between the same two looks.

    >>> jumped(wall=5.2, steady=5.0), jumped(wall=3600.0, steady=5.0), jumped(wall=-60.0, steady=5.0)
    (False, True, True)
    """
    return abs(wall - steady) > JUMP_SECONDS


# NTP slews by less; who sets a clock, or closes a laptop, does more.
JUMP_SECONDS = 20.0
