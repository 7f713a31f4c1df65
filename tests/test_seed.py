"""The seed: WordPress AMP pages with a date without year, initials under the text and stray spaces."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kiosque.model import Article, Outlet, Page
from pipelines import read_article

PAGES = Path(__file__).parent / "pages"
GAZETTE = Outlet(slug="lagazette", name="La Gazette", site="https://lagazette.example", country="FR")
NEXT_DAY = datetime(2024, 10, 26, 9, 30, tzinfo=UTC)
MUCH_LATER = datetime(2026, 3, 14, 16, 0, tzinfo=UTC)

CANAL = "https://lagazette.example/economie/canal-de-brisevent-la-compagnie-avoue/"
CANAL_SUMMARY = (
    "La compagnie du canal a reconnu que ses ingénieurs avaient signalé les fissures de l’écluse il y a deux ans.",
    "Les rapports internes auraient été transmis à la direction, puis classés sans suite.",
    "Les bateliers demandent réparation pour neuf mois de navigation perdue.",
)
CANAL_BODY = (
    "Des fissures connues de tous. La Compagnie du canal de Brisevent (CCB) a admis, lors d’une audition tenue",
    "ce jeudi 24 octobre, que l’état de la grande écluse lui avait été décrit dès 2022.",
    "et toutes sont restées sans réponse.",
    "Une décision repoussée trois fois",
    "à la demande du président du port fluvial, Aldric Vaneste. Deux ans plus tard, la facture",
    "décidée en janvier dernier, a immobilisé cent douze péniches",
    "si la justice retenait la négligence.",
    "Les élus, de leur côté, s’inquiètent pour les deux autres écluses",
    "mais aucune n’a été sondée depuis 2011.",
    "Interrogée par l’hebdomadaire Le Fil de l’eau, la compagnie assure qu’elle « assumera toutes ses responsabilités",
    "a résumé leur porte-parole, Violaine Durtal.",
)
ORGAN = "https://lagazette.example/culture/orgue-de-montelieu/"
ORGAN_BODY = (
    "Il a suffi d’un accord de ré majeur pour que les conversations s’arrêtent.",
    "Le chantier a été conduit par l’atelier Corvise et fils, installé dans l’ancienne fonderie de cloches.",
    "Le mystère du seizième jeu",
    "un carnet conservé par la bibliothèque du séminaire. Son auteur y raconte",
    "donné par des particuliers (souscription ouverte en 2019).",
    "Le concert inaugural aura lieu le 16 mars.",
    "dans la limite des places assises.",
)
CLUTTER = (
    "vendredi, octobre 25",
    "mardi, février 6",
    "Suivez la couverture complète",
    "Fermeture du canal de Brisevent",
    "Patrimoine musical de la vallée",
    "A. Lo.",
    "M. Té.",
    "Partager",
    "Exit mobile version",
    "Accueil",
    "La Gazette",
    "Photo d’illustration",
    "À lire aussi",
    "Le port fluvial cherche un président",
)


def read(name, *, url, fetched_at):
    page = Page(
        url=url,
        final_url=url,
        headers=(("content-type", "text/html; charset=UTF-8"),),
        body=(PAGES / name).read_bytes(),
        fetched_at=fetched_at,
    )
    article = read_article(page, GAZETTE)
    assert isinstance(article, Article), article
    return article


def plain(text):
    return "\n".join(" ".join(line.split()) for line in text.splitlines())


@pytest.fixture(params=[NEXT_DAY, MUCH_LATER], ids=["next-day", "much-later"])
def canal(request):
    return read("seed-amp.html", url=CANAL + "amp/", fetched_at=request.param)


def test_a_date_without_year_is_the_latest_day_with_that_weekday(canal):
    assert canal.published.value == "2024-10-25"
    assert canal.published.precision == "day"
    assert canal.published.text == "vendredi, octobre 25"


def test_the_signature_is_the_author_and_not_text(canal):
    assert canal.authors == ("A. Lo.",)


def test_no_clutter_line_is_left(canal):
    assert [line for line in plain(canal.text).splitlines() if line.startswith(CLUTTER)] == []


def test_spaces_left_by_links_are_mended(canal):
    assert re.findall(r"\S+\s[,.)]|\(\s", canal.text) == []


def test_nothing_of_the_body_is_lost(canal):
    text = plain(canal.text)
    assert [sentence for sentence in CANAL_BODY if sentence not in text] == []


def test_the_amp_page_is_known_by_its_canonical_address(canal):
    assert canal.url == CANAL
    assert CANAL + "amp/" in canal.urls


@pytest.mark.parametrize("fetched_at", [datetime(2024, 2, 7, 8, 0, tzinfo=UTC), MUCH_LATER])
def test_another_page_of_the_kind_reads_as_well(fetched_at):
    article = read("seed-amp-culture.html", url=ORGAN + "?amp=1", fetched_at=fetched_at)
    text = plain(article.text)
    assert article.published.value == "2024-02-06"
    assert article.authors == ("M. Té.",)
    assert [line for line in text.splitlines() if line.startswith(CLUTTER)] == []
    assert [sentence for sentence in ORGAN_BODY if sentence not in text] == []
    assert re.findall(r"\S+\s[,.)]|\(\s", article.text) == []


def test_the_full_page_says_the_same_as_its_amp_version():
    amp = read("seed-amp.html", url=CANAL + "amp/", fetched_at=NEXT_DAY)
    full = read("seed-wordpress.html", url=CANAL, fetched_at=NEXT_DAY)
    assert full.published.value == "2024-10-25T08:40:00+02:00"
    assert (full.url, full.title, full.authors, full.text) == (amp.url, amp.title, amp.authors, amp.text)


@pytest.mark.parametrize("name", ["seed-amp.html", "seed-wordpress.html"])
def test_the_summary_lines_stay_whole_and_come_first(name):
    lines = plain(read(name, url=CANAL, fetched_at=NEXT_DAY).text).splitlines()
    assert " ".join(lines).startswith(" ".join(CANAL_SUMMARY))
