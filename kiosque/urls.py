"""Addresses: the canonical key of an article, and the way from an AMP or mobile page to the real one.

An article has two addresses here. The one fetched is never touched. The key, `canonical_url`, is lossy:
it is compared and stored, never asked of a server.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import unescape
from typing import NamedTuple
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from tld import get_fld

from kiosque.tracking import is_tracking

MAX_KEY = 2_048
"""Characters of a key: what an index of PostgreSQL still holds. Longer addresses have no key."""
MAX_ADDRESS = 16_384
MAX_HOST = 255
MAX_HEAD = 200_000
"""Bytes of a page in which its head is looked for."""

# First labels of a host that serve the same articles as the host without them.
_TWIN_LABELS = frozenset({"www", "m", "mobile", "amp"})
_ALTERNATE_LABELS = _TWIN_LABELS - {"www"}
_HOME_PATHS = frozenset({"/", "/index.html", "/index.htm", "/index.php", "/spip.php", "/accueil", "/home"})

_HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|[0-9a-f:.]*:[0-9a-f:.]*", re.ASCII)
_BAD_PERCENT = re.compile(r"%(?![0-9a-fA-F]{2})")
_ESCAPE = re.compile(r"%([0-9a-fA-F]{2})")
_SESSION = re.compile(r";jsessionid=[^/;]*", re.IGNORECASE)
_AMP_SUFFIX = re.compile(r"(?<=.)(?:[.-]amp)+(\.html?)?\Z", re.IGNORECASE)
_AMP_ENTITY = re.compile(r"\A(?:amp;)+", re.IGNORECASE)
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_KEPT = "/%:@!$&'()*+,;=?"

# Google's AMP viewer and caches wrap the publisher's address into their own path.
_AMP_CACHE = re.compile(r"(?:/[a-z]/s/|/[a-z]/|/amp/s/|/amp/)(?=[^/]+\.[^/]+/)(.+)", re.DOTALL)
_AMP_CACHE_HOST = re.compile(r".+\.cdn\.ampproject\.org|cdn\.ampproject\.org|(?:www\.)?google\.(?:com?\.)?[a-z]{2,3}")
_MAX_WRAPS = 3
_USUAL = 500
"""Characters of an address whose key is remembered for a while."""

_AMP_PAGE = re.compile(rb"<html\b[^<>]{0,2000}?\s(?:amp|\xe2\x9a\xa1)[\s=>/]", re.IGNORECASE)
_LINK_TAG = re.compile(rb"<link\b([^<>]{0,4000})>", re.IGNORECASE)
_CANONICAL_REL = re.compile(rb"\brel\s*=\s*[\"']?\s*canonical\b", re.IGNORECASE)
_HREF = re.compile(rb"\bhref\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))", re.IGNORECASE)


class _Parts(NamedTuple):
    """An address taken apart: host folded but for its first labels, port None where it is a default one."""

    host: str
    port: int | None
    path: str
    query: str

    @property
    def netloc(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"


def canonical_url(url: str) -> str:
    """Drop what does not change the article: the key under which an article is known.

    Returns "" for what has no key: no http(s) address with a sound host, or one that is too long
    (`MAX_KEY`). Never raises, and `canonical_url(canonical_url(x)) == canonical_url(x)`.

    >>> canonical_url("https://exemple.fr/a?xtor=RSS-1&id=2#haut")
    'https://exemple.fr/a?id=2'
    >>> canonical_url("http://m.exemple.fr:80/2024/10/titre.amp.html/?utm_source=x")
    'https://exemple.fr/2024/10/titre.html'
    >>> canonical_url("http://www.exemple.fr/spip.php?article123&lang=fr")
    'https://exemple.fr/spip.php?article123&lang=fr'
    >>> canonical_url("https://www-exemple-fr.cdn.ampproject.org/c/s/www.exemple.fr/titre/amp/")
    'https://exemple.fr/titre'
    >>> canonical_url("https://exemple.fr:8443/%C3%A9t%c3%a9") == canonical_url("https://exemple.fr:8443/été/")
    True
    >>> canonical_url("mailto:redaction@exemple.fr")
    ''
    """
    return _short_key(url) if len(url) <= _USUAL else _key(url)


def _key(url: str) -> str:
    parts = _parts(url)
    if parts is None:
        return ""
    parts = parts._replace(host=_fold_host(parts.host))
    query = _fold_query(parts.query)
    key = f"https://{parts.netloc}{_fold_path(parts.path)}{'?' if query else ''}{query}"
    return key if len(key) <= MAX_KEY else ""


# One address is asked for again and again on its way from a feed into the store.
_short_key = lru_cache(maxsize=4096)(_key)


def is_alternate(url: str) -> bool:
    """Whether the address is that of an AMP or mobile view of an article.

    >>> is_alternate("https://m.exemple.fr/titre"), is_alternate("https://www.exemple.fr/titre")
    (True, False)
    """
    parts = _parts(url)
    if parts is None:
        return False
    first, _, rest = parts.host.partition(".")
    names = (_AMP_ENTITY.sub("", piece).lower() for piece in parts.query.split("&"))
    return (
        (first in _ALTERNATE_LABELS and "." in rest)
        or _fold_path(parts.path) != _plain_path(parts.path)
        or any(name in {"amp", "outputtype=amp", "output=amp", "view=amp"} or name.startswith("amp=") for name in names)
    )


def same_site(first: str, second: str) -> bool:
    """Whether two addresses belong to one registrable domain; IP and unknown hosts by host and port.

    >>> same_site("https://www.exemple.fr/a", "https://sport.exemple.fr/")
    True
    >>> same_site("https://un.blogspot.com/", "https://deux.blogspot.com/")
    False
    """
    site = _site(first)
    return site is not None and site == _site(second)


def believable_canonical(link: str, page_url: str) -> str | None:
    """Return a page's canonical link made absolute, or None where it cannot be meant for this article.

    It must be http(s), on the page's own site, and not its home page: some outlets' templates name that on
    every page.

    >>> believable_canonical("/titre", "https://exemple.fr/titre?x=1")
    'https://exemple.fr/titre'
    >>> believable_canonical("https://exemple.fr/", "https://exemple.fr/titre")
    """
    if not link.strip() or len(link) > MAX_ADDRESS:
        return None
    try:
        absolute = urljoin(page_url.strip(), link.strip())
    except ValueError:
        return None
    parts = _parts(absolute)
    if parts is None or not same_site(absolute, page_url) or not canonical_url(absolute):
        return None
    if _fold_path(parts.path).lower() in _HOME_PATHS and not _fold_query(parts.query):
        return None
    return absolute


def desktop_address(url: str, head: bytes) -> str | None:
    """Return the address to fetch instead of an AMP or mobile page, None where this page is the one to read.

    `url` is the address that answered; `head` the page's bytes, of which the first `MAX_HEAD` are read. A page is
    AMP or mobile by its address or by `<html amp>`; the answer is its believable canonical link.

    >>> desktop_address("https://m.exemple.fr/a", b'<link rel="canonical" href="https://www.exemple.fr/a">')
    'https://www.exemple.fr/a'
    >>> desktop_address("https://www.exemple.fr/a", b'<link rel="canonical" href="https://www.exemple.fr/b">')
    """
    head = head[:MAX_HEAD]
    if not is_alternate(url) and not _AMP_PAGE.search(head):
        return None
    link = _canonical_link(head)
    address = believable_canonical(link, url) if link else None
    if address is None or address == url.strip() or is_alternate(address):
        return None
    return address


def _canonical_link(head: bytes) -> str | None:
    for tag in _LINK_TAG.finditer(head):
        if _CANONICAL_REL.search(tag[1]) and (href := _HREF.search(tag[1])):
            raw = href[1] or href[2] or href[3] or b""
            return unescape(raw.decode("utf-8", errors="replace")).strip()
    return None


def _split(url: str) -> SplitResult | None:
    if len(url) > MAX_ADDRESS:
        return None
    try:
        split = urlsplit(url.strip())
    except ValueError:  # broken IPv6, forbidden characters in the host
        return None
    return split if split.scheme in {"http", "https"} else None


def _parts(url: str) -> _Parts | None:
    """Take an http(s) address apart, out of an AMP cache's wrapping; None when it is no such address."""
    for _ in range(_MAX_WRAPS):
        parts = _own_parts(url)
        if parts is None or not _AMP_CACHE_HOST.fullmatch(parts.host):
            return parts
        wrapped = _AMP_CACHE.fullmatch(parts.path)
        if wrapped is None:
            return parts
        url = f"https://{wrapped[1]}{'?' if parts.query else ''}{parts.query}"
    return None


