"""Which of an outlet's own selectors still find something on a page? A rule that stopped matching is worth a look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiosque.model import ReadRules, Rejected
from pipelines.steps.parse import parse

if TYPE_CHECKING:
    from kiosque.model import Outlet, Page


def selectors_of(outlet: Outlet) -> tuple[str, ...]:
    """Return every CSS selector of the outlet's file, those with `until` included, in file order."""
    return tuple(dict.fromkeys(css for rules in (*outlet.read, ReadRules()) for css in _selectors(outlet, rules)))


def unmatched_selectors(page: Page, outlet: Outlet) -> tuple[str, ...]:
    """Return the CSS selectors of the outlet's rules for that day that match nothing on a page, in file order.

    All of them on a page that cannot be parsed; none for an outlet without rules.
    """
    selectors = _selectors(outlet, outlet.read_rules(page.fetched_at.date()))
    document = parse(page) if selectors else None
    if document is None or isinstance(document, Rejected):
        return selectors
    return tuple(css for css in selectors if not document.root.cssselect(css))


def _selectors(outlet: Outlet, rules: ReadRules) -> tuple[str, ...]:
    return (*outlet.clean.drop_css, *rules.selectors)
