"""Scrapy's settings for every crawl: what does not depend on this Kiosque's own settings."""

from typing import Any

BOT_NAME = "kiosque"
SPIDER_MODULES = ["spiders"]
TWISTED_REACTOR = "twisted.internet.asyncioreactor.AsyncioSelectorReactor"
TWISTED_DNS_RESOLVER = "spiders.guard.PublicResolver"
DNSCACHE_ENABLED = False  # it never forgets, and the guard must see today's answer
ITEM_PIPELINES = {"pipelines.scrapy_adapter.KiosquePipeline": 500}
# Bytes of pages that wait for a worker, the archive's disk and the next batch; with less the workers run out of work.
SCRAPER_SLOT_MAX_ACTIVE_SIZE = 25_000_000
CONCURRENT_ITEMS = 8  # Scrapy starts as many tasks for each response
DEFAULT_DROPITEM_LOG_LEVEL = "DEBUG"  # an outcome other than a new record is an everyday event
DUPEFILTER_CLASS = "scrapy.dupefilters.BaseDupeFilter"  # the store's frontier knows what was fetched
REMOTE_CONTROL_ENABLED = False
TELNETCONSOLE_ENABLED = False
COOKIES_ENABLED = False
HTTPPROXY_ENABLED = False  # a proxy would connect where the guard cannot look
REFERRER_POLICY = "no-referrer"
ROBOTSTXT_OBEY = False  # Scrapy's own: it takes a server's fault for an open door. spiders.robots obeys
DOWNLOAD_VERIFY_CERTIFICATES = True
DOWNLOAD_FAIL_ON_DATALOSS = True
DEFAULT_REQUEST_HEADERS = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "fr",
}
RETRY_TIMES = 1  # what fails twice waits on the frontier
RETRY_HTTP_CODES = [500, 502, 504, 522, 524, 408]  # not 429 and 503: they ask us to wait
REDIRECT_MAX_TIMES = 10
LOG_LEVEL = "WARNING"
LOGSTATS_INTERVAL = 0.0
MEMUSAGE_ENABLED = False
# What is not needed is left out: each of these costs every poll a little.
SPIDER_MIDDLEWARES: dict[str, int | None] = {
    "scrapy.spidermiddlewares.httperror.HttpErrorMiddleware": None,  # every status is an outcome
    "scrapy.spidermiddlewares.urllength.UrlLengthMiddleware": None,  # it drops in silence; the guard's limit is told
    "scrapy.spidermiddlewares.depth.DepthMiddleware": None,
    "scrapy.spidermiddlewares.metacopy.MetaCopyDetectionMiddleware": None,
}
DOWNLOADER_MIDDLEWARES: dict[str, int | None] = {
    "spiders.guard.PublicHostsOnly": 60,  # first of all, so that it sees each redirect and robots.txt too
    "spiders.patience.Patience": 70,
    "spiders.robots.RobotsTxt": 100,
    "spiders.reservations.HostReservations": 110,  # after robots.txt, which may close an address for nothing
    "spiders.transport.FewCodings": 595,  # right before Scrapy opens what is packed
    "scrapy.downloadermiddlewares.redirect.MetaRefreshMiddleware": None,  # a page may name any place
    "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware": None,
    "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,
    "scrapy.downloadermiddlewares.stats.DownloaderStats": None,
    # Switched off above; importing them takes a tenth of a crawl's start.
    "scrapy.downloadermiddlewares.cookies.CookiesMiddleware": None,
    "scrapy.downloadermiddlewares.httpproxy.HttpProxyMiddleware": None,
    "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
}
DOWNLOAD_HANDLERS = {"http": "spiders.transport.BoundedHandler", "https": "spiders.transport.BoundedHandler"}
SCHEDULER_PRIORITY_QUEUE = "spiders.pace.FairQueue"
EXTENSIONS: dict[str, Any] = {
    "spiders.pace.HostPace": 0,
    "scrapy.extensions.telnet.TelnetConsole": None,
    "scrapy.extensions.logstats.LogStats": None,
    "scrapy.extensions.remote_control.RemoteControl": None,
    "scrapy.extensions.throttle.AutoThrottle": None,  # HostPace does it for each host
}
FEED_EXPORT_ENCODING = "utf-8"
