"""WordPress's two feeds: Atom tells of edits, RSS does not."""

from __future__ import annotations

from email.utils import format_datetime
from typing import TYPE_CHECKING

from kiosque.demo.markup import fill, zulu
from kiosque.demo.newsroom import Reply

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kiosque.demo.newsroom import Newsroom, Published

ATOM = "application/atom+xml; charset=UTF-8"
RSS = "application/rss+xml; charset=UTF-8"


def atom(room: Newsroom, pieces: Iterable[tuple[Published, str]]) -> Reply:
    """Return the Atom feed of stories with their addresses."""
    entries = "\n".join(
        fill(
            "courrier-de-valmont/atom-entry.xml",
            **_entry(room, piece, url),
            published=zulu(piece.published),
            updated=zulu(piece.in_feed),
            site=room.site,
        )
        for piece, url in pieces
    )
    updated = zulu(room.updated) if room.updated else ""
    body = fill("courrier-de-valmont/atom.xml", {"entries": entries}, **_channel(room), updated=updated)
    return Reply(body=body, content_type=ATOM, last_modified=room.updated)


def rss(room: Newsroom, pieces: Iterable[tuple[Published, str]]) -> Reply:
    """Return the RSS feed of stories with their addresses."""
    items = "\n".join(
        fill("courrier-de-valmont/rss-item.xml", **_entry(room, piece, url), published=format_datetime(piece.published))
        for piece, url in pieces
    )
    updated = format_datetime(room.updated) if room.updated else ""
    body = fill("courrier-de-valmont/rss.xml", {"items": items}, **_channel(room), updated=updated)
    return Reply(body=body, content_type=RSS, last_modified=room.updated)


def _channel(room: Newsroom) -> dict[str, str]:
    return {"name": room.house.name, "slogan": room.house.slogan, "site": room.site}


def _entry(room: Newsroom, piece: Published, url: str) -> dict[str, str]:
    story = piece.story
    return {
        "title": story.title,
        "link": url + "amp/" if story.amp_in_feed else url,
        "guid": f"{room.site}/?p={story.number}",
        "section": story.section,
        "lead": story.lead,
        # Stories that are not signed by a person's full name go out under the outlet's account.
        "authors": room.house.name if story.initials or story.agency else ", ".join(story.authors),
    }
