"""One page's way from bytes to article: what each step gave, and what became of each line."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosque.model import Article, CleanRules, FeedEntry, Outlet, Page, Rejected
from pipelines import read_article
from pipelines.steps.decode import decode_how
from pipelines.trace import Line, trace_article

OUTLET = Outlet(
    slug="gazette",
    name="La Gazette",
    site="https://gazette.example",
    country="FR",
    clean=CleanRules(drop_lines=("Notre dossier",)),
)
LINES = (
    "Le conseil municipal de Valmont a voté lundi soir la réouverture du pont des Tanneurs, fermé depuis deux hivers.",
    "Les travaux commenceront au printemps et dureront quatre mois, a précisé la maire devant une salle comble.",
    "Les commerçants de la rive gauche attendaient cette décision, qui leur rendra leurs clients de l’autre rive.",
)
HTML = f"""<!doctype html><html lang="fr"><head><title>Le pont rouvre - La Gazette</title>
<meta property="og:title" content="Le pont des Tanneurs va rouvrir">
<script type="application/ld+json">{{"@type": "NewsArticle", "headline": "Le pont des Tanneurs va rouvrir",
"datePublished": "2024-10-25T07:12:00+02:00", "dateModified": "2024-10-25T11:30:00+02:00",
"author": {{"name": "Ève Durand"}}}}</script></head><body>
<nav><a href="/">Accueil</a></nav><article><h1>Le pont des Tanneurs va rouvrir</h1><p>{LINES[0]}</p>
<p>Notre dossier sur les ponts</p><p>{LINES[1]}</p><p>{LINES[2]}</p></article>
<footer>Mentions légales</footer></body></html>"""
PAGE = Page(
    url="https://gazette.example/pont",
    final_url="https://gazette.example/pont",
    headers=(("content-type", "text/html; charset=iso-8859-1"),),
    body=HTML.encode(),
    fetched_at=datetime(2024, 10, 26, 8, tzinfo=UTC),
)
ENTRY = FeedEntry(url=PAGE.url, title="Le pont va rouvrir", published="Fri, 25 Oct 2024 07:12:00 +0200")


def test_a_trace_reads_as_a_crawl_does_and_keeps_what_each_step_gave():
    trace = trace_article(PAGE, OUTLET, entry=ENTRY)
    assert trace.reading == read_article(PAGE, OUTLET, entry=ENTRY)
    assert (trace.encoding, trace.labels) == ("utf-8, strictly valid", ("iso-8859-1",))
    assert (trace.types, trace.blocks) == (("newsarticle",), (("p", 3),))
    assert "headline" in trace.keys
    assert ("json-ld", "2024-10-25T07:12:00+02:00") in [(one.source, one.text) for one in trace.signals]
    assert ("feed", "Fri, 25 Oct 2024 07:12:00 +0200") in [(one.source, one.text) for one in trace.signals]
    assert ("title", "json-ld headline", "Le pont des Tanneurs va rouvrir") in trace.claims
    assert ("authors", "json-ld author", "Ève Durand") in trace.claims
    assert ("title", "feed", "Le pont va rouvrir") in trace.claims


def test_each_line_of_the_page_is_kept_removed_by_a_rule_or_left_aside():
    lines = trace_article(PAGE, OUTLET).lines
    assert lines == (
        Line(text="Accueil", fate="aside"),
        Line(text="Le pont des Tanneurs va rouvrir", fate="title"),
        Line(text=LINES[0], fate="kept"),
        Line(text="Notre dossier sur les ponts", fate="removed", rule="outlet: Notre dossier"),
        Line(text=LINES[1], fate="kept"),
        Line(text=LINES[2], fate="kept"),
        Line(text="Mentions légales", fate="aside"),
    )


def test_what_is_no_article_tells_how_far_it_came():
    short = trace_article(replace(PAGE, body=b"<html><body><h1>Un titre</h1><p>Trois mots seulement.</p>"), OUTLET)
    assert isinstance(short.reading, Rejected)
    assert (short.elements > 0, short.lines) == (True, ())
    image = trace_article(replace(PAGE, body=b"\x89PNG...."), OUTLET)
    assert (image.reading.reason, image.elements, image.signals) == ("not-html", 0, ())


@pytest.mark.parametrize(
    ("body", "how"),
    [
        ("\ufeffété".encode(), "utf-8, by its byte order mark"),
        ("été".encode("cp1252"), "windows-1252, by its label"),
        ("été".encode(), "utf-8, strictly valid"),
        ("Le procÃ¨s dâ€™assises sâ€™ouvre Ã  lâ€™Ã©tÃ©".encode(), "utf-8, strictly valid; mojibake mended"),
    ],
)
def test_it_says_how_the_bytes_were_read(body, how):
    assert decode_how(replace(PAGE, body=body))[1] == how


def test_a_label_that_lies_is_not_believed():
    page = replace(PAGE, headers=(("content-type", "text/html; charset=utf-8"),), body="été à Valmont".encode("cp1252"))
    assert decode_how(page) == ("été à Valmont", "windows-1252, for no label fits")


@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda text: HTML.replace("<p>", text, 1).encode()))
@settings(max_examples=30)
def test_whatever_the_bytes_a_trace_answers_as_the_reading_does(body):
    page = replace(PAGE, body=body)
    trace = trace_article(page, OUTLET)
    assert trace.reading == read_article(page, OUTLET)
    if isinstance(trace.reading, Article):
        assert trace.lines
