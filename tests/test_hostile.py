"""Strangers' servers that want to hurt: each stops with its reason, and the crawl goes on."""

from __future__ import annotations

import sqlite3

import hostile_site
import pytest
from command import Kiosque
from small_site import PAGE, Site, article, feed

from spiders.guard import LONGEST_URL
from storage import open_storage

pytestmark = pytest.mark.slow  # crawls in processes of their own

RSS = "application/rss+xml"

# Addresses of this machine, of a cloud's metadata, of a private network: however they are written.
PRIVATE = (
    "http://127.0.0.1:9/",
    "http://localhost:9/",
    "http://127.1:9/",
    "http://2130706433/",  # decimal
    "http://0x7f000001/",  # hexadecimal
    "http://0177.0.0.1/",  # octal
    "http://0/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",  # mapped
    "http://[::ffff:7f00:1]/",
    "http://[64:ff9b::7f00:1]/",  # NAT64
    "http://169.254.169.254/latest/meta-data/",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://100.100.100.200/latest/meta-data/",
    "http://10.0.0.1/",
    "http://192.168.1.1/",
    "http://[fe80::1]/",
    "http://imprimante.local/",
)
OTHER_SCHEMES = ("file:///etc/passwd", "ftp://exemple.fr/a", "gopher://127.0.0.1/")

# Packed where they are thrown: that takes seconds.
BOMBS = {
    "gzip-bomb": hostile_site.gzip_bomb,
    "brotli-bomb": hostile_site.brotli_bomb,
    "deflate-bomb": hostile_site.deflate_bomb,
}
PAGES = {
    "gzip-bomb": (None, "failed:too-large"),
    "brotli-bomb": (None, "failed:too-large"),
    "deflate-bomb": (None, "failed:too-large"),
    "many-codings": (hostile_site.many_codings(), "failed:content-encoding"),
    "not-gzip": (hostile_site.not_gzip(), "failed:content-encoding"),
    "endless": (hostile_site.endless_chunks, "failed:too-large"),
    "drip": (hostile_site.slow_drip, "failed:timeout"),
    "slow-headers": (hostile_site.slow_headers, "failed:timeout"),
    "header-flood": (hostile_site.header_flood, "failed:headers"),
    "continue-flood": (hostile_site.continue_flood, "failed:headers"),
    "cut-short": (hostile_site.cut_short, "failed:cut-short"),
    "no-http": (hostile_site.no_http, "failed:connection"),
    "loop": (hostile_site.redirect("/loop"), "failed:redirect-loop"),
    "nul": ((200, PAGE, b"\0" * 5_000), "rejected:"),
    "long-location": (hostile_site.redirect("/" + "a" * 10_000), "blocked:bad-url"),
    "longer-location": (hostile_site.redirect("/" + "a" * 100_000), "failed:"),
    "challenge": ((403, PAGE, b"<html><title>Just a moment...</title></html>"), "failed:challenge"),
    "quiet-challenge": ((200, PAGE, b"<script>window._cf_chl_opt={}</script>"), "failed:challenge"),
    "good": ((200, PAGE, article(), ("Set-Cookie", "suivi=1; Path=/")), "new"),
}


@pytest.fixture(scope="module")
def crawled(tmp_path_factory):
    """One crawl of everything; the tests look at what came of it."""
    with Site() as site:
        private = [f"/private-{n}" for n in range(len(PRIVATE))]
        schemes = [f"/scheme-{n}" for n in range(len(OTHER_SCHEMES))]
        site.answers |= {f"/{name}": answer or BOMBS[name]() for name, (answer, _) in PAGES.items()}
        site.answers |= {path: hostile_site.redirect(url) for path, url in zip(private, PRIVATE, strict=True)}
        site.answers |= {path: hostile_site.redirect(url) for path, url in zip(schemes, OTHER_SCHEMES, strict=True)}
        paths = [*(f"/{name}" for name in PAGES), *private, *schemes]
        long = [f"{site.url}/{'a' * 100_000}", f"{site.url}/{'b' * (LONGEST_URL + 1)}"]
        site.answers["/rss"] = feed(*(site.url + path for path in paths), *PRIVATE, *OTHER_SCHEMES, *long)
        sitemap = "".join(f"<url><loc>{url}</loc></url>" for url in (*PRIVATE, f"{site.url}/good"))
        site.answers["/sitemap.xml"] = (200, "application/xml", f"<urlset>{sitemap}</urlset>".encode())
        index = "".join(f"<sitemap><loc>{url}sitemap.xml</loc></sitemap>" for url in PRIVATE[:9])
        site.answers["/index.xml"] = (200, "application/xml", f"<sitemapindex>{index}</sitemapindex>".encode())
        kiosque = Kiosque(tmp_path_factory.mktemp("home"), hosts=[site.host])
        kiosque.outlet("essai", site=site.url, feeds=[f"{site.url}/rss", f"{site.url}/sitemap.xml"])
        limits = {"KIOSQUE_CRAWL_TIMEOUT": "1.5", "KIOSQUE_CRAWL_MAX_PAGE": "2"}
        found = kiosque.crawl("essai", "--feed", f"{site.url}/index.xml", code=1, **limits)
        yield kiosque, site, found, ended(kiosque)


