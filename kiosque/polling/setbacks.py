"""What follows when a poll brings no feed: a failure costs time, never the feed. Only 410, said twice, ends one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from kiosque.polling.moment import Moment, spoken
from kiosque.polling.waits import DAY, retry_after

if TYPE_CHECKING:
    from kiosque.polling.state import FeedState, Health, Poll

BACK_OFF = 600.0
"""Seconds after a first failure; doubled by each further one, up to a day."""
BLOCKED_BACK_OFF = 21_600.0
GONE = 2
GIVE_UP_MOVE = 5
"""Failures in a row after which a rewritten address is given up for the declared one."""

_TOO_MANY, _UNAVAILABLE = 429, 503
_REFUSING = frozenset({401, 402, 403, 407, 451})
# Ours to refuse: asking again sooner changes nothing.
_NOT_ASKED = {
    "robots": "robots.txt does not allow it",
    "private-address": "its address is private",
    "scheme": "its address is neither http nor https",
    "bad-url": "its address is broken",
    "reserved": "its rights are reserved",
}
# As above, but a matter of time.
_NOT_ASKED_NOW = {
    "robots-unread": "robots.txt could not be read",
    "host-waits": "its host refuses us or asks us to wait",
    "host-busy": "another worker is at its host",
}


def after_no_answer(state: FeedState, poll: Poll, moment: Moment) -> FeedState:
    """Nothing was asked, or nothing came back."""
    failure = poll.failure or "no answer"
    if failure in _NOT_ASKED:
        return _set_back(state, moment, "blocked", DAY, f"Not asked: {_NOT_ASKED[failure]}")
    if failure in _NOT_ASKED_NOW:
        return _set_back(state, moment, "blocked", _back_off(state, moment), f"Not asked: {_NOT_ASKED_NOW[failure]}")
    if failure == "challenge":
        return _refused(state, moment, "The server wants to see a browser")
    return _set_back(state, moment, "failing", _back_off(state, moment), f"No answer: {failure}")


def after_error(state: FeedState, poll: Poll, moment: Moment) -> FeedState:
    """The server answered, but not with a feed's content."""
    state = replace(state, redirect_target=None, redirect_seen=0)
    if poll.status in _REFUSING:
        return _refused(state, moment, f"The server refuses: status {poll.status}")
    if poll.status in {_TOO_MANY, _UNAVAILABLE}:
        asked = retry_after(poll.header("retry-after"), server_date=poll.header("date"), now=moment.now)
        if asked is not None:
            seconds = max(asked, moment.bounds.shortest)
            state = replace(state, not_before=moment.now + timedelta(seconds=asked))
            return _set_back(state, moment, "failing", seconds, f"Status {poll.status}: the server asks to wait")
    return _set_back(state, moment, "failing", _back_off(state, moment), f"Status {poll.status}")


def after_other_format(state: FeedState, poll: Poll, moment: Moment) -> FeedState:
    """The answer is content of another kind."""
    state = replace(state, redirect_target=None, redirect_seen=0)
    problem = (poll.reading.problem if poll.reading else None) or "not read"
    detail = poll.reading.detail.rstrip(".") if poll.reading else ""
    said = detail or f"The answer was not understood: {problem}"
    return _set_back(state, moment, "not-a-feed", _back_off(state, moment), said)


def after_gone(state: FeedState, moment: Moment) -> FeedState:
    """The server says 410."""
    seen = state.gone_seen + 1
    state = replace(state, gone_seen=seen)
    if seen < GONE:
        return _set_back(state, moment, "failing", DAY, "Status 410, once: gone if it is said again")
    reason = "Status 410 was said twice: the feed is gone and not asked again."
    return replace(
        state, health="gone", failures=state.failures + 1, next_due=None, interval_seconds=None, reason=reason
    )


def _refused(state: FeedState, moment: Moment, said: str) -> FeedState:
    return _set_back(state, moment, "blocked", min(BLOCKED_BACK_OFF * 2.0 ** min(state.failures, 9), DAY), said)


def _back_off(state: FeedState, moment: Moment) -> float:
    return min(max(BACK_OFF, moment.bounds.shortest) * 2.0 ** min(state.failures, 9), DAY)


def _set_back(state: FeedState, moment: Moment, health: Health, seconds: float, said: str) -> FeedState:
    """Wait, whatever happened: a failure costs time, never the feed."""
    wait = moment.jittered(seconds)
    failures = state.failures + 1
    times = "" if failures == 1 else f", {failures} times in a row"
    if state.moved_to and failures >= GIVE_UP_MOVE:
        state = replace(state, moved_to=None, etag=None, last_modified=None)
    return replace(
        state,
        health=health,
        failures=failures,
        interval_seconds=wait,
        next_due=moment.now + timedelta(seconds=wait),
        reason=f"{said}{times}. Asked again after {spoken(wait)}.",
    )
