"""From a page's address to its outlet."""

import time

import pytest

from kiosque.model import Outlet
from kiosque.outlets import finder, outlet_for, unknown_outlet


def outlet(slug, site, *feeds):
    return Outlet(slug=slug, name=slug, site=site, country="FR", feeds=feeds)


OUTLETS = {
    each.slug: each
    for each in (
        outlet("bourse", "https://bourse.lavoix.example"),
        outlet("culture", "https://culture.example", "https://www.ondes.example/culture/rss"),
        outlet("demo", "http://127.0.0.1:8001/"),
        outlet("demo-two", "http://127.0.0.1:8002/"),
        outlet("journal", "https://www.journal.example", "https://feeds.feedburner.com/journal"),
        outlet("lavoix", "https://www.lavoix.example", "https://rss.lavoix-infos.example/une.xml"),
        outlet("ondes", "https://www.ondes.example", "https://www.ondes.example/ondes/rss"),
        outlet("seul", "https://api.seul.example"),
    )
}


@pytest.mark.parametrize(
    ("url", "slug"),
    [
        ("https://www.lavoix.example/a", "lavoix"),
        ("https://lavoix.example/a", "lavoix"),
        ("HTTPS://WWW.LAVOIX.EXAMPLE./a", "lavoix"),
        ("https://m.lavoix.example:443/a", "lavoix"),
        ("https://sport.lavoix.example/a", "lavoix"),
        ("https://bourse.lavoix.example/a", "bourse"),
        ("https://www.bourse.lavoix.example/a", "bourse"),
        ("https://www.lavoix-infos.example/a", "lavoix"),
        ("https://www.seul.example/a", "seul"),
        ("https://www.ondes.example/culture/a", "culture"),
        ("https://www.ondes.example/ondes/a", "ondes"),
        ("https://www.ondes.example/apropos", "ondes"),
        ("http://127.0.0.1:8001/a", "demo"),
        ("http://127.0.0.1:8002/a", "demo-two"),
    ],
)
def test_a_page_belongs_to_the_outlet_of_its_host(url, slug):
    assert outlet_for(url, OUTLETS).slug == slug


@pytest.mark.parametrize(
    ("url", "slug"),
    [
        ("https://autrelavoix.example/a", "autrelavoix-example"),
        ("https://lavoix.example.evil.example/a", "lavoix-example-evil-example"),
        ("https://lavoix.example:8080/a", "lavoix-example-8080"),
        ("https://feeds.feedburner.com/~r/x", "feeds-feedburner-com"),
        ("http://127.0.0.1:8003/a", "127-0-0-1-8003"),
        ("http://[::1]:8003/a", "1-8003"),
        ("https://example/a", "example"),
        ("/a", "unknown"),
        ("", "unknown"),
        ("http://[", "unknown"),
        ("http://a.example:99999/", "unknown"),
        ("javascript:void(0)", "unknown"),
    ],
)
def test_a_page_of_no_known_outlet_gets_one_named_after_its_host(url, slug):
    assert outlet_for(url, OUTLETS).slug == slug


def test_an_unknown_outlet_is_french_until_told_otherwise():
    assert unknown_outlet("http://www.gazette.example/2024/a?b#c") == Outlet(
        slug="gazette-example",
        name="gazette.example",
        site="http://www.gazette.example",
        country="FR",
        timezone="Europe/Paris",
    )


def test_an_accented_host_still_makes_a_plain_slug():
    assert unknown_outlet("https://www.élan.example/").slug == "lan-example-99a"


def test_a_hostile_address_takes_no_time():
    start = time.perf_counter()
    assert finder(OUTLETS)("https://" + "a." * 1_000_000).slug == "unknown"
    assert time.perf_counter() - start < 1
