"""Collect every place where a page or its feed entry claims a date; `steps.dates` decides between them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pipelines.steps.dates import ResolvedDates, Signal, resolve_dates
from pipelines.steps.structured import Structured, plain
from pipelines.steps.title import element_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.html import HtmlElement

    from kiosque.model import FeedEntry, Outlet, Page
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
    r"date|time|publi|posted|meta|byline|signature|infos?\b|author|auteur|horodat|updated|created", re.IGNORECASE
)
_ELSEWHERE = re.compile(
    r"comment|related|sidebar|footer|most|recommend|menu|breaking|ticker|live-?feed|latest", re.IGNORECASE
)
_MAX_LINE = 160
_MAX_VISIBLE = 8
_URL_DATE = re.compile(r"(?<!\d)(?:19|20)\d\d[/-]?(?:0[1-9]|1[0-2])[/-]?(?:0[1-9]|[12]\d|3[01])(?!\d)")


def read_dates(
    document: Document,
    structured: Structured,
    *,
    page: Page,
    outlet: Outlet,
    entry: FeedEntry | None = None,
    css: str | None = None,
) -> ResolvedDates:
    """Return the article's dates; htmldate is asked only when nothing on the page or in the feed gives one."""
    signals = collect_signals(document, structured, entry=entry, css=css)
    dates = resolve_dates(signals, fetched_at=page.fetched_at, timezone=outlet.timezone)
    if dates.published is None:
        signals += from_htmldate(document, page)
        dates = resolve_dates(signals, fetched_at=page.fetched_at, timezone=outlet.timezone)
    return dates


def collect_signals(
    document: Document, structured: Structured, *, entry: FeedEntry | None = None, css: str | None = None
) -> tuple[Signal, ...]:
    """Return the date claims, the surest kind first; raw strings, undated text left out."""
    signals = [
        *_from_node(structured),
        *_from_meta(structured),
        *_from_entry(entry),
        *_from_visible(document.root, css),
        *_from_url(document.url),
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


def _from_visible(root: HtmlElement, css: str | None) -> Iterator[Signal]:
    """Yield the date lines and `<time>` elements near the title, those before the body's end and of no other article."""
    if css:
        for element in root.cssselect(css)[:_MAX_VISIBLE]:
            yield from _line_signals(element)
    for element in root.iter("time"):
        if not _of_other(element):
            stamp = element.get("datetime")
            text = element_text(element) or ""
            role = _role(f"{(element.getparent().text or '')} {text} {element.get('itemprop') or ''}")
            if stamp:
                yield Signal(source="time", text=stamp, role=role)
    count = 0
    for element in root.iter("time", "p", "span", "div", "li", "em", "small", "abbr", "td"):
        if count >= _MAX_VISIBLE:
            return
        names = f"{element.get('class') or ''} {element.get('id') or ''} {element.get('itemprop') or ''}"
        if (element.tag == "time" or _DATE_NAMES.search(names)) and not _of_other(element):
            for signal in _line_signals(element):
                count += 1
                yield signal


def _line_signals(element: HtmlElement) -> Iterator[Signal]:
    if len(element) > 12:  # noqa: PLR2004  (a container, not a line)
        return
    text = element_text(element)
    if text and len(text) <= _MAX_LINE and _DATE.search(text):
        yield Signal(source="visible", text=text, role=_role(text))


def _role(text: str) -> str:
    if _MODIFIED.search(text) or "datemodified" in text.lower():
        return "modified"
    return "published" if _PUBLISHED.search(text) or "datepublished" in text.lower() else "unknown"


def _of_other(element: HtmlElement) -> bool:
    """Tell whether an element belongs to another article's teaser, the comments or the page's furniture."""
    for up in element.iterancestors():
        if up.tag in {"nav", "footer", "aside", "a"}:
            return True
        names = f"{up.get('class') or ''} {up.get('id') or ''}"
        if up.tag not in {"body", "html", "main", "article"} and _ELSEWHERE.search(names):
            return True
    return False


def _from_url(url: str) -> Iterator[Signal]:
    match = _URL_DATE.search(urlsplit(url).path)
    if match:
        yield Signal(source="url", text=match.group(), role="unknown")
