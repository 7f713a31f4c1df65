"""An export that was interrupted is gone on with, and comes out as if it had not been."""

from __future__ import annotations

import json

import pytest
from test_export_feed import URL, article, save
from test_storage_contract import NOON

from storage import open_storage
from storage.columns import Filters
from storage.export import export
from storage.folder import PROGRESS, STAGING

FORMATS = ["jsonl", "csv", "parquet"]


class Killed(BaseException):
    """As a signal, which no sink can catch."""


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setattr("storage.export.NOTED_EVERY", 10)
    monkeypatch.setattr("storage.feed.PAGE", 5)
    opened = open_storage(f"sqlite:///{tmp_path / 'home' / 'k.sqlite'}")
    for n in range(40):
        save(opened, article(n, published=f"2024-{1 + n % 3:02}-05"))
    yield opened
    opened.close()


@pytest.fixture
def reading(monkeypatch):
    """Count the rows that an export reads, and kill it when there are too many."""
    from storage import export as module  # noqa: PLC0415

    select, read = module.select_rows, {"rows": 0, "most": 10_000}

    def counted(batch, filters):
        read["rows"] += len(batch.changes)
        if read["rows"] > read["most"]:
            raise Killed
        return select(batch, filters)

    monkeypatch.setattr(module, "select_rows", counted)
    return read


def interrupted(store, folder, reading, **asked):
    """Start an export and kill it after 25 of its rows; leave what a killed process leaves."""
    reading["most"] = reading["rows"] + 25
    with pytest.raises(Killed):
        export(store, folder, **asked)
    for path in (folder / STAGING).glob("records.*"):
        path.write_bytes(path.read_bytes() + b"une moiti")
    (folder / STAGING / "data" / "month=2024-09").mkdir(parents=True)
    (folder / STAGING / "data" / "month=2024-09" / "part-0.parquet").write_bytes(b"PAR1")
    reading.update(rows=0, most=10_000)


@pytest.mark.parametrize("form", FORMATS)
def test_an_interrupted_export_is_gone_on_with(store, tmp_path, reading, form):
    whole = export(store, tmp_path / "whole", form=form)
    interrupted(store, tmp_path / "out", reading, form=form)
    assert [path.name for path in (tmp_path / "out").iterdir()] == [STAGING]
    again = export(store, tmp_path / "out", form=form)
    assert reading["rows"] == 20, "the first 20 rows were written down"
    assert again["files"] == whole["files"]
    assert {path.name for path in (tmp_path / "out").rglob("*")} == {p.name for p in (tmp_path / "whole").rglob("*")}


def test_what_comes_meanwhile_is_in_the_export(store, tmp_path, reading):
    interrupted(store, tmp_path / "out", reading)
    save(store, article(41))
    save(store, article(30, revision=2, title="Titre revu"))
    again = export(store, tmp_path / "out")
    assert reading["rows"] == 21
    assert again["files"] == export(store, tmp_path / "whole")["files"]


@pytest.mark.parametrize(
    "change",
    [
        lambda store: save(store, article(3, revision=2, title="Titre revu")),
        lambda store: store.forget(urls=[URL.format(3)], at=NOON),
    ],
)
def test_an_export_begins_anew_when_what_it_wrote_is_no_longer_so(store, tmp_path, reading, change):
    interrupted(store, tmp_path / "out", reading)
    change(store)
    again = export(store, tmp_path / "out")
    assert reading["rows"] >= 39
    assert again["files"] == export(store, tmp_path / "whole")["files"]


@pytest.mark.parametrize("asked", [{"form": "csv"}, {"filters": Filters(one_per_cluster=True)}, {"since": "{}:0"}])
def test_another_export_than_the_interrupted_one_begins_anew(store, tmp_path, reading, asked):
    interrupted(store, tmp_path / "out", reading)
    asked = {name: value.format(store.name()) if name == "since" else value for name, value in asked.items()}
    export(store, tmp_path / "out", **asked)
    assert reading["rows"] == 40


@pytest.mark.parametrize("form", FORMATS)
def test_an_interrupted_export_of_changes_is_gone_on_with(store, tmp_path, reading, form):
    cursor = f"{store.name()}:0"
    store.forget(urls=[URL.format(39)], at=NOON)
    whole = export(store, tmp_path / "whole", form=form, since=cursor)
    interrupted(store, tmp_path / "out", reading, form=form, since=cursor)
    again = export(store, tmp_path / "out", form=form, since=cursor)
    assert reading["rows"] < 30
    assert (again["files"], again["changes"]) == (whole["files"], whole["changes"])


def test_a_broken_note_of_progress_is_no_progress(store, tmp_path, reading):
    interrupted(store, tmp_path / "out", reading)
    (tmp_path / "out" / STAGING / PROGRESS).write_text(json.dumps({"request": 1}))
    assert export(store, tmp_path / "out")["rows"] == 40
    assert reading["rows"] == 40
