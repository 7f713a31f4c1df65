"""Learned clutter: what repeats over an outlet's articles, and what only seems to."""

from datetime import UTC, datetime

from kiosque.model import Article
from pipelines.steps.learn import countable_lines, learn, line_uses
from pipelines.steps.lines import fold_line

NOON = datetime(2024, 10, 26, 12, 0, tzinfo=UTC)
SLOGAN = "Le Courrier de Valmont, votre quotidien depuis 1887"


def paragraph(i, j):
    return (
        f"Le dossier numéro {i} a été examiné par la commission de la ville, qui a entendu {i + j + 2} habitants "
        f"du quartier {chr(65 + i)}{chr(97 + j)} avant de rendre son avis, attendu depuis l’automne."
    )


def article(*lines, removed=()):
    return Article(
        url="https://courrier.example/a",
        urls=(),
        outlet="courrier",
        title="Un titre",
        lead=None,
        text="\n".join(lines),
        removed=removed,
        fetched_at=NOON,
    )


def edition(count, *, opening=(), middle=(), closing=()):
    """Articles of their own paragraphs with the same extra lines."""
    return [
        article(*opening, paragraph(i, 0), *middle, paragraph(i, 1), paragraph(i, 2), *closing) for i in range(count)
    ]


def learned(articles):
    return [count.line for count in learn(articles)]


def test_a_slogan_under_three_articles_is_learned():
    assert learned(edition(3, closing=[SLOGAN])) == [SLOGAN]
    assert learned(edition(2, closing=[SLOGAN])) == []


def test_numbers_do_not_hide_a_repeated_line():
    articles = [article(paragraph(i, 0), paragraph(i, 1), f"Lu {i * 37 + 2} fois cette semaine") for i in range(4)]
    assert [count.folded for count in learn(articles)] == ["lu 0 fois cette semaine"]


def test_the_counts_say_how_often_and_where():
    count = learn(edition(5, closing=[SLOGAN]))[0]
    assert (count.line, count.articles, count.place) == (SLOGAN, 5, "edge")


def test_three_of_a_thousand_articles_prove_nothing():
    articles = edition(40) + edition(1, closing=["Contacté, il n’a pas répondu"])
    rare = edition(200) + [article(paragraph(i + 300, 0), "Contacté, il n’a pas répondu") for i in range(3)]
    assert learned(articles) == []
    assert learned(rare) == []


def test_a_recurring_intertitre_is_the_articles_own():
    assert learned(edition(12, middle=["Ce que l’on sait"])) == []


def test_a_template_s_heading_on_every_page_of_many_is_clutter():
    assert learned(edition(24, middle=["Votre avis compte"])) == ["Votre avis compte"]


def test_agency_sign_offs_and_signatures_are_never_learned():
    assert learned(edition(6, closing=["Avec AFP", "A. Lo."])) == []


def test_a_quotation_is_never_learned():
    assert learned(edition(6, closing=["« Nul n’est censé ignorer la loi »"])) == []


def test_background_copied_from_article_to_article_is_theirs():
    background = (
        "Pour rappel, la crue de novembre avait emporté la pile centrale du pont, privant les deux rives de liaison "
        "pendant deux ans et coûtant aux commerçants un tiers de leur chiffre d’affaires."
    )
    assert learned(edition(8, middle=[background])) == []


def test_scores_and_tables_are_never_learned():
    assert learned(edition(6, closing=["Valmont 2 - 1 Bréville", "1. 34 12 8 3", "12:30"])) == []


def test_a_live_blog_fetched_again_and_again_counts_once():
    live = article(*(paragraph(1, j) for j in range(8)), "Fin du direct de ce soir")
    assert learned([live] * 6) == []


def test_an_agency_s_text_printed_with_and_without_a_chapo_counts_once():
    body = [paragraph(2, j) for j in range(5)]
    versions = [article(f"Chapô {i} de la rédaction", *body, "Suite aux faits de mardi") for i in range(5)]
    assert "Suite aux faits de mardi" not in learned(versions)


def test_what_was_learned_keeps_being_counted_once_it_is_gone_from_the_texts():
    cleaned = article(paragraph(1, 0), paragraph(1, 1), removed=((SLOGAN, "learned"), ("Partager", "common: share")))
    assert [use.line for use in line_uses(cleaned)][-1:] == [SLOGAN]


def test_a_store_counts_lines_but_no_intertitre_and_no_paragraph():
    one = article(paragraph(1, 0), "Ce que l’on sait", paragraph(1, 1), paragraph(1, 2), SLOGAN)
    assert fold_line(SLOGAN) in countable_lines(one)
    assert fold_line("Ce que l’on sait") not in countable_lines(one)
    assert fold_line(paragraph(1, 1)) not in countable_lines(one)
