"""What an export takes from a batch: the rows that pass its filters, and the columns that only columnar files have."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import compress
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from storage import Batch, Change

DAY = len("2024-10-25")
MONTH = len("2024-10")
SECONDS = len("2024-10-25T05:12:07")
LISTS = ("authors", "tags", "urls")
# The month of an article that nobody dates.
UNDATED = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which records an export holds."""

    include_reserved: bool = False
    """Also those whose publisher reserves text and data mining."""
    one_per_cluster: bool = False
    """Only the earliest of each group of near-duplicates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """A batch as an export with its filters sees it."""

    batch: Batch
    columns: Mapping[str, Sequence[Any]]
    kept: Sequence[bool]
    """Of each row that the batch has."""
    reserved: int = 0
    """Rows left out because they are reserved."""
    duplicates: int = 0
    """Rows left out because an earlier one stands for them."""

    @property
    def changes(self) -> tuple[Change, ...]:
        """What an earlier export may hold and this one leaves out is deleted for its readers."""
        standing = (change for change in self.batch.changes if change.kind != "deleted")
        changes = [
            change if stays else type(change)(number=change.number, id=change.id, revision=0, kind="deleted")
            for change, stays in zip(standing, self.kept, strict=True)
            if stays or change.kind != "new"
        ]
        return (*changes, *(change for change in self.batch.changes if change.kind == "deleted"))


def select_rows(batch: Batch, filters: Filters) -> Selected:
    """Apply the filters."""
    columns = batch.columns
    rows = len(columns["id"]) if columns else 0
    reserved = _reserved(listed(columns["rights"])) if rows and not filters.include_reserved else [False] * rows
    doubled = [False] * rows
    if rows and filters.one_per_cluster:
        ids, clusters = listed(columns["id"]), listed(columns["cluster"])
        doubled = [
            cluster != id_ and not kept_out for id_, cluster, kept_out in zip(ids, clusters, reserved, strict=True)
        ]
    kept = [not (one or other) for one, other in zip(reserved, doubled, strict=True)]
    if not all(kept):
        columns = {name: _kept(values, kept) for name, values in columns.items()}
    return Selected(batch=batch, columns=columns, kept=kept, reserved=sum(reserved), duplicates=sum(doubled))


def listed(values: Any) -> Sequence[Any]:
    """Return a column's values as Python's, Arrow's as `bytes`."""
    given: Sequence[Any] = values.to_pylist() if hasattr(values, "to_pylist") else values
    return given


def _kept(values: Any, kept: Sequence[bool]) -> Any:
    return (
        values.take(list(compress(range(len(kept)), kept))) if hasattr(values, "take") else list(compress(values, kept))
    )


def _reserved(rights: Sequence[str | bytes]) -> list[bool]:
    """Tell of each row whether its publisher reserves text and data mining."""
    said = {text: msgspec.json.decode(text).get("tdm_reserved") is True for text in set(rights)}
    return [said[text] for text in rights]


def plain(columns: Mapping[str, Sequence[Any]]) -> dict[str, Sequence[Any]]:
    """Return columns (see `storage.Batch`) with the values that JSON has."""
    if not columns.get("id"):
        return dict(columns)
    said = {text: msgspec.json.decode(text) for text in set(columns["rights"])}
    made: dict[str, Sequence[Any]] = {name: text_column(values) for name, values in columns.items()}
    made |= decoded_lists(columns)
    made["rights"] = [said[text] for text in columns["rights"]]
    made["paywalled"] = list(map(bool, columns["paywalled"]))
    for name in ("fetched_at", "first_seen_at"):
        made[name] = [f"{moment[:SECONDS]}Z" for moment in made[name]]
    return made


def text_column(values: Sequence[Any]) -> Sequence[Any]:
    """Return a column with its UTF-8 decoded, as far as it is."""
    return [value.decode("utf-8", "replace") if isinstance(value, bytes) else value for value in listed(values)]


def decoded_lists(columns: Mapping[str, Sequence[Any]]) -> dict[str, list[list[str]]]:
    """Return the columns that are lists; in `urls` the record's own stands first, the others in order."""
    lists = {name: decoded(columns[name]) for name in LISTS}
    return lists | {"urls": all_urls(columns["url"], lists["urls"])}


def all_urls(mains: Sequence[Any], others: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return each article's addresses, its own first and the others in order."""
    return [
        [url, *sorted({*rest} - {url})] if rest else [url] for url, rest in zip(text_column(mains), others, strict=True)
    ]


def decoded(texts: Iterable[str | bytes | None]) -> list[list[str]]:
    """Read JSON lists, all of them at once."""
    joined = b",".join(text.encode() if isinstance(text, str) else text or b"[]" for text in texts)
    found: list[list[str]] = msgspec.json.decode(b"[%b]" % joined)
    return found


def with_dates(columns: Mapping[str, Sequence[Any]]) -> dict[str, Sequence[Any]]:
    """Add `published_at`, `published_on` and `published_month`."""
    published = columns["published"]
    return dict(columns) | {
        "published_at": list(map(published_at, published)),
        "published_on": list(map(published_on, published)),
        "published_month": list(map(published_month, published)),
    }


def published_at(published: str | None) -> datetime | None:
    """Return the instant in UTC, None where only a day is known.

    >>> published_at("2024-10-25T07:12:00+02:00")
    datetime.datetime(2024, 10, 25, 5, 12, tzinfo=datetime.timezone.utc)
    >>> published_at("2024-10-25")
    """
    if published is None or len(published) <= DAY:
        return None
    try:
        moment = datetime.fromisoformat(published)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def published_on(published: str | None) -> date | None:
    """Return the day in the outlet's own time zone.

    >>> published_on("2024-10-25T00:12:00+02:00")
    datetime.date(2024, 10, 25)
    """
    try:
        return date.fromisoformat(published[:DAY]) if published else None
    except ValueError:
        return None


def published_month(published: str | None) -> str:
    """Return the month that a record is filed under.

    >>> published_month("2024-10-25"), published_month(None)
    ('2024-10', 'unknown')
    """
    return published[:MONTH] if published_on(published) and published else UNDATED
