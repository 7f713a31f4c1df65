"""Title, authors, section, tags, image, canonical URL and claims, from structured data first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from kiosque.model import RightsClaims
from kiosque.urls import believable_canonical
from pipelines.steps.authors import Byline, read_byline
from pipelines.steps.layout import Layout, lay_out
from pipelines.steps.structured import Structured, as_list, plain, read_structured
from pipelines.steps.title import find_title, page_title, title_element
from pipelines.steps.visible import read_visible_agency, read_visible_authors

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lxml.html import HtmlElement

    from kiosque.model import FeedEntry, Outlet, ReadRules
    from pipelines.steps.parse import Document

_MAX_TAGS = 30
_MAX_KEYWORDS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What a page says of its article, before its text is read."""

    title: str | None
    layout: Layout
    """The page measured, its heading that shows the title among it."""
    byline: Byline
    section: str | None
    tags: tuple[str, ...]
    image: str | None
    canonical: str | None
    """The canonical URL, None when the page names none that is believable."""
    description: str | None
    """The page's own summary: often, not always, its chapô."""
    claims: RightsClaims
    structured: Structured


def read_metadata(document: Document, outlet: Outlet, *, rules: ReadRules, entry: FeedEntry | None = None) -> Metadata:
    """Read everything but the text and the dates; the tree is left as it was."""
    root = document.root
    canonical = find_canonical(document, site=outlet.site)
    urls = (document.url,) if canonical is None else (canonical, document.url)
    structured = read_structured(root, urls=urls, title=page_title(root))
    title = find_title(root, structured, outlet, css=rules.title_css) or (entry.title if entry else None)
    layout = lay_out(document.elements, title_element(root, title))
    return Metadata(
        title=title,
        layout=layout,
        byline=_byline(layout, structured, outlet, rules=rules, entry=entry),
        section=_section(structured),
        tags=_tags(structured, entry),
        image=_image(structured, document.url),
        canonical=canonical,
        description=_description(structured),
        claims=_claims(structured),
        structured=structured,
    )


def find_canonical(document: Document, *, site: str) -> str | None:
    """Return the canonical link, or `og:url`, when it is believable: on the site of the page or of its outlet."""
    for link in _canonical_links(document.root):
        # A page served by another host, a cache for instance, names its outlet's address.
        url = believable_canonical(link, document.url) or believable_canonical(link, site)
        if url is not None:
            return url
    return None


def _canonical_links(root: HtmlElement) -> Iterable[str]:
    for link in root.iter("link"):
        if "canonical" in (link.get("rel") or "").lower().split() and link.get("href"):
            yield link.get("href", "")
    for tag in root.iter("meta"):
        if tag.get("property") == "og:url" and tag.get("content"):
            yield tag.get("content", "")


def _byline(
    layout: Layout, structured: Structured, outlet: Outlet, *, rules: ReadRules, entry: FeedEntry | None
) -> Byline:
    host = (urlsplit(outlet.site).hostname or "").removeprefix("www.")
    publisher = structured.node.get("publisher")
    houses = [outlet.name, host, host.split(".")[0], structured.first("og:site_name") or "", plain(publisher) or ""]
    agency = None
    for claims in _author_claims(layout, structured, rules=rules, entry=entry):
        found = read_byline(claims, houses=houses)
        agency = agency or found.agency
        if found.authors:
            return Byline(authors=found.authors, agency=agency or read_visible_agency(layout, found.authors))
    return Byline(agency=agency)


def _author_claims(
    layout: Layout, structured: Structured, *, rules: ReadRules, entry: FeedEntry | None
) -> Iterator[list[str]]:
    """Yield the places that may name the authors, the surest first; each is looked up only when asked for."""
    yield _selected(layout.root, rules.authors_css)
    yield _node_authors(structured.node.get("author")) or _node_authors(structured.node.get("creator"))
    yield _meta_authors(structured)
    yield read_visible_authors(layout)
    yield list(entry.authors) if entry else []


def _selected(root: HtmlElement, css: str | None) -> list[str]:
    return [" ".join(element.itertext()) for element in root.cssselect(css)] if css else []


def _node_authors(value: object) -> list[str]:
    names = []
    for one in as_list(value):
        if isinstance(one, dict):
            name = plain(one.get("name"))
            family = plain(one.get("familyName"))
            if not name and family:
                name = f"{plain(one.get('givenName')) or ''} {family}"
            names += [name] if name else []
        elif isinstance(one, str) and not one.startswith("http"):
            names.append(plain(one) or "")
    return names


def _meta_authors(structured: Structured) -> list[str]:
    for name in ("author", "article:author", "dc.creator", "dcterms.creator", "sailthru.author", "parsely-author"):
        values = [value for value in structured.meta.get(name, ()) if not value.startswith("http")]
        if read_byline(values).authors:
            return values
    return []


def _section(structured: Structured) -> str | None:
    claimed = plain(structured.node.get("articleSection")) or structured.first("article:section", "section")
    if claimed:
        return claimed
    trail = [name for name in structured.breadcrumb if name.lower() not in {"accueil", "home", "à la une"}]
    # The last crumb is the article itself on most sites.
    return trail[0] if len(trail) > 1 else None


def _tags(structured: Structured, entry: FeedEntry | None) -> tuple[str, ...]:
    values: list[Any] = as_list(structured.node.get("keywords"))
    if not values:
        values = [*structured.meta.get("article:tag", ())] or list(structured.meta.get("news_keywords", ()))
    if not values:
        values = list(structured.meta.get("keywords", ())) or list(entry.tags if entry else ())
    words = (plain(part) for value in values for part in _split_tags(value))
    return tuple(dict.fromkeys(word for word in words if word and ":" not in word[:20]))[:_MAX_TAGS]


def _split_tags(value: object) -> list[str]:
    text = plain(value) or ""
    return re.split(r"\s*[,;|]\s*", text) if len(text) < _MAX_KEYWORDS else []


def _image(structured: Structured, base: str) -> str | None:
    claimed = as_list(structured.node.get("image"))
    values = [one.get("url") or one.get("contentUrl") if isinstance(one, dict) else one for one in claimed]
    values += [structured.first("og:image", "og:image:url", "twitter:image")]
    for value in values:
        if isinstance(value, str) and value.strip():
            try:
                url = urljoin(base, value.strip())
            except ValueError:
                continue
            if url.startswith(("http://", "https://")):
                return url
    return None


def _description(structured: Structured) -> str | None:
    return plain(structured.node.get("description")) or structured.first(
        "og:description", "description", "twitter:description"
    )


def _claims(structured: Structured) -> RightsClaims:
    robots = [part for name in ("robots", "googlebot", "googlebot-news") for part in structured.meta.get(name, ())]
    words = [word.strip().lower() for value in robots for word in value.split(",")]
    reserved = structured.first("tdm-reservation")
    return RightsClaims(
        robots=tuple(dict.fromkeys(word for word in words if word)),
        tdm_reserved={"1": True, "0": False}.get(reserved.strip()) if reserved else None,
        tdm_policy=structured.first("tdm-policy"),
    )
