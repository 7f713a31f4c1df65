"""Collect every place where a page or its feed entry claims a date; `steps.dates` decides between them."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pipelines.steps.dates import ResolvedDates, Signal, resolve_dates
from pipelines.steps.structured import Structured, plain
from pipelines.steps.title import element_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.html import HtmlElement

    from kiosque.model import FeedEntry, Outlet, Page
    from pipelines.steps.dates.reading import Role
    from pipelines.steps.layout import Layout
    from pipelines.steps.metadata import Metadata
    from pipelines.steps.parse import Document

# Meta names that carry a date, with what it is the date of; the surest first.
_META_DATES = (
    ("article:published_time", "published"),
    ("og:article:published_time", "published"),
    ("og:published_time", "published"),
    ("datepublished", "published"),
    ("dc.date.issued", "published"),
    ("dcterms.issued", "published"),
    ("dc.date.created", "published"),
    ("dcterms.created", "published"),
    ("dc.date", "published"),
    ("dcterms.date", "published"),
    ("date", "published"),
    ("pubdate", "published"),
    ("publish-date", "published"),
    ("publication_date", "published"),
    ("published", "published"),  # Rossel
    ("parsely-pub-date", "published"),
    ("sailthru.date", "published"),
    ("cxenseparse:recs:publishtime", "published"),
    ("article:modified_time", "modified"),
    ("og:updated_time", "modified"),
    ("datemodified", "modified"),
    ("dcterms.modified", "modified"),
    ("dc.date.modified", "modified"),
)
_MONTHS = "janv|févr|fevr|mars|avril|avr|mai|juin|juil|août|aout|sept|octobre|oct|nov|déc|dec"
# A line that carries a date: a numeric one, a month's name by a number, or a relative one.
_DATE = re.compile(
    rf"\d{{1,2}}[/.-]\d{{1,2}}[/.-]\d{{2,4}}|\d{{4}}-\d\d-\d\d|(?:\d{{1,2}}(?:er)?\s+|,\s*)(?:{_MONTHS})\w*\.?|"
    rf"(?:{_MONTHS})\w*\.?\s+\d{{1,2}}\b|il y a\s+\S+|\bhier\b|aujourd.hui|\b\d{{1,2}}\s*h\s*\d\d\b",
    re.IGNORECASE,
)
_MODIFIED = re.compile(
    r"^\W*(?:mis[e]? à jour|modifié|actualisé|màj|maj|dernière (?:mise à jour|modification))", re.IGNORECASE
)
_PUBLISHED = re.compile(r"publié|mis en ligne|posté|paru|créé|rédigé|\ble \d|^\W*par\b", re.IGNORECASE)
_DATE_NAMES = re.compile(
    r"date|time|publi|posted|meta|byline|signature|infos?\b|author|auteur|horodat|updated|created|heure|jour|entry-footer"
)
_MODIFIED_NAMES = re.compile(r"modif|updat|maj\b|_maj|-maj")
_PUBLISHED_NAMES = re.compile(r"datepublished|published|date-?publi|pubdate")
_MAX_LINE = 160
_MAX_GUESSED = 8000  # elements; htmldate walks a page several times
_MAX_VISIBLE = 8
_DATE_TAGS = frozenset({"p", "span", "div", "li", "em", "small", "abbr", "td", "b"})
_URL_DATE = re.compile(r"(?<!\d)(?:19|20)\d\d[/-]?(?:0[1-9]|1[0-2])[/-]?(?:0[1-9]|[12]\d|3[01])(?!\d)")


def read_dates(
    document: Document,
    found: Metadata,
    *,
    page: Page,
    outlet: Outlet,
    entry: FeedEntry | None = None,
    css: str | None = None,
) -> ResolvedDates:
    """Return the article's dates; htmldate is asked only when nothing on the page or in the feed gives one."""
    signals = collect_signals(document, found, entry=entry, css=css)
    dates = resolve_dates(signals, fetched_at=page.fetched_at, timezone=outlet.timezone)
    if dates.published is None and len(document.elements) <= _MAX_GUESSED:
        signals += from_htmldate(document, page)
        dates = resolve_dates(signals, fetched_at=page.fetched_at, timezone=outlet.timezone)
    return replace(dates, signals=signals)


