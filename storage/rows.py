"""Records and frontier rows as table rows, and back."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec

from kiosque.model import FeedEntry, Record
from kiosque.records import rights_from_dict, rights_to_dict
from storage import QueuedEntry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kiosque.model import Rights

_PLACED = {"id", "first_seen_at", "fetched_at", "urls", "authors", "tags", "rights", "cluster"}
_PLAIN = tuple(name for name in Record.__dataclass_fields__ if name not in _PLACED)
_plain_values = attrgetter(*_PLAIN)
_NO_TEXT = {"revision", "published_confidence", "paywalled", "word_count"}
_texts = attrgetter(*(name for name in _PLAIN if name not in _NO_TEXT))
REVISION_NAMES = (*_PLAIN, "id", "fetched_at", "authors", "tags", "rights", "change")
LONGEST_LANGUAGE = 35
# PostgreSQL cannot index more than 2,704 bytes, and key and URL stand in one index. Addresses are far shorter; a key
# beyond this is hashed.
LONGEST_KEY = 1_000
LONGEST_URL = 1_600


@lru_cache(maxsize=512)  # a batch writes each of its instants several times
def to_text(moment: datetime) -> str:
    """Write an instant so that texts sort as time."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def from_text(text: str) -> datetime:
    """Read what `to_text` wrote."""
    return datetime.fromisoformat(text)


def storable(value: Any) -> Any:
    r"""Return a text without what a database cannot hold: NUL (PostgreSQL) and halves of surrogate pairs.

    >>> storable("a\x00b\ud800c")
    'ab?c'
    """
    if not isinstance(value, str) or (value.isascii() and "\x00" not in value) or _is_storable(value):
        return value
    return _without_the_rest(value)


def _is_storable(text: str) -> bool:
    if "\x00" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _without_the_rest(text: str) -> str:
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


@lru_cache(maxsize=512)  # a batch writes each of its keys several times
def short_key(key: str) -> str:
    """Return a key as the database has it: itself, or a hash of one that no index could take.

    >>> short_key("https://exemple.fr/a")
    'https://exemple.fr/a'
    """
    key = storable(key)
    raw = key.encode()
    return key if len(raw) <= LONGEST_KEY else f"long:{hashlib.blake2b(raw, digest_size=20).hexdigest()}"


def mark(text: str) -> str:
    """Return a hash that stands for a text, 24 hexadecimal digits."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def revision_row(record: Record) -> dict[str, Any]:
    """Return the record's row in `revisions`."""
    row = dict(zip(_PLAIN, _plain_values(record), strict=True))
    authors, tags = list(record.authors), list(record.tags)
    if not _is_storable("".join([*filter(None, _texts(record)), *authors, *tags])):
        row = {name: storable(value) for name, value in row.items()}
        authors, tags = list(map(storable, authors)), list(map(storable, tags))
    row["id"] = record.id
    row["language"] = row["language"][:LONGEST_LANGUAGE]
    row["fetched_at"] = to_text(record.fetched_at)
    row["authors"], row["tags"] = authors, tags
    row["rights"] = rights_to_dict(record.rights)
    return row


def revision_values(record: Record, number: int) -> tuple[Any, ...]:
    """Return the same row, made by a change, as values in the order of `REVISION_NAMES`, lists and rights as JSON.

    That a text holds half a surrogate pair is left for the driver to find, by a `UnicodeEncodeError` as it may come
    from here: it encodes every text anyhow.
    """
    authors, tags = msgspec.json.encode(record.authors).decode(), msgspec.json.encode(record.tags).decode()
    said = [*filter(None, _texts(record)), authors, tags]
    if len(record.language) > LONGEST_LANGUAGE or [text for text in said if "\x00" in text or "\\u0000" in text]:
        return sound_values(record, number)
    placed = (record.id, to_text(record.fetched_at), authors, tags, _rights_text(record.rights), number)
    return (*_plain_values(record), *placed)


def sound_values(record: Record, number: int) -> tuple[Any, ...]:
    """Return what `revision_values` does, of any record."""
    row = revision_row(record) | {"change": number}
    for name in ("authors", "tags", "rights"):
        row[name] = msgspec.json.encode(row[name]).decode()
    return tuple(row[name] for name in REVISION_NAMES)


@lru_cache(maxsize=512)  # an outlet says the same of all its pages
def _rights_text(rights: Rights) -> str:
    return msgspec.json.encode(rights_to_dict(rights)).decode()


def record_from(row: Any, urls: tuple[str, ...]) -> Record:
    """Return the record of a `revisions` row that carries its article's `first_seen_at` and `cluster`."""
    return Record(
        **{name: row[name] for name in _PLAIN},
        id=row["id"],
        urls=(row["url"], *(url for url in urls if url != row["url"])),
        authors=tuple(row["authors"]),
        tags=tuple(row["tags"]),
        rights=rights_from_dict(row["rights"]),
        fetched_at=from_text(row["fetched_at"]),
        first_seen_at=from_text(row["first_seen_at"]),
        cluster=row["cluster"],
    )


def claim_text(entry: FeedEntry | None) -> str | None:
    """Write a feed's entry as JSON."""
    if entry is None:
        return None
    try:
        return msgspec.json.encode(entry).decode()
    except UnicodeEncodeError:  # half a surrogate pair
        clean = replace(entry, **{name: _storable_all(getattr(entry, name)) for name in entry.__dataclass_fields__})
        return msgspec.json.encode(clean).decode()


def _storable_all(value: Any) -> Any:
    return tuple(map(storable, value)) if isinstance(value, tuple) else storable(value)


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
