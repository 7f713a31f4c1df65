"""What is taken out of a page beside its article, and what is left inside sentences."""

# ruff: noqa: E501  (one line of markup a case)

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from kiosque.common_rules import load_common
from kiosque.model import CleanRules, Outlet, Page, ReadRules
from pipelines import read_article
from pipelines.steps.extract import extract_blocks
from pipelines.steps.layout import lay_out
from pipelines.steps.parse import parse_html
from pipelines.steps.selectors import unmatched_selectors
from pipelines.steps.title import title_element

FIRST = (
    "Le pont de Valmont a rouvert vendredi matin, deux ans après la crue qui avait emporté sa pile centrale, et les "
    "premiers camions l’ont franchi peu avant sept heures."
)
SECOND = (
    "La communauté de communes a payé la moitié du chantier, dont le coût a doublé entre le premier devis et la "
    "réception des travaux, selon le rapport remis au conseil."
)
LAST = "Reste la question du péage, que le conseil examinera en décembre, sans doute après les vœux du maire."
PARAGRAPHS = f"<p>{FIRST}</p><p>{SECOND}</p><p>{LAST}</p>"


def lines(inside, **rest):
    root = parse_html(f"<html><body><h1>Le pont rouvre</h1>{inside}</body></html>")
    layout = lay_out(tuple(root.iter()), title_element(root, "Le pont rouvre"))
    return [" ".join(block.text.split()) for block in extract_blocks(layout, common=load_common(), **rest)]


TEASERS = "".join(
    f"<div class='c'><h3><a href='/{i}'>Un titre assez long pour être celui d’un article {i}</a></h3>"
    f"<p>Le chapeau de cet autre article, qui raconte tout autre chose sur deux lignes, numéro {i}.</p></div>"
    for i in range(6)
)


@pytest.mark.parametrize(
    "box",
    [
        f"<section>{TEASERS}</section>",
        f"<div><h2>Sur le même sujet</h2>{TEASERS}</div>",
        "<div><div class='t'>À lire aussi</div><ul><li><a href='/1'>Le port cherche un président</a></li></ul></div>",
        "<h3>Les plus lus</h3><ul><li><a href='/1'>Le port</a></li><li><a href='/2'>Le marché change</a></li></ul>",
        "<div class='social-share'><a href='#'>Facebook</a><p>Partagez cet article avec vos amis sur les réseaux.</p></div>",
        "<aside><p>Un encadré qui parle d’autre chose, et longuement, sans rapport avec le pont ni la crue.</p></aside>",
        "<div class='newsletter-box'><p>Recevez chaque matin toute l’actualité de la vallée dans votre boîte.</p></div>",
        "<div id='comments'><h3>3 commentaires</h3><p>Très bon article, merci, enfin un pont digne de ce nom chez nous.</p></div>",
        "<section><h2>Commentaires</h2><div><p>Très bon article, merci, enfin un pont digne de ce nom chez nous.</p></div></section>",
        "<figure><img src='a.jpg'><figcaption>Le pont, vendredi matin, vu de la rive gauche de la rivière.</figcaption></figure>",
        "<blockquote class='twitter-tweet'><p>Enfin ! Le pont rouvre, merci à toutes les équipes du chantier.</p></blockquote>",
        "<a href='/autre'><h3>Un autre article</h3><p>Son chapeau, assez long pour ressembler à un paragraphe entier.</p></a>",
        "<div class='tags'><a href='/t/pont'>Pont</a> <a href='/t/crue'>Crue</a></div>",
        "<div class='cookie-banner'><p>Nous utilisons des cookies pour mesurer notre audience et améliorer le site.</p></div>",
        "<script>var texte = 'Un texte caché dans un script, long, très long, trop long pour être honnête.';</script>",
    ],
)
def test_a_box_beside_the_article_is_left_out(box):
    assert lines(f"<article>{PARAGRAPHS}{box}</article>") == [FIRST, SECOND, LAST]
    assert lines(f"<article><p>{FIRST}</p>{box}<p>{SECOND}</p><p>{LAST}</p></article>") == [FIRST, SECOND, LAST]
    assert lines(f"<article>{PARAGRAPHS}</article>{box}") == [FIRST, SECOND, LAST]