def collect_signals(
    document: Document, found: Metadata, *, entry: FeedEntry | None = None, css: str | None = None
) -> tuple[Signal, ...]:
    """Return the date claims, the surest kind first; raw strings, undated text left out."""
    signals = [
        *_from_node(found.structured),
        *_from_meta(found.structured),
        *_from_entry(entry),
        *_from_visible(found.layout, css),
        *_from_url(document.url),
        *_from_url(found.canonical or ""),
    ]
    return tuple(dict.fromkeys(signals))


def from_htmldate(document: Document, page: Page) -> tuple[Signal, ...]:
    """Ask htmldate, the last resort: it reads any date on the page."""
    from htmldate import find_date  # noqa: PLC0415  (slow to import, seldom needed)

    try:
        found = find_date(document.html, max_date=page.fetched_at.date().isoformat(), outputformat="%Y-%m-%d")
    except Exception:  # noqa: BLE001  (a guess that fails is no guess; the page still has its text)
        return ()
    return (Signal(source="htmldate", text=found, role="unknown"),) if found else ()


def _from_node(structured: Structured) -> Iterator[Signal]:
    for key, role in (("datePublished", "published"), ("dateCreated", "published"), ("dateModified", "modified")):
        text = plain(structured.node.get(key))
        if text and not (key == "dateCreated" and structured.node.get("datePublished")):
            yield Signal(source="json-ld", text=text, role="published" if role == "published" else "modified")


def _from_meta(structured: Structured) -> Iterator[Signal]:
    for name, role in _META_DATES:
        for text in structured.meta.get(name, ())[:1]:
            yield Signal(source="meta", text=text, role="published" if role == "published" else "modified")


def _from_entry(entry: FeedEntry | None) -> Iterator[Signal]:
    if entry is not None and entry.published:
        yield Signal(source=entry.source, text=entry.published, role="published")
    if entry is not None and entry.updated:
        yield Signal(source=entry.source, text=entry.updated, role="modified")


def _from_visible(layout: Layout, css: str | None) -> Iterator[Signal]:
    """Yield the date lines and `<time>` elements of this article, those below the title first."""
    for element in layout.root.cssselect(css)[:_MAX_VISIBLE] if css else ():
        yield from _line_signals(element, layout)
    seen: set[str] = set()
    for element in (*layout.below, *layout.above):
        if len(seen) >= _MAX_VISIBLE:
            return
        if element.tag == "time" or (element.tag in _DATE_TAGS and _is_date_name(_names(element, layout))):
            for signal in _line_signals(element, layout):
                if signal.text not in seen:
                    seen.add(signal.text)
                    yield signal


def _line_signals(element: HtmlElement, layout: Layout) -> Iterator[Signal]:
    """Yield the line that an element stands in, and the instant that a `<time>` carries."""
    if layout.length[element] > _MAX_LINE:
        return
    text = element_text(element) or ""
    around = element.getparent()
    line = element_text(around) if around is not None and layout.length[around] <= _MAX_LINE else None
    role = _role(line or text, _names(element, layout))
    if element.tag == "time" and element.get("datetime"):
        yield Signal(source="time", text=element.get("datetime", ""), role=role)
    if text and len(text) <= _MAX_LINE and _DATE.search(text):
        yield Signal(source="visible", text=text, role=role if element.tag == "time" else "unknown")


def _role(line: str, names: str) -> Role:
    if _PUBLISHED_NAMES.search(names):
        return "published"
    if _MODIFIED_NAMES.search(names) or _MODIFIED.search(line):
        return "modified"
    return "published" if _PUBLISHED.search(line) and len(_DATE.findall(line)) == 1 else "unknown"


def _names(element: HtmlElement, layout: Layout) -> str:
    return f"{layout.names[element]} {(element.get('itemprop') or '').lower()}"


@lru_cache(maxsize=8192)
def _is_date_name(names: str) -> bool:
    return _DATE_NAMES.search(names) is not None


def _from_url(url: str) -> Iterator[Signal]:
    try:
        path = urlsplit(url).path
    except ValueError:
        return
    if _URL_DATE.search(path):
        yield Signal(source="url", text=path, role="unknown")
