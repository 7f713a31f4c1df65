"""Sitemaps, news sitemaps and sitemap indexes, read as a stream: no tree is built, whatever the size.

https://www.sitemaps.org/protocol.html and Google's news and image extensions; namespaces are not required
to be right, names are.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from lxml import etree

from kiosque.feeds.plain import absolute, field, names, plain_text
from kiosque.feeds.reading import MAX_SITEMAP_URLS, FeedKind, FeedReading, closing_words, empty_or_not
from kiosque.model import FeedEntry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kiosque.feeds.sniffing import Opening

_MAX_VALUE = 10_000  # characters of one element's text
_MAX_PIECES = 100

# Path of local names inside `<url>` or `<sitemap>`, and the field that it fills.
_FIELDS = {
    ("loc",): "loc",
    ("lastmod",): "lastmod",
    ("news", "publication_date"): "date",
    ("news", "title"): "title",
    ("news", "keywords"): "keywords",
    ("news", "publication", "language"): "language",
    ("image", "loc"): "image",
}


def read_sitemap(chunks: Iterable[str], start: Opening, *, url: str) -> FeedReading:
    """Read a sitemap or index from pieces of its text; what stands before a fault is kept."""
    target = _Target()
    parser = etree.XMLParser(target=target, recover=True, resolve_entities=False, no_network=True, load_dtd=False)
    ended = _feed(parser, chunks, start.offset, target)
    reading = _index(target, url) if start.root == "sitemapindex" else _urlset(target, url)
    if target.capped or ended:
        return reading
    return reading.with_problem("truncated", "The document stops before its end; what came was read.")


class _Target:
    """A parser target of lxml: keeps the fields of each `<url>` or `<sitemap>`, nothing else."""

    def __init__(self) -> None:
        self.found: list[dict[str, str]] = []
        self.news = False
        self.capped = False
        self.depth = 0
        self.ended = False
        self._path: list[str] = []
        self._current: dict[str, str] | None = None
        self._field: str | None = None
        self._pieces: list[str] = []

    def start(self, tag: str | bytes, _attributes: object) -> None:
        """Enter an element."""
        name = _local_name(tag)
        self.depth += 1
        if name in {"url", "sitemap"} and self._current is None:
            self._current, self._path = {}, []
            return
        self._path.append(name)
        self._field = _FIELDS.get(tuple(self._path[-3:])) if self._current is not None else None
        self._pieces = []
        self.news = self.news or (name == "news" and self._current is not None)

    def data(self, data: str | bytes) -> None:
        """Take characters."""
        if self._field is not None and len(self._pieces) < _MAX_PIECES:
            self._pieces.append(str(data)[:_MAX_VALUE])

    def comment(self, text: str | bytes) -> None:
        """Pass over a comment."""

    def end(self, tag: str | bytes) -> None:
        """Leave an element."""
        self.depth -= 1
        if self._path:
            if self._current is not None and self._field is not None:
                self._current.setdefault(self._field, "".join(self._pieces)[:_MAX_VALUE].strip())
            self._path.pop()
            self._field = None
        elif self._current is not None and _local_name(tag) in {"url", "sitemap"}:
            self._keep(self._current)
            self._current = None
        self.ended = self.depth == 0

    def _keep(self, values: dict[str, str]) -> None:
        if len(self.found) < MAX_SITEMAP_URLS:
            self.found.append(values)
        else:
            self.capped = True

    def close(self) -> None:
        """End of the document."""


def _local_name(tag: str | bytes) -> str:
    return str(tag).rpartition("}")[2].lower()


def _feed(parser: etree.XMLParser, chunks: Iterable[str], offset: int, target: _Target) -> bool:
    """Feed the text after `offset`; whether the document came to its end."""
    for chunk in chunks:
        text = chunk[offset:]
        offset = max(0, offset - len(chunk))
        if text:
            with suppress(etree.XMLSyntaxError):
                parser.feed(text.encode("utf-8", errors="replace"))
        if target.capped:
            break
    ended = target.ended
    with suppress(etree.XMLSyntaxError):  # lxml closes open elements itself; what was read stands in the target
        parser.close()
    return ended


def _urlset(target: _Target, base: str) -> FeedReading:
    entries = tuple(entry for entry in (_entry(values, base) for values in target.found) if entry is not None)
    kind: FeedKind = "news-sitemap" if target.news else "sitemap"
    skipped = len(target.found) - len(entries)
    words = closing_words(entries=len(entries), skipped=skipped, capped=target.capped)
    problem, detail = empty_or_not(len(entries), words)
    return FeedReading(
        kind=kind,
        entries=entries,
        language=next((values["language"] for values in target.found if values.get("language")), None),
        problem=problem,
        detail=detail,
        capped=target.capped,
        skipped=skipped,
    )


def _entry(values: dict[str, str], base: str) -> FeedEntry | None:
    url = absolute(values.get("loc"), base)
    if url is None:
        return None
    return FeedEntry(
        url=url,
        source="sitemap",
        title=plain_text(values.get("title")),
        published=field(values.get("date")),
        updated=field(values.get("lastmod")),
        tags=names(values.get("keywords", "").split(","), most=50),
        image=absolute(values.get("image"), base),
    )


def _index(target: _Target, base: str) -> FeedReading:
    dated = [(absolute(values.get("loc"), base), values.get("lastmod", "")) for values in target.found]
    newest = sorted(((url, day) for url, day in dated if url is not None), key=lambda pair: pair[1], reverse=True)
    sitemaps = tuple(dict.fromkeys(url for url, _ in newest))
    skipped = sum(url is None for url, _ in dated)
    words = closing_words(entries=len(sitemaps), skipped=skipped, capped=target.capped)
    problem, detail = empty_or_not(len(sitemaps), words)
    return FeedReading(
        kind="sitemap-index",
        sitemaps=sitemaps,
        problem=problem,
        detail=detail,
        capped=target.capped,
        skipped=skipped,
    )
