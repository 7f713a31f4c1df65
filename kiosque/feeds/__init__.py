"""What a feed or sitemap says: bytes in, `FeedReading` out. RSS, Atom, RDF, JSON Feed, sitemaps.

Feeds are written by strangers: nothing here raises, every size is bounded, entities and doctypes are inert.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiosque.feeds.decoding import decoded, encoding_of, text_of, unpacked
from kiosque.feeds.jsonfeed import read_json_feed
from kiosque.feeds.reading import MAX_ENTRIES, MAX_SITEMAP_URLS, FeedKind, FeedReading
from kiosque.feeds.sitemap import read_sitemap
from kiosque.feeds.sniffing import Opening, opening
from kiosque.feeds.syndication import read_syndication

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MAX_ENTRIES", "MAX_SITEMAP_URLS", "FeedKind", "FeedReading", "parse_feed"]

_HEAD = 200_000  # bytes in which the first element must stand
_MAX_TEXT = 10_000_000  # characters of a feed that are read; sitemaps are streamed

_NO_FEED = {
    "empty": "The answer has no content.",
    "html": "The answer is an HTML page, not a feed.",
    "not-xml": "The answer is neither XML nor JSON.",
    "not-a-feed": "The answer is XML of some other kind.",
}


def parse_feed(body: bytes, *, url: str, content_type: str | None) -> FeedReading:
    """Read a feed or sitemap of any known kind; never raises, and what can be recovered is.

    `body` may be gzip (a `.xml.gz` sitemap). `url` is the address that answered: relative links start there.
    `content_type` is the header, used for its charset only: what a body is, its first element says.

    >>> parse_feed(b"<html><body>Erreur</body></html>", url="https://exemple.fr/rss", content_type=None).problem
    'html'
    """
    content, whole = unpacked(body)
    encoding = encoding_of(content, content_type)
    start = opening(text_of(decoded(content[:_HEAD], encoding), most=_HEAD))
    if start.problem is not None:
        return FeedReading(problem=start.problem, detail=_NO_FEED[start.problem])
    reading = _read(start, decoded(content, encoding), url=url)
    if whole or reading.problem is not None:
        return reading
    return reading.with_problem("truncated", "The compressed answer is broken or too large; its beginning was read.")


def _read(start: Opening, chunks: Iterator[str], *, url: str) -> FeedReading:
    if start.root in {"urlset", "sitemapindex"}:
        return read_sitemap(chunks, start, url=url)
    if start.root == "json":
        return read_json_feed(text_of(chunks, most=_MAX_TEXT), url=url)
    return read_syndication(text_of(chunks, most=_MAX_TEXT), start, url=url)
