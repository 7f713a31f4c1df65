"""How long a server asks to wait: Cache-Control, Retry-After, ttl, skipHours."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

DAY = 86_400.0

_MAX_AGE = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,12})", re.IGNORECASE)


def max_age(cache_control: str | None) -> float:
    """Return the seconds for which an answer is fresh, at most a day; 0 when nothing is said.

    >>> max_age("public, s-maxage=60, max-age=600")
    600.0
    """
    match = _MAX_AGE.search((cache_control or "")[:1_000])
    return min(float(match[1]), DAY) if match else 0.0


def retry_after(value: str | None, *, server_date: str | None, now: datetime) -> float | None:
    """Return the seconds that `Retry-After` asks for, at most a day; None when it is absent or unreadable.

    A date counts from the server's own `Date`: its clock may be wrong, the difference is not.

    >>> retry_after("120", server_date=None, now=datetime(2024, 10, 25, tzinfo=UTC))
    120.0
    """
    text = (value or "").strip()[:100]
    if text.isascii() and text.isdigit():
        return min(float(text), DAY)
    until = _http_date(text)
    if until is None:
        return None
    start = _http_date((server_date or "").strip()[:100]) or now
    return min(max((until - start).total_seconds(), 0.0), DAY)


def after_skips(due: datetime, *, hours: Collection[int], days: Collection[int], latest: datetime) -> datetime:
    """Move `due` past the hours and days (UTC, Monday is 0) that the feed asks to skip, never past `latest`.

    >>> due = datetime(2024, 10, 25, 2, 40, tzinfo=UTC)
    >>> after_skips(due, hours={2, 3}, days=(), latest=due + timedelta(days=1)).isoformat()
    '2024-10-25T04:00:00+00:00'
    """
    while due < latest and (due.hour in hours or due.weekday() in days):
        due = due.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return min(due, latest)


def _http_date(text: str) -> datetime | None:
    try:
        instant = parsedate_to_datetime(text)
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
