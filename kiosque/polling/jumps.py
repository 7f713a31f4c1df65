"""Feeds whose next poll lies beyond any wait of ours: they were planned by a clock that was wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from kiosque.polling.rhythm import Rhythm
from kiosque.polling.waits import DAY

if TYPE_CHECKING:
    from datetime import datetime

    from kiosque.polling.state import FeedState

# No wait is longer than a day with its jitter; what a server asks for is a day at most.
FARTHEST = timedelta(seconds=2 * DAY)


def mended(state: FeedState, *, now: datetime, due: datetime) -> FeedState | None:
    """Return the state with `due` as its next poll where a wrong clock had planned it, None where nothing is wrong.

    What was learned by that clock of the feed's rhythm is forgotten with it.
    """
    horizon = now + FARTHEST
    learned_later = state.rhythm.until is not None and state.rhythm.until > horizon
    planned_later = state.next_due is not None and state.next_due > horizon
    waits_later = state.not_before is not None and state.not_before > horizon
    if not (learned_later or planned_later or waits_later):
        return None
    return replace(
        state,
        next_due=due if planned_later or waits_later else state.next_due,
        not_before=None if waits_later else state.not_before,
        rhythm=Rhythm() if learned_later else state.rhythm,
    )
