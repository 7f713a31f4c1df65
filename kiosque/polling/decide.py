"""From a state and a poll to the next state: the order of the questions, and what follows from a success."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from kiosque.polling.children import MOST_CHILDREN
from kiosque.polling.moment import JITTER, Moment, spoken
from kiosque.polling.news import addresses_hash, published_instants
from kiosque.polling.rhythm import Rhythm, observed, seconds_until, zone_of
from kiosque.polling.setbacks import after_error, after_gone, after_no_answer, after_other_format
from kiosque.polling.state import Bounds, FeedState, Health, Poll
from kiosque.polling.waits import DAY, after_skips, max_age

if TYPE_CHECKING:
    from kiosque.feeds import FeedReading

CLAIM_TIME = timedelta(minutes=15)
"""A claimed feed is due again after this time even when its poll never came back: a crash loses no feed."""
FIRST_INTERVAL = 1_800.0
"""Seconds between polls while nothing is known of a feed's rhythm."""
EXPECTED = 0.5
"""A feed is asked again when so many new entries are to be expected."""
REDIRECTS = 3
"""Permanent redirects in a row that rewrite the address."""
SILENT_GAPS = 10.0
"""A feed is silent when it brought nothing for so many times the usual gap, within the two bounds."""
SILENT_LEAST, SILENT_MOST = timedelta(days=2), timedelta(days=30)

_MAX_VALIDATOR = 1_000
_OK, _NOT_MODIFIED, _GONE = 200, 304, 410


def request_headers(state: FeedState, now: datetime) -> dict[str, str]:
    """Return the headers of a conditional request; none once a day, when the whole feed is fetched.

    A server that says 304 for ever would hide every article.
    """
    if state.last_full is None or (now - state.last_full).total_seconds() >= DAY:
        return {}
    headers = {"If-None-Match": state.etag, "If-Modified-Since": state.last_modified}
    return {name: value for name, value in headers.items() if value}


def claimed(state: FeedState, *, now: datetime, rng_fraction: float, bounds: Bounds | None = None) -> FeedState:
    """Return the state to store before the fetch: the next poll is set as if this one never ended."""
    moment = Moment(now, rng_fraction, bounds or Bounds())
    seconds = moment.jittered(max(moment.bounds.shortest, state.interval_seconds or FIRST_INTERVAL))
    return replace(state, next_due=now + timedelta(seconds=seconds))


def decide(
    state: FeedState, poll: Poll, *, now: datetime, rng_fraction: float, bounds: Bounds | None = None
) -> FeedState:
    """Return the feed's next state: its health, when it is due, and why.

    `rng_fraction` is in [0, 1) and spreads the polls: up to a tenth is added to every wait. No failure ends the
    polling, only 410 seen twice. Never raises.
    """
    moment = Moment(now, rng_fraction, bounds or Bounds())
    polled = replace(state, last_polled=now, not_before=None)
    if poll.failure is not None or poll.status is None:
        # Silence does not bring back a feed that said twice that it is gone; a person or an answer does.
        return polled if state.health == "gone" else after_no_answer(polled, poll, moment)
    if poll.status == _GONE:
        return after_gone(polled, moment)
    polled = replace(polled, gone_seen=0)
    asked = bool(request_headers(state, now)) if poll.conditional is None else poll.conditional
    if poll.status == _NOT_MODIFIED and asked:
        return _after_success(polled, poll, moment, said="Not modified")
    return _after_content(polled, poll, moment) if poll.status == _OK else after_error(polled, poll, moment)


def explain(state: FeedState) -> str:
    """Return the feed's state in a few plain sentences, with times in the outlet's zone."""
    zone = zone_of(state.timezone)

    def at(instant: datetime | None) -> str:
        return instant.astimezone(zone).strftime("%Y-%m-%d %H:%M") if instant else "never"

    due = "never" if state.health == "gone" else at(state.next_due) if state.next_due else "at once"
    parts = [f"{state.health}. {state.reason}", f"Next poll: {due}."]
    parts.append(
        f"Last polled {at(state.last_polled)}, last success {at(state.last_success)}, newest {at(state.last_changed)}."
    )
    if state.rhythm.per_hour:
        parts.append(f"About {state.rhythm.per_hour * 24:.1f} entries a day.")
    if state.moved_to:
        parts.append(f"Moved for good to {state.moved_to}.")
    return " ".join(parts)


def _after_content(state: FeedState, poll: Poll, moment: Moment) -> FeedState:
    """A whole answer came: the same as before, a feed, or something else."""
    if poll.reading is None and poll.body_hash is not None and poll.body_hash == state.body_hash:
        full = replace(state, last_full=moment.now)
        return _after_success(full, poll, moment, said="The same content as before")
    if poll.reading is None or poll.reading.kind is None:
        return after_other_format(state, poll, moment)
    return _after_reading(state, poll, poll.reading, moment)


