"""Put what the steps found together as one Article."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kiosque.model import Article
from pipelines.steps.authors import find_agency, read_byline
from pipelines.steps.body import BYLINE
from pipelines.steps.live import LIVE_TAG, is_live
from pipelines.steps.typography import mend

if TYPE_CHECKING:
    from kiosque.model import Outlet, Page
    from pipelines.steps.body import Body
    from pipelines.steps.dates import ResolvedDates
    from pipelines.steps.metadata import Metadata

# "PARIS (AFP) - ", as agencies open a text.
_DATELINE = re.compile(r"^[^().]{2,60}\(([A-Z][\w -]{1,20})\)\s*[-–—:]")


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
        agency=found.byline.agency or signed.agency or _agency_in(body),
        section=found.section,
        tags=(LIVE_TAG, *found.tags) if is_live(found, body) else found.tags,
        image=found.image,
        language=outlet.language if outlet.language != "any" else body.language or "und",
        published=dates.published,
        modified=dates.modified,
        paywalled=paywalled,
        claims=found.claims,
        removed=body.removed,
        fetched_at=page.fetched_at,
    )


def _agency_in(body: Body) -> str | None:
    """Return the agency that a signature, a byline taken out of the text, or the text's dateline names."""
    bylines = [line for line, rule in body.removed if rule in {BYLINE, "common: byline"}]
    datelines = [found[1] for block in body.blocks[:3] if (found := _DATELINE.match(block.text))]
    named = (find_agency(text) for text in (body.signature or "", *bylines, *datelines))
    return next((agency for agency in named if agency), None)
