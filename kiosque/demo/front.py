"""Pages that every outlet has: listings, sitemap, robots.txt, the page that says there is none."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from kiosque.demo.markup import fill, long_day
from kiosque.demo.newsroom import Reply

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kiosque.demo.newsroom import Newsroom, Published
    from kiosque.demo.stories import Story

FEED_TYPES = {"rss": "application/rss+xml", "atom": "application/atom+xml"}
XML = "application/xml; charset=UTF-8"
TEXT = "text/plain; charset=UTF-8"


def listing(
    room: Newsroom, pieces: Iterable[tuple[Published, str]], *, title: str, feeds: Iterable[tuple[str, str]] = ()
) -> Reply:
    """Return a page of links: the front page or a section; `feeds` are (kind, path) to announce."""
    items = "\n".join(_item(piece, url) for piece, url in pieces)
    alternates = "\n".join(
        f'<link rel="alternate" type="{FEED_TYPES[kind]}" title="{escape(room.house.name)}" href="{room.site}{path}">'
        for kind, path in feeds
    )
    body = fill(
        "listing.html",
        {"items": items, "alternates": alternates},
        title=title,
        name=room.house.name,
        slogan=room.house.slogan,
    )
    return Reply(body=body, last_modified=room.updated)


def _item(piece: Published, url: str) -> str:
    return fill(
        "listing-item.html",
        url=url,
        title=piece.story.title,
        lead=piece.story.lead,
        section=piece.story.section,
        day=long_day(piece.published),
    )


def sitemap(pieces: Iterable[tuple[Published, str]]) -> Reply:
    """Return a plain sitemap of the stories online."""
    rows = "\n".join(
        f"<url><loc>{escape(url)}</loc><lastmod>{piece.in_feed.isoformat()}</lastmod></url>" for piece, url in pieces
    )
    return Reply(body=fill("sitemap.xml", {"rows": rows}), content_type=XML)


def robots(room: Newsroom, *, closed: str, sitemaps: Iterable[str]) -> Reply:
    """Return a robots.txt that closes one path and names the sitemaps."""
    lines = ["User-agent: *", f"Disallow: {closed}", "", *(f"Sitemap: {room.site}{path}" for path in sitemaps)]
    return Reply(body="\n".join(lines) + "\n", content_type=TEXT)


def not_found(room: Newsroom) -> Reply:
    """Return the 404 page."""
    body = fill("not-found.html", name=room.house.name, slogan=room.house.slogan)
    return Reply(body=body, status=404)


def titles(stories: Iterable[Story], *, href: str) -> str:
    """Return titles as the items of a list of most-read articles."""
    return "\n".join(f'<li><a href="{escape(href)}">{escape(story.title)}</a></li>' for story in stories)


def other(room: Newsroom, story: Story) -> Story:
    """Return the story to recommend beside another."""
    return next((candidate for candidate in room.trending if candidate is not story), story)
