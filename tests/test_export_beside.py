"""A large SQLite store is read for an export by a process beside: what comes out is the same."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

import pyarrow.parquet as pq
import pytest
from test_export_feed import URL, article, save
from test_storage_contract import NOON

from kiosque.model import Rights
from storage import Address, open_storage
from storage import beside as module
from storage.beside import Beside
from storage.export import export

ROWS = 40
ODD = [
    {"title": "Œuvre « d'été »", "lead": "Une ligne\net l'autre\x1e", "agency": "AFP", "authors": ("Zoé", "D'Arc")},
    {"published": None, "published_precision": None, "published_from": None, "published_confidence": 0.1 + 0.2},
    {"published": "2024-02-30", "tags": (), "modified": "2024-03-01", "paywalled": True, "word_count": 0},
    {"rights": Rights(tdm_reserved=True, noai=False, said=(("tdm", "header"),)), "archive": "x.warc.gz:12"},
]


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setattr("storage.feed.PAGE", 5)
    monkeypatch.setattr("storage.beside.WORTH_IT", 10)
    opened = open_storage(f"sqlite:///{tmp_path / 'home' / 'k.sqlite'}")
    with opened.transaction():
        for n in range(ROWS):
            # The first pages have no value at all where later ones have.
            odd = ODD[n % len(ODD)] if n > ROWS // 2 else {"agency": None, "lead": None}
            one = article(n, **odd)
            more = (Address(key=f"{one.url}/amp", url=f"{one.url}/amp"),) if n % 7 == 0 else ()
            save(opened, one, addresses=(Address(key=one.url, url=one.url), *more))
    yield opened
    opened.close()


@pytest.fixture
def pages(monkeypatch):
    """Count the pages that were read beside."""
    read, counted = Beside.pages, []

    def noting(self, *args, **kwargs):
        for page in read(self, *args, **kwargs):
            counted.append(page)
            yield page

    monkeypatch.setattr(Beside, "pages", noting)
    return counted


def here(store, folder, monkeypatch, **asked):
    """Export without a process beside."""
    with monkeypatch.context() as patch:
        patch.setattr(module, "WORTH_IT", 1_000_000)
        return export(store, folder, form="parquet", **asked)


def rows_of(folder):
    tables = [pq.read_table(path) for path in sorted(folder.rglob("*.parquet"))]
    return [row for table in tables for row in table.to_pylist()]


def test_what_is_read_beside_is_what_is_read_here(store, tmp_path, pages, monkeypatch):
    made = export(store, tmp_path / "beside", form="parquet")
    assert len(pages) == ROWS // 5
    alone = here(store, tmp_path / "here", monkeypatch)
    assert rows_of(tmp_path / "beside") == rows_of(tmp_path / "here")
    assert {**made, "made_at": 0} == {**alone, "made_at": 0}
    assert made["rows"] + made["reserved_left_out"] == ROWS


def test_changes_that_are_read_beside_are_those_read_here(store, tmp_path, pages, monkeypatch):
    cursor = f"{store.name()}:1"
    save(store, replace(article(7), revision=2, title="Titre revu"))
    store.forget(urls=[URL.format(9)], at=NOON)
    made = export(store, tmp_path / "beside", form="parquet", since=cursor)
    assert pages
    alone = here(store, tmp_path / "here", monkeypatch, since=cursor)
    assert rows_of(tmp_path / "beside") == rows_of(tmp_path / "here")
    assert made["changes"] == alone["changes"]


def test_an_export_goes_on_where_the_process_beside_died(store, tmp_path, monkeypatch):
    read = Beside.pages

    def dying(self, *args, **kwargs):
        for page in read(self, *args, **kwargs):
            self.process.kill()
            self.process.wait()
            given.append(page)
            yield page

    given = []
    with monkeypatch.context() as patch:
        patch.setattr(module, "PIPE", 4096)  # of the pages, one at most is on its way
        patch.setattr(Beside, "pages", dying)
        made = export(store, tmp_path / "beside", form="parquet")
    assert len(given) < ROWS // 5
    assert made["files"] == here(store, tmp_path / "here", monkeypatch)["files"]


@pytest.mark.parametrize("missing", [("find_spec", lambda _: None), ("sys.executable", ""), ("sys.executable", "/no")])
def test_an_export_does_without_a_process_that_cannot_be_had(store, tmp_path, pages, monkeypatch, missing):
    with monkeypatch.context() as patch:
        patch.setattr(f"storage.beside.{missing[0]}", missing[1])
        made = export(store, tmp_path / "out", form="parquet")
    assert (pages, made["rows"] + made["reserved_left_out"]) == ([], ROWS)


def test_the_process_beside_and_this_one_see_the_same_state(store, pages, monkeypatch):
    begin, begun = Beside.begin, []

    def overtaken(self):
        begun.append(begin(self))
        if len(begun) < 3:
            save(store, article(100 + len(begun)))
        return begun[-1]

    monkeypatch.setattr(Beside, "begin", overtaken)
    with store.changed(arrow=True) as feed:
        save(store, article(200))
        numbers = [change.number for batch in feed.batches for change in batch.changes]
    assert begun == [ROWS, ROWS + 1, ROWS + 2]
    assert (len(pages), feed.cursor, numbers) == (9, ROWS + 2, [*range(1, ROWS + 3)])


def test_what_is_not_committed_is_not_read_beside(store, pages):
    with store.transaction():
        save(store, article(300))
        with store.changed(arrow=True) as feed:
            assert sum(len(batch.changes) for batch in feed.batches) == ROWS + 1
    assert pages == []


def test_nothing_is_left_of_the_process_beside(store, monkeypatch):
    started, known = module._started, []

    def noted(path):
        known.append(started(path))
        return known[-1]

    monkeypatch.setattr(module, "_started", noted)

    @contextmanager
    def stopped():
        with pytest.raises(KeyboardInterrupt):
            yield

    with stopped(), store.changed(arrow=True) as feed:
        next(feed.batches)
        raise KeyboardInterrupt
    assert known[0].returncode is not None
    assert known[0].stdout.closed