def ended(kiosque):
    """Return the outcome of each address on the frontier."""
    with sqlite3.connect(kiosque.home / "kiosque.sqlite") as store:
        rows = store.execute("SELECT url, outcome FROM entries").fetchall()
    store.close()
    return dict(rows)


@pytest.mark.parametrize("name", PAGES)
def test_a_hostile_answer_stops_with_its_reason(crawled, name):
    _, site, _, outcomes = crawled
    assert outcomes[f"{site.url}/{name}"].startswith(PAGES[name][1])


def test_every_address_ends_in_one_outcome(crawled):
    _, _, found, outcomes = crawled
    assert found["left"] == 0
    assert found["seen"] == sum(found["outcomes"].values()) == len(outcomes)


@pytest.mark.parametrize("number", range(len(PRIVATE)))
def test_no_redirect_reaches_a_private_address(crawled, number):
    _, site, _, outcomes = crawled
    assert outcomes[f"{site.url}/private-{number}"] == "blocked:private-address"


@pytest.mark.parametrize("number", range(len(OTHER_SCHEMES)))
def test_no_redirect_leads_out_of_the_web(crawled, number):
    _, site, _, outcomes = crawled
    assert outcomes[f"{site.url}/scheme-{number}"] == "blocked:scheme"


def test_no_entry_of_a_feed_or_sitemap_reaches_a_private_address(crawled):
    _, _, _, outcomes = crawled
    named = {url: outcome for url, outcome in outcomes.items() if url in PRIVATE}
    assert len(named) > 10
    assert set(named.values()) == {"blocked:private-address"}


def test_addresses_without_end_are_left_out_or_refused(crawled):
    _, _, _, outcomes = crawled
    assert all(len(url) <= LONGEST_URL or outcome == "blocked:bad-url" for url, outcome in outcomes.items())


def test_sitemaps_at_private_addresses_are_not_asked(crawled):
    _, _, found, _ = crawled
    assert found["polls"]["failed:private-address"] == 9


def test_the_good_article_among_them_is_saved(crawled):
    kiosque, site, _, _ = crawled
    assert [record.url for record in kiosque.records()] == [f"{site.url}/good"]


def test_no_cookie_is_ever_sent_back(crawled):
    _, site, _, _ = crawled
    assert not [headers for _, headers in site.requests if "Cookie" in headers]


# -- feeds ---------------------------------------------------------------------------------------

BILLION_LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(12))
    + b"]><rss><channel><title>&m;</title><item><link>http://127.0.0.1:9/a</link></item></channel></rss>"
)
XXE = (
    b'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/hostname">'
    b'<!ENTITY y SYSTEM "%s/secret">]><rss><channel><title>&x;&y;</title>'
    b"<item><title>&x;&y;</title><link>%s/a</link></item></channel></rss>"
)
FEEDS = {
    "gzip-bomb": (hostile_site.gzip_bomb(RSS), "failed:too-large", "failing"),
    "endless": (hostile_site.endless_chunks, "failed:too-large", "failing"),
    "drip": (hostile_site.slow_drip, "failed:timeout", "failing"),
    "header-flood": (hostile_site.header_flood, "failed:headers", "failing"),
    "loop": (hostile_site.redirect("/loop"), "failed:redirect-loop", "failing"),
    "private": (hostile_site.redirect("http://169.254.169.254/"), "failed:private-address", "blocked"),
    "file": (hostile_site.redirect("file:///etc/passwd"), "failed:scheme", "blocked"),
    "nul": ((200, RSS, b"\0" * 10_000), "problem:", "not-a-feed"),
    "laughs": ((200, RSS, BILLION_LAUGHS), None, None),
    "deep": ((200, RSS, b"<rss><channel>" + b"<item>" * 300_000), None, None),
    "refused": ((403, PAGE, b""), "failed:status-403", "blocked"),
    "challenge": ((503, PAGE, b"<html><title>Just a moment...</title></html>"), "failed:challenge", "blocked"),
}


