"""RSS, Atom and RDF through feedparser, from text that was mended first.

feedparser falls back to a slow and forgetful parser when the markup is not well formed, so the faults that French
feeds really have (HTML entities, bare `&` in links, forbidden characters) are mended before. Its parsed dates are
never used: it reads `CEST` as UTC and does not know French month names.
"""

from __future__ import annotations

import re
from html import escape, unescape
from io import BytesIO
from itertools import islice
from typing import TYPE_CHECKING, Any

import feedparser

from kiosque.feeds.plain import absolute, field, names, plain_text, whole_number
from kiosque.feeds.reading import MAX_ENTRIES, FeedKind, FeedReading, closing_words
from kiosque.model import FeedEntry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kiosque.feeds.sniffing import Opening

# feedparser needs about 50 microseconds for an element, and the square of their number for attributes or for
# relative bases inside each other.
_MAX_TAGS = 250_000
_LONG_TAG = re.compile(r"<([\w:.-]{1,100})\s[^<>]{4000,}?(/?)>")
_RELATIVE_BASE = re.compile(
    r"""\s(?:xml:)?base\s*=\s*(?:"(?!https?://[^"]{0,2000}")[^"]*"|'(?!https?://[^']{0,2000}')[^']*'|[^\s"'>]+)""",
    re.IGNORECASE,
)

_KINDS: dict[str, FeedKind] = {"rss": "rss", "feed": "atom", "rdf": "rdf"}
_ENTRY = re.compile(r"<(?:[\w.-]{1,40}:)?(?:item|entry)[\s>/]", re.IGNORECASE)
_AMPERSAND = re.compile(r"&(?:#[0-9]{1,7};|#[xX][0-9a-fA-F]{1,6};|[A-Za-z][A-Za-z0-9]{1,31};)?")
_XML_ENTITIES = frozenset({"&amp;", "&lt;", "&gt;", "&quot;", "&apos;"})
_CDATA, _CDATA_END = "<![CDATA[", "]]>"
_LANGUAGE = re.compile(r"<[^<>]{0,2000}?\bxml:lang\s*=\s*[\"']([A-Za-z-]{2,20})")

_TTL = re.compile(r"<ttl>\s*(\d{1,9})\s*</ttl>", re.IGNORECASE)
_PERIOD = re.compile(r"<sy:updatePeriod>\s*(\w{1,20})\s*</", re.IGNORECASE)
_FREQUENCY = re.compile(r"<sy:updateFrequency>\s*(\d{1,9})\s*</", re.IGNORECASE)
_SKIP = re.compile(r"<skip(Hours|Days)>((?:\s*<(?:hour|day)>[^<]{0,30}</(?:hour|day)>){1,31})", re.IGNORECASE)
_SKIPPED = re.compile(r">\s*([^<>\s]+)\s*</")

_HOUR = 3_600
_PERIODS = {
    "hourly": _HOUR,
    "daily": 24 * _HOUR,
    "weekly": 168 * _HOUR,
    "monthly": 720 * _HOUR,
    "yearly": 8_760 * _HOUR,
}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTH_MINUTES = 43_200


def read_syndication(text: str, start: Opening, *, url: str) -> FeedReading:
    """Read RSS, Atom or RDF; entries in document order, what can be recovered of a broken feed kept."""
    body, truncated = _body(text, start)
    body, capped = _first_entries(body)
    parsed = _parsed(_mended(body), url)
    raw_entries = parsed.get("entries", [])[:MAX_ENTRIES]
    entries = tuple(entry for raw in raw_entries if (entry := _entry(raw, url, atom=start.root == "feed")) is not None)
    skipped = len(raw_entries) - len(entries)
    problem, detail = _problem(parsed, truncated=truncated, entries=len(entries))
    channel = _head_and_tail(body)
    feed = dict(parsed.get("feed", {}))
    language = _LANGUAGE.match(body)
    return FeedReading(
        kind=_KINDS[start.root or "rss"],
        entries=entries,
        problem=problem,
        detail=" ".join(filter(None, (detail, closing_words(entries=len(entries), skipped=skipped, capped=capped)))),
        title=plain_text(feed.get("title")),
        language=field(feed.get("language")) or (language[1] if language else None),
        ttl_minutes=_first_number(_TTL, channel),
        update_period_seconds=_update_period(channel),
        skip_hours=_skip_hours(channel),
        skip_days=_skip_days(channel),
        capped=capped,
        skipped=skipped,
    )


def _body(text: str, start: Opening) -> tuple[str, bool]:
    """Return the root element, without the doctype before it, and whether its end is missing."""
    body = text[start.offset :].rstrip()
    if body.count("<") > _MAX_TAGS:
        body = body[: [match.start() for match in islice(re.finditer("<", body), _MAX_TAGS)][-1]]
    name = re.match(r"<([\w:.-]+)", body)
    closing = f"</{name[1]}" if name else "</"
    alone = body.endswith("/>") and body.count("<") == 1
    return body, not alone and closing not in body[-20_000:]


def _first_entries(body: str) -> tuple[str, bool]:
    """Cut the entries past `MAX_ENTRIES` out of the text, so that feedparser never sees them."""
    for count, match in enumerate(_ENTRY.finditer(body)):
        if count == MAX_ENTRIES:
            last = max(body.rfind("</item"), body.rfind("</entry"))
            end = body.find(">", last) + 1 if last > match.start() else len(body)
            return body[: match.start()] + body[end:], True
    return body, False


def _mended(body: str) -> str:
    return "".join(piece if piece.startswith(_CDATA) else _mended_markup(piece) for piece in _cdata_apart(body))


