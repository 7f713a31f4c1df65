"""Why a fetch brought nothing: Scrapy's and Twisted's errors as outcomes."""

from __future__ import annotations

import zlib
from gzip import BadGzipFile
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
from spiders.transport import CodingsError, HeaderFloodError

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
    (zlib.error, "content-encoding"),
    (EOFError, "content-encoding"),
    (BadGzipFile, "content-encoding"),
    (DownloadFailedError, "connection"),
)


def outcome_of(failure: Failure, url: str) -> str:
    """Return the outcome slug of a failed fetch: `blocked:...` or `failed:...`."""
    error = failure.value
    if isinstance(error, Blocked):
        return f"blocked:{error.reason}"
    if isinstance(error, CodingsError):
        return "failed:content-encoding"
    if isinstance(error, IgnoreRequest):
        return _ignored(str(error))
    if _is_flood(error):
        return "failed:headers"
    reason = next((slug for kind, slug in REASONS if isinstance(error, kind)), "error")
    if reason == "dns" and (urlsplit(url).hostname or "") in refused_names:
        return "blocked:private-address"
    return f"failed:{reason}"


def _is_flood(error: BaseException | None) -> bool:
    """Tell whether Twisted gave up because of endless headers; it keeps the reason deep inside."""
    reasons = getattr(error and error.__cause__, "reasons", None) or ()
    return any(reason.check(HeaderFloodError) for reason in reasons)


def _ignored(message: str) -> str:
    # Scrapy's own middlewares tell why in words only.
    if "redirections" in message:
        return "failed:redirect-loop"
    return "failed:too-large" if "DOWNLOAD_MAXSIZE" in message else "failed:ignored"


def may_pass(failure: Failure) -> bool:
    """Tell whether a block is a matter of time."""
    return isinstance(failure.value, Blocked) and failure.value.passing
