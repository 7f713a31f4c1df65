"""A sitemap index and the sitemaps that it names: they are asked together, as often as the busiest of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kiosque.polling.state import FeedState

MOST_CHILDREN = 10
"""Sitemaps of one index that are asked, the most recently changed first."""


def with_child(index: FeedState, child: FeedState) -> FeedState:
    """Return the index's state after one of its sitemaps was polled: due when the soonest of them is."""
    if child.health not in {"ok", "empty", "silent"} or child.next_due is None:
        return index
    changed = max(filter(None, (index.last_changed, child.last_changed)), default=None)
    health = "ok" if index.health == "silent" and child.health == "ok" else index.health
    told = replace(index, last_changed=changed, health=health)
    if index.next_due is None or index.next_due <= child.next_due or index.last_polled is None:
        return told
    return replace(
        told,
        next_due=child.next_due,
        interval_seconds=(child.next_due - index.last_polled).total_seconds(),
        reason=f"Asked with its sitemap {child.url[:200]}: {child.reason}",
    )
