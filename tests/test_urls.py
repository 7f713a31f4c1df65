import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kiosque.urls import (
    MAX_KEY,
    believable_canonical,
    canonical_url,
    desktop_address,
    is_alternate,
    same_site,
)

ARTICLE = "https://exemple.fr/2024/10/25/titre.html"


@pytest.mark.parametrize(
    "address",
    [
        "http://exemple.fr/2024/10/25/titre.html",
        "https://www.exemple.fr/2024/10/25/titre.html",
        "https://WWW.Exemple.FR:443/2024/10/25/titre.html/",
        "http://exemple.fr:80/2024/10/25/titre.html#xtor=RSS-3208",
        "https://m.exemple.fr/2024/10/25/titre.html",
        "https://amp.exemple.fr/2024/10/25/titre.html",
        "https://www.m.exemple.fr./2024/10/25/titre.html",
        "https://www.exemple.fr/amp/2024/10/25/titre.html",
        "https://www.exemple.fr/2024/10/25/titre.html/amp/",
        "https://www.exemple.fr/2024/10/25/titre.amp.html",
        "https://www.exemple.fr/2024/10/25/titre-amp.html",
        "https://www.exemple.fr/2024/10/25/titre.html?amp=1",
        "https://www.exemple.fr/2024/10/25/titre.html?amp",
        "https://www.exemple.fr/2024/10/25/titre.html?outputType=amp",
        "https://www.exemple.fr/2024/10/25/titre.html?at_medium=RSS&at_campaign=flux",
        "https://www.exemple.fr/2024/10/25/titre.html?utm_source=x&amp;utm_medium=y",
        "https://www.exemple.fr/2024/10/25/titre.html?M_BT=123&lmd_medium=email&een=a1&seen=6",
        "https://www.exemple.fr/2024/10/25/titre.html?fbclid=abc&gclid=def&_ga=1",
        "https://www.exemple.fr//2024/./10/x/../25/titre.html;jsessionid=AB12",
        "https://lectrice:secret@exemple.fr/2024/10/25/titre.html",
        "https://www-exemple-fr.cdn.ampproject.org/c/s/www.exemple.fr/2024/10/25/titre.html",
        "https://www.google.fr/amp/s/www.exemple.fr/2024/10/25/titre.html?amp=1",
        "  \thttps://exemple.fr/2024/10/25/titre.html\n",
    ],
)
def test_one_article_has_one_key(address):
    assert canonical_url(address) == ARTICLE


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://exemple.fr/spip.php?article123", "https://exemple.fr/spip.php?article124"),
        ("https://exemple.fr/spip.php?article123", "https://exemple.fr/spip.php?page=article&id_article=124"),
        ("https://exemple.fr/?p=12", "https://exemple.fr/?p=13"),
        ("https://exemple.fr/index.php?id=12", "https://exemple.fr/index.php?id=13"),
        ("https://exemple.fr/article?ref=12", "https://exemple.fr/article?ref=13"),
        ("https://exemple.fr/a", "https://exemple.fr:8443/a"),
        ("https://sport.exemple.fr/a", "https://exemple.fr/a"),
        ("https://exemple.fr/a%2Fb", "https://exemple.fr/a/b"),
        ("https://exemple.fr/A", "https://exemple.fr/a"),
        ("https://exemple.fr/ampoule", "https://exemple.fr/oule"),
        ("https://exemple.fr/camp", "https://exemple.fr/c"),
    ],
)
def test_what_names_the_article_survives(one, other):
    assert canonical_url(one) != canonical_url(other)


def test_spip_query_stands_word_for_word():
    assert canonical_url("http://www.exemple.fr/spip.php?article123") == "https://exemple.fr/spip.php?article123"


def test_parameter_order_does_not_count():
    assert canonical_url("https://exemple.fr/a?b=2&a=1") == canonical_url("https://exemple.fr/a?a=1&b=2")


def test_repeated_names_keep_the_order_of_their_values():
    assert canonical_url("https://exemple.fr/a?t=2&t=1") == "https://exemple.fr/a?t=2&t=1"


def test_accents_are_written_one_way():
    assert canonical_url("https://exemple.fr/été?q=œuf vert") == "https://exemple.fr/%C3%A9t%C3%A9?q=%C5%93uf+vert"
    assert canonical_url("https://école.fr/") == "https://xn--cole-9oa.fr/"


def test_home_page_of_a_short_domain_keeps_its_first_label():
    assert canonical_url("https://m.fr/") == "https://m.fr/"
    assert canonical_url("https://www.fr") == "https://www.fr/"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "   ",
        "exemple.fr/a",
        "//exemple.fr/a",
        "mailto:redaction@exemple.fr",
        "javascript:void(0)",
        "ftp://exemple.fr/a",
        "http://",
        "http://[::1/a",
        "http://[zz]/a",
        "http://exemple.fr:99999999/a",
        "http://exemple.fr:port/a",
        "http://exe mple.fr/a",
        "http://exemple..fr/a",
        "http://exemple.fr\\@autre.fr/a",
        "http://" + "é" * 500 + ".fr/a",
        "https://exemple.fr/" + "a" * 100_000,
        "https://exemple.fr/?" + "a=b&" * 30_000,
    ],
)
def test_what_is_no_address_has_no_key(address):
    assert canonical_url(address) == ""