@pytest.mark.parametrize(
    "sentence",
    [
        "Elle a tout lu <strong>sur le web</strong>, puis elle a refermé son ordinateur et elle est sortie marcher.",
        "Le ministre a dit <em>à lire aussi</em> comme on dit bonjour, sans y penser, devant des journalistes étonnés.",
        "Le <span class='tags'>pont</span> a été repeint par les habitants, qui ont choisi le vert de la rivière.",
        "Le <a class='share' href='/pont'>pont de Valmont</a> a été repeint par les habitants au mois d’août.",
        "À <time datetime='2024-10-25'>sept heures</time>, les premiers camions ont franchi le pont sous les applaudissements.",
        "Le maire (<label>divers gauche</label>) a coupé le ruban sous la pluie, devant trois cents personnes.",
    ],
)
def test_words_inside_a_sentence_are_never_touched(sentence):
    whole = " ".join("".join(parse_html(f"<p>{sentence}</p>").itertext()).split())
    assert whole in lines(f"<article><p>{FIRST}</p><p>{sentence}</p><p>{SECOND}</p></article>")


@pytest.mark.parametrize(
    "body",
    [
        f"<div>{FIRST}<br><br>{SECOND}<br><br>{LAST}</div>",
        f"<div><div>{FIRST}</div><div>{SECOND}</div><div>{LAST}</div></div>",
        f"<section><p>{FIRST}</p></section><section><p>{SECOND}</p></section><section><p>{LAST}</p></section>",
        f"<div class='ads-wrapper'><div class='share-zone'>{PARAGRAPHS}</div></div>",
        f"<nav><ul><li>Accueil</li></ul><main>{PARAGRAPHS}</main>",
        f"<table><tr><td><p>{FIRST}</p><p>{SECOND}</p><p>{LAST}</p></td></tr></table>",
        f"<div class='comments-enabled'>{PARAGRAPHS}</div>",
        f"<div class='paywall-content'>{PARAGRAPHS}</div>",
        f"<div class='subscriber-only'>{PARAGRAPHS}</div>",
        f"<form action='/'>{PARAGRAPHS}</form>",
    ],
    ids=[
        "breaks",
        "divs",
        "sections",
        "bad-names",
        "open-nav",
        "table",
        "comments-enabled",
        "paywall",
        "closed",
        "form",
    ],
)
def test_an_article_is_found_in_old_and_odd_markup(body):
    found = lines(body)
    assert [line for line in (FIRST, SECOND, LAST) if line not in found] == []


def test_lists_and_intertitres_stay_in_their_place():
    body = (
        f"<p>{FIRST}</p><h2>Ce qui change</h2><ul><li>Le péage, dès janvier</li><li>Les horaires</li></ul><p>{LAST}</p>"
    )
    assert lines(f"<article>{body}</article>") == [
        FIRST,
        "Ce qui change",
        "Le péage, dès janvier",
        "Les horaires",
        LAST,
    ]


def test_an_article_with_links_in_every_line_keeps_them():
    linked = FIRST.replace("Valmont", "<a href='/v'>Valmont</a>").replace("la crue", "<a href='/c'>la crue</a>")
    assert lines(f"<article><p>{linked}</p><p>{SECOND}</p></article>") == [FIRST, SECOND]


def test_the_legal_notice_of_the_footer_never_stands_in_for_a_short_article():
    legal = (
        "<p>"
        + "Éditée par la société des journaux de l’Est, au capital de dix mille euros, siège à Valmont. " * 2
        + "</p>"
    )
    found = lines(f"<article><p>{FIRST}</p></article><div class='container'><div>{legal}</div></div>")
    assert found == [FIRST]


def test_a_body_selector_decides_where_it_finds_enough():
    html = f"<div class='x'><p>{FIRST}</p><p>{SECOND}</p></div><div class='y'><p>{LAST}</p><p>{LAST} Bis.</p><p>{SECOND}</p></div>"
    assert lines(html, body_css="div.x") == [FIRST, SECOND]


def test_a_dropped_selector_goes_however_much_it_holds():
    html = f"<article><p>{FIRST}</p><div class='encadre'><p>{SECOND}</p><p>{SECOND} Bis.</p></div></article>"
    assert lines(html, drop_css=("div.encadre",)) == [FIRST]


