"""Questions about tens of thousands of outlets: as many as the world's press has."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event

from kiosque.model import FeedEntry
from kiosque.polling import new_feed
from storage import open_storage
from storage.put import put
from storage.rows import to_text
from storage.schema import feeds

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
UNTIL = NOON + timedelta(minutes=15)
WORLD = tuple(f"journal-{n}" for n in range(70_000))  # PostgreSQL takes 65,535 parameters


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request, tmp_path):
    url = f"sqlite:///{tmp_path}/many.sqlite" if request.param == "sqlite" else request.getfixturevalue("postgresql")
    opened = open_storage(url)
    yield opened
    opened.close()


def add_feeds(store, *feeds_):
    """Write `(outlet, seconds overdue)` quickly."""
    rows = []
    for n, (outlet, overdue) in enumerate(feeds_):
        due = NOON - timedelta(seconds=overdue)
        state = new_feed(f"https://{outlet}.example/{n}.xml", outlet=outlet, now=due)
        text = f'{{"url":"{state.url}","outlet":"{outlet}"}}'
        rows.append({"url": state.url, "outlet": outlet, "next_due": to_text(due), "state": text})
    with store.writing() as connection:
        put(connection, feeds, rows, on=("url",))


def test_those_that_wait_longest_are_claimed_among_seventy_thousand_outlets(store):
    add_feeds(store, ("journal-3", 10), ("autre", 30), ("journal-69999", 20), ("journal-5", -60))
    found = [one.outlet for one in store.claim_due(WORLD, now=NOON, until=UNTIL, limit=9)]
    assert found == ["journal-69999", "journal-3"]
    assert store.claim_due(WORLD, now=NOON, until=UNTIL, limit=9) == []
    assert [one.outlet for one in store.claim_due(["autre"], now=NOON, until=UNTIL, limit=9)] == ["autre"]


def test_feeds_that_nobody_wants_any_more_keep_no_other_one_from_being_claimed(store):
    add_feeds(store, *((f"ancien-{n}", 900) for n in range(2_100)), ("journal-7", 5))
    assert [one.outlet for one in store.claim_due(WORLD, now=NOON, until=UNTIL, limit=1)] == ["journal-7"]


def test_what_waits_is_found_among_seventy_thousand_outlets(store):
    entry = FeedEntry(url="https://journal-9.example/a")
    store.enqueue("journal-9", [("https://journal-9.example/a", entry)], at=NOON)
    store.enqueue("autre", [("https://autre.example/a", entry)], at=NOON)
    assert [one.outlet for one in store.pending(WORLD, due=NOON, limit=9)] == ["journal-9"]
    assert store.revisits(WORLD, due=NOON, limit=9) == store.recent(WORLD, since=NOON) == []


def plans(store, ask):
    """Return how the database would answer each SELECT of a call."""
    said = []

    def note(_connection, _cursor, statement, parameters, *_):
        if statement.lstrip().startswith("SELECT feeds"):
            said.append((statement, parameters))

    event.listen(store._engine, "before_cursor_execute", note)
    ask()
    event.remove(store._engine, "before_cursor_execute", note)
    with store.writing() as connection:
        prefix = "EXPLAIN QUERY PLAN" if store.dialect == "sqlite" else "EXPLAIN"
        return [str(connection.exec_driver_sql(f"{prefix} {text}", given).all()) for text, given in said]


def test_a_claim_goes_by_the_index_of_times_and_sorts_nothing(store):
    add_feeds(store, *((f"journal-{n}", 60 * n - 300_000) for n in range(6_000)))
    if store.dialect == "postgresql":
        with store.writing() as connection:
            connection.exec_driver_sql("ANALYZE feeds")
    (plan,) = plans(store, lambda: store.claim_due(WORLD, now=NOON, until=UNTIL, limit=50))
    assert re.search(r"(?i)using (covering )?index feeds_due|Index Scan using feeds_due", plan), plan
    assert not re.search(r"(?i)temp b-tree|\bSort\b|Seq Scan", plan), plan
