"""Why a fetch brought nothing: Scrapy's and Twisted's errors as outcomes."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
    UnsupportedURLSchemeError,
)
from twisted.internet.error import DNSLookupError, TCPTimedOutError
from twisted.internet.error import TimeoutError as TwistedTimeoutError

from spiders.guard import Blocked, refused_names

if TYPE_CHECKING:
    from twisted.python.failure import Failure

REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (DownloadTimeoutError, "timeout"),
    (TwistedTimeoutError, "timeout"),
    (TCPTimedOutError, "timeout"),
    (TimeoutError, "timeout"),
    (CannotResolveHostError, "dns"),
    (DNSLookupError, "dns"),
    (DownloadConnectionRefusedError, "refused"),
    (DownloadCancelledError, "too-large"),
    (ResponseDataLossError, "cut-short"),
    (UnsupportedURLSchemeError, "scheme"),
    (DownloadFailedError, "connection"),
)


def outcome_of(failure: Failure, url: str) -> str:
    """Return the outcome slug of a failed fetch: `blocked:...` or `failed:...`."""
    error = failure.value
    if isinstance(error, Blocked):
        return f"blocked:{error.reason}"
    if isinstance(error, IgnoreRequest):
        return _ignored(str(error))
    reason = next((slug for kind, slug in REASONS if isinstance(error, kind)), "error")
    if reason == "dns" and (urlsplit(url).hostname or "") in refused_names:
        return "blocked:private-address"
    return f"failed:{reason}"


def _ignored(message: str) -> str:
    # Scrapy's own middlewares tell why in words only.
    if "robots.txt" in message:
        return "blocked:robots"
    return "failed:too-large" if "DOWNLOAD_MAXSIZE" in message else "failed:ignored"
