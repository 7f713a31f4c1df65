"""`kiosque dashboard`: a window to look into the store, and its API."""

from __future__ import annotations

import ipaddress
import os
import signal
import socket
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kiosque.errors import KiosqueError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp
    from uvicorn import Server

    from kiosque.settings import Settings

TOKEN = "KIOSQUE_DASHBOARD_TOKEN"  # noqa: S105 - the variable's name
SHORTEST_TOKEN = 16
LONGEST_TOKEN_FILE = 4_096
# Requests under way at once; more are told to come back.
MOST_REQUESTS = 64
# Seconds that answers under way get at the end.
STOP_TIME = 5


def dashboard(
    context: typer.Context,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 takes a free one")] = 8484,
    host: Annotated[str, typer.Option(help="The address to listen on; another than this machine needs a token")] = (
        "127.0.0.1"
    ),
    token_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help=f"Holds the token; else the environment's {TOKEN}")
    ] = None,
) -> None:
    """Serve the dashboard and the API, read-only, until Ctrl-C.

    Example: kiosque dashboard --port 8484
    """
    from kiosque.cli.outlets_home import settings_of

    token = read_token(token_file)
    if token is None and not is_loopback(host):
        raise UsageError(
            f"--host {host}: others could read it all; put a token of {SHORTEST_TOKEN} characters or more into {TOKEN}"
            " or a --token-file"
        )
    need_packages()
    settings = settings_of(context)
    listening = listen(host, port)
    try:
        with opened_app(settings, token=token) as app:
            serve(app, listening)
    finally:
        listening.close()


def need_packages() -> None:
    """Raise `UsageError` where the dashboard's packages are not installed."""
    try:
        import fastapi  # noqa: F401 - whether it is there
        import jinja2  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise UsageError(
            f"the dashboard needs more packages ({error.name}): pip install 'kiosque[dashboard]'"
        ) from error


@contextmanager
def opened_app(settings: Settings, *, token: str | None = None) -> Iterator[ASGIApp]:
    """Return the application over a home's store and archive; both are let go of at the end."""
    from kiosque.dashboard import make_app
    from kiosque.dashboard.reread import Rereader
    from kiosque.outlets import finder, load_outlets
    from pipelines.archivist import home_archive
    from storage import open_storage

    outlets = load_outlets(settings.outlets_dir)
    store = open_storage(settings.database)
    rereader = Rereader(
        home_archive(settings),
        outlet_of=finder(outlets),
        page_time=settings.page_time,
        page_memory=settings.page_memory,
    )
    try:
        yield make_app(store, outlets, token=token, rereader=rereader)
    finally:
        rereader.close()
        store.close()


def read_token(file: Path | None) -> str | None:
    """Return the token that readers must show, None when there is none. Raises `UsageError`."""
    if file is not None:
        try:
            with file.open(encoding="utf-8") as text:
                token = text.read(LONGEST_TOKEN_FILE).strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"--token-file {file}: {getattr(error, 'strerror', None) or 'it is no text'}") from error
        where = f"--token-file {file}"
    else:
        token, where = os.environ.get(TOKEN, "").strip(), TOKEN
        if not token:
            return None
    if len(token) < SHORTEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError(f"{where}: a token has at least {SHORTEST_TOKEN} letters, digits or signs, without spaces")
    return token


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach an address.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0"), is_loopback("example.org")
    (True, True, False, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listen(host: str, port: int) -> socket.socket:
    """Open the port. Raises `KiosqueError` in one sentence."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise KiosqueError(f"{host} port {port}: {why}; choose another with --port or --host") from error


def serve(app: ASGIApp, listening: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM; the latter is how a service ends, and no failure."""
    # uvicorn raises what it was ended by once more, when all answers are out: the worker is still to be let go of.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, interrupted)
    print(f"The dashboard is at {address(listening)} (Ctrl-C ends)", flush=True)
    server_of(app).run(sockets=[listening])


def interrupted(*_: object) -> None:
    """End at once: asyncio's own handler would cancel what has ended already, which once came to nothing."""
    raise KeyboardInterrupt


@contextmanager
def serving(app: ASGIApp, listening: socket.socket) -> Iterator[str]:
    """Serve in a thread of its own while the caller does something else; the address is what `with` gives."""
    server = server_of(app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="dashboard", daemon=True)
    thread.start()
    try:
        yield address(listening)
    finally:
        server.should_exit = True
        thread.join(timeout=2 * STOP_TIME)


def address(listening: socket.socket) -> str:
    """Return the address that a browser opens."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def server_of(app: ASGIApp) -> Server:
    """Return the server, not yet running."""
    from uvicorn import Config, Server

    return Server(
        Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            limit_concurrency=MOST_REQUESTS,
            timeout_graceful_shutdown=STOP_TIME,
        )
    )
