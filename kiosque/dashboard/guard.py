"""The guard before every page: who may ask, and the headers that each answer carries."""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Scripts and styles come from our own files alone, none stands in a page; nothing is loaded from elsewhere, asked
# elsewhere or framed, and forms lead here only.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",  # browsers that know no frame-ancestors
    "Referrer-Policy": "no-referrer",  # outlets need not learn where their reader's dashboard is
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Robots-Tag": "noindex, nofollow",
}
# Whoever starts containers asks these, and learns nothing else.
OPEN = frozenset({"/healthz", "/readyz"})
LONGEST_QUERY = 4_096


class Guard:
    """An ASGI application around another one."""

    def __init__(self, app: ASGIApp, *, token: str | None) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or hand on; `HEAD` is answered as `GET`, whose body the server leaves out."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "private, no-store")
            await send(message)

        refused = self._refused(scope)
        if refused is not None:
            await refused(scope, receive, send_with_headers)
        else:
            asked = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
            await self._app(asked, receive, send_with_headers)

    def _refused(self, scope: Scope) -> PlainTextResponse | None:
        headers = Headers(scope=scope)
        if len(scope.get("query_string", b"")) > LONGEST_QUERY:
            return PlainTextResponse("The address is too long.\n", status_code=414)
        if scope["path"] in OPEN:
            return None
        if self._token is None:
            # A page elsewhere could give this machine's address a name of its own, and read with the reader's browser.
            if is_this_machine(headers.get("host", "")):
                return None
            return PlainTextResponse("This dashboard answers to localhost only.\n", status_code=421)
        if shows(headers.get("authorization", ""), self._token):
            return None
        ask = {"WWW-Authenticate": 'Basic realm="Kiosque", charset="UTF-8"'}
        return PlainTextResponse("A token is needed, as a bearer or as the password.\n", status_code=401, headers=ask)


def is_this_machine(host: str) -> bool:
    """Tell whether a `Host` header is a name of this machine.

    >>> [is_this_machine(host) for host in ("localhost:8484", "127.0.0.1", "[::1]:80", "evil.example:8484", "")]
    [True, True, True, False, False]
    """
    name = host[: host.find("]") + 1] if host.startswith("[") else host.partition(":")[0]
    if name.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


def shows(authorization: str, token: str) -> bool:
    """Tell whether an `Authorization` header shows the token, as `Bearer` or as the password of `Basic`."""
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() == "basic":
        try:
            given = base64.b64decode(given, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError, ValueError):
            return False
    elif scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(given.strip().encode(), token.encode())
