"""The feeds of some outlets, and the articles they name: `scrapy crawl feed -a outlet=SLUG`."""

from spiders.press import PressSpider


class FeedSpider(PressSpider):
    """Polls RSS, Atom and JSON feeds."""

    name = "feed"
    kinds = ("feeds",)
