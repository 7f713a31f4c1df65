"""Answers /metrics, /healthz and /readyz from a thread of its own: a hanging event loop cannot say that it hangs."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from kiosque.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

OK, NOT_FOUND, UNAVAILABLE = 200, 404, 503
PLAIN = "text/plain; charset=utf-8"
METRICS = "text/plain; version=0.0.4; charset=utf-8"
IDLE_SECONDS = 10.0
# Requests answered at once; the next ones wait in the system's queue.
MOST = 8

Answer = tuple[int, str, bytes]


class Probes:
    """A small HTTP server; `answers` are its paths."""

    def __init__(self, listen: str, answers: dict[str, Callable[[], Answer]]) -> None:
        """Bind to HOST:PORT. Raises `UsageError` when that cannot be had."""
        host, _, port = listen.rpartition(":")
        try:
            self._server = _Server((host.strip("[]"), int(port)), answers)
        except (OSError, OverflowError) as error:
            raise UsageError(f"metrics.listen: {listen} cannot be used: {error}") from error
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.2,), daemon=True, name="probes")
        self._thread.start()

    @property
    def port(self) -> int:
        """The port that was bound."""
        return int(self._server.server_address[1])

    def close(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=2)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], answers: dict[str, Callable[[], Answer]]) -> None:
        self.answers = answers
        self._places = threading.BoundedSemaphore(MOST)
        if ":" in address[0]:
            import socket  # noqa: PLC0415 - IPv6 only

            self.address_family = socket.AF_INET6
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread, as long as there is room."""
        if not self._places.acquire(timeout=IDLE_SECONDS):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer one, and make room."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that went away."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version = "Kiosque"
    sys_version = ""
    timeout = IDLE_SECONDS

    def do_GET(self) -> None:
        """Answer a question."""
        answer = self.server.answers.get(self.path.partition("?")[0])
        status, kind, body = answer() if answer is not None else (NOT_FOUND, PLAIN, b"nothing here\n")
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815 - the base class names it

    def log_message(self, *_: Any) -> None:
        """Write nothing: a question every few seconds is no event."""


def state_answer(trouble: Callable[[], str]) -> Callable[[], Answer]:
    """Return the answer of a state: 200 and `ok`, or 503 and what is wrong."""

    def answer() -> Answer:
        wrong = trouble()
        return (UNAVAILABLE, PLAIN, f"{wrong}\n".encode()) if wrong else (OK, PLAIN, b"ok\n")

    return answer
