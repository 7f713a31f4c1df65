"""What Scrapy's responses say, in Kiosque's types."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kiosque.model import Page
from spiders.challenge import is_challenge

if TYPE_CHECKING:
    from scrapy.http import Response

    from kiosque.polling import FeedState, Poll

OK, NOT_MODIFIED = 200, 304
PERMANENT = {301, 308}
REDIRECTS = {301, 302, 303, 307, 308}
# What may come of a poll without anything being wrong: `same` is a whole answer that is the last one again.
FINE = {"parsed", "not-modified", "same"}


def headers_of(response: Response) -> tuple[tuple[str, str], ...]:
    """Return the headers, names in lower case."""
    return tuple(
        (name.decode("latin-1").lower(), value.decode("latin-1"))
        for name, values in response.headers.items()
        for value in values
    )


def page_of(response: Response, *, at: datetime | None = None) -> Page:
    """Return the page that a response brought; `at` is the time, now without it."""
    asked = response.request.url if response.request else response.url
    redirects = redirects_of(response)
    return Page(
        url=redirects[0] if redirects else asked,
        final_url=response.url,
        status=response.status,
        headers=headers_of(response),
        body=response.body,
        fetched_at=at or datetime.now(UTC),
    )


def no_page(response: Response) -> str | None:
    """Return the outcome of an answer that brings no page, None when it brings one."""
    if is_challenge(response.status, headers_of(response), response.body):
        return "failed:challenge"
    if response.status in REDIRECTS and response.headers.get("Location"):  # Scrapy follows http and https
        return "blocked:scheme"
    return None if response.status == OK else f"failed:status-{response.status}"


def redirects_of(response: Response) -> tuple[str, ...]:
    """Return the addresses that redirected on the way here."""
    return tuple(response.meta.get("redirect_urls", ()))


def permanently_moved(response: Response) -> bool:
    """Tell whether every redirect on the way here was a permanent one; False when there was none."""
    reasons = response.meta.get("redirect_reasons", ())
    return bool(reasons) and all(reason in PERMANENT for reason in reasons)


def poll_outcome(poll: Poll, state: FeedState) -> str:
    """Return what came of a poll of a feed in this state: one of `FINE`, `problem:REASON` or `failed:REASON`."""
    if poll.status is None:
        return f"failed:{poll.failure}"
    if poll.status == NOT_MODIFIED:
        return "not-modified"
    if poll.status != OK:
        return f"failed:status-{poll.status}"
    if poll.reading is None:
        return "same" if poll.body_hash == state.body_hash else "failed:unread"
    return "parsed" if poll.reading.parsed else f"problem:{poll.reading.problem}"
