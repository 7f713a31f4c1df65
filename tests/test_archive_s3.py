"""The archive on object storage as an operator has it: commands, a server that speaks S3, kills in between."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from command import Kiosque
from object_store import KEYS, Proxy, aws, object_store
from small_site import PAGE, Site, article, feed

from kiosque.errors import StorageError
from kiosque.service import sending
from kiosque.settings import Settings
from storage.distant_archive import FIRST

WHY = "not in the test extra; pip install 'kiosque[dataset-test]'"
SECRET = KEYS["AWS_SECRET_ACCESS_KEY"]
TOWNS = ("Valmont", "Sainte-Aurore", "Pontarlier-le-Neuf", "Bourg-Tilleul", "Grandfontaine", "Les Ormes")


def text_of(town):
    return f"À {town}, la halle aux grains rouvre samedi devant les élus de {town} et les maraîchers de la vallée."


@pytest.fixture
def site():
    with Site() as made:
        for n, town in enumerate(TOWNS):
            body = article(f"La halle de {town} rouvre", text=text_of(town) + f" {town} y tient." * 8)
            made.answers[f"/a{n}"] = (200, PAGE, body)
        yield made


def a_home(folder, site, endpoint, *, place, database=None):
    kiosque = Kiosque(folder, hosts=[site.host])
    kiosque.outlet("gazette", site=site.url, feeds=[f"{site.url}/rss"], delay=0.0)
    kiosque.environment |= aws(endpoint) | {"KIOSQUE_ARCHIVE_FOLDER": place}
    if database is not None:
        kiosque.environment["KIOSQUE_DB"] = database
    return kiosque


def publish(site, *numbers):
    site.answers["/rss"] = feed(*(f"{site.url}/a{n}" for n in numbers))


def local_files(kiosque):
    return sorted((kiosque.home / "archive").glob("*/*.warc.gz"))


def bucket(endpoint, place):
    """What is in a place, as bytes by name; from a process of its own, as others would look."""
    look = (
        "import s3fs, sys, json; s = s3fs.S3FileSystem(use_listings_cache=False)\n"
        "print(json.dumps({n: s.cat_file(n).hex() for n in s.find(sys.argv[1])}))"
    )
    run = subprocess.run(
        [sys.executable, "-c", look, place], env=os.environ | aws(endpoint), capture_output=True, text=True, check=True
    )
    return {name: bytes.fromhex(data) for name, data in json.loads(run.stdout).items()}


def warcs(endpoint, place):
    return {name: data for name, data in bucket(endpoint, place).items() if name.endswith(".warc.gz")}


def until(condition, seconds=90):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def server():
    pytest.importorskip("s3fs", reason=WHY)
    pytest.importorskip("moto", reason=WHY)
    with object_store("press") as endpoint:
        yield endpoint


@pytest.fixture
def proxy(server):
    with Proxy(server) as made:
        yield made


@pytest.fixture
def place(tmp_path):
    return f"s3://press/{tmp_path.name}"


@pytest.fixture
def one(tmp_path, site, proxy, place):
    return a_home(tmp_path / "one", site, proxy.endpoint, place=place)


@pytest.fixture
def two(tmp_path, site, proxy, place, one):
    """Another machine with the same database."""
    database = f"sqlite:///{one.home / 'kiosque.sqlite'}"
    return a_home(tmp_path / "two", site, proxy.endpoint, place=place, database=database)


@pytest.mark.slow
def test_a_file_whose_upload_was_killed_is_sent_by_the_next_run(site, server, proxy, place, one):
    publish(site, 0, 1)
    proxy.holds = True
    with one.start("crawl", "gazette", "--json") as crawl:
        held = proxy.held.wait(90)
        crawl.kill()
        crawl.communicate()
    assert held
    proxy.holds = False
    assert len(one.records()) == 2
    assert len(local_files(one)) == 1
    assert warcs(server, place) == {}
    said = json.loads(one.run("status", "--json")[0])
    assert [waiting["files"] for waiting in said["unsent"]] == [1]
    assert "1 files" in one.run("status")[0]
    with one.start("schedule", "gazette") as service:
        try:
            until(lambda: not local_files(one))
        finally:
            service.terminate()
            _, err = service.communicate(timeout=40)
    assert (service.returncode, SECRET in err) == (0, False), err
    assert len(warcs(server, place)) == 1
    assert json.loads(one.run("status", "--json")[0])["unsent"] == []
    assert text_of(TOWNS[0]) in body_of(one, one.records()[-1].archive) + body_of(one, one.records()[0].archive)


@pytest.mark.slow
def test_machines_share_a_folder_and_read_each_others_pages_by_their_own_bytes(site, proxy, place, one, two):
    publish(site, 0, 1)
    one.crawl("gazette")
    publish(site, 0, 1, 2)
    two.crawl("gazette")
    assert (local_files(one), local_files(two)) == ([], [])
    assert len(warcs(proxy.endpoint, place)) == 2
    found = json.loads(one.run("reread", "--json")[0])
    assert (found["outcomes"], found["unarchived"], found["problems"]) == ({"unchanged": 3}, 0, [])
    found = json.loads(two.run("reread", "--engine", "dask", "--json")[0])
    assert (found["outcomes"], found["unarchived"], found["files"]["read"]) == ({"unchanged": 3}, 0, 2)
    pointers = pointers_of(one, site)
    proxy.seen.clear()
    for n in range(3):
        assert text_of(TOWNS[n]) in body_of(two, pointers[n])
    ranges = [given.removeprefix("bytes=").split("-") for _, path, given, _ in proxy.seen if ".warc.gz" in path]
    assert [int(last) - int(first) < FIRST for first, last in ranges] == [True] * 3


@pytest.mark.slow
def test_what_is_forgotten_is_gone_there_and_from_files_that_others_have_still_to_send(site, server, place, one, two):
    publish(site, 0, 1, 2)
    one.crawl("gazette")
    pointers = pointers_of(one, site)
    assert "1 pages in 1 files" in one.run("forget", f"{site.url}/a1", "--dry-run")[0]
    assert TOWNS[1] in unpacked(server, place)
    assert "1 articles, 1 revisions, 1 archived pages erased" in one.run("forget", f"{site.url}/a1")[0]
    assert (TOWNS[0] in unpacked(server, place), TOWNS[1] in unpacked(server, place)) == (True, False)
    assert [text_of(TOWNS[n]) in body_of(one, pointers[n]) for n in (0, 2)] == [True, True]
    publish(site, 4, 5)
    two.crawl("gazette", KIOSQUE_ARCHIVE_FOLDER="")
    one.run("forget", f"{site.url}/a4")
    assert "1 files" in two.run("archive", "send")[0]
    assert (TOWNS[4] in unpacked(server, place), TOWNS[5] in unpacked(server, place)) == (False, True)


@pytest.mark.slow
def test_what_is_wrong_is_one_sentence_and_the_crawl_goes_on(site, server, place, one):
    publish(site, 0)
    elsewhere = {"KIOSQUE_ARCHIVE_FOLDER": "s3://ailleurs/archive"}
    out, err = one.run("crawl", "gazette", "--json", code=1, **elsewhere)
    assert json.loads(out)["outcomes"]["new"] == 1
    said = "s3://ailleurs/archive: The specified bucket does not exist"
    assert f"kiosque: the archive's files wait to be sent: {said}" in err.splitlines()
    assert json.loads(one.run("status", "--json")[0])["unsent"][0]["problem"] == said
    for command in (["archive", "send"], ["forget", f"{site.url}/a0"], ["forget", f"{site.url}/a0", "--dry-run"]):
        _, err = one.run(*command, code=1, **elsewhere)
        assert err == f"kiosque: {said}\n"
    assert len(one.records()) == 1, "nothing is forgotten by half"
    nobody = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "")
    _, err = one.run("archive", "send", code=1, **nobody)
    assert "there are no credentials" in err
    assert (err.count("\n"), SECRET in err) == (1, False)
    _, err = one.run("archive", "send", code=1, AWS_ENDPOINT_URL="http://127.0.0.1:9")
    assert (err.count("\n"), SECRET in err) == (1, False)
    assert "1 files" in one.run("archive", "send", KIOSQUE_ARCHIVE_KEEP_GB="0.000000001")[0]
    assert bucket(server, place) == {}, "it was more than is kept"


def pointers_of(kiosque, site):
    found = {one.url: one.archive for one in kiosque.records()}
    return [found.get(f"{site.url}/a{n}") for n in range(len(TOWNS))]


def body_of(kiosque, pointer):
    """Read one page as the dashboard does, in a process of the home."""
    code = (
        "import sys; from pathlib import Path\n"
        "from kiosque.settings import load_settings; from pipelines.archivist import home_archive\n"
        "archive = home_archive(load_settings(home=Path(sys.argv[1])))\n"
        "sys.stdout.buffer.write(archive.read(sys.argv[2]).body)"
    )
    command = [sys.executable, "-c", code, str(kiosque.home), pointer]
    return subprocess.run(command, env=kiosque.environment, capture_output=True, check=True).stdout.decode()


def unpacked(endpoint, place):
    """Everything that is in a place, as text."""
    return b"\n".join(map(gzip.decompress, bucket(endpoint, place).values())).decode("utf-8", "replace")


# -- beside a crawl ------------------------------------------------------------------------------------


def test_a_store_that_is_away_is_asked_less_and_less_often_and_said_once(tmp_path, monkeypatch, caplog):
    (tmp_path / "archive" / "2026-11-22").mkdir(parents=True)
    (tmp_path / "archive" / "2026-11-22" / "kiosque-a.warc.gz").touch()
    waits, answers = [], [StorageError("s3://press: away")] * 8 + [None]

    async def slept(seconds):
        waits.append(seconds)
        if not answers:
            raise asyncio.CancelledError

    async def send(_):
        if error := answers.pop(0):
            raise error

    monkeypatch.setattr(sending.asyncio, "sleep", slept)
    monkeypatch.setattr(sending, "_send_apart", send)
    with caplog.at_level("INFO", "kiosque.archive"), pytest.raises(asyncio.CancelledError):
        asyncio.run(sending.keep_sending(lambda: Settings(home=tmp_path, archive_folder="s3://press/archive")))
    assert waits == [3, 30, 60, 120, 240, 480, 960, 1800, 1800, 20]
    assert caplog.messages == ["the archive's files wait: s3://press: away", "the archive's files are sent again"]


def test_how_long_pages_are_kept_may_be_changed_while_files_are_sent(tmp_path, monkeypatch):
    (tmp_path / "archive").mkdir()
    kept, rounds = [], iter([50.0, 2000.0])
    now = [Settings(home=tmp_path, archive_folder="s3://press/archive")]

    async def slept(_):
        if (gigabytes := next(rounds, None)) is None:
            raise asyncio.CancelledError
        now[0] = replace(now[0], archive_keep_gb=gigabytes)

    async def send(settings):
        kept.append(settings.archive_keep_gb)

    monkeypatch.setattr(sending.asyncio, "sleep", slept)
    monkeypatch.setattr(sending, "_send_apart", send)
    monkeypatch.setattr(sending, "finished", lambda _: ["a file"])
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(sending.keep_sending(lambda: now[0]))
    assert kept == [50.0, 2000.0]


def test_without_object_storage_nobody_looks_for_files(tmp_path):
    asyncio.run(asyncio.wait_for(sending.keep_sending(lambda: Settings(home=tmp_path)), 1))
