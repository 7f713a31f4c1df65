"""Bulk rereading, a file at a time: as the local engine reads it, and known as done only when it is."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import msgspec
import pyarrow.parquet as pq
import pytest
from test_reread import CLUTTER, NOON, OUTLET, SENTENCES, Pool, Press, html, warc

from kiosque.cli.reread_cluster import Wanted, left_of, orders_of, stored_revisions
from kiosque.errors import StorageError, UsageError
from kiosque.model import CleanRules
from kiosque.outlets import finder
from kiosque.service.sending import send_home
from kiosque.settings import load_settings
from pipelines import bulk
from pipelines.archivist import home_archive
from pipelines.bulk_summary import Together
from pipelines.own_pages import archive_jobs, counted
from pipelines.reread import Desk, foreign_jobs, verdicts
from pipelines.verdicts import Changes, Report
from storage import RecordQuery, open_storage
from storage.parts import Results
from storage.pointers import revision_count

RULE = {OUTLET.slug: replace(OUTLET, clean=CleanRules(drop_lines=("Le billet du dimanche",)))}


class InProcess(Pool):
    def __init__(self, **_):
        pass

    def close(self, *, now=False):
        pass


@pytest.fixture(autouse=True)
def pool(monkeypatch):
    monkeypatch.setattr(bulk, "ReaderPool", InProcess)


@pytest.fixture
def home(tmp_path):
    return load_settings(home=tmp_path / "home", environment={})


def crawled(home):
    """A home after a crawl: revisions, a page that was no article, another fetch, an article without its page."""
    press = Press(home.home / "archive")
    home.home.mkdir(exist_ok=True)
    press.store = open_storage(home.database)
    press.crawl("a", html(lines=(*SENTENCES, CLUTTER)))
    edited = html(lines=(SENTENCES[0], "Une précision du maire.", *SENTENCES[1:], CLUTTER))
    press.crawl("a", edited, at=NOON + timedelta(hours=1))
    press.crawl("a", edited, at=NOON + timedelta(hours=2))
    press.crawl("b", html("Le pont rouvre"))
    press.crawl("court", html("Bref", lines=("Trop court.",)))
    press.crawl("c", html("La gare rouvre"))
    gone = next(one.archive for one in press.store.records() if one.url.endswith("/c"))
    press.archive.close()
    press.archive.remove(pointers=[gone])
    press.store.close()


def in_bulk(home, *warcs, outlets=None, said=lambda _: None, **wanted):
    """Do what the command does, without the cluster in between."""
    outlets, wanted = outlets or RULE, Wanted(**wanted)
    rules = bulk.rules_of(outlets)
    orders = orders_of(home, [str(one) for one in warcs], wanted, outlets=outlets, rules=rules)
    left = orders if wanted.again else left_of(orders)
    stored = stored_revisions(home, left, slug=None, whole=not warcs)
    together, found = Together(), []
    for order in left:
        plain = json.loads(json.dumps(msgspec.to_builtins(order)))
        found.append(bulk.read_file(plain, rules, said=said))
        together.add(found[-1])
    compared = sum(one.get("compared", 0) for one in found)
    together.numbers["unarchived"] = max(0, stored - compared)
    return together.summary(seconds=0), found


def locally(home, *warcs, outlets=None):
    outlets, report = outlets or RULE, Report()
    store = open_storage(home.database)
    archive = home_archive(home)
    desk = Desk(store=store, outlets=outlets, outlet_of=finder(outlets))
    jobs = foreign_jobs(desk, warcs, report) if warcs else archive_jobs(desk, archive, report)
    found = verdicts(jobs, desk, Pool(), workers=1)
    if archive.away is not None:
        found = counted(found, report, revisions=revision_count(store))
    with closing(Changes(store, report, write=True)) as changes:
        for verdict in found:
            changes.add(verdict)
        changes.flush()
    return report.summary(seconds=0)


def records(home):
    with closing(open_storage(home.database)) as store:
        return {(one.url, one.revision): one for one in store.records(RecordQuery(revisions=True))}


def rows(folder):
    return [row for path in sorted(folder.glob("data/*.parquet")) for row in pq.read_table(path).to_pylist()]


COUNTS = ("seen", "outcomes", "outlets", "fields", "fields_by_outlet", "lost", "unarchived", "written", "problems")


def test_the_archive_gets_the_same_corrections_as_from_the_local_engine(home, tmp_path):
    crawled(home)
    other = replace(home, home=tmp_path / "other")
    shutil.copytree(home.home, other.home)
    mine, _ = in_bulk(home, write=True)
    theirs = locally(other)
    assert {name: mine[name] for name in COUNTS} == {name: theirs[name] for name in COUNTS}
    assert mine["outcomes"]["corrected"] == 2
    assert mine["unarchived"] == 1
    assert records(home) == records(other)


@pytest.fixture
def away(home, tmp_path):
    """The home's twin whose archive was sent away, but for one file."""
    pytest.importorskip("fsspec", reason="not in the test extra; pip install 'kiosque[dataset-test]'")
    crawled(home)
    twin = replace(home, home=tmp_path / "twin", archive_folder=f"file://{tmp_path / 'away'}")
    shutil.copytree(home.home, twin.home)
    assert send_home(twin).files == 1
    press = Press(twin.home / "archive")
    here = Press(home.home / "archive")
    for one in (press, here):
        one.crawl("ici", html("Le musée rouvre"), at=NOON)
        one.archive.close()
    return twin


