"""The archive on object storage: files go there whole, and are read, erased and kept house of there."""

from __future__ import annotations

import json
import os
import sys
from contextlib import closing
from datetime import UTC, date, datetime, timedelta

import pytest
from test_storage_contract import record, settled
from test_warc_files import NOON, page

from kiosque.cli import main
from kiosque.errors import StorageError, UsageError
from kiosque.settings import Settings, load_settings
from pipelines.archivist import home_archive, open_archive
from storage import Address, open_storage
from storage.archive import ASIDE, WarcArchive
from storage.arrived import PART, is_same
from storage.distant_archive import FIRST, LIST, ArchiveAwayError, DistantArchive
from storage.erasing import erasing
from storage.hold import finished, mark_of
from storage.sending import alone, send_finished
from storage.sql import SqlStore
from storage.unsent import TOLD_FOR, note, noted, unsent

fsspec = pytest.importorskip("fsspec", reason="not in the test extra; pip install 'kiosque[dataset-test]'")


@pytest.fixture
def files():
    return fsspec.filesystem("memory")


@pytest.fixture
def away(tmp_path, files):
    """A folder of fsspec's own memory."""
    name = f"bucket/{tmp_path.name}"
    yield DistantArchive(f"memory://{name}")
    if files.exists(name):
        files.rm(name, recursive=True)


@pytest.fixture
def store():
    with closing(open_storage("memory://")) as opened:
        yield opened


def filled(folder, away, n=3, **options):
    archive = WarcArchive(folder, away=away, **options)
    pointers = [archive.append(page(number)) for number in range(n)]
    archive.close()
    return archive, pointers


