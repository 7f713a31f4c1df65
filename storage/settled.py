"""What a crawl gives a store to write, and what waits on the frontier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

    from kiosque.model import FeedEntry, Record

EntryState = Literal["pending", "done", "gone"]
# How an address ends that somebody had us forget.
FORGOTTEN = "blocked:forgotten"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedEntry:
    """An article's address that waits to be fetched, or was: a row of the frontier."""

    key: str
    """The canonical URL: one row per key."""
    outlet: str
    url: str
    """The address to fetch, as the outlet gave it."""
    entry: FeedEntry | None = None
    attempts: int = 0
    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One address of an article, with the validators that its server sent."""

    key: str
    url: str
    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Placing:
    """Where an article stands among its near-duplicates."""

    cluster: str
    """The id of the cluster's earliest article."""
    renamed: str | None = None
    """The cluster's name until now, when this article is earlier than all the others."""
    bands: tuple[int, ...] = ()
    """Of its text (`pipelines.steps.near.bands`)."""
    stale: tuple[int, ...] = ()
    """Bands of its text before this revision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revisit:
    """What a look at an article's own page says: when it is asked again, and whether it is gone."""

    article: str
    """Its id."""
    next_due: datetime | None = None
    """None is never."""
    removed: bool | None = None
    """Whether the server says that there is no such page any more: the record stays. None is no answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """All that one finished URL writes: its rows appear together or not at all."""

    key: str
    outlet: str
    url: str
    outcome: str
    at: datetime
    state: EntryState = "done"
    next_try: datetime | None = None
    """Set on a pending entry: not before this instant."""
    record: Record | None = None
    """A new revision to keep, or a correction of the latest one."""
    corrects: bool = False
    """The record replaces the revision of its number."""
    placing: Placing | None = None
    """None leaves a known article in its cluster, and a new one alone."""
    article: str | None = None
    """The id of the article that `addresses` belong to."""
    addresses: tuple[Address, ...] = ()
    revisit: Revisit | None = None
    """None leaves the plan as it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enqueued:
    """What a feed's entries were to the frontier."""

    fresh: tuple[QueuedEntry, ...] = ()
    """Never seen, or claimed anew by the feed: to be fetched."""
    known: tuple[QueuedEntry, ...] = ()
    """Seen before, and the feed's claim has not changed."""
    forgotten: tuple[QueuedEntry, ...] = ()
    """Erased on request, never to be fetched again: `blocked:forgotten`."""
