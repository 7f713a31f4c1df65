"""Near-duplicates: which texts are copies of one another, and how a store groups them."""

from __future__ import annotations

import random
import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from test_export_feed import URL, article
from test_storage_contract import NOON, open_one, settled

from pipelines.places import Places
from pipelines.steps.near import BANDS, appeared, are_near, bands, nearest, shingles

PHRASES = tomllib.loads((Path(__file__).parent / "near" / "phrases.toml").read_text(encoding="utf-8"))


def sentence(rng):
    one, two = (
        f"{rng.choice(PHRASES['subjects'])} {rng.choice(PHRASES['verbs'])} {rng.choice(PHRASES['objects'])}"
        for _ in range(2)
    )
    return f"{one} {rng.choice(PHRASES['whens'])}, {two[0].lower()}{two[1:]}. {rng.choice(PHRASES['ends'])}"


def text_of(rng, sentences=14):
    return "\n".join(sentence(rng) for _ in range(sentences))


def edited(text, rng, shared=0.7):
    """Return what a desk makes of agency copy: it cuts 30% or writes as much itself, and alters a few words."""
    lines = text.split("\n")
    kept = round(len(lines) * shared)
    match rng.choice(["cut the end", "cut within", "own intro", "own end"]):
        case "cut the end":
            lines = lines[:kept]
        case "cut within":
            lines = [lines[n] for n in sorted(rng.sample(range(len(lines)), kept))]
        case "own intro":
            lines = [sentence(rng) for _ in range(len(lines) - kept)] + lines[:kept]
        case "own end":
            lines = lines[:kept] + [sentence(rng) for _ in range(len(lines) - kept)]
    words = "\n".join(lines).split(" ")
    for place in rng.sample(range(len(words)), len(words) // 100):
        words[place] = rng.choice(["hier", "notamment", "environ", "dimanche"])
    return " ".join(words)


def test_the_same_words_in_other_typography_share_every_band():
    text = text_of(random.Random(1))  # noqa: S311 - no secret
    assert bands(text) == bands(text.replace(" ", "  ").replace("’", "'").upper().replace("'", "’"))
    assert len(bands(text)) == BANDS


def test_a_brief_has_no_bands():
    assert bands("Le direct est terminé, merci de l’avoir suivi.") == ()
    assert nearest(article(2, text="Le direct est terminé."), [article(1, text="Le direct est terminé.")]) is None


def test_a_brief_is_no_copy_of_the_long_report_it_was_cut_from():
    text = text_of(random.Random(2), sentences=30)  # noqa: S311 - no secret
    assert not are_near(shingles("\n".join(text.split("\n")[:3])), shingles(text))


def test_copies_that_share_seventy_percent_are_found():
    rng = random.Random(3)  # noqa: S311 - no secret
    found = 0
    for _ in range(300):
        text = text_of(rng)
        copy = edited(text, rng)
        meet = set(bands(text)) & set(bands(copy))
        found += bool(meet) and bool(are_near(shingles(text), shingles(copy)))
    assert found / 300 >= 0.95


def unrelated(count):
    """Return reports that share stock phrases, as those of one newsroom do, and no more."""
    rng = random.Random(4)  # noqa: S311 - no secret
    phrases = [phrase for kind in PHRASES.values() for phrase in kind]
    words = sorted({word for phrase in phrases for word in phrase.split()})
    return ["\n".join(own_words(rng, words, phrases) for _ in range(rng.randint(4, 14))) for _ in range(count)]


def own_words(rng, words, phrases):
    return " ".join([rng.choice(phrases), *rng.choices(words, k=14), rng.choice(phrases)]) + "."


def false_pairs(texts):
    met, pairs = {}, set()
    for n, text in enumerate(texts):
        for band in bands(text):
            met.setdefault(band, []).append(n)
    for some in met.values():
        pairs |= {(a, b) for a in some for b in some if a < b}
    return [(a, b) for a, b in pairs if are_near(shingles(texts[a]), shingles(texts[b]))]


def test_unrelated_articles_are_no_pairs():
    assert false_pairs(unrelated(600)) == []


@pytest.mark.slow
def test_ten_thousand_unrelated_articles_are_no_pairs():
    assert false_pairs(unrelated(10_000)) == []


@pytest.fixture(params=["memory", "sqlite", "postgresql", "in front of sqlite"])
def store(request, tmp_path):
    opened = open_one(request, tmp_path)
    yield opened
    opened.close()


def keep(store, *records, outcome="new"):
    """Save records as the keeper does, in one batch."""
    with store.transaction():
        known = store.by_id([record.id for record in records])
        places, kept = Places(store), []
        for record in records:
            placing = places.place(record, known.get(record.id), bands=bands(record.text))
            placed = replace(record, cluster=placing.cluster)
            places.note(placed)
            known[placed.id] = placed
            kept.append(settled(placed, key=placed.url, outcome=outcome, placing=placing))
        store.settle(kept)


def clusters(store):
    return {record.id[-1]: record.cluster[-1] for record in store.records()}


TEXT = text_of(random.Random(5))  # noqa: S311 - no secret
COPY = edited(TEXT, random.Random(6))  # noqa: S311 - no secret
OTHER = text_of(random.Random(7))  # noqa: S311 - no secret


def at(n, text, hour, **changes):
    when = NOON + timedelta(hours=hour)
    return article(
        n, text=text, published=when.isoformat(), fetched_at=when, first_seen_at=when + timedelta(days=1), **changes
    )


@pytest.mark.parametrize("together", [True, False])
def test_copies_share_the_cluster_of_the_earliest(store, together):
    records = [at(1, TEXT, 2), at(2, OTHER, 0), at(3, COPY, 1)]
    if together:
        keep(store, *records)
    else:
        for record in records:
            keep(store, record)
    assert clusters(store) == {"1": "3", "2": "2", "3": "3"}
    assert [change.kind for change in changes(store, 1)] == ["new", "new", "corrected"] or not together


def changes(store, after):
    with store.changed(after=after) as feed:
        return [change for batch in feed.batches for change in batch.changes]


def test_a_later_copy_joins_and_an_earlier_one_leads(store):
    keep(store, at(1, TEXT, 2))
    keep(store, at(2, COPY, 3))
    assert clusters(store) == {"1": "1", "2": "1"}
    keep(store, at(3, TEXT + "\n" + OTHER.split("\n")[0], 1))
    assert clusters(store) == {"1": "3", "2": "3", "3": "3"}


def test_a_stub_that_becomes_agency_copy_joins_its_cluster(store):
    keep(store, at(1, TEXT, 1), at(2, "Plus d’informations à venir.", 2))
    assert clusters(store) == {"1": "1", "2": "2"}
    keep(store, at(2, COPY, 2, revision=2), outcome="revised")
    assert clusters(store) == {"1": "1", "2": "1"}


def test_who_shares_a_cluster_goes_on_sharing_it(store):
    keep(store, at(1, TEXT, 1), at(2, COPY, 2))
    keep(store, at(2, OTHER, 2, revision=2), outcome="revised")
    assert clusters(store) == {"1": "1", "2": "1"}
    assert [record.id[-1] for record in store.near([bands(OTHER)], limit=5)[0]] == ["2"]
    assert [record.id[-1] for record in store.near([bands(COPY)], limit=5)[0]] == ["1"]


def test_a_cluster_whose_earliest_is_forgotten_has_a_new_one(store):
    keep(store, at(1, TEXT, 1))
    keep(store, at(3, TEXT, 3), at(2, COPY, 2))
    store.forget(urls=[URL.format(1)], at=NOON)
    assert clusters(store) == {"2": "2", "3": "2"}
    assert store.near([bands(TEXT)], limit=9)[0][0].id[-1] == "3"


def test_a_day_without_a_time_counts_with_its_end():
    assert appeared(article(1, published="2024-10-20"))[0] == datetime(2024, 10, 20, 23, 59, 59, tzinfo=UTC)
    assert appeared(article(1, published="9999-12-31"))[0] == NOON
