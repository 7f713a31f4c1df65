"""The news sitemaps of some outlets: `scrapy crawl news_sitemap -a outlet=SLUG`."""

from spiders.press import PressSpider


class NewsSitemapSpider(PressSpider):
    """Polls news sitemaps."""

    name = "news_sitemap"
    kinds = ("news_sitemaps",)