def broken(monkeypatch, files, method, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(type(files), method, fail)


# -- on their way --------------------------------------------------------------------------------------


def test_a_finished_file_goes_away_and_its_pages_are_still_found_under_their_pointers(tmp_path, away, store):
    archive, pointers = filled(tmp_path, away)
    [path] = archive.files()
    sent = send_finished(tmp_path, away, store)
    assert (sent.files, sent.problem) == (1, None)
    assert (archive.files(), list(tmp_path.glob("*-*"))) == ([], [])
    assert list(away.files()) == [f"2026-11-22/{path.name}"]
    assert [archive.read(pointer) for pointer in pointers] == [page(n) for n in range(3)]
    assert [found.pointer for found in archive.snapshots()] == pointers
    assert send_finished(tmp_path, away, store).files == 0


def test_a_file_that_is_written_stays_until_its_writer_ends(tmp_path, away, store):
    writer = WarcArchive(tmp_path, away=away)
    pointer = writer.append(page(1))
    assert send_finished(tmp_path, away, store).files == 0
    assert writer.read(pointer) == page(1)
    writer.close()
    assert send_finished(tmp_path, away, store).files == 1
    assert writer.read(pointer) == page(1)


def test_what_a_killed_writer_left_is_mended_and_sent(tmp_path, away, store):
    archive, pointers = filled(tmp_path, away, 2)
    [path] = archive.files()
    mark_of(path).touch()
    path.write_bytes(path.read_bytes()[:-5])
    assert send_finished(tmp_path, away, store).files == 1
    assert [found.pointer for found in archive.snapshots()] == pointers[:1]
    assert list(tmp_path.glob("*-*")) == []


def test_names_differ_between_machines_of_one_name_and_processes_of_one_number(tmp_path, away, store):
    pointers = [filled(tmp_path / name, away, 1)[1][0] for name in "ab"]
    for name in "ab":
        assert send_finished(tmp_path / name, away, store).files == 1
    assert len(away.files()) == 2
    assert [WarcArchive(tmp_path / "c", away=away).read(pointer) for pointer in pointers] == [page(0)] * 2


def test_while_the_store_is_away_files_wait_here_and_are_read_here(tmp_path, away, store, files, monkeypatch):
    archive, pointers = filled(tmp_path, away)
    with monkeypatch.context() as trouble:
        broken(trouble, files, "put_file", OSError(110, "Connection timed out"))
        broken(trouble, files, "cat_file", OSError(110, "Connection timed out"))
        sent = send_finished(tmp_path, away, store)
        assert (sent.files, sent.problem) == (0, f"{away}: [Errno 110] Connection timed out")
        assert archive.read(pointers[0]) == page(0)
    assert send_finished(tmp_path, away, store).files == 1


def test_a_file_that_did_not_arrive_whole_stays_here(tmp_path, away, store, files, monkeypatch):
    archive, pointers = filled(tmp_path, away)

    def cut(self, here, there, **_):
        with open(here, "rb") as file:  # noqa: PTH123 - as fsspec has it
            self.pipe_file(there, file.read()[:-1] + b"x")

    with monkeypatch.context() as trouble:
        trouble.setattr(type(files), "put_file", cut)
        sent = send_finished(tmp_path, away, store)
    assert "what arrived is not what was sent" in sent.problem
    assert len(archive.files()) == 1
    assert send_finished(tmp_path, away, store).files == 1, "and takes the broken one's place later"
    assert [archive.read(pointer) for pointer in pointers] == [page(n) for n in range(3)]


def test_a_run_that_was_killed_after_the_upload_is_finished_by_the_next(tmp_path, away, store, files, monkeypatch):
    archive, pointers = filled(tmp_path, away)
    [path] = archive.files()
    whole = path.read_bytes()
    send_finished(tmp_path, away, store)
    path.parent.mkdir()
    path.write_bytes(whole)
    broken(monkeypatch, files, "put_file", AssertionError("it is there already"))
    assert send_finished(tmp_path, away, store).files == 1
    assert archive.files() == []
    assert archive.read(pointers[0]) == page(0)


def test_another_file_of_the_same_name_is_never_overwritten(tmp_path, away, store, files):
    archive, _ = filled(tmp_path, away)
    [path] = archive.files()
    there = f"{away}/2026-11-22/{path.name}"
    files.pipe_file(there, b"somebody else's")
    assert "another file stands there" in send_finished(tmp_path, away, store).problem
    assert files.cat_file(there) == b"somebody else's"
    assert archive.files() == [path]


def test_a_page_erased_while_its_file_was_sent_does_not_come_back(tmp_path, away, store, monkeypatch):
    archive, pointers = filled(tmp_path, away)
    send, rounds = DistantArchive.send, []

    def slowly(self, path, name, pages):
        send(self, path, name, pages)
        if not rounds:
            WarcArchive(tmp_path).remove(pointers=pointers[:1])  # by a program that does not look there
        rounds.append(name)

    monkeypatch.setattr(DistantArchive, "send", slowly)
    assert send_finished(tmp_path, away, store).files == 1
    assert len(rounds) == 2
    assert [found.pointer for found in archive.snapshots()] == pointers[1:]


@pytest.mark.parametrize("outlet", [None, "gazette"])
def test_what_was_forgotten_from_another_machine_is_erased_before_its_file_is_sent(
    tmp_path, away, store, monkeypatch, outlet
):
    archive = WarcArchive(tmp_path, away=away)
    gone = archive.append(page(1), outlet="gazette")
    kept = archive.append(page(2), outlet="fanal")
    archive.close()
    store.forget(urls=[] if outlet else ["https://exemple.fr/1"], outlet=outlet, at=NOON)
    sent, send = [], DistantArchive.send
    monkeypatch.setattr(DistantArchive, "send", lambda *given: sent.append(given) or send(*given))
    assert send_finished(tmp_path, away, store).files == len(sent) == 1, "the page itself never leaves"
    assert [found.pointer for found in archive.snapshots()] == [kept]
    with pytest.raises(StorageError, match="no page stands"):
        archive.read(gone)


def test_what_is_forgotten_while_its_file_is_on_its_way_is_erased_there(tmp_path, away, store, monkeypatch):
    archive, pointers = filled(tmp_path, away)
    send = DistantArchive.send

    def slowly(self, path, name, pages):
        send(self, path, name, pages)
        store.forget(urls=["https://exemple.fr/1"], at=NOON)

    monkeypatch.setattr(DistantArchive, "send", slowly)
    assert send_finished(tmp_path, away, store).files == 1
    assert [found.pointer for found in archive.snapshots()] == [pointers[0], pointers[2]]


def test_one_process_of_a_home_sends(tmp_path):
    with alone(tmp_path) as first, alone(tmp_path) as second:
        assert (first, second) == (True, False)


@pytest.mark.parametrize(
    ("body", "tag"),
    [
        (b"Valmont", '"aea44d3548cc92c9568c8299da21f3c7"'),
        (b"a" * (2 * PART + 1), '"4751f4bb542cb1f4c26e54a1df39ca10-3"'),
    ],
)
def test_a_file_is_known_by_the_checksum_that_s3_makes_of_it_or_of_its_parts(tmp_path, files, body, tag):
    path = tmp_path / "a"
    path.write_bytes(body)
    there = {"name": "not there", "size": len(body), "ETag": tag}
    assert is_same(files, there, path), "without reading it back"
    assert not is_same(files, there | {"size": len(body) + 1}, path)
    with pytest.raises(FileNotFoundError):  # a store that encrypts gives another one: it is read back
        is_same(files, there | {"ETag": tag.replace("1", "2")}, path)


# -- reading there -------------------------------------------------------------------------------------


def test_one_page_is_read_by_asking_for_its_own_bytes(tmp_path, away, store, files, monkeypatch):
    archive = WarcArchive(tmp_path, away=away)
    bodies = [os.urandom(size) for size in (700, FIRST, 3 * FIRST)]
    pointers = [archive.append(page(n, body=body)) for n, body in enumerate(bodies)]
    archive.append(page(9, body=os.urandom(20 * FIRST)))
    archive.close()
    send_finished(tmp_path, away, store)
    asked, cat = [], type(files).cat_file

    def counted(self, path, start=None, end=None, **more):
        data = cat(self, path, start=start, end=end, **more)
        asked.append(len(data))
        return data

    monkeypatch.setattr(type(files), "cat_file", counted)
    assert archive.read(pointers[0]).body == bodies[0]
    assert asked == [FIRST]
    for pointer, body in zip(pointers, bodies, strict=True):
        assert archive.read(pointer).body == body
    assert sum(asked) < 8 * FIRST


def test_a_page_that_nobody_has_and_a_store_that_is_away_are_told_apart(tmp_path, away, store, files, monkeypatch):
    archive, [pointer] = filled(tmp_path, away, 1)
    send_finished(tmp_path, away, store)
    for wrong in (pointer.replace("0001", "0007"), pointer + "9", pointer.partition("@")[0] + "@1"):
        with pytest.raises(StorageError) as said:
            archive.read(wrong)
        assert not isinstance(said.value, ArchiveAwayError)
    asked = []

    def away_now(*_, **__):
        asked.append(1)
        raise OSError(111, "Connection refused")

    monkeypatch.setattr(type(files), "cat_file", away_now)
    for _ in range(3):
        with pytest.raises(ArchiveAwayError, match="Connection refused"):
            archive.read(pointer)
    assert len(asked) == 1, "nobody waits for it again and again"


# -- erasing and keeping house -------------------------------------------------------------------------


def test_a_page_is_erased_there_by_pointer_and_by_address_and_the_others_keep_their_place(tmp_path, away, store, files):
    archive, pointers = filled(tmp_path, away, 4)
    send_finished(tmp_path, away, store)
    [name] = away.files()
    size = away.files()[name]
    assert archive.remove(pointers=pointers[:1], urls=["https://exemple.fr/1"]) == 2
    assert away.files() == {name: size}
    assert [found.pointer for found in archive.snapshots()] == pointers[2:]
    assert b"exemple.fr/1" not in b"".join(files.cat_file(path) for path in files.find(str(away)))
    assert archive.remove(pointers=pointers[:1], urls=["https://exemple.fr/1"]) == 0
    assert archive.find(urls=["https://exemple.fr/1"]) == {}, "the list beside the file does not know it any more"
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == []


def test_where_pages_stand_is_looked_up_and_no_page_is_asked_for(tmp_path, away, store, monkeypatch):
    archive, pointers = filled(tmp_path, away)
    send_finished(tmp_path, away, store)
    name, _, offset = pointers[0].rpartition("@")

    def asked(*_, **__):
        raise AssertionError("a request for each page")

    with monkeypatch.context() as watched:
        watched.setattr(DistantArchive, "snapshot", asked)
        watched.setattr(DistantArchive, "_fetched", asked)
        assert away.erase(name, {1, 2}, aside=tmp_path / ASIDE) == 0
        watched.undo()
        watched.setattr(DistantArchive, "snapshot", asked)
        assert away.erase(name, {int(offset)}, aside=tmp_path / ASIDE) == 1
    assert archive.read(pointers[1]) == page(1)


def test_a_list_that_does_not_come_now_is_none_that_is_not_there(tmp_path, away, store, files, monkeypatch):
    filled(tmp_path, away)
    send_finished(tmp_path, away, store)
    whole = type(files).cat

    def no_lists(self, path, **given):
        found = whole(self, path, **given)
        return {name: OSError(5, "slow down") for name in found} if isinstance(found, dict) else found

    monkeypatch.setattr(type(files), "cat", no_lists)
    with pytest.raises(ArchiveAwayError, match="slow down"):
        list(away.standing(frozenset({"x"}), aside=tmp_path / ASIDE))


def test_files_of_others_in_the_folder_stay_where_they_are(tmp_path, away, store):
    (tmp_path / "2026-11-22").mkdir()
    (tmp_path / "2026-11-22" / "crawl-of-others.warc.gz").write_bytes(b"")
    assert send_finished(tmp_path, away, store).files == 0
    assert (away.files(), len(WarcArchive(tmp_path).files())) == ({}, 1)


def test_a_container_that_was_made_anew_says_of_its_folder_what_is_so_now(tmp_path, away, monkeypatch):
    filled(tmp_path, away)
    with closing(open_storage("sqlite://")) as store:
        for host in "ab":
            monkeypatch.setattr("storage.unsent.socket.gethostname", lambda host=host: host)
            note(store, tmp_path, unsent(tmp_path, now=NOON))
        assert [one.host for one in noted(store, now=NOON)] == ["b"]


def test_an_erasure_that_was_cut_off_loses_no_page_and_is_done_by_the_next(tmp_path, away, store, files, monkeypatch):
    archive, pointers = filled(tmp_path, away)
    send_finished(tmp_path, away, store)
    with monkeypatch.context() as trouble:
        broken(trouble, files, "put_file", OSError(104, "Connection reset by peer"))
        with pytest.raises(ArchiveAwayError, match="reset by peer"):
            archive.remove(pointers=pointers[:1])
    assert [found.pointer for found in archive.snapshots()] == pointers
    (tmp_path / ASIDE).mkdir()
    (tmp_path / ASIDE / "kiosque-a.warc.gz").write_bytes(b"fetched when it was killed")
    assert archive.remove(pointers=["2026-11-22/kiosque-b.warc.gz@7"]) == 0
    assert not (tmp_path / ASIDE).exists()
    assert archive.remove(pointers=pointers[:1]) == 1
    assert [found.pointer for found in archive.snapshots()] == pointers[1:]


def test_a_page_that_lies_here_and_there_is_erased_in_both_places(tmp_path, away, store):
    archive, pointers = filled(tmp_path, away, 2)
    [path] = archive.files()
    whole = path.read_bytes()
    send_finished(tmp_path, away, store)
    path.parent.mkdir()
    path.write_bytes(whole)
    assert archive.remove(pointers=pointers[:1]) == 1
    for seen in (archive, WarcArchive(tmp_path / "elsewhere", away=away)):
        assert [found.pointer for found in seen.snapshots()] == pointers[1:]


def test_a_file_that_somebody_copied_there_is_searched_too(tmp_path, away, files):
    archive, pointers = filled(tmp_path, away)
    [path] = archive.files()
    files.pipe_file(f"{away}/2026-11-22/{path.name}", path.read_bytes())
    path.unlink()
    assert archive.remove(urls=["https://exemple.fr/1"]) == 1
    assert [found.pointer for found in archive.snapshots()] == [pointers[0], pointers[2]]
    assert files.exists(f"{away}/2026-11-22/{path.name}{LIST}")


def test_old_files_and_those_too_many_go_there_and_nothing_of_others(tmp_path, away, store, files):
    archive = WarcArchive(tmp_path, away=away, keep_days=2)
    for days in range(5):
        archive.append(page(at=NOON + timedelta(days=days)))
    archive.close()
    assert len(archive.files()) == 5, "what was not sent is not deleted by whoever writes"
    send_finished(tmp_path, away, store)
    files.pipe_file(f"{away}/2026-11-01/recettes.warc.gz", b"de grand-mere")
    gone = archive.prune(today=date(2026, 11, 27))
    assert [name[:10] for name in gone] == ["2026-11-22", "2026-11-23", "2026-11-24"]
    assert [name[:10] for name in away.files()] == ["2026-11-25", "2026-11-26"]
    archive.keep(days=0, gigabytes=1e-6)
    assert [name[:10] for name in archive.prune(today=date(2026, 11, 27))] == ["2026-11-25"]
    left = [path.rpartition("/2026")[2] for path in files.find(str(away))]
    assert len(left) == 3, left  # a file, its list, and what is not ours


@pytest.fixture
def kiosque(tmp_path, away, capsys, monkeypatch):
    """A home whose archive goes away; runs a command in this process, and returns what it said."""
    monkeypatch.setenv("KIOSQUE_ARCHIVE_FOLDER", str(away))
    home = tmp_path / "home"
    archive = home_archive(load_settings(home=home))
    pointers = [archive.append(page(number)) for number in range(3)]
    archive.close()
    with closing(open_storage(f"sqlite:///{home / 'kiosque.sqlite'}")) as opened:
        url = "https://exemple.fr/1"
        address = Address(key=url, url=url)
        opened.settle([settled(record(url=url, archive=pointers[1]), key=url, addresses=(address,))])

    def run(*arguments, code=0):
        with pytest.raises(SystemExit) as end:
            main(["--home", str(home), *arguments])
        said = capsys.readouterr()
        assert end.value.code == code, said
        return said.out if code == 0 else said.err

    run.home, run.archive = home, archive
    return run


def test_forgetting_tells_first_which_files_are_written_anew_there(kiosque, away):
    assert kiosque("archive", "send").endswith(f"sent to {away}\n")
    said = kiosque("forget", "https://exemple.fr/1", "--dry-run").splitlines()
    size = sum(away.files().values()) / 1e6
    assert said[-1] == f"1 pages in 1 files ({size:.1f} MB) of {away}, which would be written anew"
    assert len(list(kiosque.archive.snapshots())) == 3
    assert "1 articles, 1 revisions, 1 archived pages erased" in kiosque("forget", "https://exemple.fr/1")
    assert [found.page.final_url[-1] for found in kiosque.archive.snapshots()] == ["0", "2"]


def test_forgetting_changes_nothing_while_the_store_is_away_or_somebody_else_forgets(kiosque, files, monkeypatch):
    kiosque("archive", "send")
    with monkeypatch.context() as trouble:
        broken(trouble, files, "cat_file", OSError(111, "Connection refused"))
        assert "Connection refused" in kiosque("forget", "https://exemple.fr/1", code=1)
    with erasing(f"sqlite:///{kiosque.home / 'kiosque.sqlite'}", kiosque.home):
        assert "another `kiosque forget` is at work" in kiosque("forget", "https://exemple.fr/1", code=1)
    assert "1 articles" in kiosque("forget", "https://exemple.fr/1", "--dry-run")


def test_a_file_that_arrives_while_its_page_is_forgotten_is_searched_too(kiosque, tmp_path, away, store, monkeypatch):
    [path] = kiosque.archive.files()
    elsewhere = tmp_path / "elsewhere" / "2026-11-22"
    elsewhere.mkdir(parents=True)
    path.rename(elsewhere / path.name)
    forget = SqlStore.forget

    def meanwhile(self, **asked):
        if not asked.get("dry_run"):  # the other machine has looked at what is forgotten just before
            send_finished(elsewhere.parent, away, store)
        return forget(self, **asked)

    monkeypatch.setattr(SqlStore, "forget", meanwhile)
    assert "1 archived pages erased" in kiosque("forget", "https://exemple.fr/1")
    assert [found.page.final_url[-1] for found in kiosque.archive.snapshots()] == ["0", "2"]


def test_old_files_that_may_not_be_deleted_are_said(kiosque, files, monkeypatch):
    monkeypatch.setenv("KIOSQUE_ARCHIVE_KEEP_GB", "0.000000001")
    broken(monkeypatch, files, "rm_file", PermissionError("Access Denied"))
    said = kiosque("archive", "send", code=1)
    assert said.startswith("kiosque: old files of the archive could not be deleted: memory://")
    assert said.endswith(": refused: Access Denied\n")
    assert json.loads(kiosque("status", "--json"))["unsent"] == []


def test_one_erasure_at_a_time_on_postgresql(postgresql, tmp_path):
    with (
        erasing(postgresql, tmp_path),
        pytest.raises(StorageError, match="another `kiosque forget`"),
        erasing(postgresql, tmp_path),
    ):
        pass
    with erasing(postgresql, tmp_path):
        pass


def test_files_that_wait_for_long_are_for_a_person(kiosque, files, monkeypatch):
    [path] = kiosque.archive.files()
    assert "archive-unsent" not in [one["kind"] for one in json.loads(kiosque("status", "--json"))["problems"]]
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 7300))
    broken(monkeypatch, files, "put_file", PermissionError("Access Denied"))
    assert kiosque("archive", "send", code=1).endswith(": refused: Access Denied\n")
    assert "1 files (0 MB)" in kiosque("status")
    [found] = [one for one in json.loads(kiosque("status", "--json"))["problems"] if one["kind"] == "archive-unsent"]
    assert (found["facts"]["n"], found["facts"]["age"]) == ("1", "2 h")
    assert found["facts"]["reason"].endswith("refused: Access Denied")