def test_lire_aussi_in_the_middle_of_a_paragraph_goes_and_the_sentence_goes_on():
    capsule = "<span class='c'><b>À LIRE AUSSI</b> <strong><a href='/p'>Le port : un président</a></strong></span>"
    assert lines(f"<article><p>{FIRST}<br>{capsule}{SECOND}</p><p>{LAST}</p></article>") == [FIRST, SECOND, LAST]


def test_a_linked_name_at_the_head_of_a_paragraph_stays():
    line = f"<strong><a href='/p'>Voir Valmont</a></strong> et mourir, disait le poète. {SECOND}"
    assert lines(f"<article><p>{FIRST}</p><p>{line}</p></article>")[1].startswith("Voir Valmont et mourir")


def test_a_paragraph_left_outside_the_paywall_s_box_is_kept():
    html = f"<article><p>{FIRST}</p><div class='qiota'><p>{SECOND}</p><p>{SECOND} Bis.</p></div><p>{LAST}</p></article>"
    assert lines(html) == [FIRST, SECOND, f"{SECOND} Bis.", LAST]


def test_a_selector_that_stopped_matching_is_named():
    page = Page(
        url="https://lavoix.example/a",
        final_url="https://lavoix.example/a",
        body=f"<h1>Le pont</h1><div class='corps'>{PARAGRAPHS}</div>".encode(),
        fetched_at=datetime(2024, 10, 26, tzinfo=UTC),
    )
    outlet = Outlet(
        slug="lavoix",
        name="La Voix",
        site="https://lavoix.example",
        country="FR",
        clean=CleanRules(drop_css=("aside.abonnement",)),
        read=(ReadRules(body_css="div.corps", lead_css="p.chapeau"),),
    )
    assert unmatched_selectors(page, outlet) == ("aside.abonnement", "p.chapeau")


@pytest.mark.parametrize("heading", ["Les réactions", "Services", "Dossiers", "L’auteur", "Commentaires", "À la une"])
def test_an_intertitre_that_reads_like_a_box_s_heading_keeps_its_section(heading):
    flow = f"<article><p>{FIRST}</p><h2>{heading}</h2><p>{SECOND}</p><p>{LAST}</p></article>"
    assert lines(flow) == [FIRST, heading, SECOND, LAST]
    sections = f"<section><h2>Le pont</h2><p>{FIRST}</p></section><section><h2>{heading}</h2><p>{SECOND}</p></section>"
    assert lines(f"<article>{sections}<section><h2>Et après</h2><p>{LAST}</p></section></article>") == [
        "Le pont",
        FIRST,
        heading,
        SECOND,
        "Et après",
        LAST,
    ]


LABELLED = """<html lang="fr"><head><title>Le pont rouvre</title></head><body><article><h1>Le pont rouvre</h1>
<p class="chapo"><span class="chapo-label">l'essentiel</span> Deux ans après la crue, la circulation a repris.</p>%s
</article></body></html>"""


def test_what_an_outlet_drops_is_dropped_from_the_chapo_too():
    url = "https://lavoix.example/pont"
    page = Page(
        url=url, final_url=url, body=(LABELLED % PARAGRAPHS).encode(), fetched_at=datetime(2026, 3, 2, tzinfo=UTC)
    )
    outlet = Outlet(slug="lavoix", name="La Voix", site="https://lavoix.example", country="FR")
    ruled = replace(outlet, clean=CleanRules(drop_css=(".chapo-label",)))
    assert read_article(page, outlet).lead.startswith("l'essentiel Deux ans")
    assert read_article(page, ruled).lead == "Deux ans après la crue, la circulation a repris."
    none = replace(outlet, clean=CleanRules(drop_css=("p.chapo",)))
    assert read_article(page, none).lead is None


@pytest.mark.parametrize(
    ("quoted", "shown"),
    [
        ("<q>« Nous rouvrons »</q>", "« Nous rouvrons »"),
        ('<q>"Nous rouvrons"</q>', '"Nous rouvrons"'),
        ("<q>Nous rouvrons</q>", "« Nous rouvrons »"),
        ("<q>Nous <em>rouvrons</em></q>", "« Nous rouvrons »"),
        ("<q></q>", ""),
    ],
)
def test_a_quotation_stays_in_its_sentence(quoted, shown):
    html = f"<article><p>{FIRST} {quoted}, dit le maire.</p><p>{SECOND}</p><p>{LAST}</p></article>"
    assert lines(html)[0] == " ".join(f"{FIRST} {shown}, dit le maire.".split())
