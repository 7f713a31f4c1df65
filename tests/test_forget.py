"""Erasure: nothing of a forgotten article is left, and it does not come back."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import pytest
from test_export_feed import URL, article, save
from test_near import keep, text_of
from test_storage_contract import KEY, NOON, entry, open_one, record, settled

from storage import FORGOTTEN, Address, RecordQuery, Settled, open_storage

SAID = "Le témoin Zébulon Quatrebarbes a parlé."


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request, tmp_path):
    opened = open_one(request, tmp_path)
    yield opened
    opened.close()


def test_an_article_is_forgotten_under_every_address(store):
    amp = "https://gazette.example/a/amp"
    both = (Address(key=KEY, url=KEY), Address(key="https://gazette.example/amp", url=amp))
    store.settle([settled(record(archive="2024-10-25/k.warc.gz@7"), addresses=both)])
    save(store, record(revision=2, text=SAID))
    found = store.forget(urls=[KEY], at=NOON)
    assert (found.articles, found.revisions, found.archived) == ((record().id,), 2, ("2024-10-25/k.warc.gz@7",))
    assert found.urls == (KEY, amp)
    assert list(store.records(RecordQuery(revisions=True))) == []
    assert store.known([KEY]) == {}
    assert store.forgotten([KEY, "https://gazette.example/b"], "gazette") == {KEY}


def test_what_is_only_looked_at_stays(store):
    save(store, article(1))
    found = store.forget(urls=[URL.format(1)], at=NOON, dry_run=True)
    assert found.articles == (article(1).id,)
    assert len(list(store.records())) == 1
    assert store.forgotten([URL.format(1)], "gazette") == set()


def test_a_forgotten_address_is_not_queued_again(store):
    store.enqueue("gazette", [(KEY, entry())], at=NOON)
    save(store, record())
    store.forget(urls=[KEY], at=NOON)
    again = store.enqueue("gazette", [(KEY, entry(updated="2024-10-26"))], at=NOON)
    assert ([q.key for q in again.forgotten], again.fresh, again.known) == ([KEY], (), ())
    assert store.pending(["gazette"]) == []
    store.settle([Settled(key=KEY, outlet="gazette", url=KEY, outcome=FORGOTTEN, at=NOON)])
    assert store.counts().get("gazette", {}).get("pending", 0) == 0


def test_an_address_that_was_never_met_can_be_forgotten(store):
    found = store.forget(urls=["https://gazette.example/jamais"], at=NOON)
    assert (found.articles, found.urls) == ((), ("https://gazette.example/jamais",))
    assert store.forgotten(["https://gazette.example/jamais"], "gazette")


def test_a_forgotten_outlet_is_forgotten_for_the_future_too(store):
    save(store, article(1))
    store.enqueue("gazette", [(KEY, entry())], at=NOON)
    store.note_lines("gazette", [("votre quotidien", "a")], at=NOON)
    assert store.forget(outlet="gazette", at=NOON).articles == (article(1).id,)
    assert store.pending(["gazette"]) == []
    assert store.forgotten(["https://gazette.example/demain"], "gazette")
    assert not store.forgotten(["https://echo.example/demain"], "echo")


def test_a_forgotten_article_is_found_by_no_search_and_no_neighbour(store):
    text = text_of(random.Random(8))  # noqa: S311 - no secret
    keep(store, article(1, text=text), article(2))
    assert len(list(store.records(RecordQuery(search=text.split(",")[0])))) == 1
    store.forget(urls=[URL.format(1)], at=NOON)
    assert list(store.records(RecordQuery(search=text.split(",")[0]))) == []
    keep(store, article(3, text=text))
    assert {one.id[-1]: one.cluster[-1] for one in store.records()} == {"2": "2", "3": "3"}


def test_no_byte_of_a_forgotten_text_is_left_in_the_file(tmp_path):
    path = tmp_path / "k.sqlite"
    store = open_storage(f"sqlite:///{path}")
    save(store, record(title="Titre", text=SAID * 30, url=KEY))
    store.note_lines("gazette", [("zebulon quatrebarbes", record().id)], at=NOON)
    assert list(store.records(RecordQuery(search="Quatrebarbes")))
    store.forget(urls=[KEY], at=NOON + timedelta(days=1))
    store.close()
    left = b"".join(one.read_bytes() for one in Path(tmp_path).iterdir())
    assert b"uatrebarbe" not in left.lower()
    assert b"gazette.example/a" not in left