def _mended_markup(piece: str) -> str:
    piece = _LONG_TAG.sub(r"<\1\2>", piece)
    if "base" in piece:
        piece = _RELATIVE_BASE.sub("", piece)
    return _AMPERSAND.sub(_mended_reference, piece)


def _cdata_apart(body: str) -> Iterator[str]:
    """Yield the text in pieces, each CDATA section a piece of its own."""
    position = 0
    while (start := body.find(_CDATA, position)) >= 0:
        end = body.find(_CDATA_END, start)
        if end < 0:
            break
        yield body[position:start]
        position = end + len(_CDATA_END)
        yield body[start:position]
    yield body[position:]


def _mended_reference(match: re.Match[str]) -> str:
    """Keep XML's own entities, write HTML's as characters, escape an ampersand that is none."""
    reference = match[0]
    if reference in _XML_ENTITIES:
        return reference
    character = unescape(reference)
    if character == reference:
        return "&amp;" + reference[1:]
    # `unescape` gives U+FFFD for what is no character, and control characters as they are.
    sound = character != "\ufffd" and (character.isprintable() or character.isspace() or character == "\xad")
    return escape(character, quote=False) if sound else ""


def _parsed(body: str, url: str) -> dict[str, Any]:
    headers = {"content-type": "application/xml; charset=utf-8", "content-location": url}
    try:
        # A stream, never a string: feedparser opens strings that look like an address or a file.
        stream = BytesIO(body.encode("utf-8", errors="replace"))
        return dict(
            feedparser.parse(stream, response_headers=headers, sanitize_html=False, resolve_relative_uris=False)
        )
    except Exception as error:  # noqa: BLE001 -- a stranger's text in an old parser: any fault is a malformed feed
        return {"bozo_exception": error}


def _problem(parsed: dict[str, Any], *, truncated: bool, entries: int) -> tuple[str | None, str]:
    if truncated:
        return "truncated", "The document stops before its end; what came was read."
    if entries == 0:
        return "empty-feed", "There are no entries."
    if error := parsed.get("bozo_exception"):
        return "malformed", f"The markup is broken and was mended: {str(error)[:200]}."
    return None, ""


def _entry(raw: dict[str, Any], base: str, *, atom: bool) -> FeedEntry | None:
    # `dict` sees what is there; feedparser's own `get` makes one field out of another, with a warning.
    values = dict(raw)
    url = absolute(values.get("feedburner_origlink"), base) or absolute(values.get("link"), base)
    if url is None:
        return None
    published, updated = field(values.get("published")), field(values.get("updated"))
    if published is None and not atom:  # dc:date, all that SPIP and RSS 1.0 have, is read as `updated`
        published, updated = field(values.get("created")) or updated, None
    return FeedEntry(
        url=url,
        guid=field(values.get("id")),
        title=plain_text(values.get("title")),
        summary=plain_text(values.get("summary")) or _content(values),
        published=published,
        updated=updated,
        authors=_authors(values),
        tags=names([dict(tag).get("term") for tag in values.get("tags") or []], most=50),
        image=_image(values, base),
    )


def _content(values: dict[str, Any]) -> str | None:
    return next((plain_text(dict(part).get("value")) for part in values.get("content") or []), None)


def _authors(values: dict[str, Any]) -> tuple[str, ...]:
    several = names([dict(author).get("name") for author in values.get("authors") or []])
    alone = values.get("author")
    return several or (names([alone]) if isinstance(alone, str) and "@" not in alone else ())


def _image(values: dict[str, Any], base: str) -> str | None:
    media = [*(values.get("media_content") or []), *(values.get("media_thumbnail") or [])]
    addresses = [dict(item).get("url") for item in media if _may_be_image(dict(item))]
    links = (dict(link) for link in values.get("links") or [])
    addresses += [link.get("href") for link in links if str(link.get("type", "")).startswith("image/")]
    return next((image for address in addresses if (image := absolute(address, base))), None)


def _may_be_image(item: dict[str, Any]) -> bool:
    kind = str(item.get("medium") or item.get("type") or "image")
    return kind.startswith("image")


def _head_and_tail(body: str) -> str:
    """Return the text around the entries, where a channel speaks of itself."""
    first = _ENTRY.search(body)
    end = first.start() if first else len(body)
    return body[: min(end, 100_000)] + body[-10_000:]


def _first_number(pattern: re.Pattern[str], text: str, *, most: int = _MONTH_MINUTES) -> int | None:
    match = pattern.search(text)
    return whole_number(match[1], most=most) if match else None


def _update_period(channel: str) -> int | None:
    period = _PERIOD.search(channel)
    seconds = _PERIODS.get(period[1].lower()) if period else None
    return seconds // (_first_number(_FREQUENCY, channel, most=seconds) or 1) if seconds else None


def _skips(channel: str, which: str) -> list[str]:
    found = (match for match in _SKIP.finditer(channel) if match[1].lower() == which)
    return [word.lower() for match in found for word in _SKIPPED.findall(match[2])]


def _skip_hours(channel: str) -> tuple[int, ...]:
    # The specification counts from 0, its first readers from 1: 24 is midnight.
    hours = (int(word) % 24 for word in _skips(channel, "hours") if re.fullmatch(r"[0-9]|1[0-9]|2[0-4]", word))
    return tuple(sorted(set(hours)))


def _skip_days(channel: str) -> tuple[int, ...]:
    return tuple(sorted({_DAYS.index(word) for word in _skips(channel, "days") if word in _DAYS}))
