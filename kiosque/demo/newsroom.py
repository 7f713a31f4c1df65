"""What an outlet has online at one moment: the immutable state that its pages are printed from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from kiosque.demo.stories import House, Story


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A story online; instants are in the outlet's zone, to the second."""

    story: Story
    published: datetime
    modified: datetime
    """Equal to `published` until an edit."""
    in_feed: datetime
    """The modified date that the feed shows: behind `modified` after an edit of the page only."""

    @property
    def edited(self) -> bool:
        """Whether the text changed since it was published."""
        return self.modified > self.published


@dataclass(frozen=True, slots=True, kw_only=True)
class Newsroom:
    """An outlet with its address and what it has online, newest first."""

    house: House
    site: str
    """Scheme, host and port, without a slash at the end."""
    online: tuple[Published, ...]
    trending: tuple[Story, ...]
    """For the lists of most-read articles: fixed, so that a page changes only by an edit."""

    @property
    def zone(self) -> ZoneInfo:
        """The outlet's time zone."""
        return ZoneInfo(self.house.timezone)

    @property
    def updated(self) -> datetime | None:
        """When its feed last changed; None before anything is online."""
        return max((piece.in_feed for piece in self.online), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the server answers, before conditions, compression and HEAD."""

    body: str = ""
    content_type: str = "text/html; charset=UTF-8"
    status: int = 200
    last_modified: datetime | None = None
    location: str | None = None


def moved(location: str) -> Reply:
    """Return a permanent redirect."""
    return Reply(status=301, location=location)


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """A publishing system: where it puts stories and what it answers."""

    feeds: tuple[str, ...]
    """Paths under the site."""
    news_sitemaps: tuple[str, ...]
    """Paths under the site."""
    address: Callable[[Newsroom, Published], str]
    """The canonical address of a story."""
    reply: Callable[[Newsroom, str], Reply]
    """The answer to a path with its query."""
    reserved_under: str | None = None
    """The path that tdmrep.json reserves, if the outlet has such a file."""

    def reserves(self, path: str) -> bool:
        """Whether text and data mining of a path is reserved."""
        return self.reserved_under is not None and path.startswith(self.reserved_under)
