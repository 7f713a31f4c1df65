"""What is read of a front page, and what is guessed of a site, without any network."""

import asyncio
import time
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from kiosque.cli.outlets_explore import Wanted, explore
from kiosque.errors import KiosqueError
from kiosque.feeds import FeedReading
from kiosque.model import FeedEntry, Page
from kiosque.outlets import load_outlets
from kiosque.outlets.places import zone_of_country
from kiosque.scout import FoundFeed, addresses_to_try, choose_feeds, guess_place, read_front, sitemaps_of_robots
from kiosque.scout.declare import name_of
from kiosque.scout.parked import is_parked
from kiosque.scout.systems import SYSTEMS, name_system

SITE = "https://gazette.example"
OUTLETS = tuple(load_outlets().values())


def front(html, url=SITE):
    body = html.encode() if isinstance(html, str) else html
    return read_front(Page(url=url, final_url=url, body=body, fetched_at=datetime(2026, 3, 2, tzinfo=UTC)))


def found(url, *paths, kind="rss", site=SITE):
    entries = tuple(FeedEntry(url=site + path) for path in paths)
    return FoundFeed(url=url, reading=FeedReading(kind=kind, entries=entries))


@pytest.mark.parametrize(
    ("html", "name"),
    [
        ('<meta name="generator" content="WordPress 6.5">', "WordPress"),
        ('<link rel="stylesheet" href="/wp-content/themes/gazette/style.css">', "WordPress"),
        ('<meta name="generator" content="SPIP 4.2.1 [26103]">', "SPIP"),
        ('<a href="spip.php?article12">Le pont</a>', "SPIP"),
        ('<script src="/pf/dist/engine/react.js"></script>', "Arc XP"),
        ('<meta name="Generator" content="Drupal 10 (https://www.drupal.org)">', "Drupal"),
        ('<link href="/_next/static/css/a.css"><img src="/wp-content/uploads/a.jpg">', "WordPress"),
        ('<script src="/_next/static/chunks/a.js"></script>', "Next.js"),
        ("<p>Rien ne le dit.</p>", None),
    ],
)
def test_the_system_shows(html, name):
    system = front(f"<html><head>{html}</head><body><p>Bonjour</p></body></html>").system
    assert (system and system.name) == name


def test_a_generator_is_believed_before_any_sign():
    assert name_system(("Ghost 5.8",), "/wp-content/").name == "Ghost"


def test_the_table_of_systems_is_sound():
    assert len({system.name for system in SYSTEMS}) == len(SYSTEMS)
    for system in SYSTEMS:
        assert system.generator or system.signs
        assert all(text == text.lower() for text in (*system.generator, *system.signs))
        assert all(path.startswith("/") for path in (*system.feeds, *system.sitemaps))


def test_linked_feeds_come_before_those_that_only_look_like_one():
    page = front(
        '<html lang="fr-BE"><head><title>Accueil | La Gazette</title>'
        '<link rel="alternate" type="application/atom+xml" href="/atom"><link rel="alternate" hreflang="nl" href="/nl">'
        '</head><body><a href="/rss/sport.xml">Sport</a><a href="/flux-rss">Nos flux</a><a href="/a">Le pont</a></body>'
    )
    assert page.feeds == (f"{SITE}/atom", f"{SITE}/rss/sport.xml")
    assert page.feed_pages == (f"{SITE}/flux-rss",)
    assert (page.language, page.title) == ("fr-BE", "Accueil | La Gazette")


@pytest.mark.parametrize(
    "html",
    [
        b"",
        b"\x00" * 5_000,
        b"%PDF-1.4",
        b"<rss></rss>",
        b"<a href='http://[' ><link rel=alternate type=application/rss+xml href='http://[::'>",
        b"<html lang='" + b"x" * 100_000 + b"'><title>" + b"y" * 1_000_000,
        b"<div>" * 30_000,
        b"<a href='/rss'>" * 39_000,
        "<meta name=generator content='\u202e'><p>\ud800</p>".encode("utf-16", "surrogatepass"),
    ],
)
def test_no_page_is_too_strange(html):
    start = time.perf_counter()
    page = front(html)
    assert page is None or (len(page.feeds) <= 40 and len(page.title) <= 200)
    assert time.perf_counter() - start < 5


def test_sitemaps_for_news_come_first_and_broken_ones_are_dropped():
    robots = b"User-agent: *\nSITEMAP : https://gazette.example/pages.xml\nSitemap: http://[\nSitemap: /news.xml\n\xff"
    assert sitemaps_of_robots(robots, site=SITE) == (f"{SITE}/news.xml", f"{SITE}/pages.xml")


def test_a_system_that_is_known_spares_the_guesses():
    page = front('<meta name="generator" content="SPIP 4"><p>Bonjour</p>')
    assert addresses_to_try(page, found=(), want=("feeds",)) == (f"{SITE}/spip.php?page=backend",)
    assert addresses_to_try(page, found=(), want=("sitemaps",), guess=False) == ()


