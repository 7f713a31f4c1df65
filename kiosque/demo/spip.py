"""La Sentinelle de Brévaux: SPIP with its default addresses, `hentry` markup and RSS; dates in words only."""

from __future__ import annotations

import re
from functools import partial
from html import escape
from typing import TYPE_CHECKING

from kiosque.demo import front
from kiosque.demo.markup import blocks, bound, clock, fill, inline, weekday_day, zulu
from kiosque.demo.newsroom import Reply, System, moved

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kiosque.demo.newsroom import Newsroom, Published

FEED = "/spip.php?page=backend"
RSS = "text/xml; charset=utf-8"
TAGS = {
    "paragraph": ("<p>", "</p>"),
    "heading": ('<h2 class="spip">', "</h2>"),
    "list": ('<ul class="spip" role="list">', "</ul>"),
    "item": ("<li> ", "</li>"),
    "quote": ('<blockquote class="spip">\n<p>', "</p>\n</blockquote>"),
}


def address(room: Newsroom, piece: Published) -> str:
    """Return SPIP's address: the number in the query is all that tells articles apart."""
    return f"{room.site}/spip.php?article{piece.story.number}"


def reply(room: Newsroom, path: str) -> Reply:
    """Answer one path."""
    asked, _, query = path.partition("?")
    match asked:
        case "/":
            return front.listing(room, _addressed(room), title="Accueil", feeds=(("rss", FEED),))
        case "/robots.txt":
            return front.robots(room, closed="/ecrire/", sitemaps=("/sitemap.xml",))
        case "/sitemap.xml":
            return front.sitemap(_addressed(room))
        case "/spip.php":
            return _dynamic(room, query)
        case _:
            return front.not_found(room)


def _addressed(room: Newsroom) -> Iterator[tuple[Published, str]]:
    return ((piece, address(room, piece)) for piece in room.online)


def _dynamic(room: Newsroom, query: str) -> Reply:
    """Answer `?article12`, also as `?page=article&id_article=12`, `?rubrique3` and `?page=backend`."""
    if re.match(r"page=backend(?:&|$)", query):
        return _rss(room)
    if long := re.match(r"page=article&id_article=(\d+)$", query):
        return moved(f"{room.site}/spip.php?article{long[1]}")
    if found := re.match(r"article(\d+)(?:&|$)", query):
        pieces = (piece for piece in room.online if str(piece.story.number) == found[1])
        return next((_reply(room, piece) for piece in pieces), front.not_found(room))
    if found := re.match(r"rubrique(\d+)(?:&|$)", query):
        return _section(room, found[1])
    return front.not_found(room)


def _sections(room: Newsroom) -> dict[str, str]:
    """Return the number of each section, by its name."""
    names = sorted({story.section for story in room.house.stories})
    return {name: str(number) for number, name in enumerate(names, start=1)}


def _section_address(room: Newsroom, piece: Published) -> str:
    return f"{room.site}/spip.php?rubrique{_sections(room)[piece.story.section]}"


def _section(room: Newsroom, number: str) -> Reply:
    inside = [(piece, url) for piece, url in _addressed(room) if _sections(room)[piece.story.section] == number]
    if not inside:
        return front.not_found(room)
    return front.listing(room, inside, title=inside[0][0].story.section)


def _reply(room: Newsroom, piece: Published) -> Reply:
    return Reply(body=_article(room, piece), content_type="text/html; charset=utf-8", last_modified=piece.modified)


def _article(room: Newsroom, piece: Published) -> str:
    story, section = piece.story, _section_address(room, piece)
    other = front.other(room, story)
    return fill(
        "sentinelle-de-brevaux/article.html",
        {
            "chapo": escape(bound(story.lead), quote=False),
            "body": blocks(story.body, tags=TAGS, write=lambda line: inline(bound(line), href=section)),
            "authors": _authors(room, piece),
            "updated": _updated(piece),
            "trending": front.titles(room.trending, href=section),
        },
        name=room.house.name,
        slogan=room.house.slogan,
        site=room.site,
        url=address(room, piece),
        number=str(story.number),
        section=story.section,
        section_url=section,
        title=bound(story.title),
        plain_title=story.title,
        lead=story.lead,
        credit=story.credit,
        stamp=zulu(piece.published),
        day=weekday_day(piece.published),
        other_title=bound(other.title),
        other_url=f"{room.site}/spip.php?article{other.number}",
    )


def _authors(room: Newsroom, piece: Published) -> str:
    names = (
        f'<span class="vcard author"><a class="url fn spip_in" href="{room.site}/spip.php?auteur{number}">'
        f"{escape(name)}</a></span>"
        for number, name in enumerate(piece.story.authors, start=1)
    )
    return ", ".join(names)


def _updated(piece: Published) -> str:
    if not piece.edited:
        return ""
    return f'<p class="maj">Mis à jour le {weekday_day(piece.modified)} à {clock(piece.modified)}</p>'


def _rss(room: Newsroom) -> Reply:
    items = "\n".join(map(partial(_item, room), room.online))
    body = fill(
        "sentinelle-de-brevaux/rss.xml",
        {"items": items},
        name=room.house.name,
        slogan=room.house.slogan,
        site=room.site,
        feed=room.site + FEED,
    )
    return Reply(body=body, content_type=RSS, last_modified=room.updated)


def _item(room: Newsroom, piece: Published) -> str:
    return fill(
        "sentinelle-de-brevaux/rss-item.xml",
        title=bound(piece.story.title),
        url=address(room, piece),
        published=zulu(piece.published),
        authors=", ".join(piece.story.authors),
        section=piece.story.section,
        lead=bound(piece.story.lead),
    )


SYSTEM = System(feeds=(FEED,), news_sitemaps=(), address=address, reply=reply)
