"""The order of the steps, written once: `read_article(page, outlet)` makes an Article, or says why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    from kiosque.common_rules import CommonRules
    from kiosque.model import Article, FeedEntry, Outlet, Page, Rejected
    from pipelines.steps.body import Body
    from pipelines.steps.dates import ResolvedDates
    from pipelines.steps.kind import Shape
    from pipelines.steps.metadata import Metadata
    from pipelines.steps.parse import Document

    Step: TypeAlias = Document | Metadata | ResolvedDates | Shape | Body | Article | Rejected

__all__ = ["read_article", "read_steps"]


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
    last: Step | None = None
    for step in read_steps(page, outlet, common=common, entry=entry, learned=learned):
        last = step
    return cast("Article | Rejected", last)


def read_steps(
    page: Page,
    outlet: Outlet,
    *,
    common: CommonRules | None = None,
    entry: FeedEntry | None = None,
    learned: frozenset[str] = frozenset(),
) -> Iterator[Step]:
    """Yield what each step of `read_article` gives, while the page's tree is as that step left it.

    The last one is the answer. Whoever looks between two steps must leave the tree alone.
    """
    # Imported with the first page, not with the package: `kiosque date` uses one step and must start at once.
    from kiosque.common_rules import load_common  # noqa: PLC0415
    from kiosque.model import Rejected  # noqa: PLC0415
    from pipelines.steps import assemble, body, kind, metadata, parse, signals  # noqa: PLC0415

    rules = outlet.read_rules(page.fetched_at.date())
    document = parse.parse(page, keep=rules.selectors)
    yield document
    if isinstance(document, Rejected):
        return
    found = metadata.read_metadata(document, outlet, rules=rules, entry=entry)
    yield found
    dates = signals.read_dates(document, found, page=page, outlet=outlet, entry=entry, css=rules.date_css)
    yield dates
    paywalled = kind.is_paywalled(found.layout, found.structured)
    shape = kind.read_shape(found.layout, found.structured)
    yield shape
    text = body.read_body(
        document,
        found,
        outlet=outlet,
        rules=rules,
        common=common or load_common(),
        learned=learned,
        paywalled=paywalled,
    )  # consumes the tree: nothing may look at it after this line
    yield text
    reason = kind.refuse(shape, text, found, outlet=outlet)
    if reason is not None:
        yield Rejected(reason=reason, url=page.final_url, detail=shape.detail)
        return
    yield assemble.assemble(page, outlet, found=found, dates=dates, body=text, paywalled=paywalled)