def _after_reading(state: FeedState, poll: Poll, reading: FeedReading, moment: Moment) -> FeedState:
    """A feed was understood, wholly or in part."""
    found = len(reading.entries) + len(reading.sitemaps)
    read = replace(
        state,
        entries=found,
        ttl_seconds=max(60 * (reading.ttl_minutes or 0), reading.update_period_seconds or 0) or None,
        skip_hours=reading.skip_hours,
        skip_days=reading.skip_days,
        children=reading.sitemaps[:MOST_CHILDREN],
    )
    said = reading.detail.rstrip(".") if reading.problem else f"{found} entries"
    if reading.capped and not reading.problem:
        said = f"{said}. {reading.detail.rstrip('.')}"
    if reading.parsed:  # a truncated answer must come whole next time: its validators would hide the rest
        read = replace(
            read,
            etag=_validator(poll.header("etag")),
            last_modified=_validator(poll.header("last-modified")),
            body_hash=poll.body_hash,
            last_full=moment.now,
        )
    return _after_success(_with_news(read, state, poll, reading, moment), poll, moment, said=said)


def _with_news(read: FeedState, before: FeedState, poll: Poll, reading: FeedReading, moment: Moment) -> FeedState:
    """Note what is new: when the newest entry came, and the rhythm."""
    others = addresses_hash(reading)
    dated = published_instants(reading, now=moment.now)
    if dated:
        newest = max(dated)
        changed = newest if before.last_changed is None else max(newest, before.last_changed)
        return replace(read, entries_hash=others, last_changed=changed, rhythm=_counted(read, dated, moment))
    new = poll.new if poll.new is not None else int(others != before.entries_hash)
    first = before.rhythm.until is None  # all is new then, and says nothing of a rhythm
    seen = [] if first else [moment.now] * min(new, 100)
    changed_at = moment.now if new and read.entries else before.last_changed
    return replace(read, entries_hash=others, last_changed=changed_at, rhythm=_counted(read, seen, moment))


def _counted(state: FeedState, instants: list[datetime], moment: Moment) -> Rhythm:
    return observed(state.rhythm, instants, now=moment.now, timezone=state.timezone)


def _after_success(state: FeedState, poll: Poll, moment: Moment, *, said: str) -> FeedState:
    state = _after_redirects(replace(state, failures=0, last_success=moment.now), poll)
    if poll.reading is None:
        state = replace(state, rhythm=_counted(state, [], moment))
    interval, why = _interval(state, poll, moment)
    due = moment.now + timedelta(seconds=interval)
    latest = moment.now + timedelta(seconds=max(interval, DAY))
    moved = after_skips(due, hours=state.skip_hours, days=state.skip_days, latest=latest)
    if moved > due:
        why = "the feed asks to skip the hours before"
    health, health_said = _content_health(state, moment.now)
    return replace(
        state,
        health=health,
        interval_seconds=(moved - moment.now).total_seconds(),
        next_due=moved,
        reason=f"{said}.{health_said} Asked again after {spoken((moved - moment.now).total_seconds())}: {why}.",
    )


def _interval(state: FeedState, poll: Poll, moment: Moment) -> tuple[float, str]:
    """Return the seconds to wait after a success, and why so many."""
    bounds = moment.bounds
    roomy = max(bounds.shortest, bounds.longest / (1 + JITTER))  # so that jitter stays within the bounds
    expected = seconds_until(state.rhythm, EXPECTED, now=moment.now, timezone=state.timezone, most=roomy)
    own = min(max(FIRST_INTERVAL if expected is None else expected, bounds.shortest), roomy)
    asked = [(max_age(poll.header("cache-control")), "the server's Cache-Control asks for it")]
    asked.append((min(state.ttl_seconds or 0, DAY), "the feed's ttl or update period asks for it"))
    floor, why = max(asked)
    if floor > own:
        return moment.jittered(floor), why
    return moment.jittered(own), _own_reason(expected, own, bounds)


def _own_reason(expected: float | None, own: float, bounds: Bounds) -> str:
    if expected is None:
        return "its rhythm is not known yet"
    if expected < own:
        return f"it brings news faster than the shortest wait of {spoken(bounds.shortest)}"
    if expected >= own > bounds.longest / (1 + 2 * JITTER):
        return f"little is to be expected, and the longest wait is {spoken(bounds.longest)}"
    return "news is to be expected by then, by its own rhythm"


def _content_health(state: FeedState, now: datetime) -> tuple[Health, str]:
    """Judge the content of a feed that answers soundly."""
    if state.entries == 0:
        return "empty", " The feed has no entries."
    if state.last_changed is None:
        return "ok", ""
    silence = now - state.last_changed
    per_hour = state.rhythm.per_hour
    patience = (
        SILENT_MOST if per_hour is None else timedelta(hours=min(SILENT_GAPS / per_hour, 24.0 * SILENT_MOST.days))
    )
    still = state.health == "silent" and silence > SILENT_LEAST  # a rhythm fades while nothing comes
    if still or silence > max(SILENT_LEAST, patience):
        return "silent", f" Nothing new for {spoken(silence.total_seconds())}."
    return "ok", ""


def _after_redirects(state: FeedState, poll: Poll) -> FeedState:
    """Count permanent redirects to the same sound answer; the third in a row rewrites the address."""
    if not poll.permanent or poll.final_url is None or poll.final_url == state.address:
        return replace(state, redirect_target=None, redirect_seen=0)
    seen = state.redirect_seen + 1 if poll.final_url == state.redirect_target else 1
    if seen >= REDIRECTS:
        return replace(state, moved_to=poll.final_url, redirect_target=None, redirect_seen=0)
    return replace(state, redirect_target=poll.final_url, redirect_seen=seen)


def _validator(value: str | None) -> str | None:
    """Return a validator to echo byte for byte; None for what no server should be sent."""
    if value is None or len(value) > _MAX_VALIDATOR or not value.isprintable():
        return None
    return value
