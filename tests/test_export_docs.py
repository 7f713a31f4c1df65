"""Every snippet of docs/dataset.md runs as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from test_export_feed import URL, article, save
from test_storage_contract import NOON

from storage import open_storage
from storage.export import export

PAGE = Path(__file__).parents[1] / "docs" / "dataset.md"
SNIPPETS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
NEEDED = dict.fromkeys(("polars", "datasets"), "pip install 'kiosque[dataset-test]'")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a folder with the exports that the page speaks of."""
    store = open_storage("memory://")
    for n in range(4):
        save(store, article(n, cluster=article(min(n, 2)).id))
    cursor = export(store, tmp_path / "dataset", form="parquet")["cursor"]
    export(store, tmp_path / "dataset-jsonl")
    save(store, article(1, revision=2, title="Titre revu"))
    save(store, article(7))
    store.forget(urls=[URL.format(0)], at=NOON)
    export(store, tmp_path / "changes", form="parquet", since=cursor)
    export(store, tmp_path / "full", form="parquet")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("snippet", SNIPPETS, ids=range(len(SNIPPETS)))
def test_a_snippet_runs(snippet):
    for name, why in NEEDED.items():
        if f"import {name}" in snippet:
            pytest.importorskip(name, reason=why)
    said = {}
    exec(compile(snippet, str(PAGE), "exec"), said)  # noqa: S102 - our own page
    if "CREATE TABLE press" in snippet:
        duckdb = said["duckdb"]
        columns = "id, revision, title"
        ours = duckdb.sql(f"SELECT {columns} FROM press ORDER BY id").fetchall()  # noqa: S608
        full = duckdb.sql(f"SELECT {columns} FROM 'full/data/*/*.parquet' ORDER BY id").fetchall()  # noqa: S608
        duckdb.sql("DROP TABLE press")
        assert ours == full
        assert len(full) == 4


def test_the_page_has_snippets():
    assert len(SNIPPETS) == 8
