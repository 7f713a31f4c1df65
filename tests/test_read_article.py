"""`read_article` from bytes to article: what a reader of the dataset would notice."""

import json
from datetime import UTC, datetime

import pytest

from kiosque.model import Article, CleanRules, FeedEntry, Outlet, Page, ReadRules, Rejected
from pipelines import read_article

NOON = datetime(2024, 10, 26, 12, 0, tzinfo=UTC)
URL = "https://lavoix.example/politique/2024/10/25/le-pont-de-valmont-rouvre"
VOIX = Outlet(slug="lavoix", name="La Voix de l'Est", site="https://lavoix.example", country="FR")

FIRST = (
    "Le pont de Valmont a rouvert vendredi matin, deux ans après la crue qui avait emporté sa pile centrale. "
    "Les premiers camions l’ont franchi peu avant sept heures."
)
SECOND = (
    "La communauté de communes a payé la moitié du chantier, dont le coût a doublé entre le premier devis et la "
    "réception des travaux. L’État et la région ont pris le reste à leur charge."
)
LAST = (
    "Reste la question du péage, que le conseil examinera en décembre. « Personne n’en veut, mais personne ne sait "
    "comment s’en passer », résume une élue."
)
CHAPO = "Deux ans après la crue, la circulation a repris entre les deux rives, au soulagement des commerçants."
BODY = f"<p>{FIRST}</p><h2>Un chantier deux fois plus cher</h2><p>{SECOND}</p><p>{LAST}</p>"


def page(html, *, url=URL, content_type="text/html; charset=utf-8", fetched_at=NOON):
    body = html if isinstance(html, bytes) else html.encode()
    return Page(url=url, final_url=url, headers=(("content-type", content_type),), body=body, fetched_at=fetched_at)


def document(inside, *, head=""):
    return (
        f"<!DOCTYPE html><html lang='fr'><head><title>Le pont de Valmont rouvre - La Voix de l'Est</title>{head}</head>"
        f"<body><nav><a href='/'>Accueil</a></nav><main><article><h1>Le pont de Valmont rouvre</h1>{inside}</article>"
        f"</main><footer><p>La Voix de l'Est, tous droits réservés</p></footer></body></html>"
    )


def read(html, *, outlet=VOIX, **rest):
    article = read_article(page(html), outlet, **rest)
    assert isinstance(article, Article), article
    return article


def lines(article):
    return [" ".join(line.split()) for line in article.text.split("\n")]


def test_an_article_is_its_paragraphs_and_intertitres():
    article = read(document(BODY))
    assert lines(article) == [FIRST, "Un chantier deux fois plus cher", SECOND, LAST]
    assert article.title == "Le pont de Valmont rouvre"
    assert article.outlet == "lavoix"
    assert article.fetched_at == NOON


def test_the_chapo_is_the_lead_and_opens_the_text():
    article = read(document(f"<p class='article__chapo'>{CHAPO}</p><div class='article__content'>{BODY}</div>"))
    assert article.lead == CHAPO
    assert lines(article)[:2] == [CHAPO, FIRST]
    assert lines(article).count(CHAPO) == 1


def test_a_chapo_above_the_body_is_found_by_the_page_s_own_description():
    head = f'<meta name="description" content="{CHAPO}">'
    article = read(document(f"<div><p><b>{CHAPO}</b></p></div><div>{BODY}</div>", head=head))
    assert article.lead == CHAPO
    assert lines(article)[:2] == [CHAPO, FIRST]


def test_a_description_that_the_page_does_not_show_is_no_chapo():
    article = read(document(BODY, head='<meta name="description" content="Toute l’actualité de l’Est, chaque jour.">'))
    assert article.lead is None


def test_a_first_paragraph_is_no_chapo_because_a_machine_copied_it():
    article = read(document(BODY, head=f'<meta name="description" content="{FIRST}">'))
    assert article.lead is None
    assert lines(article)[0] == FIRST


def test_the_title_does_not_open_the_text():
    article = read(document(f"<div class='article-body'><h2>Le pont de Valmont rouvre</h2>{BODY}</div>"))
    assert lines(article)[0] == FIRST


def test_a_canonical_address_of_the_same_site_is_the_article_s():
    amp = URL + "?amp=1"
    html = document(BODY, head=f'<link rel="canonical" href="{URL}">')
    article = read_article(page(html, url=amp), VOIX)
    assert article.url == URL
    assert article.urls == (amp, URL)


