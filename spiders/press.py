"""The press spider: polls feeds and news sitemaps, fetches the articles they name. The other spiders choose for it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import scrapy
from scrapy import signals
from scrapy.exceptions import CloseSpider

from kiosque.errors import StorageError
from kiosque.model import Visit
from kiosque.polling import FeedState
from kiosque.settings import load_settings
from kiosque.urls import canonical_url, desktop_address
from pipelines.newsroom import Newsroom
from spiders.configure import own_settings
from spiders.failures import may_pass, outcome_of
from spiders.messages import NOT_MODIFIED, headers_of, no_page, page_of, redirects_of
from spiders.plan import Plan, Revisited
from spiders.polls import claim, fresh_feed, left_alone, note_poll, poll_of, poll_of_failure, poll_request
from spiders.reservations import ARTICLE, host_claims
from storage import FORGOTTEN, QueuedEntry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from twisted.python.failure import Failure

    from kiosque.model import Outlet
    from kiosque.polling import Poll
    from spiders.plan import Work
    from storage import Enqueued, Settled

# Where the canonical link of an AMP or mobile page stands.
HEAD_BYTES = 200_000

# Requests with a higher number go first: a feed's poll before all of them, revisits can wait.
FRESH, FOLLOWED, WAITING, REVISIT = 20, 30, 10, 0
# Seconds after which a poll that never came back is taken for lost.
LONGEST_POLL = 6 * 3_600.0


class PressSpider(scrapy.Spider):
    """One crawl over some outlets: their feeds, their waiting articles, and pages asked for by URL."""

    name = "press"
    kinds: ClassVar[tuple[str, ...]] = ("feeds", "news_sitemaps")
    """What of an outlet this spider polls."""

    def __init__(self, *, newsroom: Newsroom, plan: Plan, owns_newsroom: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.newsroom = newsroom
        self.plan = plan
        self._owns_newsroom = owns_newsroom
        self._taken: set[str] = set()
        self._fetches = 0
        self._polls_left = 0
        self._asking: dict[str, float] = {}
        self._polled = asyncio.Event()
        self.inbox: asyncio.Queue[Work | None] | None = asyncio.Queue() if plan.endless else None
        if plan.endless:
            newsroom.watchers.append(self._release)

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> PressSpider:
        """Scrapy's constructor; `scrapy crawl` gives text arguments, Kiosque gives a newsroom and a plan."""
        if "newsroom" not in kwargs:
            kwargs |= cls.from_arguments(crawler, **kwargs)
        spider: PressSpider = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider.closing, signals.spider_closed)
        return spider

    @classmethod
    def from_arguments(cls, crawler: Crawler, *, outlet: str = "", **_: Any) -> dict[str, Any]:
        """Return the newsroom and the plan of `scrapy crawl NAME -a outlet=SLUG[,SLUG]`."""
        settings = load_settings()
        newsroom = Newsroom.open(settings)
        for key, value in own_settings(settings, newsroom.outlets.values()).items():
            crawler.settings.set(key, value, priority="spider")
        plan = Plan.for_outlets(newsroom.outlets, outlet.split(",") if outlet else [], kinds=cls.kinds)
        return {"newsroom": newsroom, "plan": plan, "owns_newsroom": True}

    async def closing(self) -> None:
        """Close what this spider opened."""
        if self._owns_newsroom:
            await asyncio.to_thread(self.newsroom.close)

    # -- what to fetch ---------------------------------------------------------------------------

    async def start(self) -> AsyncIterator[Any]:
        """Yield the polls, the pages asked for, then what waits on the frontier and what is to be revisited."""
        for request in await self._polls():
            yield request
        for url in self.plan.pages:
            for request in self._take(QueuedEntry(key=canonical_url(url), outlet="", url=url), FRESH):
                yield request
        if self._polls_left:
            await self._polled.wait()
        for request in await self._frontier():
            yield request
        while self.inbox is not None and (work := await self.inbox.get()) is not None:
            for request in self._requests(work):
                yield request

    def _requests(self, work: Work) -> Iterator[Any]:
        if isinstance(work, FeedState):
            if (outlet := self.newsroom.outlets.get(work.outlet)) is not None:  # its file may have gone meanwhile
                yield self._poll(work, outlet)
        elif isinstance(work, Revisited):
            yield from self._take(work.queued, REVISIT)
        else:
            yield from self._take(work, WAITING)

    def _release(self, visit: Visit, settled: Settled) -> None:
        """Forget an address that is settled: the store remembers it, and a service runs for months."""
        asked = (*visit.via, visit.page.url) if visit.page is not None else visit.via
        self._taken -= {visit.key, *map(canonical_url, asked), *(address.key for address in settled.addresses)}

    def has(self, key: str) -> bool:
        """Tell whether this crawl is at an address, by its key."""
        return key in self._taken

    def asks(self, url: str) -> bool:
        """Tell whether a feed's poll is under way, by its address: a slow host's may wait for hours."""
        since = self._asking.get(url)
        return since is not None and time.monotonic() - since < LONGEST_POLL

    @property
    def under_way(self) -> int:
        """How many addresses this crawl is at."""
        return len(self._taken)

    async def _frontier(self) -> list[Any]:
        keeper, now = self.newsroom.keeper, self.newsroom.clock.now()
        found = [
            request
            for queued in await keeper.ask(keeper.store.pending, self.plan.slugs)
            for request in self._take(queued, WAITING)
        ]
        if self.plan.revisit:
            since = now - timedelta(days=self.newsroom.settings.revisit_days)
            for queued in await keeper.ask(keeper.store.recent, self.plan.slugs, since=since):
                found += self._take(queued, REVISIT)
        return found

    def _outlet(self, queued: QueuedEntry) -> Outlet:
        return self.newsroom.outlets.get(queued.outlet) or self.newsroom.outlet_of(queued.url)

    def _take(self, queued: QueuedEntry, priority: int) -> Iterator[Any]:
        """Take up an address, unless this crawl has it already or has reached its limit."""
        if queued.key in self._taken or (self.plan.limit is not None and self._fetches >= self.plan.limit):
            return
        self._taken.add(queued.key)
        outlet = self._outlet(queued)
        visit = Visit(outlet=outlet, key=queued.key, url=queued.url, entry=queued.entry, attempts=queued.attempts)
        self.newsroom.tally.begin(outlet.slug)
        if not queued.key:
            yield replace(visit, key=queued.url[:1000], outcome="blocked:bad-url")
            return
        self._fetches += 1
        conditions = {"If-None-Match": queued.etag, "If-Modified-Since": queued.last_modified}
        yield self._fetch(queued.url, visit, priority, {k: v for k, v in conditions.items() if v})

    def _fetch(self, url: str, visit: Visit, priority: int, headers: dict[str, str] | None = None) -> Any:
        try:
            return scrapy.Request(
                url,
                callback=self.parse_page,
                errback=self.page_failed,
                headers=headers,
                priority=priority,
                dont_filter=True,
                cb_kwargs={"visit": visit},
                meta={ARTICLE: True},
            )
        except ValueError:  # Scrapy takes no address without a scheme
            return replace(visit, outcome="blocked:bad-url")

    # -- feeds -----------------------------------------------------------------------------------

    async def _polls(self) -> list[Any]:
        """Claim the feeds of the plan, and return their polls."""
        keeper, now = self.newsroom.keeper, self.newsroom.clock.now()
        known = await keeper.ask(keeper.store.feed_states, self.plan.feed_urls)
        states = []
        for outlet, url in self.plan.feeds:
            state = known.get(url) or fresh_feed(url, outlet, now=now)
            if (why := left_alone(state, now=now, named=self.plan.named)) is not None:
                self.newsroom.tally.polls["left-alone"] += 1
                self.newsroom.tally.problems.append(f"{outlet.slug}: {url}: {why}")
            else:
                states.append((replace(state, outlet=outlet.slug, timezone=outlet.timezone), outlet))
        await claim(self.newsroom, [state for state, _ in states])
        self._polls_left = len(states)
        return [self._poll(state, outlet) for state, outlet in states]

    def _poll(self, state: FeedState, outlet: Outlet, parent: str | None = None) -> Any:
        self._asking[state.url] = time.monotonic()
        now = self.newsroom.clock.now()
        return poll_request(state, outlet, callback=self.parse_feed, errback=self.feed_failed, parent=parent, now=now)

    async def parse_feed(
        self, response: Response, *, state: FeedState, outlet: Outlet, parent: str | None
    ) -> AsyncIterator[Any]:
        """Read a feed's answer: keep its state, queue its entries, fetch what is new."""
        try:
            poll = await poll_of(response, state, self.newsroom.pool)
            after, queue = await self._note(state, poll, outlet, parent)
            for queued in queue.fresh:
                for request in self._take(queued, FRESH):
                    yield request
            for queued in queue.known:
                self._pass_over(queued, outlet, "unchanged")
            for queued in queue.forgotten:
                self._pass_over(queued, outlet, FORGOTTEN)
            if parent is None and poll.failure is None:  # an index in an index is not followed
                for request in await self._children(after, outlet):
                    yield request
        finally:  # a crawl that waits for its polls must not wait for one that failed
            self._poll_done(state, outlet)

    async def _children(self, index: FeedState, outlet: Outlet) -> list[Any]:
        """Return the polls of the sitemaps that an index names."""
        if not index.children:
            return []
        keeper = self.newsroom.keeper
        known = await keeper.ask(keeper.store.feed_states, index.children)
        self._polls_left += len(index.children)
        now = self.newsroom.clock.now()
        polls = (known.get(url) or fresh_feed(url, outlet, now=now) for url in index.children)
        return [self._poll(replace(state, timezone=outlet.timezone), outlet, index.url) for state in polls]

    def _pass_over(self, queued: QueuedEntry, outlet: Outlet, outcome: str) -> None:
        """Count an entry that is not fetched: it is known and its claim has not changed, or it was erased."""
        if queued.key in self._taken:
            return
        if self.inbox is None:
            self._taken.add(queued.key)
        self.newsroom.tally.begin(outlet.slug)
        self.newsroom.tally.end(outlet.slug, outcome)

    async def feed_failed(self, failure: Failure) -> None:
        """Keep that a feed could not be fetched."""
        request: Any = failure.request  # type: ignore[attr-defined]
        kept = request.cb_kwargs
        try:
            await self._note(kept["state"], poll_of_failure(failure, request.url), kept["outlet"], kept["parent"])
        finally:
            self._poll_done(kept["state"], kept["outlet"])

    async def _note(
        self, state: FeedState, poll: Poll, outlet: Outlet, parent: str | None
    ) -> tuple[FeedState, Enqueued]:
        try:
            return await note_poll(self.newsroom, state, poll, outlet, parent=parent)
        except StorageError as error:
            raise CloseSpider("storage") from error

    def _poll_done(self, state: FeedState, outlet: Outlet) -> None:
        del outlet  # what a worker counts by
        self._asking.pop(state.url, None)
        self._polls_left -= 1
        if self._polls_left <= 0:
            self._polled.set()

    # -- pages -----------------------------------------------------------------------------------

    async def parse_page(self, response: Response, *, visit: Visit) -> AsyncIterator[Any]:
        """Hand a page to the item pipeline, or follow an AMP or mobile page to the article's own address."""
        via = tuple(dict.fromkeys((*visit.via, *redirects_of(response))))
        visit = replace(visit, via=via, host_claims=host_claims(response))
        if response.status == NOT_MODIFIED:
            yield replace(visit, outcome="unchanged", headers=headers_of(response))
            return
        if (refused := no_page(response)) is not None:
            yield replace(visit, outcome=refused)
            return
        own = desktop_address(response.url, response.body[:HEAD_BYTES])
        if own is None or own in visit.via:
            yield replace(visit, page=page_of(response, at=self.newsroom.clock.now()))
            return
        key = canonical_url(own)
        followed = replace(visit, via=(*visit.via, response.url))
        if key != visit.key and key in self._taken:
            yield replace(followed, via=(*followed.via, own), outcome="duplicate")
            return
        self._taken.add(key)
        yield self._fetch(own, followed, FOLLOWED)

    def page_failed(self, failure: Failure) -> Visit:
        """Hand a failed fetch to the item pipeline."""
        request: Any = failure.request  # type: ignore[attr-defined]
        visit: Visit = request.cb_kwargs["visit"]
        outcome, detail = outcome_of(failure, request.url), str(failure.value)[:500]
        return replace(visit, outcome=outcome, detail=detail, passing=may_pass(failure))
