"""The archivist: one thread that packs and keeps pages: the event loop never waits for a compressor or a disk."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from storage.archive import WarcArchive
from storage.distant_archive import DistantArchive

if TYPE_CHECKING:
    from datetime import date

    from kiosque.model import Page, Visit
    from kiosque.settings import Settings

# Pages that wait for the thread; the crawl waits when there are more.
MOST_WAITING = 16
# Where robots meta tags stand.
HEAD_BYTES = 200_000
# Who a page's orders are for: everybody, or us by name.
OUR_NAMES = {"robots", "kiosque"}
_META = re.compile(rb"<meta\b[^<>]{1,2000}>", re.IGNORECASE)
_ATTRIBUTE = re.compile(rb"""\b(name|content)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)


def open_archive(settings: Settings) -> Archivist | None:
    """Return the archivist of this home, None when its settings want no archive. Files are made with the first page.

    Raises `UsageError` where a library is missing that its object storage needs.
    """
    if not settings.archive_enabled:
        return None
    archive = home_archive(settings)
    if archive.away is not None:
        archive.away.check()
    return Archivist(archive)


def home_archive(settings: Settings) -> WarcArchive:
    """Return the page archive of this home."""
    return WarcArchive(
        settings.home / "archive",
        segment_mb=settings.archive_segment_mb,
        keep_days=settings.archive_keep_days,
        keep_gb=settings.archive_keep_gb,
        away=DistantArchive(settings.archive_folder) if settings.archive_folder else None,
    )


class Archivist:
    """Keeps the pages of a crawl."""

    def __init__(self, archive: WarcArchive) -> None:
        self._archive = archive
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="archivist")
        self._room = asyncio.Semaphore(MOST_WAITING)

    async def keep(self, visit: Visit) -> str | None:
        """Keep a visit's page: returns its pointer, None where there is none or it may not be kept.

        Raises StorageError when it could not be written.
        """
        page = visit.page
        if page is None:
            return None
        async with self._room:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._keep, page, visit)

    def _keep(self, page: Page, visit: Visit) -> str | None:
        if forbids_archive(page):
            return None
        return self._archive.append(page, outlet=visit.outlet.slug, entry=visit.entry, via=visit.via)

    async def prune(self, *, today: date, keep_days: int, keep_gb: float) -> list[str]:
        """Delete what the archive need not keep; return the files that went."""

        def tidy() -> list[str]:
            self._archive.keep(days=keep_days, gigabytes=keep_gb)
            return self._archive.prune(today=today)

        if self._archive.away is not None:  # a network's answer is nothing that pages should wait for
            return await asyncio.to_thread(tidy)
        return await asyncio.get_running_loop().run_in_executor(self._thread, tidy)

    @property
    def archive(self) -> WarcArchive:
        """Where the pages are."""
        return self._archive

    def close(self) -> None:
        """Finish what is being written, and make it durable."""
        self._thread.submit(self._archive.close).result()
        self._thread.shutdown()


def forbids_archive(page: Page) -> bool:
    """Tell whether a page asks in its headers or its HTML that no copy be kept: `noarchive`.

    >>> from datetime import UTC, datetime
    >>> from kiosque.model import Page
    >>> body = b'<meta name="robots" content="max-image-preview:large, noarchive">'
    >>> forbids_archive(Page(url="", final_url="", body=body, fetched_at=datetime.now(UTC)))
    True
    """
    orders = (value for name, value in page.headers if name == "x-robots-tag")
    return any(map(_header_forbids, orders)) or any(map(_meta_forbids, _META.findall(page.body[:HEAD_BYTES])))


def _header_forbids(value: str) -> bool:
    """Read an X-Robots-Tag, where a robot's name holds for all that follows: `googlebot: noarchive, nosnippet`."""
    is_ours = True
    for order in value.lower().split(","):
        robot, colon, rest = (part.strip() for part in order.partition(":"))
        # `max-snippet: 50` and `unavailable_after: ...` have a colon, too; no robot is called so.
        if colon and not robot.startswith(("max-", "unavailable")):
            is_ours = robot in OUR_NAMES
        if is_ours and "noarchive" in {robot, rest}:
            return True
    return False


def _meta_forbids(tag: bytes) -> bool:
    found = {m[1].lower(): (m[2] or m[3] or m[4] or b"").decode("latin-1").lower() for m in _ATTRIBUTE.finditer(tag)}
    orders = re.split(r"[\s,;]+", found.get(b"content", ""))
    return found.get(b"name", "").strip() in OUR_NAMES and "noarchive" in orders
