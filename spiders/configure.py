"""Scrapy's settings for one Kiosque: its contact, delays, limits and allowed hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from scrapy.settings import Settings as ScrapySettings

from kiosque import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kiosque.model import Outlet
    from kiosque.settings import Settings

PROJECT = "https://pypi.org/project/kiosque"
# A private host that its owner allowed is not a stranger's server: no delay, more at once.
PRIVATE_SLOT = {"concurrency": 16, "delay": 0.0, "jitter": 0.0}


def user_agent(settings: Settings) -> str:
    """Return who we say we are: the project, its version, and where its operator can be reached."""
    contact = f"; {settings.contact}" if settings.contact else ""
    return f"Kiosque/{__version__} (French press dataset{contact})"


def scrapy_settings(settings: Settings, outlets: Iterable[Outlet]) -> ScrapySettings:
    """Return Scrapy's settings, `spiders.scrapy_settings` and this Kiosque's own."""
    scrapy = ScrapySettings()
    scrapy.setmodule("spiders.scrapy_settings", priority="project")
    scrapy.update(own_settings(settings, outlets), priority="cmdline")
    # The tally counts; Scrapy's own commands keep Scrapy's counters and messages.
    scrapy.set("STATS_CLASS", "scrapy.statscollectors.DummyStatsCollector", priority="cmdline")
    scrapy.set("EXTENSIONS_BASE", {}, priority="cmdline")
    scrapy.set("LOG_FORMATTER", "spiders.quiet.ErrorsOnly", priority="cmdline")
    return scrapy


def own_settings(settings: Settings, outlets: Iterable[Outlet]) -> dict[str, Any]:
    """Return what depends on this Kiosque's settings."""
    return {
        "USER_AGENT": user_agent(settings),
        "CONCURRENT_REQUESTS": settings.concurrency,
        "CONCURRENT_REQUESTS_PER_DOMAIN": settings.concurrency_per_host,
        "DOWNLOAD_DELAY": settings.delay,
        "DOWNLOAD_TIMEOUT": settings.timeout,
        "DOWNLOAD_MAXSIZE": int(settings.max_page * 1_000_000),
        "DOWNLOAD_WARNSIZE": 0,
        "DOWNLOAD_SLOTS": slots(settings, outlets),
        "KIOSQUE_ALLOW_PRIVATE_HOSTS": settings.allow_private_hosts,
        "KIOSQUE_CONTACT": settings.contact or "",
        "KIOSQUE_RESERVED": settings.rights_reserved,
    }


def slots(settings: Settings, outlets: Iterable[Outlet]) -> dict[str, dict[str, float]]:
    """Return the hosts that have a rhythm of their own."""
    found: dict[str, dict[str, float]] = {host: dict(PRIVATE_SLOT) for host, _ in settings.allowed_hosts.hosts}
    for outlet in outlets:
        if outlet.delay is None:
            continue
        for url in (outlet.site, *outlet.feeds, *outlet.news_sitemaps):
            host = urlsplit(url).hostname or ""
            found[host] = {"concurrency": 1, "delay": outlet.delay, "jitter": 0.5}
    return found
