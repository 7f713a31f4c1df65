"""Outlets as CSV, a row each: what a spreadsheet opens, and gives back."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from kiosque.errors import OutletError
from kiosque.outlets.gather import ListedFeed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kiosque.model import Outlet

COLUMNS = ("slug", "name", "site", "country", "region", "timezone", "language", "tags", "feeds", "news_sitemaps")
# Other names for the columns of feeds and sites that lists of feeds have.
FEED_COLUMNS = ("feeds", "feed", "feed_url", "xmlurl", "rss")
SITE_COLUMNS = ("site", "htmlurl", "homepage", "website")
MOST_BYTES = 5_000_000
MOST_ROWS = 20_000
# A spreadsheet takes a cell that starts so for a formula; an apostrophe before it keeps it a text.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_csv(outlets: Iterable[Outlet]) -> str:
    """Return a table of `COLUMNS`; tags and addresses of one cell stand apart by spaces."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(COLUMNS)
    for outlet in outlets:
        values = (getattr(outlet, column) for column in COLUMNS)
        writer.writerow([_cell(" ".join(v) if isinstance(v, tuple) else str(v or "")) for v in values])
    return table.getvalue()


def read_csv(body: bytes, *, name: str) -> tuple[ListedFeed, ...]:
    """Return the feeds of a table with a heading line; `name` is the file's, for errors.

    Comma, semicolon or tab; only a column of feeds is needed. Raises `OutletError` for what is no such table.
    """
    if len(body) > MOST_BYTES:
        raise OutletError(f"{name}: larger than {MOST_BYTES // 1_000_000} MB, which no list of feeds needs")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise OutletError(f"{name}: is not UTF-8 (at byte {error.start + 1}); save it as UTF-8") from error
    heading = text.partition("\n")[0]
    separator = max(",;\t", key=heading.count)
    try:
        rows = list(_rows(text, separator))
    except csv.Error as error:
        raise OutletError(f"{name}: is no table ({error})") from error
    if not {*FEED_COLUMNS, "news_sitemaps"} & {key for row in rows[:1] for key in row}:
        raise OutletError(f"{name}: has no column of feeds; the heading line must name one of {', '.join(COLUMNS)}")
    return tuple(feed for row in rows for feed in _feeds(row))


def _rows(text: str, separator: str) -> Iterator[dict[str, str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    heading = [cell.strip().lower() for cell in next(reader, [])]
    for number, row in enumerate(reader):
        if number == MOST_ROWS:
            return
        yield dict(zip(heading, map(_text, row), strict=False))


def _feeds(row: Mapping[str, str]) -> Iterator[ListedFeed]:
    feeds = [url for column in FEED_COLUMNS for url in row.get(column, "").split()]
    for url, is_sitemap in [*((u, False) for u in feeds), *((u, True) for u in row.get("news_sitemaps", "").split())]:
        yield ListedFeed(
            url=url,
            name=row.get("name", "") or row.get("title", ""),
            site=next((row[column] for column in SITE_COLUMNS if row.get(column)), ""),
            country=row.get("country", ""),
            timezone=row.get("timezone", ""),
            language=row.get("language", ""),
            region=row.get("region", ""),
            groups=tuple(row.get("tags", "").replace(",", " ").split()),
            is_sitemap=is_sitemap,
        )


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text


def _text(cell: str) -> str:
    return cell[1:].strip() if cell.startswith("'") and cell[1:].startswith(FORMULA) else cell.strip()
