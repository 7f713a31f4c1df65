"""The plan of a crawl: which feeds of which outlets, which pages, how many."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from kiosque.errors import UsageError
from kiosque.polling import FeedState
from storage import QueuedEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from kiosque.model import Outlet


class Revisited(NamedTuple):
    """An article that is to be asked again."""

    queued: QueuedEntry


# What a service is given to do: a feed that is due, an entry whose time has come again, an article to look at again.
Work: TypeAlias = FeedState | QueuedEntry | Revisited


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one crawl is to do."""

    feeds: tuple[tuple[Outlet, str], ...] = ()
    """Feeds and news sitemaps, each with its outlet."""
    pages: tuple[str, ...] = ()
    """Article addresses asked for by name."""
    named: frozenset[str] = frozenset()
    """Feeds asked for by name: a person wants them asked whatever is known of them."""
    slugs: frozenset[str] = frozenset()
    """The outlets whose waiting entries are fetched, too."""
    limit: int | None = None
    """The most article pages that are fetched."""
    revisit: bool = False
    endless: bool = False
    """A service: when the plan is done, the spider waits for more work in its inbox."""

    @property
    def feed_urls(self) -> list[str]:
        """The addresses of the feeds."""
        return [url for _, url in self.feeds]

    @classmethod
    def for_outlets(
        cls,
        outlets: Mapping[str, Outlet],
        slugs: Collection[str],
        *,
        feeds: Collection[str] = (),
        pages: Collection[str] = (),
        outlet_of: Callable[[str], Outlet] | None = None,
        kinds: tuple[str, ...] = ("feeds", "news_sitemaps"),
        limit: int | None = None,
        revisit: bool = False,
    ) -> Plan:
        """Return the plan for these outlets, feeds and pages.

        Raises `UsageError` for a slug that names no outlet.
        """
        chosen = [named(slug.strip(), outlets) for slug in slugs]
        pairs = [(outlet, url) for outlet in chosen for kind in kinds for url in getattr(outlet, kind)]
        given = [(outlet_of(url), url) for url in feeds] if outlet_of else []
        unique = {url: outlet for outlet, url in [*given, *pairs]}
        return cls(
            feeds=tuple((outlet, url) for url, outlet in unique.items()),
            named=frozenset(url for _, url in given),
            pages=tuple(dict.fromkeys(pages)),
            slugs=frozenset(outlet.slug for outlet in [*chosen, *(outlet for outlet, _ in given)]),
            limit=limit,
            revisit=revisit,
        )


def named(slug: str, outlets: Mapping[str, Outlet]) -> Outlet:
    """Return the outlet of a slug, or raise `UsageError` with the nearest one."""
    if slug in outlets:
        return outlets[slug]
    near = difflib.get_close_matches(slug, outlets, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else "see `kiosque outlets list`"
    raise UsageError(f"no outlet {slug!r}; {hint}")
