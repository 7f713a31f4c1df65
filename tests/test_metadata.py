"""What a page says of its article: title, authors, section, tags, image, canonical address, rights."""

# ruff: noqa: E501  (one line of markup a case)

import json

import pytest

from kiosque.model import Outlet, ReadRules, RightsClaims
from pipelines.steps.authors import read_byline
from pipelines.steps.metadata import read_metadata
from pipelines.steps.parse import Document, parse_html

URL = "https://lavoix.example/politique/le-pont-rouvre"
VOIX = Outlet(slug="lavoix", name="La Voix de l'Est", site="https://www.lavoix.example", country="FR")


def metadata(html, *, rules=None):
    root = parse_html(html)
    return read_metadata(
        Document(url=URL, html=html, root=root, elements=tuple(root.iter())), VOIX, rules=rules or ReadRules()
    )


def ld(value):
    text = value if isinstance(value, str) else json.dumps(value)
    return f'<script type="application/ld+json">{text}</script>'


ARTICLE = {
    "@context": "https://schema.org",
    "@type": "NewsArticle",
    "headline": "Le pont de Valmont rouvre",
    "author": {"@type": "Person", "name": "Ève Durand"},
    "articleSection": "Politique",
    "keywords": ["ponts", "crues"],
    "image": {"@type": "ImageObject", "url": "/pont.jpg"},
}


@pytest.mark.parametrize(
    "script",
    [
        ARTICLE,
        [ARTICLE],
        {"@context": "https://schema.org", "@graph": [{"@type": "WebSite", "name": "La Voix"}, ARTICLE]},
        {"@type": "WebPage", "mainEntity": ARTICLE},
        json.dumps(ARTICLE)[:-1] + ",}",
        "<!-- " + json.dumps(ARTICLE) + " -->",
        "//<![CDATA[\n" + json.dumps(ARTICLE) + "\n//]]>",
        json.dumps(ARTICLE).replace("Valmont", "Valmont\n"),
        json.dumps(ARTICLE) + ";",
        json.dumps({"@type": "Organization"}) + json.dumps(ARTICLE),
    ],
    ids=["node", "list", "graph", "main", "comma", "comment", "cdata", "newline", "semicolon", "two"],
)
def test_json_ld_is_found_in_every_wrapping(script):
    found = metadata(ld(script) + "<h1>Le pont de Valmont rouvre</h1>")
    assert found.byline.authors == ("Ève Durand",)
    assert (found.section, found.tags) == ("Politique", ("ponts", "crues"))
    assert found.image == "https://lavoix.example/pont.jpg"


def test_of_several_articles_the_one_of_this_address_is_taken():
    other = {**ARTICLE, "headline": "Un autre article", "author": {"name": "Paul Petit"}, "url": URL + "-plus-tard"}
    this = {**ARTICLE, "url": URL + "/"}
    assert metadata(ld([other, this]) + "<h1>Le pont de Valmont rouvre</h1>").byline.authors == ("Ève Durand",)


def test_of_several_articles_the_one_of_this_title_is_taken():
    other = {**ARTICLE, "headline": "Le marché change de place", "author": {"name": "Paul Petit"}}
    found = metadata(ld([other, ARTICLE]) + "<h1>Le pont de Valmont rouvre</h1>")
    assert found.byline.authors == ("Ève Durand",)


def test_an_author_named_elsewhere_in_the_graph_is_found():
    graph = [
        {"@type": "Person", "@id": "#eve", "name": "Ève Durand"},
        {**ARTICLE, "author": {"@id": "#eve"}},
    ]
    assert metadata(ld({"@graph": graph})).byline.authors == ("Ève Durand",)


def test_hopeless_json_is_as_if_absent():
    assert metadata(ld('{"@type": "NewsArticle", "headline": ') + "<h1>Le pont rouvre</h1>").title == "Le pont rouvre"
    assert metadata(ld("[" * 100_000)).title is None


@pytest.mark.parametrize(
    "title",
    [
        "Le pont de Valmont rouvre - La Voix de l'Est",
        "Le pont de Valmont rouvre | La Voix de l'Est",
        "Le pont de Valmont rouvre – La Voix de l’Est",
        "Le pont de Valmont rouvre | Politique | La Voix de l'Est",
        "Le pont de Valmont rouvre - lavoix.example",
        "La Voix de l'Est : Le pont de Valmont rouvre",
        "Le pont de Valmont rouvre",
    ],
)
def test_a_title_loses_its_outlet(title):
    found = metadata(f"<title>{title}</title>").title
    assert found in {"Le pont de Valmont rouvre", "Le pont de Valmont rouvre | Politique"}


def test_a_hyphen_inside_a_title_stays():
    assert metadata("<title>Lyon - Nantes : le duel des ponts</title>").title == "Lyon - Nantes : le duel des ponts"