@pytest.mark.parametrize("engine", ["local", "bulk"])
def test_an_archive_on_object_storage_gets_the_same_corrections(home, away, engine):
    wanted = locally(home)
    summary = in_bulk(away, write=True)[0] if engine == "bulk" else locally(away)
    assert {key: summary[key] for key in COUNTS} == {key: wanted[key] for key in COUNTS}
    assert summary["outcomes"]["corrected"] == 2
    assert summary["problems"] == []
    assert {key: one.text for key, one in records(away).items()} == {
        key: one.text for key, one in records(home).items()
    }


def test_a_file_that_was_read_again_is_known_as_done_after_its_move(away):
    assert in_bulk(away, write=True)[0]["files"] == {"read": 2, "broken": 0, "skipped": 0}
    assert send_home(away).files == 1
    assert left_of(orders_of(away, [], Wanted(write=True), outlets=RULE, rules=bulk.rules_of(RULE))) == []


def test_a_file_that_was_sent_meanwhile_is_read_where_it_is_now(away):
    orders = orders_of(away, [], Wanted(write=True), outlets=RULE, rules=bulk.rules_of(RULE))
    send_home(away)
    found = [bulk.read_file(msgspec.to_builtins(order), bulk.rules_of(RULE)) for order in orders]
    assert [one["problems"] for one in found] == [[], []]
    assert sorted(one["seen"] for one in found) == [1, 5]


def test_files_of_the_archive_named_by_their_url_are_known_as_its_own(away, tmp_path):
    [order] = orders_of(
        away, [f"file://{tmp_path / 'away'}/*/*.warc.gz"], Wanted(), outlets=RULE, rules=bulk.rules_of(RULE)
    )
    assert (order.archive, order.away) == (str(away.home / "archive"), away.archive_folder)


def test_files_of_others_give_the_same_records_as_from_the_local_engine(home, tmp_path):
    first = warc(tmp_path / "a.warc.gz", *((f"https://exemple.fr/{n}", html(f"Le quai {n}"), NOON) for n in range(120)))
    later = html("Le quai 3", lines=(SENTENCES[0], "Une précision du maire.", *SENTENCES[1:]))
    second = warc(tmp_path / "b.warc.gz", ("https://exemple.fr/3", later, NOON + timedelta(days=1)))
    other = replace(home, home=tmp_path / "other")
    mine, _ = in_bulk(home, first, second, write=True)
    theirs = locally(other, first, second)
    assert {name: mine[name] for name in COUNTS} == {name: theirs[name] for name in COUNTS}
    assert mine["outcomes"] == {"new": 120, "revised": 1}
    assert records(home) == records(other)


def test_parts_hold_what_the_store_would(home, tmp_path):
    file = warc(tmp_path / "a.warc.gz", *((f"https://exemple.fr/{n}", html(f"Le quai {n}"), NOON) for n in range(3)))
    locally(home, file)
    stored = records(home)
    found, _ = in_bulk(replace(home, home=tmp_path / "none"), file, to=str(tmp_path / "parts"))
    assert (found["rows"], found["written"]) == (3, 0)
    for row in rows(tmp_path / "parts"):
        one = stored[row["url"], 1]
        assert (row["id"], row["text"], row["published"], row["title"]) == (one.id, one.text, one.published, one.title)
        assert row["archive"].startswith("a.warc.gz@")
        assert row["published_at"] is not None


def test_parts_of_the_archive_hold_corrections_and_leave_the_store_alone(home, tmp_path):
    crawled(home)
    before = records(home)
    found, _ = in_bulk(home, to=str(tmp_path / "parts"))
    assert found["outcomes"]["corrected"] == 2
    assert records(home) == before
    held = {(row["url"], row["revision"]): row["text"] for row in rows(tmp_path / "parts")}
    assert CLUTTER in before["https://exemple.fr/a", 1].text
    locally(home)
    assert held == {key: one.text for key, one in records(home).items() if not key[0].endswith("/c")}