@pytest.mark.parametrize(
    "link", ["https://lavoix.example/", "https://ailleurs.example/x", "http://[", "", "javascript:void(0)"]
)
def test_an_unbelievable_canonical_address_is_not_believed(link):
    article = read(document(BODY, head=f'<link rel="canonical" href="{link}">'))
    assert article.url == URL


def test_an_amp_page_on_a_host_of_its_own_names_its_outlet_s_address():
    html = document(BODY, head=f'<link rel="canonical" href="{URL}">')
    article = read_article(page(html, url="https://amp.lavoix.example/pont"), VOIX)
    assert article.url == URL


def test_initials_under_the_text_sign_it_and_are_not_text():
    article = read(document(BODY + "<p>A. Lo.</p>"))
    assert article.authors == ("A. Lo.",)
    assert lines(article)[-1] == LAST


def test_initials_beside_an_agency_give_both():
    article = read(document(BODY + "<p>M. B. avec AFP</p>"))
    assert (article.authors, article.agency) == (("M. B.",), "AFP")
    assert lines(article)[-1] == LAST


def test_a_short_last_sentence_is_no_signature():
    assert lines(read(document(BODY + "<p>Affaire à suivre.</p>")))[-1] == "Affaire à suivre."


def test_the_feed_fills_what_the_page_leaves_open():
    entry = FeedEntry(url=URL, published="Fri, 25 Oct 2024 08:00:00 +0200", authors=("Ève Durand",), tags=("ponts",))
    article = read(document(BODY), entry=entry)
    assert article.published.value == "2024-10-25T08:00:00+02:00"
    assert article.published.source == "feed"
    assert article.authors == ("Ève Durand",)
    assert article.tags == ("ponts",)


def test_the_page_knows_better_than_the_feed_who_wrote_it():
    article = read(
        document("<p class='signature'>Par Paul Petit</p>" + BODY), entry=FeedEntry(url=URL, authors=("La Rédaction",))
    )
    assert article.authors == ("Paul Petit",)


def test_a_learned_line_goes_and_says_why():
    slogan = "La Voix de l’Est, votre quotidien depuis 1887"
    html = document(BODY + f"<p>{slogan}</p>")
    assert slogan in read(html).text
    article = read(html, learned=frozenset({"la voix de l est votre quotidien depuis 0"}))
    assert slogan not in article.text
    assert (slogan, "learned") in article.removed


def test_an_outlet_keeps_what_was_learned_when_its_file_says_so():
    outlet = Outlet(
        slug="lavoix", name="La Voix", site=VOIX.site, country="FR", clean=CleanRules(keep_lines=("Ce que l'on sait",))
    )
    html = document(f"<p>{FIRST}</p><h2>Ce que l’on sait</h2><p>{SECOND}</p>")
    article = read(html, outlet=outlet, learned=frozenset({"ce que l on sait"}))
    assert "Ce que l’on sait" in lines(article)


def test_an_outlet_s_own_rules_apply():
    outlet = Outlet(
        slug="lavoix",
        name="La Voix",
        site=VOIX.site,
        country="FR",
        clean=CleanRules(drop_css=("div.coffret",), drop_lines=("Nos lecteurs ont la parole",)),
    )
    inside = f"{BODY}<p>Nos lecteurs ont la parole chaque samedi.</p><div class='coffret'><p>Coffret de Noël.</p></div>"
    article = read(document(inside), outlet=outlet)
    assert lines(article)[-1] == LAST
    assert ("Nos lecteurs ont la parole chaque samedi.", "outlet: Nos lecteurs ont la parole") in article.removed


def test_rules_of_a_past_layout_hold_for_the_pages_of_its_time():
    outlet = Outlet(
        slug="lavoix",
        name="La Voix",
        site=VOIX.site,
        country="FR",
        read=(
            ReadRules(body_css="div.ancien", until=datetime(2024, 11, 1, tzinfo=UTC).date()),
            ReadRules(body_css="div.nouveau"),
        ),
    )
    html = document(f"<div class='ancien'><p>{FIRST}</p><p>{SECOND}</p></div><div class='nouveau'><p>{LAST}</p></div>")
    assert LAST not in read(html, outlet=outlet).text


