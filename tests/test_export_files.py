"""What stands in the folder of an export, read back with the tools that people use."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, date, datetime

import jsonschema
import pytest
from test_export_feed import URL, article, save
from test_storage_contract import NOON

from kiosque.errors import StorageError, UsageError
from kiosque.model import Rights
from kiosque.records import record_schema, record_to_dict
from storage import Settled, open_storage
from storage.columns import Filters
from storage.export import MANIFEST, export

FORMATS = ["jsonl", "csv", "parquet"]
NOT_JSON = {"published_at", "published_on", "published_month", "month"}


@pytest.fixture(params=[0, 20_000], ids=["beside", "here"])
def read_beside_or_here(request, monkeypatch):
    """Have a process beside read the store for an export, or not, by the rows that make it worth it."""
    monkeypatch.setattr("storage.beside.WORTH_IT", request.param)


@pytest.fixture
def store(tmp_path):
    opened = open_storage(f"sqlite:///{tmp_path / 'home' / 'k.sqlite'}")
    save(
        opened, article(1, title="Deux « titres », \"l'un\"\npuis l'autre", lead=None, authors=("Anne Lo", "Émile Zé"))
    )
    save(opened, article(2, published="2024-09-30", published_precision="day", tags=()))
    save(opened, article(3, published=None, published_precision=None, published_from=None, published_confidence=None))
    save(opened, article(4, rights=Rights(tdm_reserved=True, said=(("tdm_reserved", "well-known"),))))
    yield opened
    opened.close()


def read_jsonl(folder):
    return [json.loads(line) for line in (folder / "records.jsonl").read_text(encoding="utf-8").splitlines()]


def read_csv(folder):
    with (folder / "records.csv").open(encoding="utf-8", newline="") as file:
        return [
            {name: cell(name, value) for name, value in row.items() if name not in NOT_JSON}
            for row in csv.DictReader(file)
        ]


def cell(name, value):
    kinds = record_schema()["properties"][name].get("type", "string")
    if not value:
        return None if "null" in kinds or "enum" in record_schema()["properties"][name] else ""
    return value if "string" in kinds else json.loads(value)


def read_parquet(folder):
    pq = pytest.importorskip("pyarrow.parquet")
    return [as_json(row) for row in pq.read_table(folder / "data").to_pylist()]


def as_json(row):
    row = {name: value for name, value in row.items() if name not in NOT_JSON}
    for name in ("fetched_at", "first_seen_at"):
        row[name] = row[name].strftime("%Y-%m-%dT%H:%M:%SZ")
    said = row["rights"]["from"]
    return row | {"rights": row["rights"] | {"from": {one["what"]: one["where"] for one in said}}}


READ = {"jsonl": read_jsonl, "csv": read_csv, "parquet": read_parquet}


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMATS)
def test_every_format_says_the_same_and_holds_to_the_json_schema(store, tmp_path, form):
    export(store, tmp_path / "out", form=form)
    rows = sorted(READ[form](tmp_path / "out"), key=lambda row: row["id"])
    jsonschema.validate(rows, {"type": "array", "items": record_schema()})
    expected = [record_to_dict(record) for record in store.records() if not record.rights.tdm_reserved]
    assert rows == sorted(json.loads(json.dumps(expected)), key=lambda row: row["id"])


@pytest.mark.parametrize("form", FORMATS)
def test_the_manifest_names_every_file_with_its_hash(store, tmp_path, form):
    manifest = export(store, tmp_path / "out", form=form)
    assert json.loads((tmp_path / "out" / MANIFEST).read_text()) == manifest
    assert (manifest["rows"], manifest["reserved_left_out"], manifest["cursor"]) == (
        3,
        1,
        f"{store.name()}:4:{store.sign(4)}",
    )
    for file in manifest["files"]:
        data = (tmp_path / "out" / file["name"]).read_bytes()
        assert (hashlib.sha256(data).hexdigest(), len(data)) == (file["sha256"], file["bytes"])
    left = {path.name for path in (tmp_path / "out").iterdir()} - {"data", f"records.{form}"}
    assert left == {MANIFEST, "README.md", "dictionary.csv", "record.schema.json"}


def test_a_second_export_of_the_same_store_has_the_same_bytes(store, tmp_path):
    for form in FORMATS:
        first = export(store, tmp_path / form, form=form)
        assert export(store, tmp_path / form, form=form)["files"] == first["files"]


def test_reserved_records_come_when_they_are_asked_for(store, tmp_path):
    manifest = export(store, tmp_path / "out", filters=Filters(include_reserved=True))
    assert (manifest["rows"], manifest["reserved_left_out"]) == (4, 0)


def test_one_record_a_cluster_is_the_earliest(store, tmp_path):
    store.correct(
        replace(article(2, published="2024-09-30", published_precision="day"), cluster=article(1).id), at=NOON
    )
    manifest = export(store, tmp_path / "out", filters=Filters(one_per_cluster=True))
    assert [row["id"][-1] for row in read_jsonl(tmp_path / "out")] == ["1", "3"]
    assert manifest["duplicates_left_out"] == 1


@pytest.mark.parametrize("form", FORMATS)
def test_changes_since_a_cursor_are_an_export_of_their_own(store, tmp_path, form):
    cursor = export(store, tmp_path / "full", form=form)["cursor"]
    save(store, article(1, revision=2, title="Titre revu"))
    save(store, article(5))
    store.forget(urls=[URL.format(2)], at=NOON)
    manifest = export(store, tmp_path / "part", form=form, since=cursor)
    assert manifest["changes"] == {"new": 1, "revised": 1, "corrected": 0, "deleted": 1}
    assert sorted(row["id"][-1] for row in READ[form](tmp_path / "part")) == ["1", "5"]
    assert (tmp_path / "part" / f"changes.{form}").exists()
    if form == "jsonl":
        lines = (tmp_path / "part" / "changes.jsonl").read_text().splitlines()
        assert json.loads(lines[-1]) == {"number": 7, "id": article(2).id, "revision": 0, "kind": "deleted"}


def test_a_cursor_of_another_store_is_refused(store, tmp_path):
    for cursor, said in [("abcdef123456:1", "another store"), ("7", "no cursor"), (f"{store.name()}:99", "ahead")]:
        with pytest.raises(UsageError, match=said):
            export(store, tmp_path / "out", since=cursor)
    assert not (tmp_path / "out").exists()


def test_a_folder_of_something_else_is_left_alone(store, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "README.md").write_text("mes recettes")
    with pytest.raises(StorageError, match="something else"):
        export(store, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["README.md"]


def test_what_lies_beside_an_export_stays(store, tmp_path):
    export(store, tmp_path / "out", form="parquet")
    (tmp_path / "out" / "notes.txt").write_text("à garder")
    export(store, tmp_path / "out", form="jsonl")
    assert (tmp_path / "out" / "notes.txt").read_text() == "à garder"
    assert not (tmp_path / "out" / "data").exists()


def test_an_export_that_fails_leaves_the_one_before(store, tmp_path, monkeypatch):
    before = export(store, tmp_path / "out")
    save(store, article(6))

    def full(*_):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("storage.textfiles.os.fsync", full)
    with pytest.raises(StorageError, match="No space left on device; nothing was replaced"):
        export(store, tmp_path / "out")
    assert json.loads((tmp_path / "out" / MANIFEST).read_text()) == before
    assert len(read_jsonl(tmp_path / "out")) == 3
    assert not [path for path in (tmp_path / "out").iterdir() if path.name.startswith(".")]


def test_an_interrupted_export_is_taken_up_by_the_next(store, tmp_path):
    staging = tmp_path / "out" / ".export.partial"
    staging.mkdir(parents=True)
    (staging / "records.jsonl").write_text("{")
    export(store, tmp_path / "out")
    assert len(read_jsonl(tmp_path / "out")) == 3


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("column", ["title", "text"])
@pytest.mark.usefixtures("read_beside_or_here")
def test_a_text_that_is_no_utf8_any_more_stops_no_export(store, tmp_path, form, column):
    with store.writing() as connection:
        damaged = f"UPDATE revisions SET {column} = CAST(x'41ff' AS TEXT) WHERE id LIKE '%1'"  # noqa: S608 - our own
        connection.exec_driver_sql(damaged)
    export(store, tmp_path / "out", form=form)
    assert "A\ufffd" in {row[column] for row in READ[form](tmp_path / "out")}


@pytest.mark.usefixtures("read_beside_or_here")
@pytest.mark.parametrize(
    "odd",
    [
        {"section": "\x1e", "agency": None},
        {"text": "\x1f\x1e\x1f"},
        {"title": "", "lead": "", "text": ""},
        {"published_confidence": 0.1 + 0.2},
        {"published_confidence": 1e-17},
        {"tags": ("\x1f", "")},
    ],
)
def test_parquet_holds_any_text_and_number_as_it_is(store, tmp_path, odd):
    save(store, article(9, **odd))
    export(store, tmp_path / "out", form="parquet")
    (row,) = (row for row in read_parquet(tmp_path / "out") if row["id"].endswith("9"))
    assert row == record_to_dict(next(one for one in store.records() if one.id.endswith("9")))


def test_an_error_while_rows_are_read_ahead_is_the_exports(store, tmp_path, monkeypatch):
    def fails(*_, **__):
        raise StorageError("the disk is gone")

    monkeypatch.setattr("storage.feed._batch", fails)
    with pytest.raises(StorageError, match="the disk is gone"):
        export(store, tmp_path / "out", form="parquet")
    assert "ahead" not in {thread.name.partition("_")[0] for thread in threading.enumerate()}


def test_an_empty_store_makes_an_empty_dataset(tmp_path):
    store = open_storage("memory://")
    for form in FORMATS:
        assert export(store, tmp_path / form, form=form)["rows"] == 0
        assert READ[form](tmp_path / form) == []


def test_parquet_is_typed_and_filed_by_month(store, tmp_path):
    pq = pytest.importorskip("pyarrow.parquet")
    export(store, tmp_path / "out", form="parquet")
    months = {
        path.parent.name: pq.ParquetFile(path).read().to_pylist() for path in (tmp_path / "out").rglob("*.parquet")
    }
    assert sorted(months) == ["month=2024-09", "month=2024-10", "month=unknown"]
    row = months["month=2024-10"][0]
    assert row["published_month"] == "2024-10"
    assert row["published_at"] == datetime(2024, 10, 25, 5, 12, tzinfo=UTC)
    assert row["published_on"] == date(2024, 10, 25)
    day_only = months["month=2024-09"][0]
    assert (day_only["published_at"], day_only["published_on"]) == (None, date(2024, 9, 30))


def test_many_months_are_written_in_parts_of_bounded_memory(tmp_path, monkeypatch):
    pytest.importorskip("pyarrow")
    monkeypatch.setattr("storage.parquet.MOST_BYTES", 3_000)
    monkeypatch.setattr("storage.parquet.MIXED_BYTES", 1_000)
    monkeypatch.setattr("storage.parquet.MOST_OPEN", 3)
    monkeypatch.setattr("storage.feed.PAGE", 5)
    store = open_storage(f"sqlite:///{tmp_path / 'k.sqlite'}")
    for n in range(40):
        save(store, article(n, published=f"20{10 + n % 8}-01-0{n % 9 + 1}"))
    manifest = export(store, tmp_path / "out", form="parquet")
    assert manifest["rows"] == sum(file["rows"] for file in manifest["files"]) == 40
    assert any(file["name"].endswith("part-1.parquet") for file in manifest["files"])
    assert sorted(row["id"] for row in read_parquet(tmp_path / "out")) == [f"{n:024x}" for n in range(40)]
    store.close()


def test_pandas_and_duckdb_read_the_parquet_export(store, tmp_path):
    pandas, duckdb = pytest.importorskip("pandas"), pytest.importorskip("duckdb")
    export(store, tmp_path / "out", form="parquet")
    frame = pandas.read_parquet(tmp_path / "out" / "data")
    assert sorted(frame["published_month"].astype(str)) == ["2024-09", "2024-10", "unknown"]
    assert str(frame["published_at"].dtype).startswith("datetime64")
    query = f"SELECT outlet, count(*), max(published_on) FROM '{tmp_path}/out/data/*/*.parquet' GROUP BY outlet"  # noqa: S608 - our own folder
    assert duckdb.sql(query).fetchall() == [("gazette", 3, date(2024, 10, 25))]


def test_pandas_and_duckdb_read_the_text_exports(store, tmp_path):
    pandas, duckdb = pytest.importorskip("pandas"), pytest.importorskip("duckdb")
    export(store, tmp_path / "l", form="jsonl")
    export(store, tmp_path / "c", form="csv")
    assert pandas.read_json(tmp_path / "l" / "records.jsonl", lines=True)["word_count"].sum() == 18
    assert pandas.read_csv(tmp_path / "c" / "records.csv")["word_count"].sum() == 18
    assert duckdb.read_csv(str(tmp_path / "c" / "records.csv")).aggregate("count(*)").fetchall() == [(3,)]


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMATS)
def test_hugging_face_datasets_loads_the_folder(store, tmp_path, form):
    """In a process of its own: it reads its settings when it is imported."""
    pytest.importorskip("datasets", reason="pip install 'kiosque[dataset-test]'")
    export(store, tmp_path / "out", form=form)
    code = f"""
