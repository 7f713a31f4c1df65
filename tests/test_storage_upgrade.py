"""Older databases are brought to today's schema, with a backup first; a store moves to another engine whole."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text
from test_export_feed import article, rows, save
from test_near import text_of
from test_storage_contract import NOON, entry, record, settled

from kiosque.errors import StorageError, UsageError
from kiosque.polling import new_feed
from pipelines.steps import near
from storage import RecordQuery, open_storage
from storage.copy import copy_store
from storage.engine import make_engine
from storage.notes import read_note, write_notes
from storage.rows import revision_row
from storage.schema import SCHEMA_VERSION, metadata

pytestmark = pytest.mark.slow  # real databases, made and broken

AGENCY = text_of(random.Random(1))  # noqa: S311 - no secret
OLD = Path(__file__).parent / "schemas"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "postgresql":
        return request.getfixturevalue("bare_postgresql")
    return f"sqlite:///{tmp_path / 'k.sqlite'}"


def make_old(url):
    """Make a database as Kiosque made it with schema 1, with one revised article."""
    engine = make_engine(url)
    statements = (OLD / f"schema-1-{engine.dialect.name}.sql").read_text().split(";\n")
    with engine.begin() as connection:
        for statement in filter(str.strip, statements):
            connection.execute(text(statement))
        connection.execute(text("INSERT INTO kiosque_meta VALUES ('schema', '1')"))
        connection.execute(
            text("INSERT INTO articles VALUES (:id, 'gazette', 2, :at)"), {"id": record().id, "at": NOON.isoformat()}
        )
        for number in (1, 2):
            row = revision_row(record(revision=number, text=AGENCY)) | {"change": number, "cluster": None}
            row |= dict.fromkeys(("authors", "tags"), "[]") | {"rights": "{}"}
            names = ", ".join(row)
            marks = ", ".join(f":{name}" for name in row)
            connection.execute(text(f"INSERT INTO revisions ({names}) VALUES ({marks})"), row)  # noqa: S608
            kind = {"n": number, "id": record().id, "kind": "revised" if number > 1 else "new", "at": NOON.isoformat()}
            connection.execute(text("INSERT INTO changes VALUES (:n, :id, :n, :kind, :at)"), kind)
    engine.dispose()


def shape(url):
    """Return tables, columns and indexes as the database has them."""
    engine = create_engine(make_engine(url).url)
    found = inspect(engine)
    tables = sorted(name for name in found.get_table_names() if not name.startswith("search_index"))
    shape = {
        table: (
            {c["name"]: (str(c["type"]), c["nullable"]) for c in found.get_columns(table)},
            sorted(
                (
                    i["name"],
                    tuple(i["column_names"]),
                    bool(i["unique"]),
                    sorted(f"{name}={value}" for name, value in i["dialect_options"].items()),
                )
                for i in found.get_indexes(table)
            ),
            found.get_pk_constraint(table)["constrained_columns"],
        )
        for table in tables
    }
    engine.dispose()
    return shape


def test_an_older_database_is_upgraded_when_it_is_opened(url):
    make_old(url)
    store = open_storage(url)
    assert [(one.revision, one.cluster) for one in store.records()] == [(2, record().id)]
    assert [one.id[0] for one in store.records(RecordQuery(search="oeuvre"))] == ["a"]
    save(store, article(1))
    assert [(c.number, c.kind) for c in feed_of(store)] == [(2, "new"), (3, "new")]
    store.close()
    open_storage(url).close()


def test_an_article_of_an_older_database_is_known_when_it_is_copied(url):
    make_old(url)
    store = open_storage(url)
    assert [one.id for one in store.near([near.bands(AGENCY)], limit=9)[0]] == [record().id]
    store.close()


def feed_of(store):
    with store.changed() as feed:
        return [change for batch in feed.batches for change in batch.changes]


def test_an_upgraded_database_has_the_shape_of_a_new_one(url, tmp_path):
    make_old(url)
    open_storage(url).close()
    upgraded = shape(url)
    if url.startswith("sqlite"):
        fresh = f"sqlite:///{tmp_path / 'fresh.sqlite'}"
    else:
        engine = make_engine(url)
        with engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        engine.dispose()
        fresh = url
    open_storage(fresh).close()
    assert upgraded == shape(fresh)
    assert set(upgraded) == set(metadata.tables)


def test_the_file_is_copied_before_it_is_upgraded(tmp_path):
    path = tmp_path / "k.sqlite"
    make_old(f"sqlite:///{path}")
    open_storage(f"sqlite:///{path}").close()
    with sqlite3.connect(tmp_path / "k.sqlite.bak-1") as backup:
        assert backup.execute("SELECT value FROM kiosque_meta WHERE key = 'schema'").fetchone() == ("1",)
        assert backup.execute("SELECT count(*) FROM revisions").fetchone() == (2,)
    backup.close()


def test_a_backup_that_is_there_is_kept(tmp_path):
    path = tmp_path / "k.sqlite"
    (tmp_path / "k.sqlite.bak-1").write_text("une autre")
    make_old(f"sqlite:///{path}")
    open_storage(f"sqlite:///{path}").close()
    assert (tmp_path / "k.sqlite.bak-1").read_text() == "une autre"
    assert (tmp_path / "k.sqlite.bak-1.1").exists()


def test_an_upgrade_that_fails_leaves_the_old_database(tmp_path, monkeypatch):
    path = tmp_path / "k.sqlite"
    make_old(f"sqlite:///{path}")

    def broken(_):
        raise sqlite3.OperationalError("disk is full")

    monkeypatch.setattr("storage.search.create", broken)
    with pytest.raises(sqlite3.OperationalError):
        open_storage(f"sqlite:///{path}")
    monkeypatch.undo()
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT value FROM kiosque_meta WHERE key = 'schema'").fetchone() == ("1",)
        columns = [row[1] for row in connection.execute("PRAGMA table_info(articles)")]
    connection.close()
    assert columns == ["id", "outlet", "revision", "first_seen_at"]
    open_storage(f"sqlite:///{path}").close()


def test_alembic_is_left_alone_when_the_schema_is_current(tmp_path):
    url = f"sqlite:///{tmp_path / 'k.sqlite'}"
    open_storage(url).close()
    code = f"import sys; from storage import open_storage; open_storage({url!r}); sys.exit('alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_steps_lead_to_todays_schema():
    names = sorted(path.name for path in (OLD.parents[1] / "storage/migrations/versions").glob("0*.py"))
    assert int(names[-1][:4]) == SCHEMA_VERSION


@pytest.fixture
def filled(tmp_path):
    url = f"sqlite:///{tmp_path / 'old' / 'k.sqlite'}"
    store = open_storage(url)
    store.settle([settled(one, key=one.url) for one in map(article, range(1200))])
    save(store, article(3, revision=2, title="Titre revu"))
    store.forget(urls=[article(4).url], at=NOON)
    store.enqueue("gazette", [("b", entry(url="https://gazette.example/b"))], at=NOON)
    store.save_feed(new_feed("https://gazette.example/rss", outlet="gazette", now=NOON))
    store.note_lines("gazette", [("votre quotidien", "a"), ("votre quotidien", "b")], at=NOON)
    write_notes(store, {"maison": "à ranger"})
    assert list(store.records(RecordQuery(search="revu")))
    store.close()
    return url


def test_a_store_is_copied_whole_and_goes_on(filled, url):
    counts = copy_store(filled, url)
    assert (counts["articles"], counts["revisions"], counts["feeds"]) == (1199, 1200, 1)
    old, new = open_storage(filled), open_storage(url)
    assert rows(old) == rows(new)
    assert (old.name(), old.last_change()) == (new.name(), new.last_change())
    assert list(old.records(RecordQuery(revisions=True))) == list(new.records(RecordQuery(revisions=True)))
    assert old.pending(["gazette"]) == new.pending(["gazette"])
    assert old.line_counts("gazette") == new.line_counts("gazette")
    assert new.forgotten([article(4).url], "gazette")
    assert read_note(new, "maison") == "à ranger"
    assert [one.title for one in new.records(RecordQuery(search="revu"))] == ["Titre revu"]
    new.enqueue("gazette", [("c", entry(url="https://gazette.example/c"))], at=NOON)
    assert [one.key for one in new.pending(["gazette"])] == ["b", "c"]
    old.close()
    new.close()


def test_a_store_that_holds_something_is_not_copied_over(filled, url):
    store = open_storage(url)
    save(store, record())
    store.close()
    with pytest.raises(StorageError, match="copy into an empty database"):
        copy_store(filled, url)
    with pytest.raises(UsageError, match="same database"):
        copy_store(filled, filled)
