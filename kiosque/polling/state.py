"""What is known of a feed between polls, and what one poll brought."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - stores read a state's types when they run
from typing import TYPE_CHECKING, Literal

from kiosque.polling.rhythm import Rhythm

if TYPE_CHECKING:
    from kiosque.feeds import FeedReading

Health = Literal["new", "ok", "failing", "not-a-feed", "empty", "silent", "blocked", "gone"]
"""`failing` is the transport (no answer, an error status); `not-a-feed` the format; `empty` and `silent` the content
of a sound feed; `blocked` a refusal of ours or of the server; `gone` was said twice, and ends the polling."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Between how many seconds a healthy feed is polled; what its server asks for may take it past `longest`."""

    shortest: float = 300.0
    longest: float = 21_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedState:
    """What is known of a feed. Instants are aware UTC datetimes. Stores keep it as JSON, field by field."""

    url: str
    """As the outlet's file declares it: the feed's name, never rewritten."""
    outlet: str
    """The outlet's slug."""
    moved_to: str | None = None
    """Where permanent redirects led, several times in a row."""
    timezone: str = "Europe/Paris"
    """The outlet's: a newsroom's day and night."""
    etag: str | None = None
    last_modified: str | None = None
    """Both byte for byte as the last answer that was understood had them."""
    body_hash: str | None = None
    """Of the last answer that was understood."""
    entries: int | None = None
    """Entries of the last answer that was a feed; None before the first."""
    entries_hash: str | None = None
    """Of their addresses: a feed that only changes its own date brings nothing new."""
    interval_seconds: float | None = None
    """Between the last poll and the next, jitter included."""
    next_due: datetime | None = None
    """None before the first poll, which is due at once, and when the feed is gone."""
    not_before: datetime | None = None
    """Until when its server asked to be left alone (Retry-After), whoever wants to crawl now."""
    last_polled: datetime | None = None
    last_success: datetime | None = None
    last_changed: datetime | None = None
    """When the newest entry known was published, or first seen where feeds give no dates."""
    last_full: datetime | None = None
    """When the whole feed was last sent and understood."""
    failures: int = 0
    """In a row."""
    gone_seen: int = 0
    """Answers 410 in a row."""
    redirect_target: str | None = None
    redirect_seen: int = 0
    """Permanent redirects to `redirect_target` in a row."""
    children: tuple[str, ...] = ()
    """The sitemaps that an index names, as far as they are asked."""
    ttl_seconds: int | None = None
    """The feed's own `ttl` or `sy:updatePeriod`, the longer of both."""
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[int, ...] = ()
    health: Health = "new"
    reason: str = "Never polled."
    """One or two sentences: what the last poll brought and why the next is when it is."""
    rhythm: Rhythm = field(default_factory=Rhythm)

    @property
    def address(self) -> str:
        """What to ask of the server: `url`, until permanent redirects rewrote it."""
        return self.moved_to or self.url


def new_feed(url: str, *, outlet: str, now: datetime, timezone: str = "Europe/Paris") -> FeedState:
    """Return the state of a feed never polled, due at once."""
    return FeedState(url=url, outlet=outlet, timezone=timezone, next_due=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """What one poll brought: an answer (`status`) or none (`failure`)."""

    status: int | None = None
    """HTTP status of the last answer, after redirects."""
    failure: str | None = None
    """Slug of what kept an answer away: `timeout`, `dns`, `connection`, `tls`, `too-large`, `redirect-loop`, ...;
    or why it was not asked: `robots`, `private-address`, `scheme`, `bad-url`, `reserved`; or `challenge`, for a page
    that wants to see a browser."""
    headers: tuple[tuple[str, str], ...] = ()
    """Names in lower case."""
    final_url: str | None = None
    permanent: bool = False
    """There were redirects, and each was permanent (301, 308)."""
    conditional: bool | None = None
    """Whether the request carried validators; None means those that `request_headers` gave."""
    body_hash: str | None = None
    reading: FeedReading | None = None
    """None where nothing was parsed: no body, or the same as last time."""
    new: int | None = None
    """Entries never seen before; None when nobody counted. Only feeds without dates need it."""

    def header(self, name: str) -> str | None:
        """Return the first value of a header, None when it is absent; `name` in lower case."""
        return next((value for key, value in self.headers if key == name), None)
