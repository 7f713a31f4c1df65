"""The page archive: what is written comes back, by every tool, after crashes, erasures and cuts."""

from __future__ import annotations

import gzip
import importlib
import io
import os
import signal
import subprocess
import sys
import time
import types
import zlib
from datetime import UTC, date, datetime, timedelta

import fastwarc
import pytest
import warcio
from hypothesis import given, settings
from hypothesis import strategies as st
from warcio.checker import Checker
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from kiosque.errors import StorageError
from kiosque.model import FeedEntry, Page
from storage import members
from storage.archive import WarcArchive, pages
from storage.members import torn_at
from storage.segment import mend
from storage.warc import Snapshot, parse_response, snapshots
from storage.warc_records import MOST_CLAIM

NOON = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)
HTML = "<html lang=fr><p>Le marché couvert rouvre à la Saint-Martin, après deux ans de travaux.</p></html>".encode()


def page(number=1, *, body=HTML, at=NOON, **changes):
    facts = {
        "url": f"http://exemple.fr/{number}",
        "final_url": f"https://exemple.fr/{number}",
        "headers": (
            ("content-type", "text/html; charset=utf-8"),
            ("content-encoding", "gzip"),
            ("content-length", "31"),
            ("transfer-encoding", "chunked"),
            ("set-cookie", "a=1"),
            ("set-cookie", "b=2"),
        ),
        "body": body,
        "fetched_at": at,
    }
    return Page(**facts | changes)


def filled(folder, n=3, **options):
    archive = WarcArchive(folder, **options)
    pointers = [archive.append(page(number)) for number in range(n)]
    archive.close()
    return archive, pointers


def test_without_isa_l_zlib_packs_the_same_records(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "isal", None)
    plain = importlib.reload(members)
    try:
        assert plain.PACKER is zlib
        _, pointers = filled(tmp_path)
    finally:
        monkeypatch.undo()
        importlib.reload(members)
    assert [WarcArchive(tmp_path).read(pointer).body for pointer in pointers] == [HTML] * 3


def test_a_page_comes_back_as_it_was_fetched_with_what_the_feed_claimed(tmp_path):
    archive = WarcArchive(tmp_path)
    entry = FeedEntry(url="https://exemple.fr/1", title="Le marché", published="22 novembre 2026", authors=("Ana Bel",))
    kept = Snapshot(page=page(), outlet="exemple", entry=entry, via=("https://exemple.fr/amp/1",))
    pointer = archive.append(kept.page, outlet=kept.outlet, entry=kept.entry, via=kept.via)
    found = archive.snapshot(pointer)  # before the file is closed, too
    assert (found.page, found.entry, found.via, found.outlet) == (kept.page, entry, kept.via, "exemple")
    assert archive.read(pointer) == kept.page
    assert pointer.startswith("2026-11-22/kiosque-20261122-")
    assert pointer.endswith(pointer.partition("@")[2])
    assert f"-{os.getpid()}-0001.warc.gz@" in pointer


def test_standard_tools_read_the_files(tmp_path):
    archive, pointers = filled(tmp_path)
    [path] = archive.files()
    with path.open("rb") as stream:
        records = [
            (r.rec_type, r.rec_headers.get_header("WARC-Target-URI"), r.rec_headers.get_header("WARC-Date"))
            for r in warcio.ArchiveIterator(stream, check_digests="raise")
            if r.content_stream().read()
        ]
    assert records[0][0] == "warcinfo"
    assert records[1:] == [("response", f"https://exemple.fr/{n}", "2026-11-22T12:00:00.123456Z") for n in range(3)]
    found = [
        (record.stream_pos, record.http_headers.status_line, record.reader.read(), record.http_headers.to_dict())
        for record in fastwarc.ArchiveIterator(str(path), record_types=fastwarc.WarcRecordType.response)
    ]
    assert [f"{path.parent.name}/{path.name}@{offset}" for offset, *_ in found] == pointers
    assert all(status == "HTTP/1.1 200 OK" and body == HTML for _, status, body, _ in found)
    assert found[0][3]["x-crawler-content-encoding"] == "gzip"
    assert found[0][3]["content-length"] == str(len(HTML))
    assert gzip.decompress(path.read_bytes()).startswith(b"WARC/1.1\r\n")


