"""What Scrapy would say of every answer and item, unsaid: it would be put together for each and shown to nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scrapy.logformatter import LogFormatter

if TYPE_CHECKING:
    from scrapy import Request, Spider
    from scrapy.http import Response
    from twisted.python.failure import Failure


# Scrapy takes None for "say nothing", and its annotations do not know.
class ErrorsOnly(LogFormatter):
    """Tells of errors, and of nothing that went well or was dropped: the tally counts these."""

    def crawled(self, request: Request, response: Response, spider: Spider) -> None:  # type: ignore[override]  # noqa: ARG002
        """Say nothing of an answer."""
        return

    def scraped(self, item: Any, response: Response | Failure | None, spider: Spider) -> None:  # type: ignore[override]  # noqa: ARG002
        """Say nothing of an item."""
        return

    def dropped(  # type: ignore[override]
        self,
        item: Any,  # noqa: ARG002
        exception: BaseException,  # noqa: ARG002
        response: Response | Failure | None,  # noqa: ARG002
        spider: Spider,  # noqa: ARG002
    ) -> None:
        """Say nothing of a dropped item."""
        return
