"""What a stranger's server may answer to hurt us: each a function of small_site's handler."""

from __future__ import annotations

import gzip
import time
import zlib

import brotli
from small_site import PAGE

MEGABYTE = 1_000_000


def headers(handler, *pairs, status=200):
    handler.send_response(status)
    for name, value in pairs:
        handler.send_header(name, value)
    handler.end_headers()


def packed(body, coding, kind=PAGE):
    """Answer with a body that is packed already."""

    def answer(handler):
        length = ("Content-Length", str(len(body)))
        headers(handler, ("Content-Type", kind), ("Content-Encoding", coding), length)
        handler.wfile.write(body)

    return answer


def gzip_bomb(kind=PAGE):
    return packed(gzip.compress(b"<p>" + bytes(200 * MEGABYTE), 9), "gzip", kind)


def brotli_bomb():
    return packed(brotli.compress(b"<p>" + bytes(200 * MEGABYTE), quality=5), "br")


def deflate_bomb():
    return packed(zlib.compress(bytes(200 * MEGABYTE), 9), "deflate")


def many_codings():
    body = b"<html></html>"
    for _ in range(50):
        body = gzip.compress(body)
    return packed(body, ", ".join(["gzip"] * 50))


def not_gzip():
    return packed(b"<html>rien de comprime</html>", "gzip")


def _for_ever(handler, piece, pause=0.0):
    """Write until the client goes away; a minute is far beyond every limit."""
    end = time.monotonic() + 60
    try:
        while time.monotonic() < end:
            handler.wfile.write(piece)
            time.sleep(pause)
    except OSError:
        pass
    handler.close_connection = True


def endless_chunks(handler):
    headers(handler, ("Content-Type", PAGE), ("Transfer-Encoding", "chunked"))
    _for_ever(handler, b"%x\r\n%s\r\n" % (50_000, b"x" * 50_000))


def slow_drip(handler):
    headers(handler, ("Content-Type", PAGE), ("Content-Length", "1000000"))
    _for_ever(handler, b"x", pause=0.1)


def slow_headers(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    _for_ever(handler, b"X-Encore: 1\r\n", pause=0.1)


def header_flood(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    _for_ever(handler, b"X-Encore: %s\r\n" % (b"x" * 8_000))


def continue_flood(handler):
    _for_ever(handler, b"HTTP/1.1 100 Continue\r\n\r\n" * 100)


def cut_short(handler):
    headers(handler, ("Content-Type", PAGE), ("Content-Length", "100000"))
    handler.wfile.write(b"<html><body>coup")
    handler.close_connection = True


def no_http(handler):
    handler.wfile.write(b"SSH-2.0-OpenSSH_9.6\r\n")
    handler.close_connection = True


def redirect(target):
    def answer(handler):
        headers(handler, ("Location", target), ("Content-Length", "0"), status=302)

    return answer
