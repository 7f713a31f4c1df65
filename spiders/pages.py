"""Pages asked for by address: `scrapy crawl pages -a url=URL[,URL]`."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spiders.press import PressSpider

if TYPE_CHECKING:
    from scrapy.crawler import Crawler


class PagesSpider(PressSpider):
    """Reads single pages."""

    name = "pages"
    kinds = ()

    @classmethod
    def from_arguments(cls, crawler: Crawler, *, url: str = "", **kwargs: Any) -> dict[str, Any]:
        """Return the newsroom and the plan; addresses are separated by commas followed by http."""
        given = super().from_arguments(crawler, **kwargs)
        pages = re.split(r",(?=https?://)", url) if url else []
        return given | {"plan": replace(given["plan"], pages=tuple(pages))}
