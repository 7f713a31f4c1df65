"""What a front page says: its name, language, system, the feeds it links, the pages that list more of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from kiosque.model import Rejected
from kiosque.scout.systems import System, name_system
from kiosque.urls import MAX_ADDRESS, same_site
from pipelines.steps.parse import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.html import HtmlElement

    from kiosque.model import Page

FEED_TYPES = ("application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml")
MOST_LINKED = 40  # feeds taken of one page
_SAMPLE = 6_000  # characters of the page's words that are kept
_MARKUP = 1_000_000  # characters in which a system's signs are looked for
# A link whose address or words say that feeds are listed behind it.
_FEED_PAGE = re.compile(
    r"(?:^|[/_.-])(?:rss|flux|fils?-rss|feeds?|syndication|abonnements?-rss)(?:[/_.-]|$)", re.IGNORECASE
)
_FEED_WORDS = re.compile(r"\b(?:rss|flux|fils? rss)\b", re.IGNORECASE)
_MAYBE_FEED = re.compile(r"rss|feed|atom|\.xml\b|/flux/|syndication|backend", re.IGNORECASE)
_FEED_FILE = re.compile(r"(?:\.rss|rss\.xml|feed\.xml|atom\.xml|/feed/?|/rss/[\w-]+\.xml)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """A front page as it shows itself."""

    url: str
    title: str = ""
    site_name: str = ""
    """`og:site_name`, what the site calls itself."""
    language: str | None = None
    """The `lang` of its root element, as it stands there: `fr`, `fr-CA`."""
    locale: str | None = None
    """`og:locale`: `fr_CA`."""
    system: System | None = None
    feeds: tuple[str, ...] = ()
    """Feeds of its link elements, then links that look like feeds."""
    feed_pages: tuple[str, ...] = ()
    """Pages of the same site that may list feeds."""
    feeds_listed: tuple[str, ...] = ()
    """Its links that may be feeds by a word of their address: for a page that lists feeds."""
    words: str = ""
    """The beginning of what it shows, title first."""
    links: int = 0


def read_front(page: Page) -> Front | None:
    """Read a front page; None when it is no HTML page. Never raises."""
    document = parse(page)
    if isinstance(document, Rejected):
        return None
    root = document.root
    linked = [link for link in root.iter("link") if _is_feed(link)]
    anchors = [(href, anchor) for anchor in root.iter("a") if (href := _absolute(anchor.get("href"), page.final_url))]
    feeds = [_absolute(link.get("href"), page.final_url) for link in linked]
    feeds += [href for href, _ in anchors if _FEED_FILE.search(href.partition("?")[0])]
    title = _line(root.findtext(".//title") or "")
    return Front(
        url=page.final_url,
        title=title,
        site_name=_line(next(_metas(root, "og:site_name"), "")),
        language=(root.get("lang") or root.get("{http://www.w3.org/XML/1998/namespace}lang") or "").strip()[:20]
        or None,
        locale=next(_metas(root, "og:locale"), None),
        system=name_system(tuple(_metas(root, "generator")), document.html[:_MARKUP].lower()),
        feeds=tuple(dict.fromkeys(feed for feed in feeds if feed))[:MOST_LINKED],
        feed_pages=tuple(dict.fromkeys(_feed_pages(anchors, page.final_url, feeds))),
        feeds_listed=tuple(dict.fromkeys(_listed(anchors)))[:MOST_LINKED],
        words=f"{title} {_words(root)}"[:_SAMPLE],
        links=len(anchors),
    )


def _is_feed(link: HtmlElement) -> bool:
    rel = (link.get("rel") or "").lower().split()
    return "alternate" in rel and (link.get("type") or "").strip().lower().startswith(FEED_TYPES)


def _feed_pages(anchors: list[tuple[str, HtmlElement]], url: str, feeds: list[str]) -> Iterator[str]:
    for href, anchor in anchors:
        path = href.partition("://")[2].partition("/")[2].partition("?")[0]
        says = _FEED_PAGE.search(path) or _FEED_WORDS.search((anchor.text or "")[:100])
        if says and href not in feeds and same_site(href, url):
            yield href


def _listed(anchors: list[tuple[str, HtmlElement]]) -> Iterator[str]:
    for href, _ in anchors:
        if _MAYBE_FEED.search(href.partition("://")[2].partition("/")[2]):
            yield href


def _metas(root: HtmlElement, name: str) -> Iterator[str]:
    for meta in root.iter("meta"):
        if name in {(meta.get("property") or "").lower(), (meta.get("name") or "").lower()}:
            content = (meta.get("content") or "").strip()
            if content:
                yield content[:200]


def _absolute(href: str | None, base: str) -> str:
    """Return a link as an http(s) address, "" when it is none."""
    try:
        url = urljoin(base, (href or "").strip()).partition("#")[0]
    except ValueError:
        return ""
    return url if href and url.startswith(("http://", "https://")) and len(url) <= MAX_ADDRESS else ""


def _words(root: HtmlElement) -> str:
    """Return the beginning of the page's text, scripts left out."""
    found: list[str] = []
    size = 0
    for element in root.iter():
        if size > _SAMPLE:
            break
        own = "" if element.tag in {"script", "style", "noscript", "template", "title"} else element.text
        for text in (own, element.tail):
            if text and text.strip():
                found.append(text.strip())
                size += len(text)
    return " ".join(" ".join(found).split())


def _line(text: str) -> str:
    return " ".join(text.split())[:200]
