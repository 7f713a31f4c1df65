"""Scrapy's settings for every crawl: what does not depend on this Kiosque's own settings."""

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
# Scrapy's own lists without what is not needed: each costs every request a little, and those that are only switched
# off are imported all the same. Left out are HttpError (every status is an outcome), UrlLength (it drops in silence;
# the guard's limit is told), MetaRefresh (a page may name any place), Telnet, MemoryUsage and the like.
SPIDER_MIDDLEWARES_BASE = {
    "scrapy.spidermiddlewares.start.StartSpiderMiddleware": 25,
    "scrapy.spidermiddlewares.referer.RefererMiddleware": 700,
}
DOWNLOADER_MIDDLEWARES_BASE = {
    "scrapy.downloadermiddlewares.downloadtimeout.DownloadTimeoutMiddleware": 350,
    "scrapy.downloadermiddlewares.defaultheaders.DefaultHeadersMiddleware": 400,
    "scrapy.downloadermiddlewares.useragent.UserAgentMiddleware": 500,
    "scrapy.downloadermiddlewares.retry.RetryMiddleware": 550,
    "scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware": 590,
    "scrapy.downloadermiddlewares.redirect.RedirectMiddleware": 600,
    "scrapy.downloadermiddlewares.httpcache.HttpCacheMiddleware": 900,
}
EXTENSIONS_BASE = {
    "scrapy.extensions.corestats.CoreStats": 0,
    "scrapy.extensions.logcount.LogCount": 0,
    "scrapy.extensions.closespider.CloseSpider": 0,
    "scrapy.extensions.feedexport.FeedExporter": 0,
}
DOWNLOADER_MIDDLEWARES = {
    "spiders.guard.PublicHostsOnly": 60,  # first of all, so that it sees each redirect and robots.txt too
    "spiders.patience.Patience": 70,
    "spiders.robots.RobotsTxt": 100,
    "spiders.reservations.HostReservations": 110,  # after robots.txt, which may close an address for nothing
    "spiders.transport.FewCodings": 595,  # right before Scrapy opens what is packed
}
DOWNLOAD_HANDLERS = {"http": "spiders.transport.BoundedHandler", "https": "spiders.transport.BoundedHandler"}
SCHEDULER_PRIORITY_QUEUE = "spiders.pace.FairQueue"
EXTENSIONS = {"spiders.pace.HostPace": 0}  # AutoThrottle for each host
FEED_EXPORT_ENCODING = "utf-8"
