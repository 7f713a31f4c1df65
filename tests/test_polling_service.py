"""The service over a small site: polls that come again, articles that are looked at again, hosts that are slow."""

from __future__ import annotations

import signal
import time
from contextlib import contextmanager

import pytest
from command import Kiosque
from small_site import PAGE, Site, article, feed

from storage import open_storage

pytestmark = pytest.mark.slow  # crawls in processes of their own

ETAG = ("ETag", '"1"')


@pytest.fixture
def site():
    with Site() as opened:
        opened.answers |= {"/a": (200, PAGE, article(), ETAG), "/rss": feed(f"{opened.url}/a")}
        yield opened


@pytest.fixture
def kiosque(tmp_path, site):
    kiosque = Kiosque(tmp_path / "home", hosts=[site.host])
    kiosque.outlet("essai", site=site.url, feeds=[f"{site.url}/rss"])
    return kiosque


@contextmanager
def service(kiosque, **changes):
    """Run the service while the test looks on."""
    process = kiosque.start("schedule", KIOSQUE_SCHEDULE_TICK="0.2", **changes)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
    assert "Traceback" not in err, err


def until(said, seconds=90):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := said():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come to pass")


def ask(kiosque, question):
    store = open_storage(f"sqlite:///{kiosque.home / 'kiosque.sqlite'}")
    try:
        return question(store)
    finally:
        store.close()


def test_an_edit_is_found_by_a_later_look_and_a_page_that_is_gone_is_marked(kiosque, site):
    with service(kiosque, KIOSQUE_CRAWL_REVISIT_AFTER="1s 3s 5s"):
        until(lambda: site.asked("/a"))
        first = until(lambda: (kiosque.home / "kiosque.sqlite").exists() and kiosque.records())
        until(lambda: len(site.asked("/a")) >= 2)
        assert site.asked("/a")[1]["If-None-Match"] == ETAG[1]
        edited = article("Le pont de Valmont ferme", text="Le pont des Tanneurs ferme de nouveau lundi matin. " * 4)
        site.answers["/a"] = (200, PAGE, edited)
        until(lambda: [record.revision for record in kiosque.records()] == [2])
        site.answers["/a"] = (410, PAGE, b"")
        gone = until(lambda: ask(kiosque, lambda store: store.removed()))
    assert set(gone) == {first[0].id}
    assert "gone from the site: 1. Their records are kept" in kiosque.run("outlets", "show", "essai")[0]
    assert len(kiosque.records()) == 1, "what is gone is marked, not erased"


def test_after_the_last_look_an_article_is_left_alone(kiosque, site):
    with service(kiosque, KIOSQUE_CRAWL_REVISIT_AFTER="1s"):
        until(lambda: len(site.asked("/a")) == 2)
        time.sleep(1.5)
        assert len(site.asked("/a")) == 2


def test_a_wrong_length_of_time_is_named(kiosque):
    _, err = kiosque.run("records", code=2, KIOSQUE_CRAWL_REVISIT_AFTER="1h bientôt")
    assert "crawl.revisit_after: 'bientôt'" in err


@pytest.fixture
def slow_host(kiosque):
    """An outlet with more feeds than the crawl has places, and a long pause between two requests."""
    with Site() as slow:
        host = slow.host.replace("127.0.0.1", "localhost")
        kiosque.outlet("lent", site=f"http://{host}", feeds=[f"http://{host}/f{n}" for n in range(40)], delay=180.0)
        kiosque.environment["KIOSQUE_ALLOW_PRIVATE_HOSTS"] += f",{host}"
        yield slow


def test_a_slow_host_with_many_feeds_leaves_room_for_the_others(kiosque, site, slow_host):
    with service(kiosque, KIOSQUE_CRAWL_CONCURRENCY="8", KIOSQUE_CRAWL_REVISIT_AFTER="4s"):
        until(lambda: len(site.asked("/a")) == 2, seconds=60)  # before the slow host's next turn
    assert len(slow_host.requests) <= 2, "its delay is kept"


def test_what_waits_for_a_slow_robots_txt_leaves_room_too(kiosque, site, slow_host):
    slow_host.answers["/robots.txt"] = lambda _: time.sleep(60)
    changes = {"KIOSQUE_CRAWL_CONCURRENCY": "8", "KIOSQUE_CRAWL_REVISIT_AFTER": "4s", "KIOSQUE_SCHEDULE_STOP_TIME": "1"}
    with service(kiosque, **changes):
        until(lambda: len(site.asked("/a")) == 2, seconds=60)


def test_what_waits_for_its_turn_does_not_hold_up_the_end(kiosque, slow_host):
    with service(kiosque, KIOSQUE_CRAWL_CONCURRENCY="8", KIOSQUE_SCHEDULE_STOP_TIME="60") as process:
        until(lambda: slow_host.requests)
        time.sleep(1)
        start = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)
    assert time.monotonic() - start < 15
    assert process.returncode == 0