def test_sending_without_a_place_to_send_to_is_a_usage_error(kiosque, monkeypatch):
    monkeypatch.delenv("KIOSQUE_ARCHIVE_FOLDER")
    assert "archive.folder is not set" in kiosque("archive", "send", code=2)


# -- what is said --------------------------------------------------------------------------------------


def test_what_waits_is_told_of_every_machine(tmp_path, away):
    store = open_storage(f"sqlite:///{tmp_path / 'kiosque.sqlite'}")
    archive, _ = filled(tmp_path / "archive", away)
    now = datetime.now(UTC)
    found = unsent(archive.folder, now=now, problem="Connection refused")
    assert (found.files, found.problem) == (1, "Connection refused")
    assert abs(found.since - now) < timedelta(minutes=1)
    note(store, archive.folder, found)
    assert noted(store, now=now) == (found,)
    assert noted(store, now=now, folder=archive.folder) == (found,)
    assert noted(store, now=now + TOLD_FOR + timedelta(days=1)) == ()
    archive.files()[0].unlink()
    assert unsent(archive.folder, now=now) is None
    assert noted(store, now=now, folder=archive.folder) == (), "what lies here now counts"
    note(store, archive.folder, None)
    assert noted(store, now=now) == ()
    store.close()


def test_refusals_are_one_sentence_without_a_password(tmp_path, store, files, monkeypatch):
    filled(tmp_path, None)
    away = DistantArchive("memory://press:geheim@bucket/archive")
    broken(monkeypatch, files, "put_file", PermissionError("Access Denied\nrequest id 7"))
    problem = send_finished(tmp_path, away, store).problem
    assert problem == "memory://press:***@bucket/archive: refused: Access Denied"
    assert len(finished(tmp_path)) == 1


