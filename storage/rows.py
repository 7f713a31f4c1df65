"""Records and frontier rows as table rows, and back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from kiosque.model import FeedEntry, Record
from kiosque.records import rights_from_dict, rights_to_dict
from storage import QueuedEntry

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLACED = {"id", "first_seen_at", "fetched_at", "urls", "authors", "tags", "rights"}
_PLAIN = tuple(name for name in Record.__dataclass_fields__ if name not in _PLACED)


def to_text(moment: datetime) -> str:
    """Write an instant so that texts sort as time."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def from_text(text: str) -> datetime:
    """Read what `to_text` wrote."""
    return datetime.fromisoformat(text)


def revision_row(record: Record) -> dict[str, Any]:
    """Return the record's row in `revisions`."""
    return {name: getattr(record, name) for name in _PLAIN} | {
        "id": record.id,
        "fetched_at": to_text(record.fetched_at),
        "authors": list(record.authors),
        "tags": list(record.tags),
        "rights": rights_to_dict(record.rights),
    }


def record_from(row: Any, urls: tuple[str, ...]) -> Record:
    """Return the record of a `revisions` row that carries its article's `first_seen_at`."""
    return Record(
        **{name: row[name] for name in _PLAIN},
        id=row["id"],
        urls=(row["url"], *(url for url in urls if url != row["url"])),
        authors=tuple(row["authors"]),
        tags=tuple(row["tags"]),
        rights=rights_from_dict(row["rights"]),
        fetched_at=from_text(row["fetched_at"]),
        first_seen_at=from_text(row["first_seen_at"]),
    )


def claim_text(entry: FeedEntry | None) -> str | None:
    """Write a feed's entry as JSON."""
    return msgspec.json.encode(entry).decode() if entry else None


def claim_changed(old: str | None, new: FeedEntry) -> bool:
    """Tell whether a feed speaks anew of an article: another title or another date.

    Summaries and pictures change with every share count and are no sign of an edit.
    """
    if old is None:
        return False
    before = msgspec.json.decode(old, type=FeedEntry)
    return (before.title, before.published, before.updated) != (new.title, new.published, new.updated)


def queued_from(row: Mapping[str, Any]) -> QueuedEntry:
    """Return the frontier entry of an `entries` row."""
    entry = msgspec.json.decode(row["claim"], type=FeedEntry) if row["claim"] else None
    return QueuedEntry(key=row["key"], outlet=row["outlet"], url=row["url"], entry=entry, attempts=row["attempts"])
