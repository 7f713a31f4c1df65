"""JSON Feed, versions 1 and 1.1: https://www.jsonfeed.org/version/1.1/."""

from __future__ import annotations

import json
from typing import Any

from kiosque.feeds.plain import absolute, field, names, plain_text
from kiosque.feeds.reading import MAX_ENTRIES, FeedReading, closing_words, empty_or_not
from kiosque.model import FeedEntry


def read_json_feed(text: str, *, url: str) -> FeedReading:
    """Read a JSON Feed; `problem` is `bad-json` or `not-a-feed` for anything else that is written in braces."""
    try:
        feed = json.loads(text.lstrip("\ufeff"))
    except (ValueError, RecursionError) as error:
        return FeedReading(
            problem="bad-json", detail=f"The answer starts as JSON but cannot be read: {str(error)[:200]}"
        )
    items = feed.get("items") if isinstance(feed, dict) else None
    if not isinstance(items, list):
        return FeedReading(problem="not-a-feed", detail="The answer is JSON without a list of items.")
    found = [_entry(item, url) for item in items[:MAX_ENTRIES] if isinstance(item, dict)]
    entries = tuple(entry for entry in found if entry is not None)
    capped = len(items) > MAX_ENTRIES
    skipped = min(len(items), MAX_ENTRIES) - len(entries)
    problem, detail = empty_or_not(len(entries), closing_words(entries=len(entries), skipped=skipped, capped=capped))
    return FeedReading(
        kind="json",
        entries=entries,
        title=plain_text(feed.get("title")),
        language=field(feed.get("language")),
        problem=problem,
        detail=detail,
        capped=capped,
        skipped=skipped,
    )


def _entry(item: dict[str, Any], base: str) -> FeedEntry | None:
    url = absolute(item.get("url"), base) or absolute(item.get("external_url"), base)
    if url is None:
        return None
    identifier = item.get("id")
    words = item.get("summary") or item.get("content_text") or item.get("content_html")
    return FeedEntry(
        url=url,
        guid=field(str(identifier)) if isinstance(identifier, str | int) else None,
        title=plain_text(item.get("title")),
        summary=plain_text(words),
        published=field(item.get("date_published")),
        updated=field(item.get("date_modified")),
        authors=_authors(item),
        tags=names(item.get("tags"), most=50),
        image=absolute(item.get("image") or item.get("banner_image"), base),
    )


def _authors(item: dict[str, Any]) -> tuple[str, ...]:
    several = item.get("authors")
    authors = several if isinstance(several, list) else [item.get("author")]
    return names([author.get("name") for author in authors if isinstance(author, dict)])
