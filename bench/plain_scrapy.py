"""The usual way: Scrapy fetches, trafilatura extracts in the callback. Run by bench/crawl.py."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import feedparser
import scrapy
import trafilatura
from scrapy.crawler import AsyncCrawlerProcess

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

FEED, OUT = sys.argv[1:]


class Plain(scrapy.Spider):
    """One feed, every page of it."""

    name = "plain"

    async def start(self) -> AsyncIterator[Any]:
        """Ask for the feed."""
        yield scrapy.Request(FEED, callback=self.entries)

    def entries(self, response: Any) -> Iterator[Any]:
        """Ask for its pages."""
        for entry in feedparser.parse(response.body).entries:
            yield scrapy.Request(entry.link, callback=self.article)

    def article(self, response: Any) -> Iterator[dict[str, Any]]:
        """Extract, in the reactor's thread."""
        found = trafilatura.extract(response.text, url=response.url, with_metadata=True, output_format="json")
        if found:
            yield json.loads(found)


if __name__ == "__main__":
    process = AsyncCrawlerProcess(
        {
            "LOG_LEVEL": "ERROR",
            "TWISTED_REACTOR": "twisted.internet.asyncioreactor.AsyncioSelectorReactor",
            "CONCURRENT_REQUESTS_PER_DOMAIN": 16,
            "TELNETCONSOLE_ENABLED": False,
            "REMOTE_CONTROL_ENABLED": False,
            "FEEDS": {OUT: {"format": "jsonlines"}},
        }
    )
    process.crawl(Plain)
    process.start()
