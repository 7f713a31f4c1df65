"""Kiosque: the French-language press on the web as a clean, dated, deduplicated dataset."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from kiosque.model import Outlet

    __version__: str

__all__ = ["__version__", "read"]


def read(
    html: str | bytes, url: str, *, outlet: str | Outlet | None = None, fetched_at: datetime | None = None
) -> dict[str, Any]:
    """Read a page as an article: the fields of a record with its `outcome`, as `kiosque read --format json` has them.

    `html` is the page's text, or its bytes as they came (their encoding is found out); `url` its address,
    absolute; `outlet` the slug of a shipped outlet or an `Outlet` of your own (by default the one whose host
    it is); `fetched_at` the instant, with a zone, from which "il y a 2 heures" counts (by default now).

    What is no article gives `{"outcome": "rejected:REASON", "url": ..., "detail": ...}`. Raises `UsageError`
    for a slug that is not there and an instant without a zone, never for a page. Nothing is fetched or stored.
    It runs in your process, without the time and memory limits that `kiosque read` gives a hostile page.
    """
    # By name when it is called: `import kiosque` must cost next to nothing, and the vocabulary below know no steps.
    found: dict[str, Any] = import_module("kiosque.embed").read(html, url, outlet=outlet, fetched_at=fetched_at)
    return found


def __getattr__(name: str) -> str:
    """Find out the version when it is asked for: looking costs 25 ms, and `kiosque date` has no use for it."""
    if name != "__version__":
        raise AttributeError(name)
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

    try:
        found = version("kiosque")
    except PackageNotFoundError:  # a source tree that was never installed
        found = "0+unknown"
    globals()["__version__"] = found
    return found
