"""Live blogs: kept, read whole and marked with the tag `live-blog`."""

import json
from datetime import UTC, datetime

import pytest

from kiosque.model import Article, Outlet, Page
from pipelines import read_article

VOIX = Outlet(slug="lavoix", name="La Voix de l'Est", site="https://lavoix.example", country="FR")
URL = "https://lavoix.example/direct/crue-de-la-lerne"
OTHER = "https://lavoix.example/direct/orage-sur-valmont"
ENTRIES = (
    ("14h32", "La préfecture annonce la fermeture du pont de Valmont aux camions jusqu’à la fin de la journée."),
    ("13h05", "Le niveau de la Lerne a dépassé deux mètres à la station de mesure du vieux moulin."),
    ("11 h 48", "Les pompiers ont fait une vingtaine de sorties depuis l’aube, surtout pour des caves inondées."),
)
STREAM = "".join(f"<div class='entree'><h3>{time}</h3><p>{text}</p></div>" for time, text in ENTRIES)
PROSE = "".join(f"<p>{text}</p>" for _, text in ENTRIES)


def read(inside, *, title, data=None):
    scripts = "".join(f'<script type="application/ld+json">{json.dumps(node)}</script>' for node in data or ())
    html = (
        f"<!DOCTYPE html><html lang='fr'><head><title>{title}</title>{scripts}</head>"
        f"<body><main><article><h1>{title}</h1>{inside}</article></main></body></html>"
    )
    page = Page(url=URL, final_url=URL, body=html.encode(), fetched_at=datetime(2024, 10, 26, 12, 0, tzinfo=UTC))
    article = read_article(page, VOIX)
    assert isinstance(article, Article), article
    return article


def test_a_page_that_says_it_is_a_live_blog_carries_the_tag_before_its_own():
    data = {"@type": "LiveBlogPosting", "headline": "Crue de la Lerne", "keywords": ["crue"]}
    assert read(STREAM, title="Crue de la Lerne", data=[data]).tags == ("live-blog", "crue")


def test_every_entry_of_a_live_blog_is_in_its_text():
    text = read(STREAM, title="Crue de la Lerne", data=[{"@type": "LiveBlogPosting"}]).text.replace("\xa0", " ")
    assert [entry for _, entry in ENTRIES if entry in text] == [entry for _, entry in ENTRIES]


def test_updates_inside_a_news_article_make_it_a_live_blog():
    data = {"@type": "NewsArticle", "headline": "Crue", "liveBlogUpdate": [{"@type": "BlogPosting"}]}
    assert "live-blog" in read(STREAM, title="Crue de la Lerne", data=[data]).tags


def test_a_live_blog_node_beside_the_article_of_the_same_page_counts():
    article = {"@type": "NewsArticle", "headline": "Crue de la Lerne", "url": URL}
    assert "live-blog" in read(STREAM, title="Crue", data=[article, {"@type": "LiveBlogPosting", "url": URL}]).tags


def test_another_page_s_live_blog_shown_beside_an_article_does_not_count():
    article = {"@type": "NewsArticle", "headline": "Crue de la Lerne", "url": URL}
    assert read(PROSE, title="Crue", data=[article, {"@type": "LiveBlogPosting", "url": OTHER}]).tags == ()


@pytest.mark.parametrize("title", ["EN DIRECT. Crue de la Lerne", "Crue de la Lerne EN DIRECT", "Direct : la crue"])
def test_without_structured_data_the_title_and_the_clock_times_of_entries_tell(title):
    assert "live-blog" in read(STREAM, title=title).tags


@pytest.mark.parametrize(
    ("title", "inside"),
    [
        ("Suivez le match en direct sur la chaîne locale", STREAM),
        ("Directeur d'école, un métier qui change", STREAM),
        ("EN DIRECT. Crue de la Lerne", PROSE),
    ],
)
def test_half_the_signs_make_no_live_blog(title, inside):
    assert "live-blog" not in read(inside, title=title).tags