def test_without_leave_nothing_is_written_and_nothing_is_known_as_done(home):
    crawled(home)
    before = records(home)
    for _ in range(2):
        assert in_bulk(home)[0]["outcomes"]["corrected"] == 2
    assert records(home) == before


def test_bad_files_are_named_and_the_good_one_is_read(home, tmp_path):
    good = warc(tmp_path / "good.warc.gz", ("https://exemple.fr/a", html(), NOON))
    cut = tmp_path / "cut.warc.gz"
    cut.write_bytes(good.read_bytes()[:-30])
    plain = tmp_path / "plain.warc.gz"
    plain.write_bytes(b"\x00\xff no archive at all " * 9)
    hostile = tmp_path / "hostile.warc.gz"
    hostile.write_bytes(b"WARC/1.1\r\nWARC-Type: response\r\nContent-Length: 99999999999999999999\r\n\r\n")
    nowhere = "memory://press/gone.warc.gz"
    found, each = in_bulk(home, cut, plain, hostile, nowhere, good, write=True)
    assert found["outcomes"] == {"new": 1}
    said = "\n".join(found["problems"])
    assert all(name in said for name in ("cut.warc.gz", "gone.warc.gz"))
    assert [one["done"] for one in each][-1] is True
    assert found["files"]["broken"] >= 2
    assert not any(one["fault"] for one in each)


def test_a_file_behind_a_url_is_read_as_one_on_the_disk(home, tmp_path):
    import fsspec  # noqa: PLC0415

    file = warc(tmp_path / "a.warc.gz", *((f"https://exemple.fr/{n}", html(f"Le quai {n}"), NOON) for n in range(3)))
    files = fsspec.filesystem("memory")
    files.pipe_file("/press/2024/a.warc.gz", file.read_bytes())
    files.pipe_file("/press/2024/notes.txt", b"no archive")
    for number, place in enumerate(("memory://press/2024/a.warc.gz", "memory://press/2024/", "memory://press/*/*.gz")):
        to = f"memory://parts/{number}"
        found, _ = in_bulk(home, place, to=to)
        assert (found["rows"], found["problems"]) == (3, [])
        assert len(Results(to).done()) == 1


def test_a_second_run_goes_on_with_the_files_that_are_not_done(home, tmp_path):
    warcs = [warc(tmp_path / f"{n}.warc.gz", (f"https://exemple.fr/{n}", html(f"Le {n}"), NOON)) for n in range(3)]
    whole = warcs[1].read_bytes()
    warcs[1].write_bytes(whole[:-30])
    for wanted in ({"write": True}, {"to": str(tmp_path / "parts")}):
        warcs[1].write_bytes(whole[:-30])
        assert len(in_bulk(home, *warcs, **wanted)[1]) == 3
        warcs[1].write_bytes(whole)
        assert [one["problems"] for one in in_bulk(home, *warcs, **wanted)[1]] == [[]], "the one that was cut off"
        assert in_bulk(home, *warcs, **wanted)[1] == []
        assert len(in_bulk(home, *warcs, again=True, **wanted)[1]) == 3
    assert sorted(row["url"] for row in rows(tmp_path / "parts")) == [f"https://exemple.fr/{n}" for n in range(3)]


def test_other_rules_and_a_file_that_grew_are_read_again(home, tmp_path):
    file = warc(tmp_path / "a.warc.gz", ("https://exemple.fr/a", html(lines=(*SENTENCES, CLUTTER)), NOON))
    old = {OUTLET.slug: OUTLET}
    assert in_bulk(home, file, write=True, outlets=old)[0]["outcomes"] == {"new": 1}
    assert in_bulk(home, file, write=True)[0]["outcomes"] == {"corrected": 1}
    more = warc(tmp_path / "b.warc.gz", ("https://exemple.fr/b", html("Le pont"), NOON))
    file.write_bytes(file.read_bytes() + more.read_bytes())
    assert in_bulk(home, file, write=True)[0]["outcomes"] == {"unchanged": 1, "new": 1}


