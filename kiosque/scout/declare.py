"""From what was found of a site to an outlet as its file will declare it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kiosque.model import Outlet
from kiosque.outlets.fields import OUTLET_KEYS, read_table
from kiosque.outlets.gather import one_line, slug_for
from kiosque.outlets.match import unknown_outlet

if TYPE_CHECKING:
    from collections.abc import Collection

    from kiosque.scout.feeds import ChosenFeeds
    from kiosque.scout.front import Front
    from kiosque.scout.place import Place

_BETWEEN = re.compile(r"\s+[-–—|·:»]\s+|\s*\|\s*")
# What a title says besides the name.
_NOT_A_NAME = re.compile(
    r"^(?:accueil|home|la une|[àa] la une|actualit[ée]s?|actus?|page d.accueil|flux rss|rss|feed)\b", re.IGNORECASE
)


def declare(
    front: Front, chosen: ChosenFeeds, place: Place, *, language: str, taken: Collection[str], slug: str | None = None
) -> Outlet:
    """Put an outlet together. Raises `OutletError` when a value cannot stand in an outlet file."""
    site = site_address(front.url)
    table = {
        "name": name_of(front, chosen) or unknown_outlet(site).name,
        "site": site,
        "country": place.country,
        "timezone": place.timezone,
        "language": language,
        "feeds": [found.url for found in chosen.feeds],
        "news_sitemaps": [found.url for found in chosen.news_sitemaps],
    }
    told = {key: value for key, value in table.items() if value}
    return Outlet(slug=slug or slug_for(site, taken), **read_table(told, OUTLET_KEYS, f"{site}: "))


def site_address(url: str) -> str:
    """Return the address of a site: without path, unless that is a folder of its own.

    >>> site_address("https://www.gazette.example/index.html"), site_address("https://a.example/fr/?x=1")
    ('https://www.gazette.example', 'https://a.example/fr')
    """
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    folder = "" if "." in path.rpartition("/")[2] else path
    return f"{parts.scheme}://{parts.netloc}{folder}"


def name_of(front: Front, chosen: ChosenFeeds) -> str:
    """Return the outlet's name: what the site calls itself, else what its main feed's title or its own begins with."""
    feed_title = next((found.reading.title for found in chosen.feeds if found.reading.title), "") or ""
    candidates = [front.site_name, *_pieces(feed_title), *_pieces(front.title)]
    return next((one_line(name) for name in candidates if name.strip() and not _NOT_A_NAME.match(name.strip())), "")


def _pieces(title: str) -> list[str]:
    """Return the parts of a title, the likeliest name first: "Accueil - Le Courrier" and "Le Courrier - Actus"."""
    return [piece for piece in _BETWEEN.split(title) if piece]
