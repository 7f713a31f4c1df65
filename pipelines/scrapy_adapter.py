"""The one item pipeline: archive the page, read it in the pool, compare it with what is known, save it, count it."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from scrapy.exceptions import DropItem

from kiosque.errors import StorageError
from kiosque.model import Visit
from kiosque.records import record_to_dict
from pipelines.conclude import Finding
from pipelines.rights import rights_of

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from kiosque.model import Article, Rejected
    from pipelines.newsroom import Newsroom
    from pipelines.steps.digest import Digest


log = logging.getLogger("kiosque.crawl")


class KiosquePipeline:
    """Takes a spider's visits; what comes out is a record as a plain dict where there is a new one, else a drop."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._closing: asyncio.Task[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> KiosquePipeline:
        """Scrapy's constructor."""
        return cls(crawler)

    @property
    def _newsroom(self) -> Newsroom:
        newsroom: Newsroom = self._crawler.spider.newsroom  # type: ignore[union-attr]
        return newsroom

    async def process_item(self, item: Any) -> Any:
        """Settle a visit. An item of another kind passes through."""
        if not isinstance(item, Visit):
            return item
        newsroom = self._newsroom
        try:
            settled = await newsroom.keeper.keep(await self._finding(item))
        except StorageError as error:
            self._stop(error)
            raise DropItem(f"not saved: {error}") from error
        newsroom.settled(item, settled)
        if self._crawler.stats is not None:
            self._crawler.stats.inc_value(f"kiosque/{settled.outcome}")
        if settled.record is None:
            raise DropItem(f"{settled.outcome}: {settled.url}")
        return record_to_dict(settled.record)

    async def _finding(self, visit: Visit) -> Finding:
        reading, digest = await self._read(visit)
        policy = self._newsroom.settings.rights_reserved
        rights = rights_of(visit, reading, policy=policy)
        archive = None
        if rights.tdm_reserved and policy == "refuse":  # the page itself said so: nothing of it is kept
            visit, reading, digest = replace(visit, page=None, outcome="blocked:reserved"), None, None
        elif self._newsroom.archivist is not None:
            archive = await self._newsroom.archivist.keep(visit)
        if visit.page is not None and reading is None:  # a bug of ours: the page stays on the frontier
            visit = replace(visit, page=None, outcome="failed:error")
        return Finding(
            visit=visit,
            rights=rights,
            reading=reading,
            at=self._newsroom.clock.now(),
            archive=archive,
            digest=digest,
            revisit_after=self._newsroom.settings.revisit_times,
        )

    async def _read(self, visit: Visit) -> tuple[Article | Rejected | None, Digest | None]:
        if visit.page is None:
            return None, None
        try:
            learned = await self._newsroom.keeper.learned(visit.outlet.slug)
            with self._newsroom.tally.page_in_pool():
                return await self._newsroom.pool.read(visit.page, visit.outlet, entry=visit.entry, learned=learned)
        except Exception:  # `read_article` never raises
            log.exception("reading %s failed", visit.url)
            return None, None

    def _stop(self, error: StorageError) -> None:
        """End the crawl: a store that refuses one write refuses the next, and nothing may be lost unnoticed."""
        if self._newsroom.trouble is None and self._crawler.engine is not None:
            # Not awaited: closing waits for the items under way, and this is one of them.
            self._closing = asyncio.create_task(self._crawler.engine.close_spider_async(reason="storage"))
        self._newsroom.trouble = self._newsroom.trouble or error
