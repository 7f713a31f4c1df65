"""Polls as a crawl makes them: what is asked, when not, and what is said of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from command import Kiosque
from small_site import PAGE, Site, article, feed

from kiosque.polling import FeedState, new_feed, with_child
from spiders.waits import Wait, keep_wait, waits
from storage import open_storage
from storage.notes import write_notes

pytestmark = pytest.mark.slow  # crawls in processes of their own

RSS, XML = "application/rss+xml", "application/xml"
NOW = datetime(2024, 10, 25, 12, 0, tzinfo=UTC)


@pytest.fixture
def site():
    with Site() as opened:
        opened.answers["/a"] = (200, PAGE, article())
        yield opened


@pytest.fixture
def kiosque(tmp_path, site):
    kiosque = Kiosque(tmp_path / "home", hosts=[site.host])
    kiosque.outlet("essai", site=site.url, feeds=[f"{site.url}/rss"])
    return kiosque


def state_of(kiosque, url):
    store = open_storage(f"sqlite:///{kiosque.home / 'kiosque.sqlite'}")
    try:
        return store.feed_states([url])[url]
    finally:
        store.close()


def test_the_next_poll_is_set_before_the_feed_is_asked(kiosque, site):
    seen = []

    def rss(handler):
        seen.append(state_of(kiosque, f"{site.url}/rss"))
        handler.send_response(500)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    site.answers["/rss"] = rss
    kiosque.crawl("essai", code=1)
    assert seen[0].last_polled is None
    assert seen[0].next_due > datetime.now(UTC)


def test_a_server_that_asks_to_wait_is_left_alone_by_a_crawl_too(kiosque, site):
    site.answers["/rss"] = (503, RSS, b"", ("Retry-After", "3600"))
    kiosque.crawl("essai", code=1)
    asked = len(site.asked("/rss"))
    site.answers["/rss"] = feed(f"{site.url}/a")
    again = kiosque.crawl("essai", code=1)
    assert again["polls"] == {"left-alone": 1}
    assert "wants to be left alone until" in again["problems"][0]
    assert len(site.asked("/rss")) == asked


def test_410_said_twice_ends_the_feed_until_somebody_names_it(kiosque, site):
    site.answers["/rss"] = (410, RSS, b"")
    for _ in range(2):
        assert kiosque.crawl("essai", code=1)["polls"] == {"failed:status-410": 1}
    assert kiosque.crawl("essai", code=1)["polls"] == {"left-alone": 1}
    out, _ = kiosque.run("outlets", "show", "essai")
    assert "gone. Status 410 was said twice" in out
    site.answers["/rss"] = feed(f"{site.url}/a")
    assert kiosque.crawl("--feed", f"{site.url}/rss")["outcomes"] == {"new": 1}
    assert state_of(kiosque, f"{site.url}/rss").health != "gone"


def test_permanent_redirects_rewrite_the_address_the_third_time(kiosque, site):
    site.answers |= {"/rss": (301, RSS, b"", ("Location", "/neuf")), "/neuf": feed(f"{site.url}/a")}
    for _ in range(3):
        kiosque.crawl("essai")
    assert state_of(kiosque, f"{site.url}/rss").moved_to == f"{site.url}/neuf"
    asked = len(site.asked("/rss"))
    kiosque.crawl("essai")
    assert len(site.asked("/rss")) == asked


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (feed(), "empty. "),
        (feed("http://127.0.0.1:9/a"), "silent. "),
        ((200, PAGE, b"<html><body>Erreur</body></html>"), "not-a-feed. The answer is an HTML page"),
        ((403, PAGE, b""), "blocked. The server refuses: status 403"),
        ((500, PAGE, b""), "failing. Status 500"),
    ],
)
def test_outlets_show_says_each_feeds_state_and_when_it_is_asked_again(kiosque, site, answer, said):
    site.answers["/rss"] = answer
    _, before = kiosque.run("outlets", "show", "essai")
    kiosque.start("crawl", "essai").communicate()
    out, _ = kiosque.run("outlets", "show", "essai")
    assert f"# {site.url}/rss: {said}" in out
    assert "Asked again after" in out
    assert "Next poll: " in out
    assert before == ""


def test_outlets_show_makes_no_database(kiosque):
    kiosque.run("outlets", "show", "essai")
    assert not (kiosque.home / "kiosque.sqlite").exists()


# -- hosts that are left alone ---------------------------------------------------------------------


def test_a_host_that_asked_us_to_wait_is_left_alone_by_the_next_crawl(kiosque, site):
    site.answers |= {"/rss": feed(f"{site.url}/a", f"{site.url}/b"), "/a": (429, PAGE, b"", ("Retry-After", "900"))}
    kiosque.crawl("essai", code=1)
    asked = len(site.requests)
    site.answers["/c"] = (200, PAGE, article("Une page neuve"))
    found = kiosque.crawl("--url", f"{site.url}/c", code=1)
    assert found["outcomes"] == {"blocked:host-waits": 1}
    assert len(site.requests) == asked


def test_a_wait_that_is_over_or_damaged_holds_nobody_back(tmp_path):
    store = open_storage(f"sqlite:///{tmp_path / 'k.sqlite'}")
    keep_wait(store, "un.example", Wait(until=NOW + timedelta(hours=1), why="status 429"), now=NOW)
    keep_wait(store, "deux.example", Wait(until=NOW + timedelta(days=400), why="status 429"), now=NOW)
    assert {host: wait.until for host, wait in waits(store, now=NOW).items()} == {
        "un.example": NOW + timedelta(hours=1),
        "deux.example": NOW + timedelta(days=2),
    }
    assert set(waits(store, now=NOW + timedelta(hours=2))) == {"deux.example"}
    write_notes(store, {"hosts-left-alone": '{"un.example": 3'})
    assert waits(store, now=NOW) == {}
    store.close()


# -- rights of what is known already ---------------------------------------------------------------


def unchanged_page(handler):
    fresh = handler.headers.get("If-None-Match") != '"1"'
    body = article() if fresh else b""
    handler.send_response(200 if fresh else 304)
    handler.send_header("ETag", '"1"')
    if not fresh:
        handler.send_header("X-Robots-Tag", "noai")
    if fresh:
        handler.send_header("Content-Type", PAGE)
        handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def test_what_host_and_headers_reserve_later_holds_for_a_page_that_has_not_changed(kiosque, site):
    site.answers |= {"/rss": feed(f"{site.url}/a"), "/a": unchanged_page}
    assert kiosque.crawl("essai")["outcomes"] == {"new": 1}
    assert kiosque.records()[0].rights.tdm_reserved is None
    site.answers["/.well-known/tdmrep.json"] = (200, "application/json", b'[{"location": "/", "tdm-reservation": 1}]')
    assert kiosque.crawl("essai", "--revisit")["outcomes"] == {"unchanged": 1}
    [record] = kiosque.records()
    assert (record.rights.tdm_reserved, record.rights.noai, record.revision) == (True, True, 1)
    assert record.rights.said == (("tdmrep.json", "tdm-reservation 1"), ("X-Robots-Tag", "noai"))
    assert [headers.get("If-None-Match") for headers in site.asked("/a")] == [None, '"1"']


# -- sitemap indexes -----------------------------------------------------------------------------


def index(*urls):
    named = "".join(f"<sitemap><loc>{url}</loc></sitemap>" for url in urls)
    return (
        200,
        XML,
        f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{named}</sitemapindex>'.encode(),
    )


def sitemap(*urls):
    named = "".join(f"<url><loc>{url}</loc></url>" for url in urls)
    return (200, XML, f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{named}</urlset>'.encode())


def test_sitemaps_of_an_index_are_asked_again_when_the_index_has_not_changed(kiosque, site):
    site.answers |= {"/rss": index(f"{site.url}/s1"), "/s1": sitemap(f"{site.url}/a")}
    assert kiosque.crawl("essai")["outcomes"] == {"new": 1}
    site.answers["/b"] = (200, PAGE, article("Un marché couvert", text="Le marché couvert ouvre ses portes. " * 5))
    site.answers["/s1"] = sitemap(f"{site.url}/a", f"{site.url}/b")
    assert kiosque.crawl("essai")["outcomes"] == {"new": 1, "unchanged": 1}
    assert state_of(kiosque, f"{site.url}/s1").next_due is None


def test_indexes_that_name_each_other_for_ever_end(kiosque, site):
    site.answers |= {"/rss": index(f"{site.url}/i0")} | {
        f"/i{n}": index(f"{site.url}/i{n + 1}", f"{site.url}/rss") for n in range(50)
    }
    kiosque.crawl("essai")
    assert len([path for path, _ in site.requests if path.startswith("/i")]) == 1


def test_an_index_is_due_when_the_soonest_of_its_sitemaps_is():
    parent = FeedState(url="i", outlet="e", health="silent", next_due=NOW + timedelta(hours=6), last_polled=NOW)
    child = FeedState(url="s", outlet="e", health="ok", next_due=NOW + timedelta(minutes=10), reason="Neuf.")
    told = with_child(parent, child)
    assert told.next_due == child.next_due
    assert told.health == "ok"
    assert told.reason == "Asked with its sitemap s: Neuf."
    assert with_child(parent, FeedState(url="s", outlet="e", health="failing", next_due=NOW)) == parent
    assert with_child(new_feed("i", outlet="e", now=NOW), child).next_due == NOW
