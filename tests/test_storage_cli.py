"""The store on the command line: looking, exporting, erasing, copying."""

from __future__ import annotations

import json

import pytest
from test_export_feed import URL, article, save
from test_storage_contract import KEY, NOON, record

from kiosque.cli import main
from kiosque.model import Page
from kiosque.settings import load_settings
from pipelines.archivist import home_archive
from storage import open_storage


@pytest.fixture
def home(tmp_path):
    home = tmp_path / "home"
    archive = home_archive(load_settings(environment={}, home=home))
    page = Page(url=KEY, final_url=KEY, body=b"<p>Les citations de Valmont</p>", fetched_at=NOON)
    pointer = archive.append(page)
    archive.append(page)
    archive.close()
    store = open_storage(f"sqlite:///{home / 'kiosque.sqlite'}")
    save(store, record(archive=pointer))
    save(store, record(revision=2, archive=pointer, text="Les élus de Valmont ont enfin voté."))
    save(store, article(1))
    store.close()
    return home


@pytest.fixture
def kiosque(home, capsys):
    def run(*arguments, code=0):
        with pytest.raises(SystemExit) as end:
            main(["--home", str(home), *map(str, arguments)])
        said = capsys.readouterr()
        assert end.value.code == code, said
        return said.out if code == 0 else said.err

    return run


def test_revisions_are_shown_with_the_words_that_changed(kiosque):
    said = kiosque("records", "--revisions", "--limit", 3)
    assert "text: élus de Valmont ont {+enfin+} voté." in said
    assert said.count("revision 1") == 2


def test_records_are_searched(kiosque):
    assert len(kiosque("records", "--search", "élu ENFIN", "--format", "jsonl").splitlines()) == 1
    assert kiosque("records", "--search", "absent").strip() == "no records"


def test_forgetting_is_rehearsed_first(kiosque):
    said = kiosque("forget", KEY, "--dry-run")
    assert said.splitlines() == [KEY, "1 articles, 2 revisions would be erased"]
    assert len(kiosque("records", "--format", "jsonl").splitlines()) == 2


def test_what_is_forgotten_is_gone_from_store_and_archive(kiosque, home):
    said = kiosque("forget", f"{KEY}?utm_source=lettre")
    assert "1 articles, 2 revisions, 2 archived pages erased" in said
    assert [json.loads(line)["url"] for line in kiosque("records", "--format", "jsonl").splitlines()] == [URL.format(1)]
    assert list(home_archive(load_settings(environment={}, home=home)).snapshots()) == []
    assert "0 articles" in kiosque("forget", KEY)


def test_an_outlet_is_forgotten_whole(kiosque):
    assert "2 articles, 3 revisions" in kiosque("forget", "--outlet", "gazette")
    assert kiosque("records").strip() == "no records"


@pytest.mark.parametrize("arguments", [[], [KEY, "--outlet", "gazette"], ["gazette"]])
def test_what_to_forget_must_be_clear(kiosque, arguments):
    assert kiosque("forget", *arguments, code=2).startswith("kiosque: ")


def test_a_store_is_copied_by_one_command(kiosque, home, tmp_path):
    new = f"sqlite:///{tmp_path / 'new.sqlite'}"
    assert kiosque("db", "copy", f"sqlite:///{home / 'kiosque.sqlite'}", new).startswith("2 articles, 3 revisions")
    assert len(kiosque("--db", new, "records", "--format", "jsonl").splitlines()) == 2
    assert "copy into an empty database" in kiosque("db", "copy", f"sqlite:///{home / 'kiosque.sqlite'}", new, code=1)


def test_an_export_goes_on_from_its_cursor(kiosque, tmp_path):
    said = kiosque("export", tmp_path / "out", "--format", "csv")
    cursor = said.split()[-1]
    assert said.startswith("2 records in ")
    assert kiosque("export", tmp_path / "part", "--since", cursor).startswith("0 records in ")
    assert "another store" in kiosque("export", tmp_path / "part", "--since", "aaaa:1", code=2)


def test_a_cursor_is_refused_after_an_older_backup_was_restored_even_when_the_store_outgrew_it(kiosque, home, tmp_path):
    path = home / "kiosque.sqlite"
    kiosque("export", tmp_path / "out")
    before = json.loads((tmp_path / "out" / "manifest.json").read_text())["cursor"]
    backup = path.read_bytes()
    store = open_storage(f"sqlite:///{path}")
    save(store, article(2))
    store.close()
    kiosque("export", tmp_path / "out")
    cursor = json.loads((tmp_path / "out" / "manifest.json").read_text())["cursor"]
    path.write_bytes(backup)
    said = kiosque("export", tmp_path / "changes", "--since", cursor, code=2)
    assert "is ahead of this store" in said
    store = open_storage(f"sqlite:///{path}")
    save(store, article(3))
    save(store, article(4))
    store.close()
    said = kiosque("export", tmp_path / "changes", "--since", cursor, code=2)
    assert "restored from a backup; make a full export" in said
    assert not (tmp_path / "changes").exists()
    assert "2 records" in kiosque("export", tmp_path / "changes", "--since", before)
