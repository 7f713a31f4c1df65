"""The archivist: which pages are kept, and that the crawl does not wait for the disk in its loop."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import UTC, datetime

import pytest

from kiosque.errors import StorageError, UsageError
from kiosque.model import FeedEntry, Outlet, Page, Visit
from kiosque.settings import Settings, load_settings
from pipelines.archivist import MOST_WAITING, Archivist, forbids_archive, home_archive, open_archive

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
OUTLET = Outlet(slug="exemple", name="L’Exemple", site="https://exemple.fr", country="FR")


def page(body=b"<p>Le march\xc3\xa9 couvert rouvre.</p>", *headers):
    url = "https://exemple.fr/a"
    return Page(url=url, final_url=url, headers=headers, body=body, fetched_at=NOON)


def visit(**changes):
    facts = {"outlet": OUTLET, "key": "k", "url": "https://exemple.fr/a", "page": page()}
    return Visit(**facts | changes)


@pytest.mark.parametrize(
    "body",
    [
        b'<meta name="robots" content="noarchive">',
        b"<META CONTENT='index, NOARCHIVE' NAME='Robots'>",
        b"<html><head><meta charset=utf-8><meta name=robots content=noarchive></head>",
        b'<meta name="kiosque" content="noarchive, noai">',
    ],
)
def test_a_page_that_asks_so_is_not_kept(body):
    assert forbids_archive(page(body))


@pytest.mark.parametrize(
    "body",
    [
        b'<meta name="robots" content="index, max-snippet:-1">',
        b'<meta name="googlebot" content="noarchive">',
        b'<meta name="description" content="noarchive">',
        b"<p>noarchive</p>",
        b"<meta " * 30_000,
    ],
)
def test_a_page_that_says_nothing_to_us_is_kept(body):
    assert not forbids_archive(page(body))


@pytest.mark.parametrize(
    ("value", "forbids"),
    [
        ("noarchive", True),
        ("noindex, noarchive", True),
        ("kiosque: noarchive", True),
        ("googlebot: noarchive", False),
        ("googlebot: nosnippet, noarchive", False),
        ("max-snippet: 50, noarchive", True),
        ("unavailable_after: 25 Jun 2027 15:00:00 PST, noarchive", True),
        ("googlebot: nosnippet, kiosque: noarchive", True),
        ("noindex", False),
        ("", False),
    ],
)
def test_the_header_speaks_to_all_or_to_one_robot(value, forbids):
    assert forbids_archive(page(b"", ("x-robots-tag", value))) is forbids


def test_a_visit_is_kept_with_its_outlet_its_claim_and_its_way(tmp_path):
    archive = home_archive(Settings(home=tmp_path))
    archivist = Archivist(archive)
    entry = FeedEntry(url="https://exemple.fr/a", title="Le marché")
    pointer = asyncio.run(archivist.keep(visit(entry=entry, via=("https://exemple.fr/amp",))))
    archivist.close()
    found = archive.snapshot(pointer)
    assert (found.page, found.outlet, found.entry, found.via) == (page(), "exemple", entry, ("https://exemple.fr/amp",))
    assert asyncio.run(Archivist(archive).keep(visit(page=None))) is None
    assert asyncio.run(Archivist(archive).keep(visit(page=page(b"", ("x-robots-tag", "noarchive"))))) is None


def test_no_more_pages_wait_for_a_slow_disk_than_there_is_room():
    class Slow:
        def __init__(self):
            self.go, self.asked = threading.Event(), 0

        def append(self, *_, **__):
            self.asked += 1
            self.go.wait(10)
            return "pointer"

        def close(self):
            pass

    slow = Slow()

    async def crawl():
        archivist = Archivist(slow)
        tasks = [asyncio.create_task(archivist.keep(visit())) for _ in range(MOST_WAITING * 3)]
        before = time.monotonic()
        await asyncio.sleep(0.05)
        assert time.monotonic() - before < 1, "the loop goes on"
        assert archivist._thread._work_queue.qsize() <= MOST_WAITING
        slow.go.set()
        assert await asyncio.gather(*tasks) == ["pointer"] * (MOST_WAITING * 3)
        archivist.close()

    asyncio.run(crawl())


def test_an_archive_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "archive").write_text("a file where the folder should be")
    archivist = open_archive(Settings(home=tmp_path))
    with pytest.raises(StorageError, match="archive cannot be written"):
        asyncio.run(archivist.keep(visit()))
    archivist.close()


def test_the_archive_is_switched_off_by_one_setting(tmp_path):
    assert open_archive(Settings(home=tmp_path, archive_enabled=False)) is None
    for word, wanted in (("false", False), ("0", False), ("yes", True), ("True", True)):
        assert load_settings(environment={"KIOSQUE_ARCHIVE_ENABLED": word}, home=tmp_path).archive_enabled is wanted
    (tmp_path / "kiosque.toml").write_text("[archive]\nenabled = false\nkeep_days = 30\n")
    settings = load_settings(environment={}, home=tmp_path)
    assert (settings.archive_enabled, settings.archive_keep_days) == (False, 30)
    with pytest.raises(UsageError, match=r"'archive\.enabled' must be true or false, not 'peut-être'"):
        load_settings(environment={"KIOSQUE_ARCHIVE_ENABLED": "peut-être"}, home=tmp_path)
