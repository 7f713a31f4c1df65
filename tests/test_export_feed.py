"""The change feed: a copy that follows it equals a full export, whatever happened in between."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_storage_contract import NOON, open_one, record, settled

from kiosque.model import Rights
from storage import Placing, open_storage
from storage.columns import Filters, plain, select_rows

URL = "https://gazette.example/{}"


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request, tmp_path):
    opened = open_one(request, tmp_path)
    yield opened
    opened.close()


def article(n, **changes):
    return record(id=f"{n:024x}", url=URL.format(n), urls=(URL.format(n),), **changes)


def save(store, one, **changes):
    store.settle([settled(one, key=one.url, outcome="new" if one.revision == 1 else "revised", **changes)])


def rows(store, after=0, filters=None):
    """Return the feed as `(rows by id, ids to delete, cursor)`."""
    upserts, deleted = {}, set()
    with store.changed(after=after) as feed:
        for batch in feed.batches:
            selected = select_rows(batch, filters or Filters())
            columns = plain(selected.columns)
            names = list(columns)
            upserts |= {
                row[names.index("id")]: dict(zip(names, row, strict=True))
                for row in zip(*columns.values(), strict=True)
            }
            deleted |= {change.id for change in selected.changes if change.kind == "deleted"}
        return upserts, deleted, feed.cursor


def feed_ids(store):
    with store.changed() as feed:
        return [id_ for batch in feed.batches for id_ in plain(batch.columns)["id"]]


def kinds(store, after=0):
    with store.changed(after=after) as feed:
        return [(c.number, c.id[-1], c.revision, c.kind) for batch in feed.batches for c in batch.changes]


def test_the_feed_tells_what_became_of_each_article(store):
    save(store, article(1))
    save(store, article(2))
    save(store, article(3))
    cursor = store.last_change()
    save(store, article(2, revision=2, text="Les élus de Valmont ont revoté."))
    store.correct(replace(article(1), title="Un titre mieux lu"), at=NOON)
    store.forget(urls=[URL.format(3)], at=NOON)
    save(store, article(4))
    assert kinds(store, cursor) == [
        (4, "2", 2, "revised"),
        (5, "1", 1, "corrected"),
        (7, "4", 1, "new"),
        (6, "3", 0, "deleted"),
    ]
    assert kinds(store) == [(4, "2", 2, "new"), (5, "1", 1, "new"), (7, "4", 1, "new")]


@pytest.mark.parametrize("filters", [Filters(one_per_cluster=True), Filters(include_reserved=True)])
def test_a_deletion_alone_passes_each_filter(store, filters):
    save(store, article(1))
    cursor = store.last_change()
    store.forget(urls=[URL.format(1)], at=NOON)
    upserts, deleted, _ = rows(store, cursor, filters)
    assert (upserts, deleted) == ({}, {article(1).id})


def test_a_new_article_that_was_revised_since_is_new_to_whoever_never_had_it(store):
    save(store, article(9))
    cursor = store.last_change()
    save(store, article(1))
    save(store, article(1, revision=2, title="Autre"))
    assert kinds(store, cursor) == [(3, "1", 2, "new")]


def test_change_numbers_have_no_gap_even_after_a_failed_transaction(store):
    save(store, article(1))
    if not hasattr(store, "_engine"):
        pytest.skip("nothing fails in memory")

    def failing():
        with store.transaction():
            save(store, article(2))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing()
    save(store, article(3))
    assert [number for number, *_ in kinds(store)] == [1, 2]


def test_a_feed_shows_one_state_while_others_write(tmp_path):
    url = f"sqlite:///{tmp_path / 'k.sqlite'}"
    reader, writer = open_storage(url), open_storage(url)
    for n in range(3):
        save(writer, article(n))
    with reader.changed() as feed:
        save(writer, article(0, revision=2, title="Autre"))
        save(writer, article(7))
        ids = [id_[-1] for batch in feed.batches for id_ in plain(batch.columns)["id"]]
    assert (ids, feed.cursor) == (["0", "1", "2"], 3)
    reader.close()
    writer.close()


def test_a_page_that_comes_to_be_reserved_is_deleted_from_copies(store):
    save(store, article(1))
    cursor = store.last_change()
    store.correct(replace(article(1), rights=Rights(tdm_reserved=True)), at=NOON)
    upserts, deleted, _ = rows(store, cursor)
    assert (upserts, deleted) == ({}, {article(1).id})
    assert article(1).id in rows(store, cursor, Filters(include_reserved=True))[0]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["save", "save", "revise", "correct", "reserve", "free", "forget", "join", "sync"]),
        st.integers(0, 5),
    ),
    max_size=25,
)


def play(store, steps, filters):
    """Play a history; return a copy that followed the feed at each `sync`, and the articles left."""
    live: dict[int, int] = {}
    copy: dict[str, dict] = {}
    cursor = 0
    for when, (step, n) in enumerate([*steps, ("sync", 0)]):
        at = NOON + timedelta(seconds=when)
        match step:
            case "save" if n not in live:
                live[n] = 1
                save(store, article(n, fetched_at=at, first_seen_at=at))
            case "revise" if n in live:
                live[n] += 1
                before = store.by_id([article(n).id])[article(n).id]
                save(store, replace(before, revision=live[n], text=f"Version {when} du texte.", fetched_at=at))
            case "correct" | "reserve" | "free" if n in live:
                before = store.by_id([article(n).id])[article(n).id]
                change = {"title": f"Titre {when}"} if step == "correct" else {}
                if step != "correct":
                    change = {"rights": Rights(tdm_reserved=step == "reserve")}
                store.correct(replace(before, **change), at=at)
            case "join" if n not in live and live:
                head = store.by_id([article(min(live)).id])[article(min(live)).id].cluster
                live[n] = 1
                placing = Placing(cluster=article(n).id, renamed=head) if when % 2 else Placing(cluster=head)
                save(store, article(n, fetched_at=at, first_seen_at=at), placing=placing)
            case "forget" if n in live:
                store.forget(urls=[URL.format(n)], at=at)
                del live[n]
                # It may not come back: further steps on it are about another article.
            case "sync":
                upserts, deleted, cursor = rows(store, cursor, filters)
                copy = {id_: row for id_, row in copy.items() if id_ not in deleted} | upserts
    return copy


@pytest.mark.slow
@pytest.mark.parametrize("filters", [Filters(), Filters(include_reserved=True), Filters(one_per_cluster=True)])
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_copy_that_follows_the_feed_equals_a_full_export(kind, filters):
    @settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
    @given(STEPS)
    def check(steps):
        store = open_storage("memory://" if kind == "memory" else "sqlite://")
        try:
            assert play(store, steps, filters) == rows(store, 0, filters)[0]
        finally:
            store.close()

    check()


def test_a_copy_of_postgresql_equals_a_full_export(postgresql):
    steps = [("save", 1), ("save", 2), ("sync", 0), ("join", 3), ("revise", 1), ("reserve", 2), ("sync", 0)]
    steps += [("forget", 1), ("free", 2), ("join", 4), ("correct", 3), ("sync", 0), ("save", 5)]
    store = open_storage(postgresql)
    assert play(store, steps, Filters()) == rows(store)[0]
    store.close()
