"""The press spider of a worker: it fetches what its shifts hand to it, and nothing else."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from spiders.press import FRESH, PressSpider
from spiders.scrapy_settings import DOWNLOAD_HANDLERS, DOWNLOADER_MIDDLEWARES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kiosque.model import Outlet
    from kiosque.polling import FeedState
    from kiosque.service.workers.gate import Gate
    from storage import QueuedEntry

GATE = "kiosque.service.workers.gate"


class WorkerSpider(PressSpider):
    """Tells its shifts when their polls are over, and leaves the entries that a feed brought to them."""

    name = "worker"
    gate: Gate
    custom_settings: dict[str, Any] = {  # noqa: RUF012 - Scrapy's
        "DOWNLOADER_MIDDLEWARES": DOWNLOADER_MIDDLEWARES | {f"{GATE}.OwnSites": 80},  # before robots.txt is asked for
        "DOWNLOAD_HANDLERS": dict.fromkeys(DOWNLOAD_HANDLERS, f"{GATE}.GatedHandler"),
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.polling: Counter[str] = Counter()
        """Polls under way, by outlet."""
        self.polled: list[Callable[[str], None]] = []
        """Called with a feed's address when its poll is over."""
        self.passed: list[Callable[[str], None]] = []
        """Called with the key of an address that is not taken up: the crawl is at it already."""

    def drop(self, key: str) -> None:
        """Forget an address that will not come back."""
        self._taken.discard(key)

    def _poll(self, state: FeedState, outlet: Outlet, parent: str | None = None) -> Any:
        self.polling[outlet.slug] += 1
        return super()._poll(state, outlet, parent)

    def _take(self, queued: QueuedEntry, priority: int) -> Iterator[Any]:
        # What a poll brought stands on the frontier: the shift hands it out at its own measure.
        if priority == FRESH:
            return
        if self.has(queued.key):
            for call in self.passed:
                call(queued.key)
            return
        yield from super()._take(queued, priority)

    def _poll_done(self, state: FeedState, outlet: Outlet) -> None:
        super()._poll_done(state, outlet)
        self.polling[outlet.slug] -= 1
        for call in self.polled:
            call(state.url)
