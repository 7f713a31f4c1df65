"""Where to look for feeds and news sitemaps, the surest place first, so that a few requests are enough."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from kiosque.scout.systems import FEED_PATHS, SITEMAP_PATHS
from kiosque.urls import MAX_ADDRESS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from kiosque.scout.front import Front

MOST_ROBOTS = 500_000  # bytes, as RFC 9309 asks to read at least
_SITEMAP = re.compile(r"^[ \t]*sitemap[ \t]*:[ \t]*(\S+)", re.IGNORECASE | re.MULTILINE)
_NEWS = re.compile(r"news|actu|google", re.IGNORECASE)
# Feeds beside the news: the readers' comments, the episodes of a podcast, a single author's pieces.
_ASIDE = re.compile(r"/comments?/|comments?/feed|commentaires|/podcasts?/|/author/|/auteur/|/tag/", re.IGNORECASE)


def sitemaps_of_robots(body: bytes, *, site: str) -> tuple[str, ...]:
    r"""Return the sitemaps that a robots.txt names, those for news first.

    >>> sitemaps_of_robots(b"Sitemap: /sitemap.xml\nsitemap: https://a.example/news.xml", site="https://a.example")
    ('https://a.example/news.xml', 'https://a.example/sitemap.xml')
    """
    text = body[:MOST_ROBOTS].decode("utf-8", "replace")
    found = dict.fromkeys(_joined(site, match) for match in _SITEMAP.findall(text) if len(match) <= MAX_ADDRESS)
    return tuple(sorted((url for url in found if url.startswith("http")), key=lambda url: not is_news_address(url)))


def _joined(site: str, address: str) -> str:
    try:
        return urljoin(site, address)
    except ValueError:  # an unclosed bracket
        return ""


def is_news_address(url: str) -> bool:
    """Tell whether an address is by its own words one of news; a host's name is no word of it.

    >>> is_news_address("https://news.example/sitemap.xml"), is_news_address("https://a.example/sitemap-news.xml")
    (False, True)
    """
    parts = urlsplit(url)
    return bool(_NEWS.search(f"{parts.path}?{parts.query}"))


def is_aside(url: str) -> bool:
    """Tell whether a feed's address says that it carries something beside the news.

    >>> is_aside("https://a.example/comments/feed/"), is_aside("https://a.example/feed/")
    (True, False)
    """
    return bool(_ASIDE.search(url))


def addresses_to_try(
    front: Front, *, found: Collection[str], want: Iterable[str], guess: bool = True
) -> tuple[str, ...]:
    """Return addresses that the front page does not link, and where a feed or news sitemap may be.

    `want` holds "feeds", "sitemaps" or both. They are those of the site's own system; where that has none and `guess`
    is set, the most frequent ones. `found` addresses are left out.
    """
    kinds = {"feeds": FEED_PATHS, "sitemaps": SITEMAP_PATHS}
    paths: list[str] = []
    for kind in want:
        own: tuple[str, ...] = getattr(front.system, kind) if front.system else ()
        paths += [*own, *(() if own or not guess else kinds[kind])]
    return tuple(dict.fromkeys(url for path in paths if (url := urljoin(front.url, path)) not in found))
