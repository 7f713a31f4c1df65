"""The application: pages, API, health checks and errors behind one guard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.exceptions import HTTPException

from kiosque import __version__
from kiosque.dashboard import api, article_pages, pages
from kiosque.dashboard.desk import At, Desk
from kiosque.dashboard.guard import Guard
from kiosque.dashboard.render import error_page
from kiosque.errors import KiosqueError, StorageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp

    from kiosque.dashboard.reread import Rereader
    from kiosque.model import Outlet
    from storage import Store

API = "/api/"
UNAVAILABLE, BAD_REQUEST = 503, 400


def make_app(
    store: Store, outlets: Mapping[str, Outlet], *, token: str | None = None, rereader: Rereader | None = None
) -> ASGIApp:
    """Return the application over a store and a rereader that the caller opened and closes.

    Without a token it answers only to the names of this machine; with one, to whoever shows it.
    """
    # The interactive documentation of FastAPI loads scripts from elsewhere: only the description is served.
    app = FastAPI(
        title="Kiosque",
        version=__version__,
        description="The records of a Kiosque store, read-only.",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.desk = Desk(store=store, outlets=outlets, rereader=rereader)
    app.include_router(api.router)
    app.include_router(pages.router)
    app.include_router(article_pages.router)
    app.add_api_route("/healthz", healthz, methods=["GET"], include_in_schema=False)
    app.add_api_route("/readyz", readyz, methods=["GET"], include_in_schema=False)
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(KiosqueError, on_trouble)
    return Guard(app, token=token)


def healthz() -> PlainTextResponse:
    """Tell that the process answers."""
    return PlainTextResponse("ok\n")


def readyz(desk: At) -> PlainTextResponse:
    """Tell whether the store answers too: 200, or 503 by the error handler."""
    desk.store.last_change()
    return PlainTextResponse("ready\n")


def on_http_error(request: Request, error: Exception) -> Response:
    """Answer what does not exist, or is not to be done."""
    status = error.status_code if isinstance(error, HTTPException) else UNAVAILABLE
    detail = error.detail if isinstance(error, HTTPException) else ""
    headers = error.headers if isinstance(error, HTTPException) else None
    return _answer(request, status, detail, headers)


def on_invalid(request: Request, error: Exception) -> Response:
    """Answer a parameter that cannot be: which one, and why; what was given is not repeated."""
    given = error.errors() if isinstance(error, RequestValidationError) else []
    said = "; ".join(f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}" for one in given[:5])
    return _answer(request, 422, said)


def on_trouble(request: Request, error: Exception) -> Response:
    """Answer when the store does not: the sentence that the command line would show."""
    status = UNAVAILABLE if isinstance(error, StorageError) else BAD_REQUEST
    if request.url.path == "/readyz":
        return PlainTextResponse("not ready\n", status_code=status)
    return _answer(request, status, str(error))


def _answer(request: Request, status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    if request.url.path.startswith(API):
        return JSONResponse({"detail": detail}, status_code=status, headers=headers)
    return error_page(request, status, detail, headers)