def test_the_main_feed_stays_first_and_repeats_comments_and_strangers_are_left():
    chosen = choose_feeds(
        [
            found(f"{SITE}/feed/", "/a", "/b", "/c"),
            found(f"{SITE}/feed/atom/", "/a", "/b", "/c", kind="atom"),
            found(f"{SITE}/comments/feed/", "/d"),
            found(f"{SITE}/sport/feed/", "/c", "/e", "/f"),
            found(f"{SITE}/partner.xml", "/x", site="https://partner.example"),
            found(f"{SITE}/sitemap.xml", "/a", "/b", kind="sitemap"),
            found(f"{SITE}/news.xml", "/a", "/b", kind="news-sitemap"),
        ],
        site=SITE,
    )
    assert [feed.url for feed in chosen.feeds] == [f"{SITE}/feed/", f"{SITE}/sport/feed/"]
    assert [feed.url for feed in chosen.news_sitemaps] == [f"{SITE}/news.xml"]
    assert chosen.strangers == (f"{SITE}/partner.xml",)
    assert [entry.url[-2:] for entry in chosen.entries(SITE)] == ["/a", "/b", "/c", "/e", "/f"]


@pytest.mark.parametrize(
    ("title", "site_name", "feed_title", "name"),
    [
        ("Accueil - La Gazette", "", "", "La Gazette"),
        ("La Gazette | L’actualité de Valmont", "", "", "La Gazette"),
        ("Tout", "La Gazette", "Autre", "La Gazette"),
        ("Accueil", "", "La Gazette de Valmont", "La Gazette de Valmont"),
        ("À la une : La Gazette", "", "", "La Gazette"),
    ],
)
def test_the_name_without_slogans(title, site_name, feed_title, name):
    feed = SimpleNamespace(reading=SimpleNamespace(title=feed_title))
    assert name_of(SimpleNamespace(title=title, site_name=site_name), SimpleNamespace(feeds=(feed,))) == name


PARIS_DATES = ("Fri, 25 Oct 2024 07:12:00 +0200", "2024-12-25T07:12:00+01:00")


@pytest.mark.parametrize(
    ("site", "locales", "dates", "country", "zone"),
    [
        ("https://gazette.ch", (), (), "CH", "Europe/Zurich"),
        ("https://gazette.re", (), ("2024-10-25T07:12:00+04:00",), "RE", "Indian/Reunion"),
        ("https://gazette.quebec", (), (), "CA", "America/Toronto"),
        ("https://gazette.ca", (), ("2024-10-25T07:12:00-03:00",), "CA", "America/Halifax"),
        ("https://gazette.com", ("fr-CA",), (), "CA", "America/Toronto"),
        ("https://gazette.com", ("fr_FR",), PARIS_DATES, "FR", "Europe/Paris"),
        ("https://gazette.com", ("fr-FR",), ("2024-10-25T07:12:00+04:00",), "RE", "Indian/Reunion"),
        ("https://gazette.com", (), ("Fri, 25 Oct 2024 07:12:00 +0000", "demain"), "FR", "Europe/Paris"),
        ("https://gazette.tv", ("fr",), (), "FR", "Europe/Paris"),
        ("http://127.0.0.1:8000", (), ("0001-01-01T00:00:00+14:00",), "FR", "Europe/Paris"),
    ],
)
def test_country_and_zone(site, locales, dates, country, zone):
    place = guess_place(site, locales=locales, dates=dates, outlets=OUTLETS)
    assert (place.country, place.timezone) == (country, zone)


def test_dates_that_contradict_the_country_are_a_doubt():
    assert "+0900" in guess_place("https://gazette.ch", dates=["2024-10-25T07:12:00+09:00"], outlets=OUTLETS).doubt


def test_a_country_without_outlets_has_the_zone_of_the_database():
    assert zone_of_country("VN", OUTLETS) == "Asia/Ho_Chi_Minh"


@pytest.mark.parametrize(
    "text",
    [
        "Ce domaine est à vendre",
        "gazette.example is for sale. Buy this domain",
        "Le nom de domaine gazette.example a expiré",
        "Site en construction",
        "Welcome to nginx!",
    ],
)
def test_a_domain_without_an_outlet(text):
    assert is_parked(front(f"<html><title>gazette.example</title><body><p>{text}</p></body>"))


def test_an_outlet_that_writes_of_domains_for_sale_is_one():
    article = "Le domaine est à vendre depuis mars, disent les habitants du hameau. " * 60
    assert not is_parked(front(f"<html><title>La Gazette</title><body><p>{article}</p></body>"))


def test_a_site_that_never_ends_is_given_up():
    async def fetch(_):
        await asyncio.sleep(60)

    with pytest.raises(KiosqueError, match="took longer than 0 seconds"):
        asyncio.run(explore(Wanted(url=SITE, outlets={}, seconds=0.05), fetch, None))
