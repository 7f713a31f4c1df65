"""What a database can do wrong, and what a person then reads."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from pathlib import Path

import pytest
from test_storage_contract import KEY, NOON, entry, record, settled

from kiosque.errors import KiosqueError, StorageError, UsageError
from storage import RecordQuery, open_storage
from storage.memory import MemoryStore


@pytest.fixture
def path(tmp_path):
    return tmp_path / "home" / "k.sqlite"


def test_the_home_is_made_and_the_journal_is_written_ahead(path):
    open_storage(f"sqlite:///{path}").close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_records_survive_the_process(path):
    store = open_storage(f"sqlite:///{path}")
    store.settle([settled(record())])
    store.close()
    again = open_storage(f"sqlite:///{path}")
    assert list(again.records()) == [record()]
    again.close()


def test_a_transaction_that_fails_leaves_nothing(path):
    store = open_storage(f"sqlite:///{path}")

    def half_a_unit():
        with store.transaction():
            store.settle([settled(record())])
            store.enqueue("gazette", [("b", entry())], at=NOON)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half_a_unit()
    assert (list(store.records()), store.pending(["gazette"])) == ([], [])
    store.close()


def test_a_rehearsal_writes_nothing_behind_it(path):
    behind = open_storage(f"sqlite:///{path}")
    rehearsal = MemoryStore(behind=behind)
    rehearsal.settle([settled(record())])
    assert KEY in rehearsal.known([KEY])
    assert behind.known([KEY]) == {}
    rehearsal.close()


@pytest.mark.parametrize("url", ["mysql://x/y", "nonsense", "postgresql://host:porte/x", ""])
def test_a_wrong_database_url_is_a_usage_error_that_names_it(url):
    with pytest.raises(UsageError, match="--db"):
        open_storage(url)


def test_a_file_that_is_no_database_is_said_to_be_none(path):
    path.parent.mkdir()
    path.write_bytes(b"bonjour " * 1000)
    with pytest.raises(StorageError, match="not a SQLite database"):
        open_storage(f"sqlite:///{path}")


def test_a_foreign_database_is_left_alone(path):
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE recettes (nom TEXT)")
    connection.close()
    with pytest.raises(StorageError, match="something else"):
        open_storage(f"sqlite:///{path}")


def test_a_newer_schema_is_refused(path):
    open_storage(f"sqlite:///{path}").close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE kiosque_meta SET value = '99' WHERE key = 'schema'")
    connection.close()
    with pytest.raises(StorageError, match="newer Kiosque"):
        open_storage(f"sqlite:///{path}")


def test_a_locked_database_says_who_to_wait_for(path, monkeypatch):
    monkeypatch.setattr("storage.engine.LOCK_TIME", 0.1)
    store = open_storage(f"sqlite:///{path}")
    with sqlite3.connect(path) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError, match="holds it locked"):
            store.settle([settled(record())])
        other.rollback()
    other.close()
    store.settle([settled(record())])
    store.close()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")  # noqa: PTH110
def test_a_full_disk_is_said_and_what_was_saved_stays(path):
    store = open_storage(f"sqlite:///{path}")
    store.settle([settled(record())])
    with store._engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
    # SQLite answers as on a full disk when its file may not grow.
    with store._engine.connect() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        connection.rollback()
    many = [settled(record(id=f"{n:024d}", text="mot " * 5000), key=f"k{n}") for n in range(20)]
    with pytest.raises(StorageError, match="full"):
        store.settle(many)
    assert len(list(store.records())) == 1
    store.close()


def test_a_read_only_home_is_named(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(StorageError, match="choose another --home"):
        open_storage(f"sqlite:///{blocked / 'k.sqlite'}")


def test_a_foreign_database_keeps_every_byte(path):
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE recettes (nom TEXT)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StorageError, match="something else"):
        open_storage(f"sqlite:///{path}")
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_a_damaged_file_says_what_to_do(path):
    store = open_storage(f"sqlite:///{path}")
    store.settle([settled(record(id=f"{n:024d}", text="mot " * 2000), key=f"k{n}") for n in range(30)])
    store.close()
    raw = bytearray(path.read_bytes())
    raw[16_384 : len(raw) - 8_192] = b"\xff" * (len(raw) - 24_576)
    path.write_bytes(raw)
    with pytest.raises(StorageError, match=r"damaged; .*kiosque doctor"):
        list(open_storage(f"sqlite:///{path}").records())


@pytest.fixture
def read_only():
    """A store's file in a folder of its own, which whoever runs the tests may read: root becomes somebody else."""
    folder = Path(tempfile.mkdtemp())
    path = folder / "k.sqlite"
    store = open_storage(f"sqlite:///{path}")
    store.settle([settled(record())])
    store.close()
    is_root = os.geteuid() == 0
    path.chmod(0o444)
    if is_root:
        folder.chmod(0o777)  # what stands beside the file may be written
        os.seteuid(65_534)
    try:
        yield path
    finally:
        if is_root:
            os.seteuid(0)
        shutil.rmtree(folder)


def test_a_read_only_file_is_named_with_what_to_do(read_only):
    store = open_storage(f"sqlite:///{read_only}")
    with pytest.raises(StorageError) as error:
        store.settle([settled(record(id="f" * 24, url="https://gazette.example/autre"))])
    store.close()
    assert str(error.value).startswith(f"{read_only}: it is read-only; give write access to the file and its folder")
    assert "\n" not in str(error.value)


def test_a_read_only_file_is_read_and_searched(read_only):
    store = open_storage(f"sqlite:///{read_only}")
    assert len(list(store.records())) == 1
    assert list(store.records(RecordQuery(search="motquinestpasla"))) == []
    store.close()


def test_a_missing_driver_is_named_with_its_remedy(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    with pytest.raises(UsageError, match=r"pip install 'kiosque\[postgresql\]'"):
        open_storage("postgresql://user@host/press")


@pytest.mark.parametrize("rest", ["@/press?host=/nulle/part", "@host:porte/press"])
@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_a_password_is_never_shown(scheme, rest):
    with pytest.raises(KiosqueError) as error:
        open_storage(f"{scheme}://user:motdepasse{rest}")
    assert "motdepasse" not in str(error.value)
