"""From a page's address to its outlet: by host, the longest match wins."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kiosque.model import Outlet
from kiosque.outlets.places import country_of_host, zone_of_country

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

# First labels that name a service of an outlet: pages stand beside them (rss.example.fr, www.example.fr).
SERVICE_LABELS = frozenset({"www", "rss", "feed", "feeds", "api", "m", "amp"})
# Hosts that carry the feeds of many outlets, or of none of their own.
SHARED_HOSTS = frozenset(
    {
        "feedburner.com",  # Google FeedBurner
        "feedproxy.google.com",  # the same, for its links
        "news.google.com",  # an aggregator
        "rss.app",  # makes feeds of pages that have none
        "feedly.com",  # a reader
    }
)

USUAL_PORTS = {"http": 80, "https": 443}
LONGEST_HOST = 253  # characters, RFC 1035


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A place on the web where an outlet's pages may be: a host with all below it, and a folder to break ties."""

    slug: str
    host: str
    """With its port where that is not the scheme's own."""
    folder: str
    is_site: bool


def outlet_for(url: str, outlets: Mapping[str, Outlet]) -> Outlet:
    """Find the outlet that a page belongs to, else `unknown_outlet(url)`; `finder` is the one for many pages."""
    return finder(outlets)(url)


def finder(outlets: Mapping[str, Outlet]) -> Callable[[str], Outlet]:
    """Index the hosts of sites, feeds and news sitemaps, and return the function from a URL to its outlet.

    The longest host wins; among outlets of one host, the one whose site or feed has the longest folder in common
    with the page (`/franceculture/`), then the one whose site it is, then the first by slug.
    """
    index: dict[str, list[Address]] = {}
    for address in chain.from_iterable(map(_addresses, outlets.values())):
        index.setdefault(address.host, []).append(address)

    def find(url: str) -> Outlet:
        host, path = _host_and_path(url)
        found = next((index[name] for name in _wider(host) if name in index), None)
        if not found:
            return unknown_outlet(url)
        return outlets[min(found, key=lambda address: _rank(address, path)).slug]

    return find


def unknown_outlet(url: str) -> Outlet:
    """Make an outlet for a page of none that we know: named after its host, placed by the host's ending.

    >>> unknown_outlet("https://www.gazette.ca/a").timezone, unknown_outlet("https://gazette.info/a").timezone
    ('America/Toronto', 'Europe/Paris')
    """
    host, _ = _host_and_path(url)
    name = host.removeprefix("www.") or "unknown"
    ascii_name = name.encode("punycode").decode() if not name.isascii() else name
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_name).strip("-") or "unknown"
    scheme = "http" if url.strip().lower().startswith("http:") else "https"
    country = country_of_host(name.partition(":")[0]) or "FR"
    return Outlet(
        slug=slug,
        name=name,
        site=f"{scheme}://{host or 'unknown.invalid'}",
        country=country,
        timezone=zone_of_country(country),
    )


def is_shared(url: str) -> bool:
    """Tell whether a URL's host carries the feeds of many outlets.

    >>> is_shared("https://feeds.feedburner.com/gazette"), is_shared("https://gazette.example/rss")
    (True, False)
    """
    host, _ = _host_and_path(url)
    return not SHARED_HOSTS.isdisjoint(_wider(host))


def _addresses(outlet: Outlet) -> Iterator[Address]:
    for url in (outlet.site, *outlet.feeds, *outlet.news_sitemaps):
        host, path = _host_and_path(url)
        if not is_shared(url):
            folder = path[: path.rindex("/") + 1] if "/" in path else "/"
            yield Address(slug=outlet.slug, host=_widest(host), folder=folder, is_site=url == outlet.site)


def _rank(address: Address, path: str) -> tuple[int, bool, str]:
    shared = len(address.folder) if path.startswith(address.folder) else 0
    return -shared, not address.is_site, address.slug


def _host_and_path(url: str) -> tuple[str, str]:
    """Split off the host in small letters, with a port that is not the scheme's own; ("", "") for what has none."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        return "", ""
    host = (parts.hostname or "").rstrip(".")
    if not 0 < len(host) <= LONGEST_HOST:
        return "", ""
    name = f"[{host}]" if ":" in host else host
    return (name if port in {None, USUAL_PORTS.get(parts.scheme)} else f"{name}:{port}"), parts.path


def _widest(host: str) -> str:
    """Drop a first label that only names a service, if a domain is left."""
    label, _, rest = host.partition(".")
    return rest if label in SERVICE_LABELS and "." in rest else host


def _wider(host: str) -> Iterator[str]:
    """Give the host, then each domain above it."""
    while host:
        yield host
        host = host.partition(".")[2]