def test_warcio_check_finds_nothing_wrong(tmp_path, capsys):
    archive, pointers = filled(tmp_path)
    archive.remove(pointers=pointers[:1])
    command = types.SimpleNamespace(inputs=[str(path) for path in archive.files()], verbose=False)
    assert Checker(command).process_all() == 0
    assert capsys.readouterr().out == ""


TEXT = st.text(st.characters(codec="latin-1"), max_size=40)


@settings(max_examples=60, deadline=None)
@given(
    body=st.binary(max_size=3000),
    status=st.integers(100, 999),
    headers=st.lists(st.tuples(st.text("abcdefghij-xcrawl", min_size=1, max_size=12), TEXT), max_size=5),
    path=st.text(max_size=30),
)
@pytest.mark.slow
def test_no_header_or_address_breaks_a_record(tmp_path_factory, body, status, headers, path):
    archive = WarcArchive(tmp_path_factory.mktemp("a"))
    hostile = page(body=body, status=status, headers=tuple(headers), final_url=f"https://exemple.fr/{path}")
    pointers = [archive.append(one) for one in (hostile, page(2))]
    archive.close()
    assert [found.pointer for found in archive.snapshots()] == pointers
    found = archive.read(pointers[0])
    assert (found.body, found.status, found.fetched_at) == (body, status, NOON)
    kept = [name for name, _ in headers if name != "content-length"]
    assert [name for name, _ in found.headers if name in kept] == kept
    assert archive.read(pointers[1]) == page(2)


def test_header_bytes_stay_as_they_were(tmp_path):
    archive = WarcArchive(tmp_path)
    odd = page(headers=(("x-titre", "\xc3\xa9t\xc3\xa9"), ("x-vide", ""), ("etag", '"\xe9"')))
    assert archive.read(archive.append(odd)) == odd


def test_a_reader_sees_no_half_record_of_a_living_writer(tmp_path):
    archive, pointers = filled(tmp_path, 2)
    [path] = archive.files()
    last = int(pointers[1].partition("@")[2])
    # The last bytes are the end of the stream and its checksum: with all before them the record is no half.
    for size in range(last, path.stat().st_size - 16):
        problems = []
        assert len(list(snapshots(path, size=size, problem=problems.append))) == 1, size
        assert size > last or problems == []


def test_a_claim_of_any_length_stays_short_enough_for_every_reader(tmp_path):
    archive = WarcArchive(tmp_path)
    entry = FeedEntry(
        url="https://exemple.fr/1", title="Été", published="hier", summary="é" * 50_000, tags=("x" * 9000,)
    )
    pointer = archive.append(page(), entry=entry, outlet="exemple")
    found = archive.snapshot(pointer)
    assert (found.entry.title, found.entry.published, found.outlet) == ("Été", "hier", "exemple")
    endless = FeedEntry(url="https://exemple.fr/1", title="é" * MOST_CLAIM)
    assert archive.snapshot(archive.append(page(), entry=endless, outlet="exemple")).entry is None


def test_a_file_is_full_at_its_size_and_every_day_has_its_own(tmp_path):
    archive = WarcArchive(tmp_path, segment_mb=0.004)
    days = [NOON, NOON, NOON, NOON + timedelta(days=1), NOON]
    pointers = [archive.append(page(body=os.urandom(700), at=at)) for at in days]
    archive.close()
    assert len(archive.files()) == 3
    assert all(path.stat().st_size <= 4000 for path in archive.files())
    assert [pointer[:10] for pointer in pointers] == ["2026-11-22"] * 3 + ["2026-11-23"] * 2
    assert [found.page.fetched_at for found in archive.snapshots()] == days


def test_two_writers_have_a_file_each(tmp_path):
    one, two = WarcArchive(tmp_path), WarcArchive(tmp_path)
    first, second = one.append(page(1)), two.append(page(2))
    assert first.partition("@")[0] != second.partition("@")[0]
    assert two.read(first).final_url == "https://exemple.fr/1"


# -- crashes -----------------------------------------------------------------------------------------