def test_nul_and_lone_surrogates_give_a_plain_key():
    assert canonical_url("https://exemple.fr/a\x00b") == "https://exemple.fr/a%00b"
    assert canonical_url("https://exemple.fr/a\udce9b").isascii()


def test_a_long_hostile_address_is_judged_at_once():
    started = time.perf_counter()
    for address in (
        "https://exemple.fr/" + "x-amp.html" * 1_600,
        "https://www." * 1_000,
        "https://exemple.fr/" + "/." * 8_000,
    ):
        canonical_url(address)
        is_alternate(address)
    assert time.perf_counter() - started < 1


PIECES = st.sampled_from(
    [
        *(
            "http://",
            "https://",
            "www.",
            "m.",
            "amp.",
            "exemple.fr",
            "EXEMPLE.fr",
            ".",
            ":80",
            ":443",
            ":8080",
            "/",
            "//",
        ),
        *(
            "amp",
            "-amp",
            ".amp",
            ".html",
            "..",
            "?",
            "&",
            "=",
            "amp;",
            "#",
            ";jsessionid=",
            "%",
            "%2",
            "%41",
            "%2f",
            "é",
        ),
        *(
            "utm_source",
            "id",
            "article12",
            "xtor",
            " ",
            "\x00",
            "\udce9",
            "@",
            "[",
            "]",
            "::1",
            "\\",
            "+",
            "%20",
            "spip.php",
        ),
        *("www.google.com", "/amp/s/", "/c/s/", "x.cdn.ampproject.org"),
    ]
)


@settings(max_examples=400, deadline=None)
@example("https://google.com/amp/s/google.com./amp/s/exemple.fr/a")
@given(
    st.one_of(
        st.lists(PIECES, max_size=14).map("".join), st.text(max_size=60).map("https://exemple.fr/".__add__), st.text()
    )
)
def test_a_key_is_its_own_key(address):
    key = canonical_url(address)
    assert canonical_url(key) == key
    assert key == "" or (key.startswith("https://") and key.isascii() and len(key) <= MAX_KEY)


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.lists(PIECES, max_size=14).map("".join), st.text()), st.binary(max_size=300))
def test_no_address_and_no_page_raises(address, head):
    page = b'<html amp><link rel="canonical" href="' + head + b'">'
    desktop_address(address, page)
    believable_canonical(address, "https://exemple.fr/a")
    same_site(address, address)
    is_alternate(address)


def test_sites_are_compared_by_registrable_domain():
    assert same_site("https://www.exemple.co.uk/a", "http://sport.exemple.co.uk:8080/")
    assert not same_site("https://exemple.co.uk/", "https://autre.co.uk/")
    assert not same_site("https://un.blogspot.com/", "https://deux.blogspot.com/")


def test_addresses_and_unknown_hosts_are_compared_whole():
    assert same_site("http://127.0.0.1:8000/a", "http://127.0.0.1:8000/b")
    assert not same_site("http://127.0.0.1:8000/a", "http://127.0.0.1:8001/a")
    assert not same_site("http://un.interne/", "http://deux.interne/")
    assert same_site("http://[::1]:8000/a", "http://[::1]:8000/")
    assert not same_site("http://[::1/a", "http://[::1/a")


AMP_HEAD = b'<!doctype html><html \xe2\x9a\xa1 lang="fr"><head><link rel="canonical" href="%s">'


def test_amp_page_told_by_its_markup_leads_to_its_canonical_link():
    assert (
        desktop_address("https://exemple.fr/a/v", AMP_HEAD % b"https://www.exemple.fr/a") == "https://www.exemple.fr/a"
    )
    assert (
        desktop_address("https://exemple.fr/a/v", b"<html lang=fr amp><link href=/a rel=canonical>")
        == "https://exemple.fr/a"
    )


def test_mobile_address_leads_to_its_canonical_link():
    head = b"<html><link rel='shortlink' href='/?p=1'><link data-x rel='canonical' href='https://exemple.fr/a?id=1&amp;v=2'>"
    assert desktop_address("https://m.exemple.fr/a", head) == "https://exemple.fr/a?id=1&v=2"


@pytest.mark.parametrize(
    "link",
    [
        b"https://autre.fr/a",
        b"https://exemple.fr/",
        b"/index.html",
        b"/spip.php?utm_source=x",
        b"https://exemple.fr/a/amp/",
        b"",
    ],
)
def test_canonical_link_that_cannot_be_meant_is_left(link):
    assert desktop_address("https://exemple.fr/a/amp/", AMP_HEAD % link) is None


def test_ordinary_page_is_its_own():
    assert desktop_address("https://exemple.fr/a", b'<html><link rel="canonical" href="https://exemple.fr/b">') is None


def test_canonical_link_far_down_the_page_is_not_looked_for():
    assert desktop_address("https://m.exemple.fr/a", b" " * 200_000 + b'<link rel="canonical" href="/b">') is None


def test_hostile_head_is_read_at_once():
    started = time.perf_counter()
    for head in (b"<link " * 40_000, b"<link rel=canonical " + b"href=" * 40_000 + b">", b"<html " + b"a " * 100_000):
        desktop_address("https://m.exemple.fr/a", head)
    assert time.perf_counter() - started < 1
