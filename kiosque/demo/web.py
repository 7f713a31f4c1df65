"""The HTTP side of the demo press: conditions, compression, HEAD, a log, and a prompt stop."""

from __future__ import annotations

import gzip
import hashlib
import socket
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kiosque.demo.newsroom import Reply

WORTH_COMPRESSING = 256  # bytes; below this gzip makes an answer longer
POLL_SECONDS = 0.02  # how long `stop` may wait for the accepting loop
IDLE_SECONDS = 30.0  # a kept-alive connection that says nothing is closed

Answer = tuple[int, dict[str, str], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedRequest:
    """A request as the press saw it; header names in lower case."""

    method: str
    host: str
    """Host and port of the outlet that was asked."""
    path: str
    """Path with its query, as asked."""
    status: int
    headers: Mapping[str, str]


class OutletServer(ThreadingHTTPServer):
    """One outlet's server, with its open connections at hand so that it can stop at once."""

    daemon_threads = True

    def __init__(
        self, address: tuple[str, int], *, reply: Callable[[str], Reply], log: Callable[[LoggedRequest], None]
    ) -> None:
        """Bind at once; `reply` answers a path with its query."""
        self.reply = reply
        self.log = log
        self._open: dict[socket.socket, threading.Thread] = {}
        self._lock = threading.Lock()
        self._loop: threading.Thread | None = None
        super().__init__(address, _Handler)

    @property
    def host_port(self) -> str:
        """Host and port really bound: `127.0.0.1:40123`."""
        host, port = self.server_address[:2]
        return f"{host!s}:{port}"

    def start(self) -> None:
        """Accept connections in a thread of its own."""
        self._loop = threading.Thread(target=self.serve_forever, args=(POLL_SECONDS,), daemon=True)
        self._loop.start()

    def stop(self) -> None:
        """Stop accepting, cut the open connections, wait for their threads."""
        if self._loop is not None:
            self.shutdown()
            self._loop.join()
        self.server_close()
        with self._lock:
            left = dict(self._open)
        for connection in left:
            with suppress(OSError):  # the client may have gone first
                connection.shutdown(socket.SHUT_RDWR)
        for thread in left.values():
            thread.join()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread that `stop` can find."""
        thread = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        with self._lock:
            self._open[request] = thread
        thread.start()

    def shutdown_request(self, request: Any) -> None:
        """Close a connection and forget it."""
        super().shutdown_request(request)
        with self._lock:
            self._open.pop(request, None)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that went away in mid-answer; anything else is reported as usual."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """One connection, kept alive."""

    protocol_version = "HTTP/1.1"
    server_version = "KiosqueDemoPress"
    sys_version = ""
    timeout = IDLE_SECONDS
    # Headers and body are two writes: with Nagle's wait each answer would take 40 ms.
    disable_nagle_algorithm = True
    server: OutletServer

    def do_GET(self) -> None:
        self._respond()

    def do_HEAD(self) -> None:
        self._respond()

    def _respond(self) -> None:
        asked = {name.lower(): value for name, value in self.headers.items()}
        status, headers, body = answer(self.server.reply(self.path), asked)
        # The log comes first: whoever has read the answer finds it there.
        self.server.log(
            LoggedRequest(method=self.command, host=self.server.host_port, path=self.path, status=status, headers=asked)
        )
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class names it
        """Write nothing: the press keeps a log of its own."""


def answer(reply: Reply, asked: Mapping[str, str]) -> Answer:
    """Return status, headers and body for a reply under the request's conditions (RFC 9110)."""
    if reply.location is not None:
        return reply.status, {"Location": reply.location, "Content-Length": "0"}, b""
    body = reply.body.encode()
    compress = len(body) >= WORTH_COMPRESSING and takes_gzip(asked.get("accept-encoding", ""))
    validators = _validators(reply, body, compressed=compress)
    if reply.status == HTTPStatus.OK and is_unchanged(asked, validators):
        return HTTPStatus.NOT_MODIFIED, validators, b""
    if compress:
        body = gzip.compress(body, mtime=0)
        validators["Content-Encoding"] = "gzip"
    return reply.status, validators | {"Content-Type": reply.content_type, "Content-Length": str(len(body))}, body


def _validators(reply: Reply, body: bytes, *, compressed: bool) -> dict[str, str]:
    headers = {"Vary": "Accept-Encoding", "Cache-Control": "max-age=0, must-revalidate"}
    if reply.status == HTTPStatus.OK:
        # A strong tag names bytes, so each encoding has its own.
        headers["ETag"] = f'"{hashlib.sha256(body).hexdigest()[:20]}{"-gzip" if compressed else ""}"'
    if reply.last_modified is not None:
        headers["Last-Modified"] = format_datetime(reply.last_modified.astimezone(UTC), usegmt=True)
    return headers


def takes_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding header allows gzip.

    >>> takes_gzip("br, gzip;q=0.8"), takes_gzip("gzip;q=0"), takes_gzip("")
    (True, False, False)
    """
    for part in accepted.lower().split(","):
        coding, _, weight = part.partition(";")
        if coding.strip() in {"gzip", "*"}:
            return weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False


def is_unchanged(asked: Mapping[str, str], current: Mapping[str, str]) -> bool:
    """Whether the asker has this version already; If-None-Match outranks If-Modified-Since."""
    if "if-none-match" in asked:
        known = {tag.strip().removeprefix("W/") for tag in asked["if-none-match"].split(",")}
        return "*" in known or current.get("ETag") in known
    since, last = _http_date(asked.get("if-modified-since")), _http_date(current.get("Last-Modified"))
    return since is not None and last is not None and last <= since


def _http_date(text: str | None) -> datetime | None:
    with suppress(ValueError, TypeError, OverflowError):
        when = parsedate_to_datetime(text or "")
        return when if when.tzinfo else when.replace(tzinfo=UTC)
    return None