def test_a_tail_torn_at_any_byte_is_cut_and_nothing_else(tmp_path):
    archive, pointers = filled(tmp_path, 2)
    [path] = archive.files()
    whole, last = path.read_bytes(), int(pointers[-1].partition("@")[2])
    for end in range(last + 1, len(whole)):
        path.write_bytes(whole[:end])
        assert mend(path) == end - last
        assert path.read_bytes() == whole[:last]
    path.write_bytes(whole)
    assert mend(path) == 0
    assert path.read_bytes() == whole


def test_a_tail_of_zeros_after_a_power_cut_is_cut(tmp_path):
    archive, pointers = filled(tmp_path, 2)
    [path] = archive.files()
    whole, last = path.read_bytes(), int(pointers[-1].partition("@")[2])
    path.write_bytes(whole[: last + 90] + bytes(len(whole) - last - 90))
    assert mend(path) == len(whole) - last
    assert archive.read(pointers[0]) == page(0)


def test_damage_in_the_middle_is_no_tail(tmp_path):
    archive, pointers = filled(tmp_path, 3)
    [path] = archive.files()
    damaged = bytearray(path.read_bytes())
    middle = int(pointers[1].partition("@")[2])
    damaged[middle : middle + 40] = bytes(40)
    path.write_bytes(damaged)
    assert mend(path) == 0
    assert archive.read(pointers[2]) == page(2)
    problems = []
    assert [found.page for found in archive.snapshots(problem=problems.append)] == [page(0)]
    assert len(problems) == 1
    assert str(path) in problems[0]


def test_a_file_of_somebody_else_is_never_cut(tmp_path):
    other = tmp_path / "2026-11-22" / "other.warc.gz"
    other.parent.mkdir()
    other.write_bytes(gzip.compress(b"WARC/1.0 of somebody else")[:-3])
    with other.open("rb") as file:
        assert torn_at(file.fileno()) is None
    filled(tmp_path)
    assert other.exists()


def test_the_next_writer_and_every_reader_cut_what_a_crash_left(tmp_path):
    archive, pointers = filled(tmp_path, 2)
    [path] = archive.files()
    whole, last = path.read_bytes(), int(pointers[-1].partition("@")[2])
    path.write_bytes(whole[:-5])
    assert [found.pointer for found in archive.snapshots()] == pointers[:1]
    assert path.read_bytes() == whole[:last]
    path.write_bytes(whole[:-5])
    filled(tmp_path, 1)
    assert path.read_bytes() == whole[:last]
    with pytest.raises(StorageError, match="no page stands at byte"):
        archive.read(pointers[1])


WRITER = """
import sys, os
from datetime import UTC, datetime
from pathlib import Path
from kiosque.model import Page
from storage.archive import WarcArchive
from storage.warc import Snapshot
archive = WarcArchive(Path(sys.argv[1]))
for number in range(10**9):
    url = f"https://exemple.fr/{number}"
    body = os.urandom(200_000)
    page = Page(url=url, final_url=url, body=body, fetched_at=datetime.now(UTC))
    print(archive.append(page), flush=True)
"""


def test_a_killed_writer_loses_nothing_that_it_reported(tmp_path):
    for delay in (0.0, 0.03, 0.07):
        command = [sys.executable, "-c", WRITER, tmp_path]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            process.stdout.readline()
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
            reported = [line.strip() for line in process.stdout if line.endswith("\n")]
        archive = WarcArchive(tmp_path)
        problems = []
        found = {snapshot.pointer for snapshot in archive.snapshots(problem=problems.append)}
        assert set(reported) <= found
        assert problems == []


def test_a_full_disk_leaves_no_half_record_and_the_next_page_goes_on(tmp_path, monkeypatch):
    archive = WarcArchive(tmp_path)
    first = archive.append(page(1))
    write = os.pwrite

    def full(descriptor, data, offset):
        if len(data) <= 100:
            raise OSError(28, "No space left on device")
        return write(descriptor, data[:100], offset)

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(StorageError, match="No space left"):
        archive.append(page(2))
    monkeypatch.undo()
    third = archive.append(page(3))
    archive.close()
    assert [found.pointer for found in archive.snapshots()] == [first, third]


# -- keeping house -----------------------------------------------------------------------------------


