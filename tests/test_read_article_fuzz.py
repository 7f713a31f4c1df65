"""Any bytes give an article or a reason, quickly."""

import time
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosque.model import Article, CleanRules, Outlet, Page, ReadRules, Rejected
from pipelines import read_article

NOON = datetime(2024, 10, 26, 12, 0, tzinfo=UTC)
VOIX = Outlet(
    slug="lavoix",
    name="La Voix",
    site="https://lavoix.example",
    country="FR",
    clean=CleanRules(drop_css=("div.x",), drop_lines=("Lire",), keep_lines=("Ce que",)),
    read=(ReadRules(body_css="div.body", title_css="h1", lead_css="p.c", authors_css=".a", date_css=".d"),),
)
SENTENCE = "Le maire a annoncé mardi que les travaux de la place commenceront au printemps, pour une durée de dix mois."

TAGS = [
    "p",
    "div",
    "h1",
    "h2",
    "a",
    "ul",
    "li",
    "span",
    "table",
    "tr",
    "td",
    "article",
    "section",
    "blockquote",
    "br",
    "time",
    "figure",
    "nav",
    "aside",
    "form",
    "b",
    "script",
    "title",
    "meta",
    "main",
    "header",
    "iframe",
    "x-y",
]
tags = st.sampled_from(TAGS)
attributes = st.sampled_from(
    [
        "",
        " class='chapo'",
        " class='share tags'",
        " id='comments'",
        " href='/x'",
        " class='article-body'",
        " datetime='2024-10-25'",
        " rel='author'",
        " itemprop='articleBody'",
        " type='application/ld+json'",
        " name='author' content='Ève'",
        " property='og:title' content='Le pont'",
        " class='paywall'",
        " class='date'",
    ]
)
words = st.sampled_from(
    [
        SENTENCE,
        "Lire aussi",
        "Par Ève Durand",
        "Publié le 25/10/2024",
        "« »",
        " , ",
        "A. Lo.",
        "&nbsp;",
        "&#0;",
        "\x00",
        '{"@type":"NewsArticle","author":[{"name":1},null]}',
        '{"@graph":[[[]],{"@id":{}}]}',
        "<",
        "]]>",
        "à 14 h 30",
    ]
)
pieces = st.one_of(
    st.tuples(tags, attributes).map(lambda pair: f"<{pair[0]}{pair[1]}>"), tags.map(lambda tag: f"</{tag}>"), words
)


def answer(body, *, url="https://lavoix.example/a", headers=(("content-type", "text/html"),)):
    found = read_article(Page(url=url, final_url=url, headers=headers, body=body, fetched_at=NOON), VOIX)
    assert isinstance(found, Article | Rejected)
    return found


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(pieces, max_size=60))
def test_any_soup_of_tags_gives_an_article_or_a_reason(soup):
    found = answer("".join(soup).encode())
    if isinstance(found, Article):
        assert "\x00" not in found.text
        assert all(line.strip() for line in found.text.split("\n"))


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_give_an_article_or_a_reason(noise):
    answer(noise)
    answer(b"<h1>Le pont</h1><p>" + SENTENCE.encode() + noise + b"<p>" + SENTENCE.encode())


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60))
def test_any_address_and_label_gives_an_article_or_a_reason(url, label):
    headers = (("content-type", f"text/html; charset={label}"),)
    answer(f"<h1>Le pont rouvre</h1><p>{SENTENCE}</p>".encode("latin-1"), url=url, headers=headers)


P = f"<p>{SENTENCE}</p>"


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 50_000 + P,
        "<b>" * 20_000 + P,
        "<table>" * 5_000 + P,
        P * 4_000,
        "<p>" + "a " * 300_000,
        "<p>" + " ," * 200_000,
        "<p>" + "« " * 200_000,
        "<p>" + ("mot " * 40 + "<br>") * 1_500,
        "<ul>" + "<li><a href=x>Un titre de lien</a></li>" * 4_500,
        "<h2><a href=x>Un titre d’article assez long</a></h2><p>court</p>" * 2_400,
        "<h2>À lire aussi</h2>" * 4_500,
        "<div class='share'>" * 200 + P,
        "<script type='application/ld+json'>" + "[" * 100_000,
        "<script type='application/ld+json'>" + '{"@graph":[' * 10_000,
        "<script type='application/ld+json'>{\"a\":" + "9" * 10_000 + "}</script>" + P,
        "<title>" + "a - " * 50_000 + "</title>" + P,
        "<meta name=author content='" + "Par Jean et " * 50_000 + "'>" + P,
        "<time datetime='2024'>" * 5_000 + P,
        "<p class='date'>Publié le " + "12/12/2024 " * 10_000 + "</p>" + P,
        "<p class='" + "a " * 100_000 + "'>" + P,
        "<td>" * 10_000 + P,
    ],
    ids=range(21),
)
def test_a_monstrous_page_ends_soon(html):
    start = time.perf_counter()
    answer(f"<h1>Le pont rouvre</h1>{html}".encode())
    assert time.perf_counter() - start < 8  # the pool's limit is ten seconds
