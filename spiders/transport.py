"""Answers within bounds: a header section has an end, and a body is not packed many times over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scrapy.core.downloader.handlers.http11 import (
    HTTP11DownloadHandler,
    _LenientHTTP11ClientFactory,
    _LenientHTTP11ClientProtocol,
    _LenientHTTPClientParser,
)
from scrapy.exceptions import IgnoreRequest

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

# Bytes of status lines and headers; browsers stop at 256 kB, servers send 8.
MOST_HEADERS = 131_072
# Codings on top of each other; each is opened within the size limit, and each takes its time.
MOST_CODINGS = 2


class HeaderFloodError(Exception):
    """The headers do not end."""


class CodingsError(IgnoreRequest):
    """A body packed many times over."""


class BoundedParser(_LenientHTTPClientParser):
    """Scrapy's parser, which stops when the headers grow too long."""

    def lineReceived(self, line: bytes) -> None:  # noqa: N802 - Twisted's name
        """Take a line of the status or the headers."""
        seen = self.__dict__.get("seen", 0) + len(line) + 1
        self.__dict__["seen"] = seen
        if seen > MOST_HEADERS:
            raise HeaderFloodError(f"more than {MOST_HEADERS} bytes of headers")
        super().lineReceived(line)


class BoundedProtocol(_LenientHTTP11ClientProtocol):
    """Scrapy's protocol with the bounded parser."""

    def request(self, request: Any) -> Any:
        """Send a request; the parser of its answer is made here."""
        answer = super().request(request)
        self._parser.__class__ = BoundedParser  # as Scrapy itself does: Twisted names its parser's class nowhere
        return answer


class BoundedFactory(_LenientHTTP11ClientFactory):
    """Makes bounded protocols."""

    def buildProtocol(self, addr: Any) -> Any:  # noqa: ARG002, N802 - Twisted's names
        """Make a protocol for a connection."""
        return BoundedProtocol(self._quiescentCallback)  # type: ignore[no-untyped-call]


class BoundedHandler(HTTP11DownloadHandler):
    """Scrapy's download handler over bounded connections."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._pool._factory = BoundedFactory  # noqa: SLF001 - Twisted's pool has no other way


class FewCodings:
    """Downloader middleware: refuses a body that was packed many times over, before it is opened."""

    def process_response(self, request: Request, response: Response) -> Response:  # noqa: ARG002 - Scrapy's names
        """Let an answer pass, or raise `CodingsError`."""
        codings = b",".join(response.headers.getlist("Content-Encoding")).split(b",")
        if len(codings) > MOST_CODINGS:
            raise CodingsError(f"packed {len(codings)} times over")
        return response
