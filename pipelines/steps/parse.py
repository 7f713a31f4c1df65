"""Text -> one tree, parsed once and shared by every later step."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from lxml import etree
from lxml.html import HtmlElement, document_fromstring

from kiosque.model import Rejected
from pipelines.steps.decode import decode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kiosque.model import Page

MAX_BYTES = 12_000_000
"""The longest French article page met was 3 MB; a larger answer is not an article."""

MAX_ELEMENTS = 40_000
"""A live blog of a whole day has 15,000."""

MAX_SIBLINGS = 5_000
"""Elements in one parent; libxml2 and trafilatura take quadratic time over them."""

# lxml takes no control characters; a vertical tab or form feed out of a word processor stood between words.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_CONTROL_BYTES = bytes({*range(0x20)} - {*b"\t\n\r"})

# What a file that is no HTML begins with.
_BINARY = (
    b"%PDF",  # PDF
    b"\x89PNG",  # PNG
    b"\xff\xd8\xff",  # JPEG
    b"GIF8",  # GIF
    b"PK\x03\x04",  # ZIP, EPUB, DOCX
    b"\x1f\x8b",  # gzip
    b"RIFF",  # WebP, WAV
    b"OggS",  # Ogg
    b"ID3",  # MP3
    b"\x00\x00\x00",  # MP4 and its kin
    b"wOF",  # WOFF
)
# Types that never carry an article's page; a missing or odd type is judged by the bytes.
_OTHER_TYPES = re.compile(
    r"^(image|audio|video|font)/|^application/(pdf|zip|json|octet-stream|rss|atom)", re.IGNORECASE
)
_FEED = re.compile(r"^\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?<(rss|feed|rdf:RDF|urlset|sitemapindex)\b", re.DOTALL)
# No step reads these, and drawings alone can be a third of a page's elements.
_UNREAD = ("style", "svg", "template", "noscript", "iframe", "select", "canvas", "map")
# lxml.html asks a Python function for the class of every element; all of ours are of one.
_ONE_CLASS = etree.ElementDefaultClassLookup(element=HtmlElement)
_MAX_FRAMES = 50
"""Navigations and footers that are looked into; a page of nothing else would take long."""
_FOOTNOTES = 1000
"""Characters of a footer's paragraphs; one with more may hold an article."""
_TAG = re.compile(rb"<[a-zA-Z!/]")
_BLANK = b" \t\r\n\x00\xef\xbb\xbf"
_NUL_SHARE = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A parsed page. The tree is lxml's and can be changed: only extraction does, last of all."""

    url: str
    """The URL that answered."""
    html: str
    root: HtmlElement
    elements: tuple[HtmlElement, ...]
    """Every element in page order. Kept because lxml makes a Python object anew for each that nobody holds."""


def parse(page: Page, *, keep: Iterable[str] | None = None) -> Document | Rejected:
    """Parse a page's bytes; `Rejected` when they are no HTML page. Never raises, whatever the bytes.

    Given `keep`, CSS selectors, the site's own navigation and footer are left out, except where one of these finds
    something: they are a third of a page's elements, and hold nothing of its article.
    """
    reason = _not_html(page)
    if reason is not None:
        return Rejected(reason=reason, url=page.final_url)
    text = _without_controls(decode(page))
    if _FEED.match(text[:2000]):
        return Rejected(reason="not-html", url=page.final_url, detail="a feed or sitemap")
    root = whole_tree(text)
    if root is None:
        return Rejected(reason="empty", url=page.final_url)
    if keep is not None:
        _drop_frame(root, [element for css in keep for element in root.cssselect(css)])
    elements = tuple(islice(root.iter(), MAX_ELEMENTS + 1))
    if len(elements) > MAX_ELEMENTS or (len(elements) > MAX_SIBLINGS and max(map(len, elements)) > MAX_SIBLINGS):
        return Rejected(reason="too-large", url=page.final_url, detail="too many elements")
    return Document(url=page.final_url, html=text, root=root, elements=elements)


def _drop_frame(root: HtmlElement, wanted: list[HtmlElement]) -> None:
    around = {up for element in wanted for up in (element, *element.iterancestors())}
    for element in list(islice(root.iter("nav", "footer"), _MAX_FRAMES)):
        if element in around or next(element.iterancestors("main", "article"), None) is not None:
            continue
        if not _holds_article(element):
            element.drop_tree()


def _holds_article(element: HtmlElement) -> bool:
    """Tell whether an element that nobody closed holds the page."""
    if next(element.iter("h1", "article", "main"), None) is not None:
        return True
    return sum(len(text) for one in element.iter("p") if (text := one.text) is not None) > _FOOTNOTES


def _without_controls(text: str) -> str:
    # One page in a hundred has any, and bytes are looked through seven times as fast as text.
    data = text.encode("utf-8", "replace")
    if len(data.translate(None, _CONTROL_BYTES)) == len(data):
        return text
    return _CONTROLS.sub(lambda found: " " if found[0] in "\v\f" else "", text)


def whole_tree(text: str) -> HtmlElement | None:
    """Return the tree of a page's text with all that a reader sees, navigation and footer, too; None: nothing is."""
    root = parse_html(text)
    if root is not None:
        etree.strip_elements(root, *_UNREAD, with_tail=False)
    return root


def parse_html(text: str) -> HtmlElement | None:
    """Return the tree of a page's text, None when nothing is in it. Nesting beyond 256 is cut off by libxml2."""
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    parser.set_element_class_lookup(_ONE_CLASS)
    try:
        return document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.LxmlError, ValueError):  # an empty document, or one that libxml2 gives up
        return None


def _not_html(page: Page) -> str | None:
    body = page.body
    if not body[:1000].strip(_BLANK) and not body.strip(_BLANK):  # the whole body is copied only when it must be
        return "empty"
    if len(body) > MAX_BYTES:
        return "too-large"
    if body[:1000].lstrip()[:8].startswith(_BINARY) or _OTHER_TYPES.match(page.header("content-type") or ""):
        return "not-html"
    if body[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return None
    if body.count(b"\x00") > len(body) * _NUL_SHARE or not _TAG.search(body):
        return "not-html"
    return None
