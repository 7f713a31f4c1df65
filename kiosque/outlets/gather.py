"""From a list of feeds, as people keep them, to outlets: one a site, without those that are known."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tld import get_tld

from kiosque.errors import OutletError
from kiosque.model import Outlet
from kiosque.outlets.choose import plain
from kiosque.outlets.fields import OUTLET_KEYS, read_table
from kiosque.outlets.match import finder, is_shared, unknown_outlet
from kiosque.outlets.places import country_of_host, zone_of_country

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

LONGEST_NAME = 200  # characters
LONGEST_SLUG = 60
MOST_TAGS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFeed:
    """A feed of somebody's list. What the list does not say is ""."""

    url: str
    name: str = ""
    site: str = ""
    country: str = ""
    timezone: str = ""
    language: str = ""
    region: str = ""
    groups: tuple[str, ...] = ()
    """Folders and categories that it stands in."""
    is_sitemap: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What came of a list."""

    new: tuple[Outlet, ...] = ()
    known: tuple[tuple[str, str, bool], ...] = ()
    """`(feed, slug, polled)`: feeds of outlets that are known; `polled` when they are declared already."""
    refused: tuple[tuple[str, str], ...] = ()
    """`(feed, why)`."""


def gather(feeds: Iterable[ListedFeed], outlets: Mapping[str, Outlet], *, taken: Collection[str] = ()) -> Gathered:
    """Make outlets of the feeds that belong to none of `outlets`; no slug of these, nor a `taken` one, is used."""
    find = finder(outlets)
    polled = {same_address(url): o.slug for o in outlets.values() for url in (*o.feeds, *o.news_sitemaps)}
    known: dict[str, tuple[str, bool]] = {}
    refused: dict[str, str] = {}
    sites: dict[str, list[ListedFeed]] = {}
    for feed in feeds:
        address = same_address(feed.url)
        own = find(feed.site if feed.site and is_shared(feed.url) else feed.url).slug
        if address in polled:
            known[feed.url] = polled[address], True
        elif own in outlets:
            known[feed.url] = own, False
        elif site := site_of(feed):
            sites.setdefault(same_address(site), []).append(feed)
        else:
            refused[feed.url] = f"{feed.url[:200]!r} is not an http or https address of a site"
    new: list[Outlet] = []
    for listed in sites.values():
        try:
            new.append(_outlet(listed, outlets, {*outlets, *taken, *(outlet.slug for outlet in new)}))
        except OutletError as error:
            refused[listed[0].url] = str(error)
    return Gathered(
        new=tuple(new),
        known=tuple((url, slug, declared) for url, (slug, declared) in known.items()),
        refused=tuple(refused.items()),
    )


def same_address(url: str) -> str:
    """Return one spelling of an address, to compare: http or https, `www.` or not, a last slash or none.

    >>> same_address("https://www.gazette.example/rss/") == same_address("http://gazette.example/rss")
    True
    """
    return url.strip().partition("://")[2].removeprefix("www.").rstrip("/")


def site_of(feed: ListedFeed) -> str:
    """Return the site that a feed belongs to, as scheme and host; "" when neither it nor its site is an address."""
    for url in (feed.site, "" if is_shared(feed.url) and feed.site else feed.url):
        try:
            parts = urlsplit(url.strip())
        except ValueError:
            continue
        if parts.scheme in {"http", "https"} and parts.hostname:
            return f"{parts.scheme}://{parts.netloc}"
    return ""


def slug_for(site: str, taken: Collection[str]) -> str:
    """Return a free slug: the domain without its ending, else the whole host, else with a number.

    >>> slug_for("https://www.la-gazette.co.uk/rss", {"la-gazette"})
    'la-gazette-co-uk'
    """
    result = get_tld(site, as_object=True, fail_silently=True, search_private=True)
    host = unknown_outlet(site).slug
    domain = re.sub(r"[^a-z0-9]+", "-", str(getattr(result, "domain", "") or "").lower()).strip("-")
    wanted = [slug[:LONGEST_SLUG].strip("-") for slug in (domain or host, host)]
    numbered = (f"{wanted[0]}-{number}" for number in range(2, len(taken) + 3))
    return next(slug for slug in (*wanted, *numbered) if slug not in taken)


def one_line(text: str, *, most: int = LONGEST_NAME) -> str:
    r"""Return a text as a name may be: one line, without control characters.

    >>> one_line("  La\x00 Gazette\n")
    'La Gazette'
    """
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", text).split())[:most].strip()


def tags_of(groups: Iterable[str]) -> tuple[str, ...]:
    """Return folders' names as tags.

    >>> tags_of(["Presse régionale", "BE", "presse-regionale"])
    ('presse-regionale', 'be')
    """
    slugs = (re.sub(r"[^a-z0-9]+", "-", plain(group))[:LONGEST_SLUG].strip("-") for group in groups)
    return tuple(dict.fromkeys(slug for slug in slugs if slug))[:MOST_TAGS]


def _outlet(listed: list[ListedFeed], outlets: Mapping[str, Outlet], taken: Collection[str]) -> Outlet:
    site = site_of(listed[0])
    country = _first(feed.country.upper() for feed in listed) or country_of_host(urlsplit(site).hostname or "") or "FR"
    table = {
        "name": one_line(_first(feed.name for feed in listed)) or unknown_outlet(site).name,
        "site": site,
        "country": country,
        "region": one_line(_first(feed.region for feed in listed)),
        "timezone": _first(feed.timezone for feed in listed) or zone_of_country(country, outlets.values()),
        "language": _first(feed.language for feed in listed) or "fr",
        "tags": list(tags_of(group for feed in listed for group in feed.groups)),
        "feeds": _addresses(feed for feed in listed if not feed.is_sitemap),
        "news_sitemaps": _addresses(feed for feed in listed if feed.is_sitemap),
    }
    told = {key: value for key, value in table.items() if value}
    return Outlet(slug=slug_for(site, taken), **read_table(told, OUTLET_KEYS, f"{site}: "))


def _addresses(feeds: Iterator[ListedFeed]) -> list[str]:
    unique = {same_address(feed.url): feed.url.strip() for feed in feeds}
    return list(unique.values())


def _first(values: Iterable[str]) -> str:
    return next((value.strip() for value in values if value.strip()), "")