def test_the_h1_that_readers_see_wins_over_the_machines_version():
    html = (
        '<meta property="og:title" content="Pont de Valmont : la réouverture en photos">'
        "<h1>La Voix de l'Est</h1><h1>Le pont de Valmont rouvre, en photos</h1>"
    )
    assert metadata(html).title == "Le pont de Valmont rouvre, en photos"


def test_a_logo_in_an_h1_is_no_title():
    html = '<meta property="og:title" content="Le pont de Valmont rouvre"><h1><img alt="La Voix"></h1><h1>La Voix</h1>'
    assert metadata(html).title == "Le pont de Valmont rouvre"


def test_a_label_in_the_h1_is_not_the_title():
    html = "<title>Le pont de Valmont rouvre | Chroniques | La Voix</title><h1>Le pont de Valmont rouvre <b>Abonnés</b></h1>"
    assert metadata(html).title == "Le pont de Valmont rouvre"


@pytest.mark.parametrize(
    ("claims", "authors", "agency"),
    [
        (["Par Mme Ève Durand (avec AFP)"], ("Ève Durand",), "AFP"),
        (["Ève Durand avec AFP"], ("Ève Durand",), "AFP"),
        (["Ève Durand, Paul Petit et Jean-Luc Grand"], ("Ève Durand", "Paul Petit", "Jean-Luc Grand"), None),
        (["Par Ève Durand, correspondante à Rome"], ("Ève Durand",), None),
        (["Par Ève Durand (à Rome)"], ("Ève Durand",), None),
        (["Ève Durand (avec Paul Petit)"], ("Ève Durand", "Paul Petit"), None),
        (["Propos recueillis par Ève Durand"], ("Ève Durand",), None),
        (["Article rédigé par Ève Durand"], ("Ève Durand",), None),
        (["De notre envoyée spéciale à Rome, Ève Durand"], ("Ève Durand",), None),
        (["Charles de La Tour & Ann Van den Berg"], ("Charles de La Tour", "Ann Van den Berg"), None),
        (["Maxime MAGNIER"], ("Maxime MAGNIER",), None),
        (["M. Martin Noël"], ("Martin Noël",), None),
        (["A. Lo."], ("A. Lo.",), None),
        (["Par Ève Durand pour Le Matin (avec AFP)"], ("Ève Durand",), "AFP"),
        (["Ève Durand", "Durand"], ("Ève Durand",), None),
        (["La rédaction"], (), None),
        (["La Voix de l'Est"], (), None),
        (["lavoix.example"], (), None),
        (["AFP"], (), "AFP"),
        (["Agence France-Presse"], (), "AFP"),
        (["Le Matin avec Belga"], (), "Belga"),
        (["redaction@lavoix.example"], (), None),
        (["https://lavoix.example/auteur/eve"], (), None),
        (["Rédaction web, service politique"], (), None),
        (["admin"], (), None),
        ([""], (), None),
    ],
)
def test_a_byline_is_a_clean_list_of_people(claims, authors, agency):
    found = read_byline(claims, houses=("La Voix de l'Est", "lavoix.example"))
    assert (found.authors, found.agency) == (authors, agency)


def test_the_visible_byline_near_the_title_serves_when_machines_are_silent():
    html = (
        "<ul class='auteurs'><li><a href='/auteur/x'>Xavier Autre</a></li></ul><article><h1>Le pont rouvre</h1>"
        "<p class='byline'>Par <a href='/auteur/eve'>Ève Durand</a> <span>Urbaniste</span></p></article>"
    )
    assert metadata(html).byline.authors == ("Ève Durand",)


def test_the_author_of_a_comment_is_not_the_author():
    html = "<h1>Le pont rouvre</h1><div class='comments'><span class='author'>Paul Petit</span></div>"
    assert metadata(html).byline.authors == ()


def test_rights_are_read_from_the_meta_tags():
    html = (
        '<meta name="robots" content="NoAI, max-image-preview:large"><meta name="googlebot" content="noarchive">'
        '<meta name="tdm-reservation" content="1"><meta name="tdm-policy" content="https://lavoix.example/tdm.json">'
    )
    assert metadata(html).claims == RightsClaims(
        robots=("noai", "max-image-preview:large", "noarchive"),
        tdm_reserved=True,
        tdm_policy="https://lavoix.example/tdm.json",
    )


def test_no_word_on_rights_is_no_claim():
    assert metadata("<h1>Le pont</h1>").claims == RightsClaims()


def test_the_section_comes_from_the_breadcrumb_when_nothing_names_it():
    crumbs = [{"name": "Accueil"}, {"name": "Sports"}, {"name": "Le pont rouvre"}]
    trail = {"@type": "BreadcrumbList", "itemListElement": crumbs}
    assert metadata(ld(trail)).section == "Sports"


def test_a_linked_name_beside_the_date_under_the_title_is_the_author():
    html = "<h1>Le pont rouvre</h1><p><a href='/source/12/eve'>Ève Durand</a> – <time>7 juillet 2025</time></p>"
    assert metadata(html).byline.authors == ("Ève Durand",)