@pytest.fixture(scope="module")
def polled(tmp_path_factory):
    """One crawl of hostile feeds."""
    with Site() as site:
        site.answers |= {f"/{name}": answer for name, (answer, *_) in FEEDS.items()}
        site.answers["/xxe"] = (200, RSS, XXE % (site.url.encode(), site.url.encode()))
        site.answers["/many"] = feed(*(f"http://127.0.0.1:9/{n}" for n in range(10_500)))
        site.answers["/good"] = feed(f"{site.url}/a")
        site.answers["/a"] = (200, PAGE, article())
        names = (*FEEDS, "xxe", "many", "good")
        kiosque = Kiosque(tmp_path_factory.mktemp("home"), hosts=[site.host])
        kiosque.outlet("essai", site=site.url, feeds=[f"{site.url}/{name}" for name in names])
        limits = {"KIOSQUE_CRAWL_TIMEOUT": "1.5", "KIOSQUE_CRAWL_MAX_PAGE": "2", "KIOSQUE_READ_PAGE_TIME": "20"}
        found = kiosque.crawl("essai", "--limit", "5", code=1, **limits)
        store = open_storage(f"sqlite:///{kiosque.home / 'kiosque.sqlite'}")
        states = store.feed_states([f"{site.url}/{name}" for name in names])
        store.close()
        yield kiosque, site, found, {url.rpartition("/")[2]: state for url, state in states.items()}


@pytest.mark.parametrize("name", FEEDS)
def test_a_hostile_feed_stops_with_its_reason_in_its_state(polled, name):
    _, site, found, states = polled
    _, came, health = FEEDS[name]
    assert states[name].last_polled is not None
    assert states[name].next_due is not None
    if came is not None:
        assert states[name].health == health, states[name].reason
        assert any(f"{site.url}/{name}: {came}" in problem for problem in found["problems"])


def test_entities_and_outside_documents_are_inert(polled):
    _, site, _, states = polled
    assert site.asked("/secret") == []
    assert states["xxe"].health in {"ok", "silent"}
    assert states["laughs"].last_polled is not None


def test_ten_thousand_entries_are_kept_and_the_rest_is_told(polled):
    _, _, _, states = polled
    assert states["many"].entries == 10_000, states["many"].reason
    assert "The first 10000 entries were kept, the rest left" in states["many"].reason


def test_a_feed_that_hangs_the_parser_is_given_up_and_the_others_are_read(tmp_path):
    with Site() as site:
        site.answers |= {
            "/slow": feed(*(f"{site.url}/{n}" for n in range(9_999))),
            "/good": feed(f"{site.url}/a"),
            "/a": (200, PAGE, article()),
        }
        kiosque = Kiosque(tmp_path / "home", hosts=[site.host])
        feeds = ("--feed", f"{site.url}/slow", "--feed", f"{site.url}/good")
        found = kiosque.crawl(*feeds, code=1, KIOSQUE_READ_PAGE_TIME="0.6")
        assert found["outcomes"] == {"new": 1}
        assert found["polls"] == {"problem:too-slow": 1, "parsed": 1}


def test_the_good_feed_among_them_is_read(polled):
    _, _, _, states = polled
    assert states["good"].entries == 1


def test_a_refused_feed_is_left_alone_for_hours(polled):
    _, _, _, states = polled
    for name in ("refused", "challenge"):
        assert (states[name].next_due - states[name].last_polled).total_seconds() >= 6 * 3_600
