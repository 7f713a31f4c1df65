"""Which rules of an outlet's file find nothing on its newest archived pages? The template has changed under them."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from kiosque.errors import StorageError
from kiosque.health import Finding
from pipelines.steps.selectors import selectors_of, unmatched_selectors
from storage import RecordQuery

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kiosque.model import Outlet, Page
    from storage import Store
    from storage.archive import WarcArchive

# So many of the newest pages must lack what a rule looks for; fewer than that say nothing: a box may be absent.
NEWEST, LEAST = 12, 4
# Pages before them, in which the rule's last match is looked for.
OLDER = 24
# Records looked at for these: some have no page in the archive any more.
LOOKED_AT = 200


def unmatched_rules(store: Store, archive: WarcArchive, outlets: Iterable[Outlet]) -> Iterator[Finding]:
    """Yield a finding for each selector that matched none of its outlet's newest pages, with the newest as example.

    A field's selector must match; one of `drop_css` only counts when it matched before: some boxes are rare.

    Rules with `until` are held against pages of their time. Outlets without rules or with too few archived pages
    give nothing. Raises `StorageError` of the store; a page that cannot be read any more is passed over.
    """
    for outlet in outlets:
        if selectors_of(outlet):
            yield from _unmatched(outlet, list(islice(_pages(store, archive, outlet), NEWEST + OLDER)))


def _unmatched(outlet: Outlet, pages: list[Page]) -> Iterator[Finding]:
    newest, older = pages[:NEWEST], pages[NEWEST:]
    if len(newest) < LEAST:
        return
    lost = [selector for selector, n in _missing(newest, outlet).items() if n == len(newest)]
    before = [(page, unmatched_selectors(page, outlet)) for page in older] if lost else []
    for selector in lost:
        last = next((page for page, unmatched in before if selector not in unmatched), None)
        if last is None and selector in outlet.clean.drop_css:
            continue
        facts = {
            "rule": selector[:200],
            "n": str(len(newest)),
            "matched": f"{last.fetched_at:%Y-%m-%d}" if last else "–",
            "example": newest[0].final_url[:300],
        }
        yield Finding(kind="rule-unmatched", outlet=outlet.slug, facts=facts)


def _missing(pages: list[Page], outlet: Outlet) -> dict[str, int]:
    counts: dict[str, int] = {}
    for page in pages:
        for selector in unmatched_selectors(page, outlet):
            counts[selector] = counts.get(selector, 0) + 1
    return counts


def _pages(store: Store, archive: WarcArchive, outlet: Outlet) -> Iterator[Page]:
    for record in store.records(RecordQuery(outlet=outlet.slug, limit=LOOKED_AT)):
        if record.archive is not None:
            try:
                yield archive.read(record.archive)
            except StorageError:
                continue
