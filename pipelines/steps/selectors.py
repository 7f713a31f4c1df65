"""Which of an outlet's own selectors still find something on a page? A rule that stopped matching is worth a look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiosque.model import Rejected
from pipelines.steps.parse import parse

if TYPE_CHECKING:
    from kiosque.model import Outlet, Page


def unmatched_selectors(page: Page, outlet: Outlet) -> tuple[str, ...]:
    """Return the CSS selectors of the outlet's rules for that day that match nothing on a page, in file order.

    All of them on a page that cannot be parsed; none for an outlet without rules.
    """
    rules = outlet.read_rules(page.fetched_at.date())
    fields = (rules.body_css, rules.title_css, rules.lead_css, rules.authors_css, rules.date_css)
    selectors = [*outlet.clean.drop_css, *(css for css in fields if css)]
    document = parse(page) if selectors else None
    if document is None or isinstance(document, Rejected):
        return tuple(selectors)
    return tuple(css for css in selectors if not document.root.cssselect(css))
