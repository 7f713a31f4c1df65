"""The order of the steps, written once: `read_article(page, outlet)` makes an Article, or says why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kiosque.common_rules import CommonRules
    from kiosque.model import Article, FeedEntry, Outlet, Page, Rejected

__all__ = ["read_article"]


def read_article(
    page: Page,
    outlet: Outlet,
    *,
    common: CommonRules | None = None,
    entry: FeedEntry | None = None,
    learned: frozenset[str] = frozenset(),
) -> Article | Rejected:
    """Read a page as an article of an outlet; `Rejected` with a reason slug when it is none.

    Pure: no network, database, clock or logger; `page.fetched_at` is now. `common` defaults to the shipped rules,
    `entry` is what the feed claims of the page, `learned` holds lines (folded by `steps.lines.fold_line`) that
    repeat over the outlet's articles and so are clutter. Never raises, whatever the bytes.
    """
    # Imported with the first page, not with the package: `kiosque date` uses one step and must start at once.
    from kiosque.common_rules import load_common  # noqa: PLC0415
    from kiosque.model import Rejected  # noqa: PLC0415
    from pipelines.steps import assemble, body, kind, metadata, parse, signals  # noqa: PLC0415

    document = parse.parse(page)
    if isinstance(document, Rejected):
        return document
    rules = outlet.read_rules(page.fetched_at.date())
    found = metadata.read_metadata(document, outlet, rules=rules, entry=entry)
    dates = signals.read_dates(document, found, page=page, outlet=outlet, entry=entry, css=rules.date_css)
    paywalled = kind.is_paywalled(document.root, found.structured)
    shape = kind.read_shape(found.layout, found.structured)
    text = body.read_body(
        document,
        found,
        outlet=outlet,
        rules=rules,
        common=common or load_common(),
        learned=learned,
        paywalled=paywalled,
    )  # consumes the tree: nothing may look at it after this line
    reason = kind.refuse(shape, text, found, outlet=outlet)
    if reason is not None:
        return Rejected(reason=reason, url=page.final_url, detail=shape.detail)
    return assemble.assemble(page, outlet, found=found, dates=dates, body=text, paywalled=paywalled)