def test_an_erased_page_is_gone_and_every_other_keeps_its_place(tmp_path):
    archive = WarcArchive(tmp_path)
    bodies = [HTML, os.urandom(70_000), os.urandom(200_000), b"", HTML]
    pointers = [archive.append(page(n, body=body)) for n, body in enumerate(bodies)]
    archive.close()
    [path] = archive.files()
    size = path.stat().st_size
    assert archive.remove(pointers=pointers[:4]) == 4
    assert path.stat().st_size == size
    assert b"exemple.fr/1" not in gzip.decompress(path.read_bytes())
    assert [found.pointer for found in archive.snapshots()] == pointers[4:]
    assert archive.read(pointers[4]) == page(4)
    for pointer in pointers[:4]:
        with pytest.raises(StorageError, match="no page stands"):
            archive.read(pointer)
    assert archive.remove(pointers=[*pointers, "2020-01-01/none.warc.gz@7"]) == 1  # the others are gone
    assert list(archive.snapshots()) == []
    assert mend(path) == 0


def test_a_page_is_erased_while_another_process_writes_the_file(tmp_path):
    writer = WarcArchive(tmp_path)
    pointers = [writer.append(page(number)) for number in range(2)]
    WarcArchive(tmp_path).remove(pointers=pointers[:1])
    pointers.append(writer.append(page(2)))
    writer.close()
    assert [found.pointer for found in writer.snapshots()] == pointers[1:]


def test_every_page_of_an_address_is_erased_however_it_was_met(tmp_path):
    archive = WarcArchive(tmp_path)
    archive.append(page(1))
    archive.append(page(2), via=("https://exemple.fr/1?xtor=RSS-1",))
    archive.append(page(3, url="https://exemple.fr/1"))
    kept = archive.append(page(4))
    archive.close()
    assert archive.remove(urls=["https://exemple.fr/1"]) == 3
    assert [found.pointer for found in archive.snapshots()] == [kept]


def test_a_pointer_leads_nowhere_but_into_the_archive(tmp_path):
    for pointer in ("../etc/passwd@0", "2026-11-22/../../x.warc.gz@0", "/x.warc.gz@0", "", "2026-11-22/x.warc.gz@-1"):
        with pytest.raises(StorageError, match="no place in an archive"):
            WarcArchive(tmp_path).read(pointer)
    with pytest.raises(StorageError, match="No such file"):
        WarcArchive(tmp_path).read("2026-11-22/x.warc.gz@0")


def test_old_files_go_after_their_days(tmp_path):
    archive = WarcArchive(tmp_path, keep_days=2)
    for days in range(5):
        archive.append(page(at=NOON + timedelta(days=days)))
    archive.close()
    assert [path.parent.name for path in archive.files()] == ["2026-11-24", "2026-11-25", "2026-11-26"]
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["2026-11-24", "2026-11-25", "2026-11-26"]
    gone = archive.prune(today=date(2026, 11, 28))
    assert [name[:10] for name in gone] == ["2026-11-24", "2026-11-25"]


def test_the_oldest_files_go_when_the_archive_is_too_large(tmp_path):
    archive = WarcArchive(tmp_path, segment_mb=0.004, keep_gb=0.00001)
    for number in range(12):
        archive.append(page(number, body=os.urandom(1000)))
    archive.close()
    assert sum(path.stat().st_size for path in archive.files()) <= 10_000 + 4000
    left = [found.page.final_url for found in archive.snapshots()]
    assert 3 < len(left) < 12
    assert left[-1] == "https://exemple.fr/11"


# -- WARC files of other tools -----------------------------------------------------------------------


def foreign(*responses, compress=True, version="WARC/1.0"):
    out = io.BytesIO()
    writer = WARCWriter(out, gzip=compress, warc_version=version)
    for url, headers, body in responses:
        http = StatusAndHeaders("200 OK", headers, protocol="HTTP/1.1")
        dated = {"WARC-Date": "2024-10-25T07:12:00Z"}
        writer.write_record(
            writer.create_warc_record(
                url, "response", io.BytesIO(body), len(body), http_headers=http, warc_headers_dict=dated
            )
        )
    return out.getvalue()


def chunked(body):
    return (
        b"".join(b"%x\r\n%s\r\n" % (len(body[i : i + 9]), body[i : i + 9]) for i in range(0, len(body), 9))
        + b"0\r\n\r\n"
    )


