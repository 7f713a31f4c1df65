"""Made-up articles that are like no others, as they come to the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiosque.model import Article, FeedEntry, Page, PublishedDate, Rights, Visit
from kiosque.urls import canonical_url
from pipelines.conclude import Finding

if TYPE_CHECKING:
    import random
    from datetime import datetime

    from kiosque.model import Outlet


def lines(dice: random.Random, number: int, *, words: int = 30_000) -> list[str]:
    """Return so many paragraphs of forty words."""
    return [" ".join(f"mot{dice.randrange(words)}" for _ in range(40)) + "." for _ in range(number)]


def finding(url: str, outlet: Outlet, *, at: datetime, text: str) -> Finding:
    """Return an article as a crawl that read it hands it to the store."""
    article = Article(
        url=url,
        urls=(url,),
        outlet=outlet.slug,
        title=f"{text[:50]}, n° {url.rsplit('/', 1)[-1]}",
        lead=text.partition("\n")[0],
        text=text,
        authors=("Anne Lo",),
        section="Politique",
        tags=("vote", "conseil"),
        published=PublishedDate(
            value=at.isoformat(), precision="minute", source="json-ld", text=at.isoformat(), confidence=1.0
        ),
        fetched_at=at,
    )
    page = Page(url=url, final_url=url, headers=(("etag", '"1"'),), body=b"", fetched_at=at)
    visit = Visit(outlet=outlet, key=canonical_url(url), url=url, page=page, entry=FeedEntry(url=url))
    return Finding(visit=visit, rights=Rights(), reading=article, at=at)