def test_a_folder_of_parts_is_for_one_request_and_holds_nothing_else(home, tmp_path):
    file = warc(tmp_path / "a.warc.gz", ("https://exemple.fr/a", html(), NOON))
    parts = tmp_path / "parts"
    in_bulk(home, file, to=str(parts))
    with pytest.raises(UsageError, match="other rules"):
        in_bulk(home, file, to=str(parts), outlets={OUTLET.slug: OUTLET})
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("…")
    with pytest.raises(UsageError, match=r"something else \(thesis.txt\)"):
        in_bulk(home, file, to=str(tmp_path / "mine"))


def test_a_file_that_was_stopped_is_not_done_and_leaves_no_part(home, tmp_path, monkeypatch):
    file = warc(tmp_path / "a.warc.gz", *((f"https://exemple.fr/{n}", html(f"Le quai {n}"), NOON) for n in range(9)))
    wanted = Wanted(to=str(tmp_path / "parts"))
    [order] = orders_of(home, [str(file)], wanted, outlets=RULE, rules=bulk.rules_of(RULE))
    pages = iter(range(3))

    class Stopping(InProcess):
        def submit(self, *args, **kwargs):
            if next(pages, None) is None:
                bulk.STOPPED.add(order.run)
            return super().submit(*args, **kwargs)

    monkeypatch.setattr(bulk, "ReaderPool", Stopping)
    found = bulk.read_file(msgspec.to_builtins(order), bulk.rules_of(RULE))
    assert found["done"] is False
    assert 0 < found["seen"] < 9
    assert rows(tmp_path / "parts") == []
    assert left_of([order]) == [order]


def test_a_part_that_was_never_moved_leaves_no_mark(home, tmp_path, monkeypatch):
    file = warc(tmp_path / "a.warc.gz", ("https://exemple.fr/a", html(), NOON))

    def full(*_):
        raise StorageError("the disk is full")

    monkeypatch.setattr(Results, "finish", full)
    _, [one] = in_bulk(home, file, to=str(tmp_path / "parts"))
    assert one["fault"] == "the disk is full"
    assert Results(str(tmp_path / "parts")).done() == set()


def test_what_was_forgotten_or_is_reserved_stays_out_of_parts(home, tmp_path):
    reserved = html("Le pont").replace(b"<title>", b'<meta name="tdm-reservation" content="1"><title>')
    file = warc(
        tmp_path / "a.warc.gz",
        ("https://exemple.fr/a", html(), NOON),
        ("https://exemple.fr/b", reserved, NOON),
        ("https://exemple.fr/c", html("La gare"), NOON),
    )
    with closing(open_storage(home.database)) as store:
        store.forget(urls=["https://exemple.fr/a"], at=NOON)
    found, _ = in_bulk(home, file, to=str(tmp_path / "parts"))
    assert found["outcomes"] == {"new": 2, "blocked:forgotten": 1}
    assert [row["url"][-1] for row in rows(tmp_path / "parts")] == ["c"]
    in_bulk(home, file, to=str(tmp_path / "all"), include_reserved=True)
    assert [row["url"][-1] for row in rows(tmp_path / "all")] == ["b", "c"]


def test_workers_elsewhere_need_a_database_that_they_see(home, tmp_path):
    file = warc(tmp_path / "a.warc.gz", ("https://exemple.fr/a", html(), NOON))
    with pytest.raises(UsageError, match=r"other machines do not see .*kiosque\.sqlite"):
        in_bulk(home, file, write=True, scheduler="tcp://10.9.8.7:8786")
    assert in_bulk(home, file, scheduler="tcp://10.9.8.7:8786", to=str(tmp_path / "parts"))[0]["rows"] == 1
    locally(home, file)
    with pytest.raises(UsageError, match="other machines"):  # it may know what is to be forgotten
        in_bulk(home, file, scheduler="tcp://10.9.8.7:8786", to=str(tmp_path / "more"))


def test_a_store_that_cannot_be_used_ends_the_run(home, tmp_path):
    file = warc(tmp_path / "a.warc.gz", ("https://exemple.fr/a", html(), NOON))
    [order] = orders_of(home, [str(file)], Wanted(write=True), outlets=RULE, rules="[]")
    away = replace(order, database="postgresql://nobody@127.0.0.1:1/none")
    assert "does not answer" in bulk.read_file(msgspec.to_builtins(away), "[]")["fault"]


def test_signs_of_life_count_the_pages(home, tmp_path, monkeypatch):
    monkeypatch.setattr(bulk, "TOLD_EVERY", -1.0)
    file = warc(tmp_path / "a.warc.gz", *((f"https://exemple.fr/{n}", html(f"Le quai {n}"), NOON) for n in range(3)))
    told = []
    in_bulk(home, file, to=str(tmp_path / "parts"), said=told.append)
    assert told == [1, 2, 3, 3]
