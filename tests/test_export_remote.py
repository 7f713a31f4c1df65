"""Exports to object storage (a real S3 server on loopback) and to Delta tables."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from object_store import aws, object_store
from test_export_feed import URL, article, save
from test_export_files import read_jsonl
from test_storage_contract import NOON

from kiosque.errors import StorageError, UsageError
from kiosque.model import Rights
from storage import open_storage
from storage.columns import Filters
from storage.export import COLUMNS, DATED, export
from storage.remote import SENDING, export_remotely

WHY = "not in the test extra; pip install 'kiosque[dataset-test]'"


@pytest.fixture
def store():
    opened = open_storage("memory://")
    for n in range(4):
        save(opened, article(n, published=f"2024-{9 + n % 2:02}-05"))
    save(opened, article(9, rights=Rights(tdm_reserved=True)))
    return opened


@pytest.fixture
def files():
    return pytest.importorskip("fsspec", reason=WHY).filesystem("memory")


@pytest.fixture
def url(request, files):
    """A folder of fsspec's own memory: a backend without renames, as S3 is."""
    name = f"bucket/{request.node.name}"
    yield f"memory://{name}"
    if files.exists(name):
        files.rm(name, recursive=True)


def names(files, url):
    root = files._strip_protocol(url)
    return sorted(name.removeprefix(f"{root}/") for name in files.find(root))


def test_an_export_to_object_storage_is_the_same_as_one_to_a_folder(store, tmp_path, files, url):
    manifest = export_remotely(url, lambda place: export(store, place, form="parquet"))
    export(store, tmp_path / "out", form="parquet")
    here = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*"))
    assert names(files, url) == [name for name in here if (tmp_path / "out" / name).is_file()]
    assert json.loads(files.cat_file(f"{url}/manifest.json")) == manifest
    for file in manifest["files"]:
        assert files.cat_file(f"{url}/{file['name']}") == (tmp_path / "out" / file["name"]).read_bytes()


def test_a_second_export_takes_the_place_of_the_first(store, files, url):
    export_remotely(url, lambda place: export(store, place, form="parquet"))
    files.pipe_file(f"{url}/notes.txt", b"a garder")
    store.forget(urls=[URL.format(0), URL.format(2)], at=NOON)
    export_remotely(url, lambda place: export(store, place, form="parquet"))
    assert [name for name in names(files, url) if name.startswith("data/")] == ["data/month=2024-10/part-0.parquet"]
    assert "notes.txt" in names(files, url)


def test_while_files_are_sent_no_manifest_says_that_they_are_there(store, files, url, monkeypatch):
    export_remotely(url, lambda place: export(store, place))

    def cut_off(*_, **__):
        raise OSError(110, "Connection timed out")

    with monkeypatch.context() as broken:
        broken.setattr(type(files), "put_file", cut_off)
        with pytest.raises(StorageError, match="Connection timed out"):
            export_remotely(url, lambda place: export(store, place))
    assert "manifest.json" not in names(files, url)
    assert SENDING in names(files, url)
    export_remotely(url, lambda place: export(store, place))
    assert "manifest.json" in names(files, url)
    assert SENDING not in names(files, url)


def test_a_place_of_something_else_is_left_alone(store, files, url):
    files.pipe_file(f"{url}/README.md", b"mes recettes")
    with pytest.raises(StorageError, match="something else"):
        export_remotely(url, lambda place: export(store, place))
    assert names(files, url) == ["README.md"]


@pytest.mark.parametrize("place", ["gopher://x/y", "memory://", "memory:///"])
@pytest.mark.usefixtures("files")
def test_a_url_that_is_no_folder_is_a_usage_error(place):
    with pytest.raises(UsageError):
        export_remotely(place, lambda _: {})


def test_a_missing_library_is_named_with_its_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(UsageError, match=r"pip install 'kiosque\[s3\]'"):
        export_remotely("s3://bucket/press", lambda _: {})


@pytest.mark.slow
def test_an_export_to_s3_is_read_back_from_there(tmp_path):
    """With `kiosque export` and a server that speaks S3."""
    pytest.importorskip("s3fs", reason=WHY)
    pytest.importorskip("moto", reason=WHY)
    home = tmp_path / "home"
    store = open_storage(f"sqlite:///{home / 'kiosque.sqlite'}")
    save(store, article(1))
    store.close()
    with object_store("press") as endpoint:
        environment = os.environ | aws(endpoint)
        command = [sys.executable, "-m", "kiosque", "--home", home, "export"]
        for _ in range(2):  # the second in the place of the first
            done = subprocess.run(
                [*command, "s3://press/2024"], env=environment, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr
            assert "1 records in s3://press/2024" in done.stdout
        fetch = f"import s3fs; s3fs.S3FileSystem().get('press/2024', {str(tmp_path / 'back')!r}, recursive=True)"
        subprocess.run([sys.executable, "-c", fetch], env=environment, check=True)
        missing = [*command, "s3://ailleurs/2024"]
        refused = subprocess.run(missing, env=environment, capture_output=True, text=True, check=False)
    assert [row["id"] for row in read_jsonl(tmp_path / "back")] == [article(1).id]
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1), refused.stderr
    assert "s3://ailleurs/2024" in refused.stderr


# -- Delta Lake ----------------------------------------------------------------------------------


@pytest.fixture
def delta(store, tmp_path):
    pytest.importorskip("deltalake", reason=WHY)
    from storage.delta import export_delta  # noqa: PLC0415 - not everybody has it

    def write(**asked):
        return export_delta(store, str(tmp_path / "table"), names=(*COLUMNS, *DATED), **asked)

    return write


def rows_of(place, version=None):
    import pyarrow as pa  # noqa: PLC0415
    from deltalake import DeltaTable  # noqa: PLC0415

    rows = pa.table(DeltaTable(place, version=version).to_pyarrow_table()).to_pylist()
    return {row["id"][-1]: row["title"] for row in rows}


def test_a_delta_table_follows_by_merging_what_changed(store, tmp_path, delta):
    first = delta()
    assert (first["rows"], first["reserved_left_out"]) == (4, 1)
    save(store, article(1, revision=2, title="Titre revu", published="2024-10-05"))
    save(store, article(7))
    store.forget(urls=[URL.format(0)], at=NOON)
    delta(since=first["cursor"])
    merged = rows_of(tmp_path / "table")
    assert merged["1"] == "Titre revu"
    assert sorted(merged) == ["1", "2", "3", "7"]
    assert sorted(rows_of(tmp_path / "table", version=0)) == ["0", "1", "2", "3"], "readers of it still have it"
    delta()
    assert rows_of(tmp_path / "table") == merged


def test_a_delta_table_of_somebody_else_is_left_alone(store, tmp_path, delta):
    (tmp_path / "table").mkdir()
    (tmp_path / "table" / "recettes.txt").write_text("la soupe")
    with pytest.raises(StorageError, match="something else"):
        delta()
    (tmp_path / "table" / "recettes.txt").unlink()
    with pytest.raises(UsageError, match="full export first"):
        delta(since=f"{store.name()}:0")
    import pyarrow as pa  # noqa: PLC0415
    from deltalake import write_deltalake  # noqa: PLC0415

    write_deltalake(str(tmp_path / "table"), pa.table({"soupe": ["oui"]}))
    with pytest.raises(StorageError, match="somebody else's"):
        delta()


def test_a_delta_table_holds_reserved_records_when_they_are_asked_for(delta):
    assert delta(filters=Filters(include_reserved=True))["rows"] == 5