def test_a_body_selector_that_finds_nothing_leaves_the_page_readable():
    outlet = Outlet(
        slug="lavoix", name="La Voix", site=VOIX.site, country="FR", read=(ReadRules(body_css="div.absent"),)
    )
    assert lines(read(document(BODY), outlet=outlet))[0] == FIRST


@pytest.mark.parametrize(
    ("body", "content_type", "reason"),
    [
        (b"", "text/html", "empty"),
        (b" \r\n\t ", "text/html", "empty"),
        (b"\x00" * 400, "text/html", "empty"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3 1 0 obj", "text/html", "not-html"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 60, "text/html", "not-html"),
        (b"Bonjour, ceci est du texte sans la moindre balise.", "text/html", "not-html"),
        (b"<p>Bonjour</p>", "application/pdf", "not-html"),
        (b"<?xml version='1.0'?><rss><channel><title>Flux</title></channel></rss>", "text/html", "not-html"),
        (b"<p>" + b"x" * 13_000_000, "text/html", "too-large"),
        (b"<p>a" * 50_000, "text/html", "too-large"),
        (b"<html><body></body></html>", "text/html", "no-text"),
        (b"<html><body>" + b"<div>" * 100_000 + b"</body></html>", "text/html", "no-text"),
    ],
)
def test_what_is_no_article_page_is_rejected_with_its_reason(body, content_type, reason):
    found = read_article(page(body, content_type=content_type), VOIX)
    assert isinstance(found, Rejected)
    assert (found.reason, found.url) == (reason, URL)


def test_nesting_beyond_reason_ends_at_once():
    html = "<h1>Le pont de Valmont rouvre</h1>" + "<div>" * 100_000 + BODY
    assert isinstance(read_article(page(html), VOIX), Article | Rejected)


def test_another_language_is_rejected_unless_the_outlet_takes_any():
    english = (
        "The bridge was opened on Friday morning, two years after the flood that had carried away one of its piers. "
        "It was the first time that lorries had been seen on the road to the town, and the shops were glad of it."
    )
    html = f"<html lang='fr'><h1>The bridge of Valmont opens</h1><article><p>{english}</p></article></html>"
    assert read_article(page(html), VOIX).reason == "not-french"
    anywhere = Outlet(slug="x", name="X", site=VOIX.site, country="FR", language="any")
    assert read_article(page(html), anywhere).language == "en"


CONSENT = (
    "<h1>Le respect de votre vie privée</h1><p>Nous et nos partenaires utilisons des cookies pour mesurer l’audience. "
    "Vous pouvez accepter les cookies ou continuer sans accepter.</p>"
)


LOGIN = (
    "<h1>Se connecter</h1><form><input name=courriel><input type='password'></form>"
    "<p>Connectez-vous ou créez un compte.</p>"
)
VIDEO = (
    '<script type=\'application/ld+json\'>{"@type":"VideoObject","name":"Le journal"}</script>'
    "<h1>Le journal de 20 heures</h1><video></video><p>À revoir ici.</p>"
)


@pytest.mark.parametrize(
    ("html", "reason"),
    [
        ("<title>Just a moment...</title><p>Checking your browser before accessing lavoix.example.</p>", "anti-bot"),
        ("<title>Accès refusé</title><h1>Êtes-vous un robot ?</h1><p>Résolvez le captcha.</p>", "anti-bot"),
        (CONSENT, "consent-wall"),
        (LOGIN, "login-wall"),
        (
            "<h1>Politique</h1>" + "".join(f"<div><a href='/{i}'>Un titre court {i}</a></div>" for i in range(80)),
            "listing-page",
        ),
        (
            "<h1>Politique</h1>"
            + "".join(f"<div><h3><a href='/{i}'>Un titre d’article numéro {i}</a></h3></div>" for i in range(80)),
            "listing-page",
        ),
        (VIDEO, "video-only"),
        ("<h1>Le pont de Valmont rouvre</h1><p>Trop court.</p>", "too-short"),
    ],
)
def test_pages_that_stand_where_an_article_should_be_are_named(html, reason):
    found = read_article(page(f"<html lang='fr'><body>{html}</body></html>"), VOIX)
    assert isinstance(found, Rejected), found.text
    assert found.reason == reason


def test_a_brief_among_many_links_is_no_listing():
    links = "".join(f"<li><a href='/{i}'>Rubrique {i}</a></li>" for i in range(150))
    brief = "".join(
        f"<p>{line}</p>"
        for line in (
            "Le pont de Valmont a rouvert vendredi matin.",
            "Les premiers camions l’ont franchi peu avant sept heures, sans cérémonie.",
            "La commune a payé la moitié du chantier, l’État et la région le reste.",
            "Le péage sera discuté en décembre par le conseil, qui n’y est guère favorable.",
            "Une fête est prévue au printemps, quand les voitures passeront à leur tour.",
            "D’ici là, les piétons et les vélos gardent le quai pour eux.",
        )
    )
    article = read(f"<html lang='fr'><body><nav><ul>{links}</ul></nav><h1>Le pont rouvre</h1>{brief}</body></html>")
    assert len(lines(article)) == 6


def test_a_login_form_beside_an_article_is_no_wall():
    form = "<form><input type='password'><p>Connectez-vous</p></form>"
    assert lines(read(document(form + BODY)))[0] == FIRST


def test_an_article_about_cookies_is_no_consent_wall():
    about = (
        "Les éditeurs doivent proposer de refuser les cookies aussi simplement que de les accepter, a rappelé la Cnil."
    )
    assert about in lines(read(document(f"<p>{about}</p>{BODY}")))


@pytest.mark.parametrize("said", ["false", "False", '"false"', "0"])
def test_a_closed_article_says_so(said):
    said = '"False"' if said == "False" else said
    node = f'<script type="application/ld+json">{{"@type":"NewsArticle","isAccessibleForFree":{said}}}</script>'
    assert read(document(BODY, head=node)).paywalled is True


def test_an_open_article_is_not_paywalled():
    node = '<script type="application/ld+json">{"@type":"NewsArticle","isAccessibleForFree":true}</script>'
    inside = BODY + "<div class='paywall'><p>Cet article est réservé aux abonnés.</p></div>"
    assert read(document(inside, head=node)).paywalled is False
    assert read(document(inside)).paywalled is True


def test_the_offer_under_a_teaser_is_not_its_text():
    offer = (
        "<div class='article-paywall'><h3>La liberté de savoir n’a pas de prix</h3><p>Continuez pour 1 € le premier "
        "mois, sans engagement.</p><p>Déjà abonné ? Connectez-vous</p></div>"
    )
    article = read(document(BODY + offer))
    assert lines(article)[-1] == LAST


def test_reading_twice_gives_the_same_article():
    one = page(document(BODY))
    assert read_article(one, VOIX) == read_article(one, VOIX)


def test_a_text_that_a_script_would_fill_in_is_read_from_the_structured_data():
    node = {"@type": "NewsArticle", "articleBody": "\n\n".join([FIRST, SECOND, LAST, f"{SECOND} Bis."])}
    head = f'<script type="application/ld+json">{json.dumps(node)}</script>'
    assert lines(read(document("<div id='app'>Chargement</div>", head=head)))[:3] == [FIRST, SECOND, LAST]


def test_a_closed_text_is_not_taken_from_the_structured_data():
    node = {"@type": "NewsArticle", "isAccessibleForFree": False, "articleBody": "\n".join([FIRST, SECOND, LAST] * 3)}
    head = f'<script type="application/ld+json">{json.dumps(node)}</script>'
    assert lines(read(document(f"<p>{FIRST}</p>", head=head))) == [FIRST]


def test_hidden_copies_and_repeated_paragraphs_are_read_once():
    hidden = f"<div style='display: none'><p>{FIRST}</p></div>"
    assert lines(read(document(BODY + hidden + f"<div><p>{SECOND}</p></div>"))).count(SECOND) == 1


@pytest.mark.parametrize(
    "inside", [BODY + "<p>Avec AFP</p>", "<p>AFP</p>" + BODY, f"<p>PARIS (AFP) - {FIRST}</p>{BODY}"]
)
def test_the_agency_is_known_by_its_sign_off_and_its_dateline(inside):
    assert read(document(inside)).agency == "AFP"


def test_a_text_in_an_introduction_s_clothes_is_no_chapo():
    article = read(document(f"<div class='introduction'><p>{FIRST}</p><p>{SECOND}</p></div>"))
    assert article.lead is None
    assert lines(article) == [FIRST, SECOND]


@pytest.mark.parametrize("control", ["\x07", "\x0b", "\x0c", "\x1b"])
def test_a_control_character_costs_no_article(control):
    html = f'<html lang="fr"><title>Le pont</title><body><article><h1>Le pont{control} rouvre</h1>{BODY}</article>'
    found = read_article(Page(url=URL, final_url=URL, body=html.encode(), fetched_at=NOON), VOIX)
    assert isinstance(found, Article)
    assert "la crue" in found.text


MICRODATA = (
    "<div itemscope itemtype='https://schema.org/NewsArticle'><h1 itemprop='headline'>Le pont de Valmont rouvre</h1>"
    "<p>Par <span itemprop='author' itemscope itemtype='https://schema.org/Person'>"
    "<span itemprop='name'>Mme Ève Durand</span></span> (avec AFP)</p>"
    "<span itemprop='articleSection'>Politique</span><img itemprop='image' src='/pont.jpg'>"
    "<meta itemprop='keywords' content='pont, crue'>"
    "<time itemprop='datePublished' datetime='2024-10-25T07:12:00+02:00'>25/10</time>"
    f"<div itemprop='articleBody'>{BODY}</div></div>"
)


def test_microdata_serve_where_there_is_no_json_ld():
    article = read(f"<html lang='fr'><head><title>Accueil</title></head><body>{MICRODATA}</body></html>")
    assert (article.title, article.authors, article.section) == (
        "Le pont de Valmont rouvre",
        ("Ève Durand",),
        "Politique",
    )
    assert (article.tags, article.image) == (("pont", "crue"), "https://lavoix.example/pont.jpg")
    assert (article.published.value, article.published.source) == ("2024-10-25T07:12:00+02:00", "time")


def test_json_ld_wins_over_microdata():
    data = json.dumps({"@type": "NewsArticle", "headline": "Le pont de Valmont rouvre", "articleSection": "Région"})
    head = f"<title>Accueil</title><script type='application/ld+json'>{data}</script>"
    article = read(f"<html lang='fr'><head>{head}</head><body>{MICRODATA}</body></html>")
    assert article.section == "Région"


def test_microdata_of_a_teaser_is_not_the_article_s():
    teaser = (
        "<div itemscope itemtype='https://schema.org/NewsArticle'><b itemprop='headline'>Le marché fait peau neuve</b>"
        "<i itemprop='articleSection'>Commerce</i></div>"
    )
    article = read(document(f"{teaser}{BODY}"))
    assert (article.title, article.section) == ("Le pont de Valmont rouvre", None)


@pytest.mark.parametrize("byline", ["Par Mme Ève Durand (avec AFP)", "Ève Durand avec l’AFP", "Ève Durand, AFP"])
def test_the_agency_beside_the_author_is_named_though_structured_data_name_the_person_alone(byline):
    data = json.dumps({"@type": "NewsArticle", "author": {"@type": "Person", "name": "Ève Durand"}})
    head = f"<script type='application/ld+json'>{data}</script>"
    article = read(document(f"<p>{byline}</p><div>{BODY}</div>", head=head))
    assert (article.authors, article.agency) == (("Ève Durand",), "AFP")


def test_an_agency_in_the_first_sentence_is_not_the_author_s():
    data = json.dumps({"@type": "NewsArticle", "author": {"@type": "Person", "name": "Ève Durand"}})
    head = f"<script type='application/ld+json'>{data}</script>"
    first = "<p>Le maire l’a dit à l’AFP, et nul ne l’a démenti.</p>"
    assert read(document(f"<p>Par Ève Durand</p>{first}{BODY}", head=head)).agency is None


def test_an_article_in_a_navigation_that_nobody_closed_is_read():
    html = f"<html lang=fr><body><nav><a href='/'>Accueil</a><h1>Le pont rouvre</h1>{BODY}</body></html>"
    found = read_article(page(html), VOIX)
    assert FIRST in found.text


def test_a_rule_of_the_outlet_reaches_into_the_footer():
    html = (
        f"<html lang=fr><body><h1>Le pont rouvre</h1><main>{BODY}</main><footer><b class=qui>Par Ève Lo</b>"
        "<p>Tous droits réservés</p></footer></body></html>"
    )
    outlet = Outlet(
        slug="v", name="V", site="https://lavoix.example", country="FR", read=(ReadRules(authors_css="footer .qui"),)
    )
    assert read_article(page(html), outlet).authors == ("Ève Lo",)