import datasets
found = datasets.load_dataset({str(tmp_path / "out")!r}, split="train")
print(sorted(map(str, found["title"]))[0], len(found), found.features["title"].dtype)
"""
    offline = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "hf"), "HF_DATASETS_CACHE": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=offline, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1].endswith((" 3 string", " 3 large_string")), done.stderr


def test_polars_reads_the_export(store, tmp_path):
    polars = pytest.importorskip("polars", reason="pip install 'kiosque[dataset-test]'")
    export(store, tmp_path / "out", form="parquet")
    export(store, tmp_path / "lines", form="jsonl")
    press = polars.scan_parquet(tmp_path / "out" / "data" / "*" / "*.parquet")
    days = press.filter(polars.col("published_on").is_not_null()).sort("published_on").collect()
    assert days["published_on"].to_list() == [date(2024, 9, 30), date(2024, 10, 25)]
    assert days["rights"].struct.field("robots").to_list() == ["allowed", "allowed"]
    assert polars.read_ndjson(tmp_path / "lines" / "records.jsonl")["word_count"].sum() == 18


def test_the_card_says_where_the_data_stand(store, tmp_path):
    for form, path in [("parquet", "data/*/*.parquet"), ("jsonl", "records.jsonl"), ("csv", "records.csv")]:
        export(store, tmp_path / form, form=form)
        card = (tmp_path / form / "README.md").read_text()
        assert f'path: "{path}"' in card
        assert "1 records whose publishers reserve" in card
        assert list((tmp_path / form).glob(path))


def test_the_dictionary_has_every_column(store, tmp_path):
    export(store, tmp_path / "out", form="csv")
    with (tmp_path / "out" / "dictionary.csv").open(encoding="utf-8", newline="") as file:
        described = [row["column"] for row in csv.DictReader(file)]
    with (tmp_path / "out" / "records.csv").open(encoding="utf-8", newline="") as file:
        assert described == csv.DictReader(file).fieldnames


def test_an_outcome_without_a_record_is_no_change(store):
    before = store.last_change()
    store.settle([Settled(key="k", outlet="gazette", url=URL.format(8), outcome="rejected:too-short", at=NOON)])
    assert store.last_change() == before
