"""What a reading brings: when its entries were published, and whether they are others than before."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kiosque.feeds import FeedReading

_MOST = 1_000


def published_instants(reading: FeedReading, *, now: datetime) -> list[datetime]:
    """Return the instants in the past that the entries' dates name in a standard form.

    Near enough for a rhythm, and for nothing else: an unknown zone is read as UTC, a date in words is left out.
    """
    texts = (entry.published or entry.updated for entry in reading.entries[:_MOST])
    instants = (_instant(text) for text in texts if text)
    return [instant for instant in instants if instant is not None and instant <= now]


def addresses_hash(reading: FeedReading) -> str:
    """Return a short hash of the entries' addresses, whatever their order."""
    addresses = sorted({*reading.sitemaps, *(entry.url for entry in reading.entries)})
    return hashlib.sha256("\n".join(addresses).encode("utf-8", errors="replace")).hexdigest()[:16]


def _instant(text: str) -> datetime | None:
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            instant = read(text)
            return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
    return None