@pytest.mark.parametrize(
    ("url", "said"),
    [("gopher://x/y", "nothing here knows 'gopher'"), ("s3://bucket/press", r"pip install 'kiosque\[s3\]'")],
)
def test_a_place_that_cannot_be_opened_is_said_before_anything_is_crawled(tmp_path, monkeypatch, url, said):
    monkeypatch.setattr("storage.distant.find_spec", lambda _: None)
    with pytest.raises(UsageError, match=said):
        open_archive(Settings(home=tmp_path, archive_folder=url))
    monkeypatch.setitem(sys.modules, "fsspec.registry", None)
    with pytest.raises(UsageError, match=r"pip install 'kiosque\[s3\]'"):
        open_archive(Settings(home=tmp_path, archive_folder=url))


def test_the_folder_is_a_setting_that_is_shown_nowhere(tmp_path):
    settings = load_settings(environment={"KIOSQUE_ARCHIVE_FOLDER": "s3://press/archive"}, home=tmp_path)
    assert str(home_archive(settings).away) == "s3://press/archive"
    assert "press" not in repr(settings)
    (tmp_path / "kiosque.toml").write_text('[archive]\nfolder = "s3://press/autre"\n')
    assert str(home_archive(load_settings(environment={}, home=tmp_path)).away) == "s3://press/autre"
    (tmp_path / "kiosque.toml").unlink()
    assert home_archive(load_settings(environment={}, home=tmp_path)).away is None
    with pytest.raises(UsageError, match=r"'archive\.folder' must be the URL of a folder .*, not what it is"):
        load_settings(environment={"KIOSQUE_ARCHIVE_FOLDER": "geheim@press"}, home=tmp_path)