def _own_parts(url: str) -> _Parts | None:
    split = _split(url)
    if split is None:
        return None
    try:
        host, port = _ascii_host(split.hostname or ""), split.port
    except ValueError:  # a port that is no number; UnicodeError from IDNA is one too
        return None
    if not _HOST.fullmatch(host) or "\\" in split.netloc:  # some clients end the host at a backslash
        return None
    return _Parts(host, None if port in {80, 443} else port, split.path, split.query)


def _ascii_host(host: str) -> str:
    host = host.removesuffix(".").lower()
    longest = 253
    if host.isascii() or len(host) > longest:
        return host
    return host.encode("idna").decode("ascii").lower().removesuffix(".")


def _fold_host(host: str) -> str:
    first, _, rest = host.partition(".")
    while first in _TWIN_LABELS and "." in rest:
        host = rest
        first, _, rest = host.partition(".")
    return host


def _plain_path(path: str) -> str:
    """Fold spelling only: escapes, dot segments, empty segments, the trailing slash."""
    segments: list[str] = []
    for segment in _fold_escapes(_SESSION.sub("", path)).split("/"):
        if segment == "..":
            del segments[-1:]
        elif segment not in {"", "."}:
            segments.append(segment)
    return "/" + "/".join(segments)


def _fold_path(path: str) -> str:
    """Fold spelling and AMP markers: `/amp/`, `.amp.html`, `-amp`."""
    segments = [segment for segment in _plain_path(path).split("/")[1:] if segment.lower() not in {"", "amp"}]
    while segments:
        last = segments.pop()
        while (shorter := _AMP_SUFFIX.sub(r"\1", last)) != last:
            last = shorter
        if last.lower() != "amp":
            segments.append(last)
            break
    return "/" + "/".join(segments)


