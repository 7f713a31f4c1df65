"""Seek a site's feeds and news sitemaps: first what it names itself, then where its system keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiosque import scout
from kiosque.scout.where import is_aside, is_news_address

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kiosque.feeds import FeedReading
    from kiosque.model import Page
    from pipelines.pool import ReaderPool
    from spiders.scout import Fetcher

# How many addresses of each kind are asked, at most.
LINKED, SITEMAPS, FEED_PAGES, LISTED = 6, 3, 2, 5


class Search:
    """What was found so far, and where it was looked for: no address is asked twice."""

    def __init__(self, front: scout.Front, fetch: Fetcher, pool: ReaderPool, *, given: scout.FoundFeed | None) -> None:
        self.front = front
        self.found = [given] if given else []
        self.tried = [given.url] if given else []
        self._fetch = fetch
        self._pool = pool

    async def look(self, urls: Iterable[str], *, until_found: bool = False) -> None:
        """Ask these addresses, to the first that is a feed of the site where one is enough."""
        for url in urls:
            if url in self.tried:
                continue
            self.tried.append(url)
            found = await feed_at(url, self._fetch, self._pool)
            if found is not None:
                self.found.append(found)
                if until_found and scout.choose_feeds([found], site=self.front.url).all:
                    return

    @property
    def chosen(self) -> scout.ChosenFeeds:
        """What of it is worth polling."""
        return scout.choose_feeds(self.found, site=self.front.url)


async def look_for_feeds(
    front: scout.Front, fetch: Fetcher, pool: ReaderPool, *, given: scout.FoundFeed | None = None
) -> tuple[scout.ChosenFeeds, tuple[str, ...]]:
    """Return the feeds and news sitemaps to poll, and the addresses that were tried."""
    search = Search(front, fetch, pool, given=given)
    await search.look([url for url in front.feeds if not is_aside(url)][:LINKED])
    await look_in_sitemaps(search, scout.sitemaps_of_robots(await fetch.robots(front.url), site=front.url))
    if not search.chosen.feeds:
        for url in front.feed_pages[:FEED_PAGES]:
            await search.look(await feeds_of_page(url, fetch))
    if not search.chosen.feeds:
        await search.look(scout.addresses_to_try(front, found=search.tried, want=("feeds",)), until_found=True)
    if not search.chosen.news_sitemaps:
        # A site with feeds is asked only where its own system has news sitemaps: a guess is not worth five errors.
        guess = not search.chosen.feeds
        where = scout.addresses_to_try(front, found=search.tried, want=("sitemaps",), guess=guess)
        await search.look(where, until_found=True)
    return search.chosen, tuple(search.tried)


async def look_in_sitemaps(search: Search, named: tuple[str, ...]) -> None:
    """Ask the sitemaps that robots.txt names, those for news or one that may be an index of such."""
    await search.look([url for url in named if is_news_address(url)][:SITEMAPS] or named[:1])
    children = [url for found in search.found for url in found.reading.sitemaps]
    await search.look([url for url in children if is_news_address(url)][:1])


async def feed_at(url: str, fetch: Fetcher, pool: ReaderPool) -> scout.FoundFeed | None:
    """Return the feed at an address, None when there is none."""
    fetched = await fetch(url)
    if fetched.page is None:
        return None
    reading = await parsed(fetched.page, pool)
    if reading.kind is None:
        return None
    # A permanent redirect names the feed's own address; a temporary one may lead anywhere tomorrow.
    return scout.FoundFeed(url=fetched.final_url if fetched.moved else url, reading=reading)


async def feeds_of_page(url: str, fetch: Fetcher) -> list[str]:
    """Return what a page of feeds lists; a link that is a feed itself is its own list."""
    fetched = await fetch(url)
    listing = scout.read_front(fetched.page) if fetched.page else None
    if listing is None:
        return [url]
    return [each for each in (*listing.feeds, *listing.feeds_listed) if not is_aside(each)][:LISTED]


async def parsed(page: Page, pool: ReaderPool) -> FeedReading:
    """Parse what may be a feed, in a worker."""
    return await pool.parse(page.body, url=page.final_url, content_type=page.header("content-type"))
