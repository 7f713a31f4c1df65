"""OPML, in which people keep their feeds: bytes to `ListedFeed`s, outlets to OPML 2.0.

http://opml.org/spec2.opml. Files come from strangers: no doctype, so no entities; sizes are bounded; what is not
well formed is mended.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lxml import etree

from kiosque.errors import OutletError
from kiosque.outlets.gather import ListedFeed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kiosque.model import Outlet

MOST_BYTES = 5_000_000  # ten thousand feeds with their titles are 3 MB
MOST_FEEDS = 20_000
LONGEST_VALUE = 2_000  # characters of an attribute
DEEPEST = 50  # folders within folders
_CHUNK = 65_536
# Addresses are often written with a bare `&`, and libxml2 would drop what follows it.
_BARE_AMPERSAND = re.compile(rb"&(?!#?[A-Za-z0-9]{1,31};)")


def read_opml(body: bytes, *, name: str) -> tuple[ListedFeed, ...]:
    """Return the feeds of an OPML file, in its order; `name` is the file's, for errors.

    Raises `OutletError` for what is no OPML, is too large, or has a doctype, which could hold an entity bomb.
    """
    if len(body) > MOST_BYTES:
        raise OutletError(f"{name}: larger than {MOST_BYTES // 1_000_000} MB, which no list of feeds needs")
    if b"\x00" not in body[:4]:  # UTF-16 is left as it is
        body = _BARE_AMPERSAND.sub(b"&amp;", body)
    target = _Outlines()
    # Not resolve_entities=False: libxml2 then hands out `&#38;` for an `&`. What a doctype declares is never reached.
    parser = etree.XMLParser(target=target, recover=True, no_network=True, load_dtd=False)
    try:
        for start in range(0, len(body), _CHUNK):
            parser.feed(body[start : start + _CHUNK])
        parser.close()
    except (etree.LxmlError, ValueError):
        pass  # what was read before the fault stands in the target
    if target.doctype_seen:
        raise OutletError(f"{name}: has a DOCTYPE, which OPML does not need and which is not read")
    if not target.is_opml:
        raise OutletError(f"{name}: is no OPML file (its first element is not <opml>)")
    return tuple(target.feeds)


def write_opml(outlets: Iterable[Outlet], *, title: str = "Kiosque") -> bytes:
    """Return the outlets' feeds as OPML 2.0, one folder a group; news sitemaps are no feeds and stay out."""
    root = etree.Element("opml", version="2.0")
    etree.SubElement(etree.SubElement(root, "head"), "title").text = title
    body = etree.SubElement(root, "body")
    folders: dict[str, etree._Element] = {}
    for outlet in outlets:
        group = outlet.tags[0] if outlet.tags else "other"
        if outlet.feeds and group not in folders:
            folders[group] = etree.SubElement(body, "outline", text=group)
        for feed in outlet.feeds:
            attributes = {"type": "rss", "text": outlet.name, "title": outlet.name}
            attributes |= {"xmlUrl": feed, "htmlUrl": outlet.site, "language": outlet.language}
            etree.SubElement(folders[group], "outline", attributes | {"category": ",".join(outlet.tags)})
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return written


class _Outlines:
    """A parser target of lxml: no tree is built."""

    def __init__(self) -> None:
        self.feeds: list[ListedFeed] = []
        self.is_opml = False
        self.doctype_seen = False
        self._folders: list[str] = []
        self._started = False

    def doctype(self, *_: object) -> None:
        """Stop: an entity would be declared in here."""
        self.doctype_seen = True
        raise ValueError("doctype")

    def start(self, tag: str | bytes, attrib: Mapping[str | bytes, str | bytes]) -> None:
        """Enter an element."""
        local = str(tag).rpartition("}")[2].lower()
        if not self._started:
            self._started, self.is_opml = True, local == "opml"
        if local != "outline":
            return
        values = {str(key).lower(): str(value)[:LONGEST_VALUE] for key, value in attrib.items()}
        name = values.get("title", "").strip() or values.get("text", "").strip()
        url = values.get("xmlurl", "").strip()
        if url and len(self.feeds) < MOST_FEEDS:
            self.feeds.append(_feed(url, name, values, self._folders))
        self._folders.append("" if url else name)

    def data(self, data: str | bytes) -> None:
        """Pass over text."""

    def comment(self, text: str | bytes) -> None:
        """Pass over a comment."""

    def end(self, tag: str | bytes) -> None:
        """Leave an element."""
        if str(tag).rpartition("}")[2].lower() == "outline" and self._folders:
            self._folders.pop()

    def close(self) -> None:
        """End of the document."""


def _feed(url: str, name: str, values: Mapping[str, str], folders: list[str]) -> ListedFeed:
    # A category may be a path: "/Presse/Bretagne".
    categories = [piece for piece in re.split(r"[,/]", values.get("category", "")) if piece.strip()]
    language = re.match(r"[a-z]{2}\b", values.get("language", ""))
    return ListedFeed(
        url=url,
        name=name,
        site=values.get("htmlurl", ""),
        language=language[0] if language else "",
        groups=tuple(dict.fromkeys((*categories, *(folder for folder in folders[:DEEPEST] if folder)))),
    )
