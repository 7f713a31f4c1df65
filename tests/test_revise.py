"""What an article is to the store: new, revised, unchanged, or a second address."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from kiosque.model import Article, Outlet, PublishedDate, Rights
from kiosque.urls import canonical_url
from pipelines.steps.revise import revise

NOON = datetime(2024, 10, 25, 12, 0, tzinfo=UTC)
URL = "https://gazette.example/pont"
GAZETTE = Outlet(slug="gazette", name="La Gazette", site="https://gazette.example", country="FR")
TEXT = "Le pont des Tanneurs a rouvert vendredi matin.\nLes piétons sont les premiers à l’emprunter."


def article(**changes):
    plain = Article(
        url=URL, urls=(URL,), outlet="gazette", title="Le pont rouvre", lead=None, text=TEXT, fetched_at=NOON
    )
    return replace(plain, **changes)


def decide(found, *before, answered=None):
    known = {canonical_url(url): record for record in before for url in record.urls}
    return revise(found, known, answered=answered or found.urls[0], outlet=GAZETTE, rights=Rights(), version="0")


FIRST = decide(article()).record


def test_an_article_nobody_knows_is_new():
    assert (FIRST.revision, FIRST.url, FIRST.word_count) == (1, URL, 15)


def test_the_same_words_are_unchanged_whatever_their_typography():
    again = article(text=TEXT.replace("’", "'").replace(" a ", "\u00a0a ") + "  ")
    assert decide(again, FIRST).outcome == "unchanged"


def test_another_word_is_revision_2_with_the_same_identity():
    found = decide(article(text=TEXT + "\nLes voitures suivront.", fetched_at=NOON + timedelta(hours=1)), FIRST)
    assert found.outcome == "revised"
    assert (found.record.revision, found.record.id, found.record.first_seen_at) == (2, FIRST.id, NOON)


def test_another_title_is_a_revision():
    assert decide(article(title="Le pont rouvre enfin"), FIRST).outcome == "revised"


def test_a_second_address_adds_itself_and_revises_nothing():
    amp = "https://gazette.example/autre-adresse"
    found = decide(article(urls=(amp, URL), text=TEXT + "\nVersion courte."), FIRST, answered=amp)
    assert (found.outcome, found.id, found.record) == ("duplicate", FIRST.id, None)


def test_one_canonical_link_on_every_page_of_a_site_joins_nothing():
    other = "https://gazette.example/stade"
    text = "Onze buts, une victoire : récit d’un dimanche fou au stade Aubertin."
    found = decide(article(urls=(other, URL), title="Onze buts", text=text), FIRST, answered=other)
    assert found.outcome == "new"
    assert found.record.url == other
    assert found.record.id != FIRST.id


def test_a_line_that_was_learned_since_is_no_edit():
    slogan = "La Gazette, votre quotidien depuis 1887"
    before = decide(article(text=f"{TEXT}\n{slogan}")).record
    assert decide(article(removed=((slogan, "learned"),)), before).outcome == "unchanged"


def test_a_date_that_the_feed_no_longer_claims_stays():
    date = PublishedDate(value="2024-10-25", precision="day", source="feed", text="25 oct.", confidence=0.7)
    before = decide(article(published=date)).record
    found = decide(article(text=TEXT + "\nSuite."), before)
    assert (found.record.published, found.record.published_from) == ("2024-10-25", "feed")
