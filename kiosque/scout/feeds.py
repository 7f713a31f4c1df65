"""Which of the feeds that were found to poll: the site's own, the main one first, none twice."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kiosque.scout.where import is_aside
from kiosque.urls import canonical_url, same_site

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kiosque.feeds import FeedReading
    from kiosque.model import FeedEntry

MOST_FEEDS = 8
"""Feeds that are written into a file: the main one and the largest sections."""
# A feed that repeats more than this share of the entries of those before it brings nothing.
REPEATED = 0.8
# A feed is a site's own when at least this share of its entries lead there.
OWN = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFeed:
    """A feed or sitemap that answered, and what it says."""

    url: str
    reading: FeedReading


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenFeeds:
    """What to poll, with its entries, the newest feed entries first as the feeds have them."""

    feeds: tuple[FoundFeed, ...] = ()
    news_sitemaps: tuple[FoundFeed, ...] = ()
    strangers: tuple[str, ...] = ()
    """Feeds that lead to other sites and are not taken."""

    @property
    def all(self) -> tuple[FoundFeed, ...]:
        """Feeds, then sitemaps."""
        return self.feeds + self.news_sitemaps

    def entries(self, site: str) -> tuple[FeedEntry, ...]:
        """Return the entries that lead to the site, each article once."""
        unique: dict[str, FeedEntry] = {}
        for found in self.all:
            for entry in found.reading.entries:
                if same_site(entry.url, site):
                    unique.setdefault(canonical_url(entry.url), entry)
        return tuple(unique.values())


def choose_feeds(found: Iterable[FoundFeed], *, site: str) -> ChosenFeeds:
    """Choose among feeds in the order in which they were found; plain sitemaps list every page and are no news."""
    feeds: list[FoundFeed] = []
    sitemaps: list[FoundFeed] = []
    strangers: list[str] = []
    for each in found:
        entries = each.reading.entries
        own = sum(same_site(entry.url, site) for entry in entries)
        if not entries or each.reading.kind in {None, "sitemap", "sitemap-index"} or is_aside(each.url):
            continue
        if own < OWN * len(entries):
            strangers.append(each.url)
            continue
        taken = sitemaps if each.reading.kind == "news-sitemap" else feeds
        if not _repeats(each, taken) and len(taken) < MOST_FEEDS:
            taken.append(each)
    return ChosenFeeds(feeds=tuple(feeds), news_sitemaps=tuple(sitemaps), strangers=tuple(strangers))


def hosts_of_entries(reading: FeedReading) -> tuple[tuple[str, int], ...]:
    """Return the hosts that a feed's entries lead to, with their number, the most frequent first."""
    return tuple(Counter(urlsplit(entry.url).netloc for entry in reading.entries).most_common())


def _repeats(feed: FoundFeed, others: list[FoundFeed]) -> bool:
    known = {canonical_url(entry.url) for other in others for entry in other.reading.entries}
    keys = {canonical_url(entry.url) for entry in feed.reading.entries}
    return bool(others) and len(keys & known) >= REPEATED * len(keys)