@pytest.mark.parametrize("compress", [True, False])
def test_any_warc_is_read_its_codings_taken_off(tmp_path, compress):
    coded = [("Content-Type", "text/html"), ("Transfer-Encoding", "chunked"), ("Content-Encoding", "gzip")]
    mislabelled = [("Content-Encoding", "gzip")]
    path = tmp_path / "CC-NEWS.warc.gz"
    path.write_bytes(
        foreign(
            ("https://exemple.fr/a", coded, chunked(gzip.compress(HTML))),
            ("https://exemple.fr/b", mislabelled, HTML),
            ("https://exemple.fr/c", [("Content-Type", "text/html")], HTML),
            compress=compress,
        )
    )
    found = list(pages([path]))
    assert [one.body for one in found] == [HTML, HTML, HTML]
    assert [one.url for one in found] == [f"https://exemple.fr/{letter}" for letter in "abc"]
    assert {one.fetched_at for one in found} == {datetime(2024, 10, 25, 7, 12, tzinfo=UTC)}
    assert found[0].header("content-type") == "text/html"


def test_only_wanted_addresses_are_read(tmp_path):
    path = tmp_path / "a.warc.gz"
    path.write_bytes(foreign(*((f"https://{host}.fr/", [], HTML) for host in "abc")))
    found = snapshots(path, wanted=lambda url: url == "https://b.fr/")
    assert [one.page.final_url for one in found] == ["https://b.fr/"]


def test_odd_records_are_passed_over_or_read_as_far_as_they_go(tmp_path):
    http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + HTML
    heads = (
        b"WARC-Target-URI: dns:exemple.fr\r\nWARC-Date: 2024-10-25T07:12:00Z\r\n",
        b"WARC-Date: 2024-10-25T07:12:00Z\r\n",
        b"WARC-Target-URI: <https://exemple.fr/a>\r\nWARC-Date: garbage\r\nWARC-JSON-Metadata: [1]\r\n",
        b'WARC-Target-URI: https://exemple.fr/b\r\nWARC-JSON-Metadata: {"entry": {"url": 3}, "via": 7}\r\n',
        b"WARC-Target-URI: https://exemple.fr/\xe9\xff\r\nWARC-Date: 0001-01-01T00:00:00Z\r\n",
    )
    path = tmp_path / "odd.warc"
    path.write_bytes(
        b"".join(
            b"WARC/1.0\r\nWARC-Type: response\r\n%sContent-Length: %d\r\n\r\n%s\r\n\r\n" % (head, len(http), http)
            for head in heads
        )
    )
    problems = []
    found = list(snapshots(path, problem=problems.append))
    assert [one.page.final_url[:21] for one in found] == [
        "https://exemple.fr/a",
        "https://exemple.fr/b",
        "https://exemple.fr/\ufffd\ufffd",
    ]
    assert all(one.page.body == HTML and one.entry is None for one in found)
    assert problems == []


def test_a_broken_file_is_one_sentence_and_the_next_is_read(tmp_path):
    good = foreign(("https://exemple.fr/a", [], HTML), ("https://exemple.fr/b", [], HTML * 30))
    damaged = bytearray(good)
    damaged[-60] ^= 0xFF
    contents = {
        "cut.warc.gz": good[:-40],
        "damaged.warc.gz": bytes(damaged),
        "empty.warc.gz": b"",
        "noise.warc.gz": b"\x1f\x8b\x08" + bytes(range(256)),
        "text.warc": b"nothing of the kind\n" * 10,
        "good.warc.gz": good,
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder.warc.gz").mkdir()
    problems = []
    names = [*contents, "folder.warc.gz", "missing.warc.gz"]
    found = list(pages([tmp_path / name for name in names], problem=problems.append))
    assert [one.final_url[-1] for one in found] == ["a", "a", "a", "b"]
    said = {problem.partition(":")[0].rpartition("/")[2] for problem in problems}
    assert said == {"cut.warc.gz", "damaged.warc.gz", "noise.warc.gz", "text.warc", "folder.warc.gz", "missing.warc.gz"}
    assert len(problems) == len(said)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_block_is_a_response_of_some_kind(block):
    status, headers, body = parse_response(block)
    assert 0 <= status <= 999
    assert all(isinstance(value, str) for pair in headers for value in pair)
    assert len(body) <= len(block) * 2000
