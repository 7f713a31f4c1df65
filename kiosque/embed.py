"""One page read in somebody's own Python: the fields that `kiosque read --format json` prints."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from kiosque import __version__
from kiosque.errors import UsageError
from kiosque.model import Outlet, Page, Rejected
from kiosque.outlets import finder, load_outlets
from kiosque.records import record_to_dict
from pipelines import read_article
from pipelines.rights import rights_on_page
from pipelines.steps.revise import first_record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kiosque.model import Article


def read(
    html: str | bytes, url: str, *, outlet: str | Outlet | None = None, fetched_at: datetime | None = None
) -> dict[str, Any]:
    """Read a page; `kiosque.read` is this function, and tells what it takes and gives."""
    moment = fetched_at or datetime.now(UTC)
    if moment.tzinfo is None:
        raise UsageError("fetched_at: an instant needs its zone, as datetime.now(UTC) has")
    chosen = outlet if isinstance(outlet, Outlet) else _outlet(outlet, url)
    page = Page(
        url=url,
        final_url=url,
        headers=(("content-type", "text/html; charset=utf-8"),) if isinstance(html, str) else (),
        body=html.encode("utf-8", "surrogatepass") if isinstance(html, str) else bytes(html),
        fetched_at=moment,
    )
    return answer(read_article(page, chosen), chosen)


def answer(reading: Article | Rejected, outlet: Outlet) -> dict[str, Any]:
    """Return a reading as the fields of a record with its outcome."""
    if isinstance(reading, Rejected):
        return {"outcome": f"rejected:{reading.reason}", "url": reading.url, "detail": reading.detail}
    record = first_record(reading, outlet=outlet, rights=rights_on_page(reading, ()), version=__version__)
    return {"outcome": "new"} | record_to_dict(record)


def _outlet(slug: str | None, url: str) -> Outlet:
    outlets, of_url = _shipped()
    if slug is None:
        return of_url(url)
    if slug not in outlets:
        raise UsageError(f"no outlet is called {slug!r}; `kiosque outlets list` shows them all")
    return outlets[slug]


@cache
def _shipped() -> tuple[Mapping[str, Outlet], Callable[[str], Outlet]]:
    """Return the shipped outlets and the function that finds one by an address; their files are read once."""
    outlets = load_outlets(None)
    return outlets, finder(outlets)
