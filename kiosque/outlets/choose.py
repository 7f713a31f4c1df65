"""Pick outlets from the registry by country, region and tags, or by slug."""

from __future__ import annotations

import unicodedata
from difflib import get_close_matches
from typing import TYPE_CHECKING

from kiosque.errors import OutletError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from kiosque.model import Outlet

# What the shipped outlets' tags mean; a file may have others. The first group is the reach, then the kind, then topics.
TAGS = {
    "national": "for a whole country or its French-speaking part",
    "regional": "for a region, a canton or some départements",
    "local": "for a town and its surroundings",
    "overseas": "of the French overseas territories",
    "international": "for several countries",
    "africa": "of Africa or about it",
    "maghreb": "of Morocco, Algeria or Tunisia",
    "daily": "a daily newspaper, printed or not",
    "weekly": "a weekly newspaper",
    "magazine": "a weekly or monthly magazine, a review",
    "broadcaster": "a radio or television channel",
    "agency": "a news agency",
    "online": "born on the web",
    "public-service": "a public broadcaster",
    "culture": "",
    "economy": "",
    "entertainment": "cinema and series",
    "environment": "",
    "food": "",
    "games": "",
    "health": "",
    "home": "",
    "investigation": "",
    "lifestyle": "",
    "media": "about the press itself",
    "people": "celebrities",
    "politics": "debate and ideas",
    "science": "",
    "sport": "",
    "technology": "",
    "travel": "",
}


def choose(
    outlets: Mapping[str, Outlet],
    *,
    countries: Collection[str] = (),
    regions: Collection[str] = (),
    tags: Collection[str] = (),
) -> dict[str, Outlet]:
    """Keep the outlets of one of the countries, with one of the regions and with all of the tags; no filter, all.

    Case and accents do not matter, and a part of a region's name is enough ("bretagne", "alpes").
    """
    codes = {code.upper() for code in countries}
    parts = [plain(region) for region in regions]
    wanted = {plain(tag) for tag in tags}
    return {
        slug: outlet
        for slug, outlet in outlets.items()
        if (not codes or outlet.country in codes)
        and (not parts or any(part in plain(outlet.region or "") for part in parts))
        and wanted <= set(outlet.tags)
    }


def chosen_strictly(
    outlets: Mapping[str, Outlet], *, countries: Collection[str] = (), tags: Collection[str] = ()
) -> dict[str, Outlet]:
    """Choose as `choose` does, for a machine to work on: a misspelt filter must not pass for an empty choice.

    Raises `OutletError`, with the nearest name, for a country or tag that no outlet has, and when none has them all.
    """
    for country in countries:
        _known(country, {outlet.country for outlet in outlets.values()}, kind="country", fold=str.upper)
    for tag in tags:
        _known(tag, {tag for outlet in outlets.values() for tag in outlet.tags}, kind="group", fold=plain)
    chosen = choose(outlets, countries=countries, tags=tags)
    if not chosen:
        filters = " and ".join([*(repr(tag) for tag in tags), *([" or ".join(countries)] if countries else [])])
        raise OutletError(
            f"no outlet is of {filters}; `kiosque outlets list` with the same filters shows what there is"
        )
    return chosen


def _known(given: str, known: Collection[str], *, kind: str, fold: Callable[[str], str]) -> None:
    if fold(given.strip()) in known:
        return
    near = get_close_matches(fold(given.strip())[:100], sorted(known), n=1)
    listed = "there are " + ", ".join(sorted(known))
    raise OutletError(f"no outlet has the {kind} {given!r}; {f'did you mean {near[0]!r}?' if near else listed}")


def named(outlets: Mapping[str, Outlet], slug: str) -> Outlet:
    """Return the outlet of a slug; raise `OutletError` with the nearest slug when there is none."""
    if slug in outlets:
        return outlets[slug]
    near = get_close_matches(slug[:100], outlets, n=1)
    hint = f", did you mean {near[0]!r}?" if near else "; `kiosque outlets list` shows those there are"
    raise OutletError(f"no outlet is called {slug!r}{hint}")


def plain(text: str) -> str:
    """Return a text in small letters without accents."""
    decomposed = unicodedata.normalize("NFD", text.strip().casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))
