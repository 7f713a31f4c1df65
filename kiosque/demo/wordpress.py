"""Le Courrier de Valmont: WordPress with a news theme, an AMP plug-in, Yoast's JSON-LD, Atom and RSS."""

from __future__ import annotations

import re
from functools import partial
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from kiosque.demo import front, wordpress_feeds
from kiosque.demo.markup import amp_day, blocks, clock, fill, inline, json_script, long_day, slug
from kiosque.demo.newsroom import Reply, System, moved

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kiosque.demo.newsroom import Newsroom, Published

FEEDS = (("rss", "/feed/"), ("atom", "/feed/atom/"))
TAGS = {
    "paragraph": ("<p>", "</p>"),
    "heading": ('<h2 class="wp-block-heading">', "</h2>"),
    "list": ('<ul class="wp-block-list">', "</ul>"),
    "item": ("<li>", "</li>"),
    "quote": ('<blockquote class="wp-block-quote is-layout-flow"><p>', "</p></blockquote>"),
}


def address(room: Newsroom, piece: Published) -> str:
    """Return the permalink, by day and name."""
    return f"{room.site}{piece.published:/%Y/%m/%d}/{piece.story.slug}/"


def reply(room: Newsroom, path: str) -> Reply:
    """Answer one path."""
    asked, _, query = path.partition("?")
    match asked:
        case "/":
            return _front_page(room, parse_qs(query))
        case "/feed/":
            return wordpress_feeds.rss(room, _addressed(room))
        case "/feed/atom/":
            return wordpress_feeds.atom(room, _addressed(room))
        case "/robots.txt":
            return front.robots(room, closed="/wp-admin/", sitemaps=("/sitemap.xml",))
        case "/sitemap.xml":
            return front.sitemap(_addressed(room))
        case other:
            section = re.fullmatch(r"/category/([a-z0-9-]+)/", other)
            return _section(room, section[1]) if section else _page(room, other)


def _front_page(room: Newsroom, query: dict[str, list[str]]) -> Reply:
    """Return the front page; `?p=12` is a short link to a story."""
    if number := query.get("p"):
        return _shortlink(room, number[0])
    return front.listing(room, _addressed(room), title="Accueil", feeds=FEEDS)


def _addressed(room: Newsroom) -> Iterator[tuple[Published, str]]:
    return ((piece, address(room, piece)) for piece in room.online)


def _shortlink(room: Newsroom, number: str) -> Reply:
    found = (url for piece, url in _addressed(room) if str(piece.story.number) == number)
    return next((moved(url) for url in found), front.not_found(room))


def _section(room: Newsroom, name: str) -> Reply:
    inside = [(piece, url) for piece, url in _addressed(room) if slug(piece.story.section) == name]
    if not inside:
        return front.not_found(room)
    return front.listing(room, inside, title=inside[0][0].story.section)


def _page(room: Newsroom, path: str) -> Reply:
    for piece, url in _addressed(room):
        base = url.removeprefix(room.site)
        if path == base:
            return Reply(body=_article(room, piece), last_modified=piece.modified)
        if path == base + "amp/":
            return Reply(body=_amp(room, piece), last_modified=piece.modified)
        if path + "/" in {base, base + "amp/"}:
            return moved(room.site + path + "/")
    return front.not_found(room)


def _article(room: Newsroom, piece: Published) -> str:
    story, url = piece.story, address(room, piece)
    other = front.other(room, story)
    between = {
        2: fill("courrier-de-valmont/read-also.html", title=other.title, url=f"{room.site}/?p={other.number}"),
        4: fill("courrier-de-valmont/advert.html"),
    }
    section = _section_address(room, piece)
    return fill(
        "courrier-de-valmont/article.html",
        {
            "body": blocks(story.body, tags=TAGS, write=partial(inline, href=section), between=between),
            "byline": _byline(room, piece),
            "signature": _signature(piece),
            "updated": _updated(piece),
            "json_ld": json_script(_json_ld(room, piece)),
            "tags": "".join(f'<a href="{section}" rel="tag">{escape(tag)}</a>' for tag in story.tags),
            "trending": front.titles(room.trending, href=section),
        },
        name=room.house.name,
        slogan=room.house.slogan,
        site=room.site,
        url=url,
        amp=url + "amp/",
        section=story.section,
        section_url=section,
        title=story.title,
        lead=story.lead,
        credit=story.credit,
        slug=story.slug,
        number=str(story.number),
        published=piece.published.isoformat(),
        modified=piece.modified.isoformat(),
        day=long_day(piece.published),
        time=clock(piece.published),
    )


def _section_address(room: Newsroom, piece: Published) -> str:
    return f"{room.site}/category/{slug(piece.story.section)}/"


def _byline(room: Newsroom, piece: Published) -> str:
    """Return the author line; a story signed by its initials has none, agency copy names the agency."""
    story = piece.story
    if story.initials:
        return ""
    if story.agency:
        return f'<span class="author vcard">{escape(room.house.name)} avec {escape(story.agency)}</span>'
    links = (
        f'<a class="url fn n" rel="author" href="{room.site}/author/{slug(name)}/">{escape(name)}</a>'
        for name in story.authors
    )
    return f'<span class="author vcard">Par {" et ".join(links)}</span>'


def _signature(piece: Published) -> str:
    return f"<p><strong>{escape(piece.story.authors[0])}</strong></p>" if piece.story.initials else ""


def _updated(piece: Published) -> str:
    if not piece.edited:
        return ""
    return (
        f'<time class="updated" datetime="{piece.modified.isoformat()}">'
        f"Mis à jour le {long_day(piece.modified)} à {clock(piece.modified)}</time>"
    )


def _json_ld(room: Newsroom, piece: Published) -> dict[str, object]:
    story, url = piece.story, address(room, piece)
    signed = [] if story.initials else [{"@type": "Person", "name": name} for name in story.authors]
    organization = {"@type": "NewsMediaOrganization", "@id": f"{room.site}/#organization", "name": room.house.name}
    article = {
        "@type": "NewsArticle",
        "@id": f"{url}#article",
        "isPartOf": {"@id": url},
        "headline": story.title,
        "description": story.lead,
        "datePublished": piece.published.isoformat(),
        "dateModified": piece.modified.isoformat(),
        "author": signed or {"@id": f"{room.site}/#organization"},
        "publisher": {"@id": f"{room.site}/#organization"},
        "articleSection": [story.section],
        "keywords": list(story.tags),
        "inLanguage": "fr-FR",
    }
    page = {"@type": "WebPage", "@id": url, "url": url, "name": f"{story.title} - {room.house.name}"}
    return {"@context": "https://schema.org", "@graph": [article, page, organization]}


def _amp(room: Newsroom, piece: Published) -> str:
    story, url = piece.story, address(room, piece)
    section = _section_address(room, piece)
    return fill(
        "courrier-de-valmont/amp.html",
        {
            "body": blocks(story.body, tags=TAGS, write=partial(inline, href=section)),
            "byline": _byline(room, piece),
            "signature": _signature(piece),
        },
        name=room.house.name,
        slogan=room.house.slogan,
        url=url,
        title=story.title,
        lead=story.lead,
        section=story.section,
        credit=story.credit,
        slug=story.slug,
        day=amp_day(piece.published),
    )


SYSTEM = System(
    # The Atom feed is the one to follow: it tells of edits, RSS does not.
    feeds=("/feed/atom/",),
    news_sitemaps=(),
    address=address,
    reply=reply,
)
