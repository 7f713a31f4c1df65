"""Where an outlet is and in which zone its clock runs: by its address, its locale, the offsets of its dates."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from kiosque.outlets.countries import COUNTRIES
from kiosque.outlets.places import country_of_host, zone_of_country, zones_of_country

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from kiosque.model import Outlet

HOME = "FR"
MOST_DATES = 200
_REGION = re.compile(r"[a-z]{2,3}[-_]([A-Za-z]{2})\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A guess, and what it rests on."""

    country: str
    timezone: str
    why: str
    """One clause: "the address ends in .ch"."""
    doubt: str = ""
    """One sentence when something speaks against it."""


def guess_place(
    site: str, *, locales: Iterable[str | None] = (), dates: Iterable[str] = (), outlets: Collection[Outlet] = ()
) -> Place:
    """Guess country and zone.

    `locales` are language tags with a region (`fr-CA`), the surest first; `dates` raw texts of feeds and pages, whose
    offsets other than zero count: a zero is what servers write that do not care. `outlets` tell the usual zones.
    """
    moments = offsets_of(dates)
    country, why = _country(site, locales)
    if country is None:
        country, zone, why = _by_offset(moments, outlets)
        return Place(country=country, timezone=zone, why=why)
    zones = [zone_of_country(country, outlets), *zones_of_country(country)]
    zone = next((zone for zone in zones if fits(zone, moments)), zones[0])
    doubt = "" if fits(zone, moments) else f"its dates carry {_shown(moments)}, which is not the time of {zone}"
    return Place(country=country, timezone=zone, why=why, doubt=doubt)


def offsets_of(dates: Iterable[str]) -> tuple[datetime, ...]:
    """Return the dates that state an offset other than zero, RFC 822 or ISO 8601."""
    found: list[datetime] = []
    for text, _ in zip(dates, range(MOST_DATES), strict=False):
        moment = _moment(text[:100])
        if moment is not None and moment.utcoffset():
            found.append(moment)
    return tuple(found)


def fits(zone: str, moments: Collection[datetime]) -> bool:
    """Tell whether most of these moments have the offset that a zone had then; no moment, no objection."""
    agreeing = sum(moment.astimezone(ZoneInfo(zone)).utcoffset() == moment.utcoffset() for moment in moments)
    return agreeing * 2 >= len(moments)


def _country(site: str, locales: Iterable[str | None]) -> tuple[str | None, str]:
    host = urlsplit(site).hostname or ""
    by_host = country_of_host(host)
    if by_host is not None:
        return by_host, f"the address ends in .{host.rpartition('.')[2]}"
    for locale in locales:
        region = _REGION.match(locale or "")
        # fr-FR is what systems say that nobody has told: it is no sign.
        if region and region[1].upper() in COUNTRIES and region[1].upper() != HOME:
            return region[1].upper(), f"its pages say {locale}"
    return None, ""


def _by_offset(moments: Collection[datetime], outlets: Collection[Outlet]) -> tuple[str, str, str]:
    home = zone_of_country(HOME, outlets)
    if fits(home, moments):
        return HOME, home, "its dates carry the time of Paris" if moments else "nothing says otherwise"
    usual = Counter((outlet.country, outlet.timezone) for outlet in outlets)
    for (country, zone), _ in usual.most_common():
        if fits(zone, moments):
            return (
                country,
                zone,
                f"its dates carry {_shown(moments)}; of the countries with that time {country} is a guess",
            )
    return HOME, home, f"a guess: its dates carry {_shown(moments)}, the time of no known outlet"


def _shown(moments: Collection[datetime]) -> str:
    offset = Counter(moment.utcoffset() or timedelta() for moment in moments).most_common(1)[0][0]
    minutes = round(offset.total_seconds() / 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}{abs(minutes) % 60:02}"


def _moment(text: str) -> datetime | None:
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        with suppress(ValueError, TypeError, OverflowError, IndexError):
            moment = read(text.strip())
            moment.astimezone(ZoneInfo("UTC"))  # year 1 with an offset is out of range
            return moment if moment.tzinfo else None
    return None
