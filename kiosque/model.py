"""The types that flow: Outlet, FeedEntry, Page, Article or Rejected, Record.

Each stage makes the next type and edits nothing. Instants are timezone-aware datetimes in UTC
unless a name says otherwise; published dates are ISO 8601 strings (see `PublishedDate`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime  # noqa: TC003 - decoders read the types when they run
from typing import Literal

DateSource = Literal["json-ld", "meta", "feed", "sitemap", "visible", "time", "url", "htmldate"]
Precision = Literal["second", "minute", "hour", "day", "week", "month", "year"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanRules:
    """What an outlet's file says about clutter (its `[clean]` table)."""

    drop_css: tuple[str, ...] = ()
    """CSS selectors of elements removed before extraction."""
    drop_lines: tuple[str, ...] = ()
    """A text line that starts so is clutter."""
    keep_lines: tuple[str, ...] = ()
    """A text line that starts so is never clutter, whatever was learned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRules:
    """Where an outlet's pages keep their fields (its `[read]` table): CSS selectors, all optional."""

    body_css: str | None = None
    title_css: str | None = None
    lead_css: str | None = None
    authors_css: str | None = None
    date_css: str | None = None
    until: date | None = None
    """Rules for pages fetched before this day; None is today's rules."""

    @property
    def selectors(self) -> tuple[str, ...]:
        """The selectors of all fields that have one."""
        fields = (self.body_css, self.title_css, self.lead_css, self.authors_css, self.date_css)
        return tuple(css for css in fields if css)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlet:
    """A publication, as its TOML file declares it."""

    slug: str
    name: str
    site: str
    country: str
    """ISO 3166-1 alpha-2."""
    timezone: str = "Europe/Paris"
    language: str = "fr"
    feeds: tuple[str, ...] = ()
    news_sitemaps: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    region: str | None = None
    """The part of its country that it is about, as people write it; None is the whole."""
    tags: tuple[str, ...] = ()
    """Groups to filter by: `national`, `regional`, `sport`, ..."""
    expect_per_day: tuple[int, int] | None = None
    delay: float | None = None
    """Seconds between two requests to one of its hosts; None takes the setting's."""
    clean: CleanRules = field(default_factory=CleanRules)
    read: tuple[ReadRules, ...] = ()

    def read_rules(self, day: date) -> ReadRules:
        """Return the rules for a page fetched on `day`: the soonest `until` after it, else today's."""
        dated = [rules for rules in self.read if rules.until is not None and day < rules.until]
        if dated:
            return min(dated, key=lambda rules: rules.until or day)
        return next((rules for rules in self.read if rules.until is None), ReadRules())


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEntry:
    """What a feed or news sitemap claims of an article. A claim, not a fact."""

    url: str
    """The address as the feed gives it, made absolute; fetched untouched."""
    source: Literal["feed", "sitemap"] = "feed"
    guid: str | None = None
    title: str | None = None
    summary: str | None = None
    """Plain text."""
    published: str | None = None
    """The raw date text."""
    updated: str | None = None
    """The raw date text."""
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    image: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The bytes that a server sent for one URL, after transfer and content decoding."""

    url: str
    """The URL that was asked for."""
    final_url: str
    """The URL that answered, after redirects."""
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    """Names in lower case, in the order received."""
    body: bytes = field(default=b"", repr=False)
    fetched_at: datetime

    def header(self, name: str) -> str | None:
        """Return the first value of a header, None when it is absent; `name` in lower case."""
        return next((value for key, value in self.headers if key == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedDate:
    """A date that the outlet claims, with where it was read.

    `value` is an instant with the outlet's UTC offset when a time is known
    (`2024-10-25T07:12:00+02:00`), else the plain local day (`2024-10-25`). Never an invented midnight.
    """

    value: str
    precision: Precision
    source: DateSource
    text: str
    """The raw string it was read from."""
    confidence: float
    """0 to 1: agreement between signals raises it, conflict lowers it."""
    reason: str = ""
    """How it was chosen, in one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RightsClaims:
    """What a page itself says of reuse, in its HTML; headers and host files are read elsewhere."""

    robots: tuple[str, ...] = ()
    """Directives of the robots meta tags, lower case: `noai`, `noarchive`, `noindex`, ..."""
    tdm_reserved: bool | None = None
    """`tdm-reservation` of the HTML meta; None when it says nothing."""
    tdm_policy: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """What we read on a page."""

    url: str
    """The canonical link where the page names a believable one, else the URL that answered."""
    urls: tuple[str, ...]
    """Every address of this page: asked for, answered, canonical; without repeats."""
    outlet: str
    """The outlet's slug."""
    title: str
    lead: str | None
    """The chapô."""
    text: str
    """The whole readable text, chapô first, one block a line."""
    authors: tuple[str, ...] = ()
    agency: str | None = None
    section: str | None = None
    tags: tuple[str, ...] = ()
    image: str | None = None
    language: str = "fr"
    published: PublishedDate | None = None
    modified: str | None = None
    """As `PublishedDate.value`; never before `published`."""
    paywalled: bool = False
    claims: RightsClaims = field(default_factory=RightsClaims)
    removed: tuple[tuple[str, str], ...] = ()
    """Clutter lines that were taken out, each with the rule that took it."""
    fetched_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """No article, with a reason slug: `too-short`, `login-wall`, `not-french`, `not-html`, ..."""

    reason: str
    url: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What is said of reuse, and where: `said` lists `(place, statement)` pairs."""

    robots: str = "allowed"
    tdm_reserved: bool | None = None
    tdm_policy: str | None = None
    noai: bool | None = None
    said: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What we keep: schema version 1 (`record.schema.json` is the reference)."""

    id: str
    revision: int
    outlet: str
    outlet_name: str
    country: str
    url: str
    urls: tuple[str, ...]
    title: str
    lead: str | None
    text: str
    authors: tuple[str, ...]
    agency: str | None
    section: str | None
    tags: tuple[str, ...]
    image: str | None
    language: str
    published: str | None
    published_precision: Precision | None
    published_from: DateSource | None
    published_text: str | None
    published_confidence: float | None
    modified: str | None
    fetched_at: datetime
    first_seen_at: datetime
    paywalled: bool
    word_count: int
    text_hash: str
    cluster: str | None
    rights: Rights
    archive: str | None
    kiosque_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One URL that a crawl saw, as the spider hands it to the item pipeline.

    Either `page` is there to be read, or `outcome` says already how it ended.
    """

    outlet: Outlet
    key: str
    """The canonical URL of the address asked for: the frontier's key."""
    url: str
    """The address asked for."""
    entry: FeedEntry | None = None
    via: tuple[str, ...] = ()
    """Addresses passed on the way: an AMP page whose canonical link was followed, redirects."""
    page: Page | None = None
    outcome: str | None = None
    detail: str = ""
    attempts: int = 0
    """Fetches before this one that brought nothing."""
    host_claims: RightsClaims = field(default_factory=RightsClaims)
    """What the host's own file (`tdmrep.json`) says of this address."""
    headers: tuple[tuple[str, str], ...] = ()
    """Headers of an answer that brought no page because it is the same (304), names in lower case."""
    passing: bool = False
    """A `blocked:` outcome that is a matter of time: the address is tried again."""
