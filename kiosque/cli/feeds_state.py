"""What the store knows of an outlet's feeds, in sentences: the lines that `kiosque outlets show` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiosque.polling import explain

if TYPE_CHECKING:
    from kiosque.model import Outlet
    from kiosque.settings import Settings
    from storage import Store


def feed_lines(store: Store, outlet: Outlet) -> list[str]:
    """Return each feed and news sitemap with its state, and when it is asked next and why; sitemaps of an index too.

    Says also how many of the outlet's articles are gone from its site.
    """
    declared = (*outlet.feeds, *outlet.news_sitemaps)
    states = store.feed_states(declared)
    lines = []
    for url in declared:
        state = states.get(url)
        lines.append(f"{url}: {explain(state) if state else 'Never polled.'}")
        children = store.feed_states(state.children) if state and state.children else {}
        lines += [f"  {child.url}: {child.health}. {child.reason}" for child in children.values()]
    gone = len(store.removed(outlet.slug))
    if gone:
        lines.append(f"Articles whose pages are gone from the site: {gone}. Their records are kept.")
    return lines


def known_feed_lines(settings: Settings, outlet: Outlet) -> list[str]:
    """Return the lines of an outlet's feeds; without a database nothing was ever polled, and none is made."""
    from storage import open_storage

    if settings.db is None and not (settings.home / "kiosque.sqlite").exists():
        return []
    store = open_storage(settings.database)
    try:
        return feed_lines(store, outlet)
    finally:
        store.close()
