"""Le Fanal de Sainte-Aurore: Arc XP with Fusion's scripts, JSON-LD and a news sitemap; one path reserved."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import partial
from html import escape
from typing import TYPE_CHECKING

from kiosque.demo import front
from kiosque.demo.markup import blocks, clock, fill, inline, json_script, long_day, slug
from kiosque.demo.newsroom import Reply, System, moved

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from kiosque.demo.newsroom import Newsroom, Published
    from kiosque.demo.stories import Story

NEWS_SITEMAP = "/arc/outboundfeeds/news-sitemap/?outputType=xml"
SUBSCRIBERS = "/abonnes/"
AGENCIES = {"AFP": "Agence France-Presse"}  # spelt out, as Québec's papers do
TAGS = {
    "paragraph": ('<p class="c-paragraph article-body__paragraph">', "</p>"),
    "heading": ('<h2 class="c-heading article-body__heading">', "</h2>"),
    "list": ('<ul class="b-article-body__list">', "</ul>"),
    "item": ("<li>", "</li>"),
    "quote": ('<blockquote class="b-article-body__quote"><p class="c-paragraph">', "</p></blockquote>"),
}


def address(room: Newsroom, piece: Published) -> str:
    """Return the address: section, day, slug and Arc's identifier of 26 letters and digits."""
    start = SUBSCRIBERS if piece.story.paywalled else f"/{slug(piece.story.section)}/"
    return f"{room.site}{start}{piece.published:%Y/%m/%d}/{piece.story.slug}-{_identifier(piece.story)}/"


def _identifier(story: Story) -> str:
    return base64.b32encode(hashlib.sha256(story.slug.encode()).digest())[:26].decode()


def reply(room: Newsroom, path: str) -> Reply:
    """Answer one path."""
    asked = path.partition("?")[0]
    match asked:
        case "/":
            return front.listing(room, _addressed(room), title="Accueil")
        case "/robots.txt":
            return front.robots(room, closed="/pf/", sitemaps=(NEWS_SITEMAP, "/sitemap.xml"))
        case "/sitemap.xml":
            return front.sitemap(_addressed(room))
        case "/arc/outboundfeeds/news-sitemap/":
            return _news_sitemap(room)
        case "/.well-known/tdmrep.json":
            return _reservation(room)
        case _:
            return _page(room, asked)


def _addressed(room: Newsroom) -> Iterator[tuple[Published, str]]:
    return ((piece, address(room, piece)) for piece in room.online)


def _reservation(room: Newsroom) -> Reply:
    """Return the TDM Reservation Protocol's file: the subscribers' path is reserved, nothing else."""
    rule = {"location": SUBSCRIBERS, "tdm-reservation": 1, "tdm-policy": f"{room.site}/conditions/tdm.json"}
    return Reply(body=json.dumps([rule]), content_type="application/json; charset=utf-8")


def _page(room: Newsroom, path: str) -> Reply:
    for piece, url in _addressed(room):
        if room.site + path == url:
            body = _article(room, piece)
            return Reply(body=body, content_type="text/html; charset=utf-8", last_modified=piece.modified)
        if f"{room.site}{path}/" == url:
            return moved(url)
    inside = [(piece, url) for piece, url in _addressed(room) if path == f"/{slug(piece.story.section)}/"]
    return front.listing(room, inside, title=inside[0][0].story.section) if inside else front.not_found(room)


def _article(room: Newsroom, piece: Published) -> str:
    story, url = piece.story, address(room, piece)
    section = f"{room.site}/{slug(story.section)}/"
    other = front.other(room, story)
    between = {
        1: fill("fanal-de-sainte-aurore/advert.html"),
        3: fill("fanal-de-sainte-aurore/read-also.html", title=other.title, url=section),
    }
    return fill(
        "fanal-de-sainte-aurore/article.html",
        {
            "body": blocks(story.body, tags=TAGS, write=partial(inline, href=section), between=between),
            "byline": _byline(piece),
            "updated": _updated(piece),
            "wall": fill("fanal-de-sainte-aurore/wall.html") if story.paywalled else "",
            "json_ld": json_script(_json_ld(room, piece)),
            "fusion": json_script(_fusion(room, piece)),
            "trending": front.titles(room.trending, href=section),
        },
        name=room.house.name,
        slogan=room.house.slogan,
        site=room.site,
        url=url,
        section=story.section,
        section_url=section,
        title=story.title,
        lead=story.lead,
        credit=story.credit,
        identifier=_identifier(story),
        published=piece.published.isoformat(),
        published_text=_moment("Publié", piece.published),
        tier="locked" if story.paywalled else "metered",
    )


def _moment(label: str, when: datetime) -> str:
    return f"{label} le {long_day(when)} à {clock(when)}"


def _byline(piece: Published) -> str:
    if piece.story.agency:
        return AGENCIES[piece.story.agency]
    return " et ".join(f'<a href="#" class="b-byline__author">{escape(name)}</a>' for name in piece.story.authors)


def _updated(piece: Published) -> str:
    if not piece.edited:
        return ""
    stamp = piece.modified.isoformat()
    return f'<time class="c-date b-date__updated" datetime="{stamp}">{_moment("Mis à jour", piece.modified)}</time>'


def _json_ld(room: Newsroom, piece: Published) -> dict[str, object]:
    story, url = piece.story, address(room, piece)
    facts: dict[str, object] = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "mainEntityOfPage": {"@type": "WebPage", "@id": url},
        "headline": story.title,
        "description": story.lead,
        "datePublished": piece.published.isoformat(),
        "dateModified": piece.modified.isoformat(),
        "author": [{"@type": "Person", "name": name} for name in story.authors],
        "publisher": {"@type": "NewsMediaOrganization", "name": room.house.name},
        "articleSection": story.section,
        "keywords": list(story.tags),
        "isAccessibleForFree": not story.paywalled,
    }
    if story.paywalled:
        facts["hasPart"] = {"@type": "WebPageElement", "isAccessibleForFree": False, "cssSelector": ".b-wall"}
    return facts


def _fusion(room: Newsroom, piece: Published) -> dict[str, object]:
    """Return what Fusion keeps for its scripts: the story's heading, never its text."""
    return {
        "_id": _identifier(piece.story),
        "type": "story",
        "canonical_url": address(room, piece).removeprefix(room.site),
        "headlines": {"basic": piece.story.title},
        "display_date": piece.published.isoformat(),
        "taxonomy": {"primary_section": {"name": piece.story.section}},
    }


def _news_sitemap(room: Newsroom) -> Reply:
    rows = "\n".join(
        fill(
            "fanal-de-sainte-aurore/news-sitemap-url.xml",
            url=url,
            updated=piece.in_feed.isoformat(),
            published=piece.published.isoformat(),
            name=room.house.name,
            title=piece.story.title,
            keywords=", ".join(piece.story.tags),
        )
        for piece, url in _addressed(room)
    )
    body = fill("fanal-de-sainte-aurore/news-sitemap.xml", {"rows": rows})
    return Reply(body=body, content_type=front.XML, last_modified=room.updated)


SYSTEM = System(
    feeds=(),
    news_sitemaps=(NEWS_SITEMAP,),
    address=address,
    reply=reply,
    reserved_under=SUBSCRIBERS,
)
