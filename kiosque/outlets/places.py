"""Where an outlet is, guessed from its address: country by domain ending, time zone by country."""

from __future__ import annotations

from collections import Counter
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from kiosque.outlets.countries import COUNTRIES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kiosque.model import Outlet

# Endings that name a place in a French-speaking country without being its code.
ENDINGS = {
    "alsace": "FR",  # the region of Alsace
    "brussels": "BE",  # DNS Belgium
    "bzh": "FR",  # Bretagne
    "corsica": "FR",  # the collectivity of Corse
    "paris": "FR",  # the city of Paris
    "quebec": "CA",  # PointQuébec
    "uk": "GB",  # older than ISO 3166's code
}
# Country codes that are sold to everybody, whatever the country.
SOLD = {
    "ai",  # Anguilla: artificial intelligence
    "cc",  # Cocos Islands
    "co",  # Colombia: company
    "fm",  # Micronesia: radio
    "io",  # British Indian Ocean Territory
    "me",  # Montenegro
    "to",  # Tonga
    "tv",  # Tuvalu: television
    "ws",  # Samoa: web site
}


# Countries of many zones: where their French-language press is.
PRESS_ZONES = {
    "CA": "America/Toronto",  # Québec
    "US": "America/New_York",
}


def country_of_host(host: str) -> str | None:
    """Return the country that a host's ending names, None where it names none.

    >>> country_of_host("www.gazette.ch"), country_of_host("gazette.quebec"), country_of_host("gazette.info")
    ('CH', 'CA', None)
    """
    ending = host.rstrip(".").rpartition(".")[2].lower()
    if ending in ENDINGS:
        return ENDINGS[ending]
    return ending.upper() if ending.upper() in COUNTRIES and ending not in SOLD else None


def zone_of_country(country: str, outlets: Iterable[Outlet] = ()) -> str:
    """Return the zone that most known outlets of a country have, else its first one in the time zone database."""
    known = Counter(outlet.timezone for outlet in outlets if outlet.country == country)
    if known:
        return known.most_common(1)[0][0]
    zones = zones_of_country(country)
    return PRESS_ZONES.get(country) or (zones[0] if zones else "Europe/Paris")


def zones_of_country(country: str) -> tuple[str, ...]:
    """Return a country's time zones, the most populous usually first."""
    return _zones().get(country, ())


@cache
def _zones() -> dict[str, tuple[str, ...]]:
    """Read `zone.tab` of the IANA time zone database: code, coordinates, zone, remarks."""
    found: dict[str, tuple[str, ...]] = {}
    table = files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    for line in table.splitlines():
        if not line.startswith("#"):
            code, _, zone, *_ = line.split("\t")
            found[code] = (*found.get(code, ()), zone)
    return found
