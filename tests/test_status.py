"""`kiosque status` and `kiosque doctor`: what is printed, as text and JSON, and the exit status."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from command import Kiosque
from test_storage_contract import record, settled

from kiosque.errors import StorageError
from kiosque.health import judge
from kiosque.polling import new_feed
from kiosque.service.look import look_at
from storage import open_storage
from storage.outlet_numbers import numbers
from storage.overview import articles_over_time, change_page, record_page, revisions_of

NOW = datetime.now(UTC)
URL = "https://gazette.example/{}"


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request, tmp_path):
    here = f"sqlite:///{tmp_path / 'k.sqlite'}"
    opened = open_storage(here if request.param == "sqlite" else request.getfixturevalue("postgresql"))
    yield opened
    opened.close()


def article(n, **changes):
    plain = {"url": URL.format(n), "urls": (URL.format(n),), "fetched_at": NOW, "first_seen_at": NOW}
    return record(id=f"{n:024x}", **plain | changes)


def save(store, one, **changes):
    outcome = "new" if one.revision == 1 else "revised"
    store.settle([settled(one, key=one.url, outcome=outcome, at=NOW, **changes)])


def test_numbers_count_articles_feeds_outcomes_and_coverage(store):
    save(store, article(1, lead="Un chapô."))
    save(store, article(2, authors=(), published=None, title="Le dernier", first_seen_at=NOW + timedelta(seconds=1)))
    save(store, article(2, revision=2, authors=(), published=None, title="Le dernier"))
    save(store, article(3, first_seen_at=NOW - timedelta(days=20)))
    store.settle([settled(None, key=URL.format(9), outcome="failed:timeout", at=NOW)])
    store.save_feed(new_feed("https://gazette.example/rss", outlet="gazette", now=NOW))
    one = numbers(store, now=NOW)["gazette"]
    assert (one.articles, one.revisions, one.newest.title) == (3, 4, "Le dernier")
    assert [feed.health for feed in one.feeds] == ["new"]
    assert one.days == {f"{NOW:%Y-%m-%d}": {"new": 3, "failed:timeout": 1, "revised": 1}}
    assert (one.recent.articles, one.recent.date, one.recent.authors, one.recent.lead) == (2, 1, 1, 1)
    assert (one.before.articles, one.before.authors) == (1, 1)


def test_articles_are_counted_by_day_and_by_hour(store):
    save(store, article(1))
    save(store, article(2))
    since = NOW - timedelta(days=2)
    assert articles_over_time(store, since=since) == {"gazette": {f"{NOW:%Y-%m-%d}": 2}}
    assert articles_over_time(store, since=since, hours=True) == {"gazette": {f"{NOW:%Y-%m-%dT%H}": 2}}


def test_pages_of_records_hold_each_article_once(store):
    for n in range(1, 8):
        save(store, article(n))
    save(store, article(2, revision=2))
    for oldest_first in (False, True):
        seen, cursor = [], None
        while True:
            found = record_page(store, cursor=cursor, limit=3, oldest_first=oldest_first)
            seen += [int(one.id, 16) for one in found.records]
            cursor = found.next
            if cursor is None:
                break
        assert seen == ([1, 3, 4, 5, 6, 7, 2] if oldest_first else [2, 7, 6, 5, 4, 3, 1])


def test_a_search_without_words_finds_nothing(store):
    save(store, article(1))
    assert record_page(store, words="!!", limit=5).records == ()
    assert len(record_page(store, words="valmont", limit=5).records) == 1


def test_a_store_that_may_not_be_written_is_searched_as_it_is(store, monkeypatch):
    save(store, article(1))
    assert len(record_page(store, words="valmont", limit=5).records) == 1
    save(store, article(2))

    def refuse(_):
        raise StorageError("read-only")

    monkeypatch.setattr("storage.search.catch_up", refuse)
    found = record_page(store, words="valmont", limit=5)
    assert (len(found.records), found.partial) == (1, True)


def test_changes_come_in_their_order_and_tell_what_was_deleted(store):
    for n in (1, 2, 3):
        save(store, article(n))
    store.forget(urls=[URL.format(2)], at=NOW)
    first = change_page(store, after=0, limit=2)
    assert [(one.kind, one.id[-1], first.records.get(one.id) is not None) for one in first.changes] == [
        ("new", "1", True),
        ("new", "2", False),
    ]
    assert first.more
    rest = change_page(store, after=first.cursor, limit=50)
    assert [(one.kind, one.id[-1]) for one in rest.changes] == [("new", "3"), ("deleted", "2")]
    assert (rest.more, change_page(store, after=rest.cursor, limit=5).changes) == (False, ())


def test_revisions_of_an_article_by_its_id(store):
    save(store, article(1))
    save(store, article(1, revision=2, title="Autre"))
    assert [one.revision for one in revisions_of(store, f"{1:024x}")] == [1, 2]
    assert revisions_of(store, "f" * 24) == []


def test_nothing_of_an_empty_store_needs_a_look(store):
    assert judge(numbers(store, now=NOW).values(), {}, now=NOW) == ()


@pytest.fixture
def kiosque(tmp_path):
    return Kiosque(tmp_path)


def test_status_of_a_home_without_a_store_makes_none(kiosque):
    out, _ = kiosque.run("status")
    assert "Nothing was crawled" in out
    assert not (kiosque.home / "kiosque.sqlite").exists()
    out, _ = kiosque.run("doctor", "--json")
    assert json.loads(out) == []


@pytest.mark.slow
def test_status_and_doctor_of_a_store(kiosque):
    kiosque.outlet("gazette", site="https://gazette.example", feeds=["https://gazette.example/rss"])
    store = open_storage(f"sqlite:///{kiosque.home / 'kiosque.sqlite'}")
    save(store, article(1, title="[bold]Le pont[/bold]\x1b[31m"))
    gone = new_feed("https://gazette.example/rss", outlet="gazette", now=NOW)
    store.save_feed(replace(gone, health="gone", last_polled=NOW))
    store.close()
    out, _ = kiosque.run("status")
    assert "1 outlet · 1 article in 1 revision · 0 addresses waiting" in out
    assert "[bold]Le pont" in out
    assert "\x1b" not in out
    out, _ = kiosque.run("status", "--json")
    found = json.loads(out)
    assert (found["articles"], found["feeds"], found["outcomes"]) == (1, {"gone": 1}, {"new": 1})
    assert [one["kind"] for one in found["problems"]] == ["feed-gone"]
    out, _ = kiosque.run("doctor", code=1)
    assert out.startswith("1. gazette: The feed https://gazette.example/rss is gone for good")
    out, _ = kiosque.run("doctor", "--json", code=1)
    assert json.loads(out)[0]["do"].startswith("Find the new one")


def test_coverage_is_taken_from_the_last_look_for_an_hour(store):
    save(store, article(1, lead="Un chapô."))
    first = look_at(store, {}, now=NOW)
    save(store, article(2))
    soon = look_at(store, {}, now=NOW + timedelta(minutes=5), last=first)
    assert (soon.numbers["gazette"].articles, soon.numbers["gazette"].recent.articles) == (2, 1)
    later = look_at(store, {}, now=NOW + timedelta(minutes=65), last=soon)
    assert later.numbers["gazette"].recent.articles == 2


def test_a_page_that_lacks_a_field_is_named(store):
    for n in range(1, 4):
        save(store, article(n, authors=("Léa Roy",) if n != 2 else ()))
    recent = numbers(store, now=NOW)["gazette"].recent
    assert recent.lacking["authors"] == URL.format(2)
    assert "date" not in recent.lacking


def test_the_last_two_days_are_judged_alone_when_they_brought_enough(store):
    for n in range(1, 10):
        save(store, article(n, lead=None))
    for n in range(10, 20):
        save(store, article(n, lead="Un chapô.", first_seen_at=NOW - timedelta(days=4)))
    assert (numbers(store, now=NOW)["gazette"].recent.articles, numbers(store, now=NOW)["gazette"].recent.lead) == (
        9,
        0,
    )
    few_days_later = NOW + timedelta(days=2, hours=1)
    assert numbers(store, now=few_days_later)["gazette"].recent.articles == 19


def test_a_line_that_began_to_repeat_is_named_and_an_old_one_is_not(store):
    long_ago = NOW - timedelta(days=30)
    for n in range(1, 7):
        save(store, article(n, first_seen_at=long_ago))
    store.note_lines("gazette", [("abonnez vous", f"{n:024x}") for n in range(1, 7)], at=long_ago)
    store.note_lines("gazette", [("notre application est la", f"{n:024x}") for n in range(10, 16)], at=NOW)
    found = numbers(store, now=NOW)["gazette"].new_clutter
    assert [one.line for one in found] == ["notre application est la"]


@pytest.mark.slow
def test_a_broken_outlet_file_is_a_finding_and_the_rest_is_shown(kiosque):
    store = open_storage(f"sqlite:///{kiosque.home / 'kiosque.sqlite'}")
    save(store, article(1))
    store.close()
    (kiosque.outlets / "gazette.toml").write_text("name = ", encoding="utf-8")
    assert "1 article in 1 revision" in kiosque.run("status")[0]
    out, _ = kiosque.run("doctor", code=1)
    assert "A changed file cannot be used" in out
    assert "gazette.toml" in out
