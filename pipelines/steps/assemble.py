"""Put what the steps found together as one Article."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiosque.model import Article
from pipelines.steps.authors import find_agency, read_byline
from pipelines.steps.typography import mend

if TYPE_CHECKING:
    from kiosque.model import Outlet, Page
    from pipelines.steps.body import Body
    from pipelines.steps.dates import ResolvedDates
    from pipelines.steps.metadata import Metadata


def assemble(
    page: Page, outlet: Outlet, *, found: Metadata, dates: ResolvedDates, body: Body, paywalled: bool
) -> Article:
    """Make the article of a page that was read; a signature under the text counts as its author."""
    url = found.canonical or page.final_url
    signed = read_byline([body.signature] if body.signature else [])
    return Article(
        url=url,
        urls=tuple(dict.fromkeys((page.url, page.final_url, url))),
        outlet=outlet.slug,
        title=mend(found.title or ""),
        lead=body.lead,
        text=body.text,
        authors=found.byline.authors or signed.authors,
        agency=found.byline.agency or signed.agency or find_agency(body.signature or ""),
        section=found.section,
        tags=found.tags,
        image=found.image,
        language=outlet.language if outlet.language != "any" else body.language or "und",
        published=dates.published,
        modified=dates.modified,
        paywalled=paywalled,
        claims=found.claims,
        removed=body.removed,
        fetched_at=page.fetched_at,
    )