def _fold_query(query: str) -> str:
    pieces = (_AMP_ENTITY.sub("", _fold_escapes(piece).replace("%20", "+")) for piece in query.split("&"))
    pairs = {piece: piece.partition("=") for piece in pieces if piece}
    kept = [piece for piece, (name, _, value) in pairs.items() if not is_tracking(name, value)]
    return "&".join(sorted(kept, key=lambda piece: pairs[piece][0]))


def _fold_escapes(text: str) -> str:
    """Write each character one way: escaped unless it may stand, with escapes in upper case."""
    sound = _BAD_PERCENT.sub("%25", text)
    return _ESCAPE.sub(_fold_escape, quote(sound, safe=_KEPT, errors="replace"))


def _fold_escape(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    return character if character in _UNRESERVED else match[0].upper()


def _site(url: str) -> str | None:
    """Return the registrable domain, or host and port where there is none."""
    parts = _own_parts(url)
    return _registrable(parts.netloc) if parts is not None else None


@lru_cache(maxsize=4096)
def _registrable(netloc: str) -> str:
    return get_fld(f"https://{netloc}/", fail_silently=True, search_private=True) or netloc


def site_of(url: str) -> str:
    """Return the site that a URL's host belongs to: its registrable domain, or the host itself where there is none.

    >>> site_of("https://www.exemple.fr/a"), site_of("http://feeds.exemple.fr:8080/"), site_of("http://127.0.0.2:80/")
    ('exemple.fr', 'exemple.fr', '127.0.0.2')
    >>> site_of("https://www.élan.fr/") == site_of("https://xn--lan-9la.fr/"), site_of("pas une adresse")
    (True, '')
    """
    parts = _own_parts(url)
    return _registrable(parts.host)[:MAX_HOST] if parts is not None else ""
