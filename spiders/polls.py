"""Polls: what is asked of a feed, what its answer is, and what is kept of both."""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import scrapy

from kiosque.errors import StorageError
from kiosque.polling import Bounds, FeedState, Poll, claimed, decide, new_feed, request_headers, with_child
from kiosque.urls import canonical_url
from spiders.failures import may_pass, outcome_of
from spiders.messages import FINE, OK, headers_of, no_page, permanently_moved, poll_outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from scrapy.http import Response
    from twisted.python.failure import Failure

    from kiosque.model import FeedEntry, Outlet
    from pipelines.newsroom import Newsroom
    from pipelines.pool import ReaderPool
    from storage import Enqueued, Store

# Requests with a higher number go first: polls find what is new.
PRIORITY = 40


def fresh_feed(url: str, outlet: Outlet, *, now: datetime | None = None) -> FeedState:
    """Return the state of a feed that was never polled."""
    return new_feed(url, outlet=outlet.slug, now=now or datetime.now(UTC), timezone=outlet.timezone)


def left_alone(state: FeedState, *, now: datetime, named: Collection[str]) -> str | None:
    """Return why a feed is not even polled when somebody crawls its outlet now, None when it is.

    A feed that was `named` itself is asked even when it is gone.
    """
    if state.health == "gone" and state.url not in named:
        return f"not asked: {state.reason}"
    if state.not_before is not None and now < state.not_before:
        return f"not asked: its server wants to be left alone until {state.not_before:%Y-%m-%d %H:%M} UTC"
    return None


async def claim(newsroom: Newsroom, states: Sequence[FeedState]) -> None:
    """Set when these feeds are due next before they are asked: a crash in between does not ask them twice."""
    bounds, now = bounds_of(newsroom), newsroom.clock.now()
    await newsroom.keeper.ask(_save, newsroom.keeper.store, [_claimed(state, now, bounds) for state in states])


def _claimed(state: FeedState, now: datetime, bounds: Bounds) -> FeedState:
    return claimed(state, now=now, rng_fraction=random.random(), bounds=bounds)  # noqa: S311 - jitter


def _save(store: Store, states: Sequence[FeedState]) -> None:
    with store.transaction():
        for state in states:
            store.save_feed(state)


def bounds_of(newsroom: Newsroom) -> Bounds:
    """Return between how many seconds feeds are polled."""
    return Bounds(shortest=newsroom.settings.poll_min, longest=newsroom.settings.poll_max)


def poll_request(
    state: FeedState,
    outlet: Outlet,
    *,
    callback: Callable[..., Any],
    errback: Callable[..., Any],
    parent: str | None,
    now: datetime,
) -> scrapy.Request:
    """Return the request of a poll; `parent` is the sitemap index that named this feed."""
    headers = request_headers(state, now)
    return scrapy.Request(
        state.address,
        callback=callback,
        errback=errback,
        headers=headers,
        priority=PRIORITY,
        dont_filter=True,
        meta={"conditional": bool(headers)},
        cb_kwargs={"state": state, "outlet": outlet, "parent": parent},
    )


async def poll_of(response: Response, state: FeedState, pool: ReaderPool) -> Poll:
    """Return what an answer is to the feed: parsed in the pool when it is another than last time."""
    refused = no_page(response)
    if refused in {"failed:challenge", "blocked:scheme"}:
        return Poll(failure=refused.partition(":")[2])
    poll = Poll(
        status=response.status,
        headers=headers_of(response),
        final_url=response.url,
        permanent=permanently_moved(response),
        conditional=response.meta["conditional"],
        body_hash=hashlib.sha256(response.body).hexdigest(),
    )
    if response.status != OK or poll.body_hash == state.body_hash:
        return poll
    kind = poll.header("content-type")
    return replace(poll, reading=await pool.parse(response.body, url=response.url, content_type=kind))


def poll_of_failure(failure: Failure, url: str) -> Poll:
    """Return what a fetch that failed is to the feed."""
    reason = outcome_of(failure, url).partition(":")[2]
    return Poll(failure="robots-unread" if reason == "robots" and may_pass(failure) else reason)


def entries_of(poll: Poll) -> list[tuple[str, FeedEntry]]:
    """Return the entries that have a key, with it."""
    pairs = [(canonical_url(entry.url), entry) for entry in poll.reading.entries] if poll.reading else []
    return [(key, entry) for key, entry in pairs if key]


async def note_poll(
    newsroom: Newsroom, state: FeedState, poll: Poll, outlet: Outlet, *, parent: str | None
) -> tuple[FeedState, Enqueued]:
    """Decide the feed's next state and keep it with its entries; return both.

    Sets the newsroom's `trouble` and raises `StorageError` when they could not be kept.
    """
    now = newsroom.clock.now()
    after = decide(state, poll, now=now, rng_fraction=random.random(), bounds=bounds_of(newsroom))  # noqa: S311
    came = poll_outcome(poll, state)
    newsroom.tally.polls[came] += 1
    if came not in FINE:
        newsroom.tally.problems.append(f"{outlet.slug}: {state.url}: {came}: {after.reason}")
    # A sitemap that an index names has no time of its own: it is asked with its index.
    kept = after if parent is None else replace(after, next_due=None)
    keeper = newsroom.keeper
    try:
        queue = await keeper.note_poll(kept, outlet.slug, entries_of(poll), at=now)
        if parent is not None:
            await keeper.ask(_tell_parent, keeper.store, parent, after)
    except StorageError as error:
        newsroom.trouble = error
        raise
    return after, queue


def _tell_parent(store: Store, url: str, child: FeedState) -> None:
    with store.transaction():
        parent = store.feed_states([url]).get(url)
        if parent is not None:
            store.save_feed(with_child(parent, child))
