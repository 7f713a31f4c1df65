"""What every store does beyond a crawl's needs: search, history, corrections, learned lines."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from test_export_feed import URL, article, save
from test_storage_contract import KEY, NOON, open_one, record, settled

from storage import RecordQuery, Settled


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request, tmp_path):
    opened = open_one(request, tmp_path)
    yield opened
    opened.close()


def found(store, words, **options):
    return [one.id[-1] for one in store.records(RecordQuery(search=words, **options))]


@pytest.mark.parametrize(
    "asked",
    ["œuvre", "OEUVRE", "l'œuvre", "L’Œuvre d’été", "ete", "élus", "élu", "elus votés", "Valmont", "e\u0301té"],
)
def test_search_folds_case_accents_ligatures_apostrophes_and_plurals(store, asked):
    save(store, article(1, title="L’Œuvre d’été", text="Les élus de Valmont ont voté."))
    save(store, article(2, title="Autre chose", text="Rien de tout cela."))
    assert found(store, asked) == ["1"]


def test_search_asks_for_all_the_words(store):
    save(store, article(1, title="Le pont", text="La rivière déborde."))
    assert found(store, "pont rivière") == ["1"]
    assert found(store, "pont montagne") == []


@pytest.mark.parametrize(
    "asked", ['"', "'", "-", "*", "pont*)(", 'a" OR "b', "NEAR(a b)", "%", "\x00", "🙂", "pont & | !"]
)
def test_signs_in_a_search_are_no_commands(store, asked):
    save(store, article(1, title="Le tunnel"))
    assert found(store, asked) == []


def test_search_follows_revisions_and_corrections(store):
    save(store, article(1, title="Le pont"))
    assert found(store, "pont") == ["1"]
    save(store, article(1, revision=2, title="Le viaduc"))
    assert (found(store, "pont"), found(store, "viaduc")) == ([], ["1"])
    assert found(store, "pont", revisions=True) == ["1"]
    store.correct(article(1, revision=2, title="La passerelle"), at=NOON)
    assert (found(store, "viaduc"), found(store, "passerelle")) == ([], ["1"])


def test_search_keeps_the_other_filters(store):
    save(store, article(1, title="Le pont"))
    save(store, article(2, title="Le pont", outlet="echo"))
    assert found(store, "pont", outlet="echo") == ["2"]
    assert found(store, "pont", limit=1) == ["2"]


def test_a_text_of_any_length_is_indexed(store):
    save(store, article(1, title="Le pont", text="mot " * 150_000 + "x" * 5_000))
    assert found(store, "pont mot") == ["1"]


def test_the_history_of_an_article_is_found_by_any_address(store):
    save(store, record())
    save(store, record(revision=2, title="Titre revu"))
    assert [one.title for one in store.history(f"{KEY}?utm_source=x")] == ["L’Œuvre d’été", "Titre revu"]
    assert store.history("https://gazette.example/inconnu") == []


def test_a_correction_is_no_revision(store):
    save(store, record())
    store.correct(record(text="Un texte mieux lu."), at=NOON)
    assert [(one.revision, one.text) for one in store.records(RecordQuery(revisions=True))] == [
        (1, "Un texte mieux lu.")
    ]
    store.correct(record(id="f" * 24), at=NOON)
    assert len(list(store.records())) == 1


def test_a_correction_comes_with_its_visit(store):
    save(store, record())
    corrected = Settled(key=KEY, outlet="gazette", url=KEY, outcome="unchanged", at=NOON, record=record(title="Autre"))
    store.settle([replace(corrected, corrects=True)])
    assert [(one.revision, one.title) for one in store.records()] == [(1, "Autre")]


def test_what_no_database_can_hold_is_left_out(store):
    save(store, record(title="Un\x00 titre", text="Moitié \ud83d de signe", tags=("a\x00",)))
    one = next(store.records())
    if store.name() != "memory":
        assert (one.title, one.text, one.tags) == ("Un titre", "Moitié ? de signe", ("a",))


@pytest.mark.parametrize(
    ("field", "odd", "kept"),
    [
        ("text", "Moitié \ud83d de signe", "Moitié ? de signe"),
        ("title", "Un\x00 titre", "Un titre"),
        ("authors", ("Zoé \ud83d",), ("Zoé ?",)),
        ("tags", ("a\x00",), ("a",)),
        ("tags", ("\\u0000",), ("\\u0000",)),
        ("language", "fr" * 40, ("fr" * 40)[:35]),
    ],
)
def test_one_odd_record_of_a_batch_takes_no_other_with_it(store, field, odd, kept):
    batch = [article(n, revision=1, **({field: odd} if n == 2 else {})) for n in range(1, 4)]
    store.settle([settled(one, key=one.url, outcome="new") for one in batch])
    if store.name() != "memory":
        assert {one.id[-1]: getattr(one, field) for one in store.records()} == {
            "1": getattr(batch[0], field),
            "2": kept,
            "3": getattr(batch[2], field),
        }
        assert store.last_change() == 3


def test_an_address_of_any_length_is_kept_apart(store):
    long = "https://gazette.example/" + "a" * 9_000
    store.settle([Settled(key=long, outlet="gazette", url=long, outcome="failed:timeout", at=NOON, state="pending")])
    assert [len(one.url) for one in store.pending(["gazette"])] == [len(long)]
    key = store.pending(["gazette"])[0].key
    store.settle([Settled(key=key, outlet="gazette", url=long, outcome="rejected:listing-page", at=NOON)])
    assert store.pending(["gazette"]) == []


def test_lines_that_repeat_are_learned(store):
    for n in range(6):
        lines = [("votre quotidien depuis 0", f"a{n}"), (f"le maire a parlé {n}", f"a{n}")]
        store.note_lines("gazette", lines, at=NOON + timedelta(hours=n))
    assert store.learned("gazette") == {"votre quotidien depuis 0"}
    assert store.learned("echo") == frozenset()
    one = store.line_counts("gazette")[0]
    assert (one.line, one.articles, one.last_seen - one.first_seen) == (
        "votre quotidien depuis 0",
        6,
        timedelta(hours=5),
    )


def test_a_line_of_one_article_read_often_is_not_learned(store):
    for _ in range(9):
        store.note_lines("gazette", [("bientôt la suite", "a1"), ("bientôt la suite", "a2")], at=NOON)
    assert store.learned("gazette") == frozenset()
    assert [one.articles for one in store.line_counts("gazette")] == [2]


def test_a_line_of_few_among_many_articles_is_not_learned(store):
    store.note_lines("gazette", [("affaire à suivre", f"a{n}") for n in range(4)], at=NOON)
    store.note_lines("gazette", [(f"ligne {n}", f"b{n}") for n in range(300)], at=NOON)
    assert store.learned("gazette") == frozenset()


def test_the_store_keeps_its_name(store):
    assert store.name() == store.name()
    assert URL.format(1) not in store.name()
