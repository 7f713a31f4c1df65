"""A record's archived page read again in the dashboard: what was taken out, and the way from bytes to record."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from test_status import article, save
from test_trace import ENTRY, HTML, LINES, OUTLET, PAGE

from kiosque.model import Rights
from pipelines import read_article
from pipelines.steps.revise import first_record
from pipelines.trace import Line
from storage import open_storage
from storage.archive import WarcArchive
from storage.distant_archive import DistantArchive
from storage.sending import send_finished

pytest.importorskip("fastapi", reason="the dashboard needs kiosque[dashboard]")
testclient = pytest.importorskip("starlette.testclient", reason="Starlette's test client needs httpx2")

from kiosque.dashboard import make_app  # noqa: E402 - only where FastAPI is
from kiosque.dashboard import reread as module  # noqa: E402
from kiosque.dashboard.beside import Row, rows  # noqa: E402
from kiosque.dashboard.reread import Rereader  # noqa: E402

HOSTILE = "<script>alert(1)</script>Notre dossier"


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return WarcArchive(tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="module")
def rereader(archive):
    made = Rereader(archive, outlet_of=lambda _: OUTLET, page_time=5, page_memory=2000)
    yield made
    made.close()


@pytest.fixture
def store(tmp_path):
    opened = open_storage(f"sqlite:///{tmp_path / 'k.sqlite'}")
    yield opened
    opened.close()


def kept(store, shelf, page=PAGE, **changes):
    """Archive a page and save its record; return the record."""
    pointer = shelf.append(page, outlet="gazette", entry=ENTRY)
    reading = read_article(page, OUTLET, entry=ENTRY)
    record = first_record(reading, outlet=OUTLET, rights=Rights(), version="0", archive=pointer)
    save(store, replace(record, **changes))
    return record


def browser(store, rereader):
    return testclient.TestClient(
        make_app(store, {"gazette": OUTLET}, rereader=rereader), base_url="http://localhost", headers={"Accept": "*/*"}
    )


def words(html):
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def test_what_was_taken_out_stands_beside_the_text_with_its_rule(store, archive, rereader):
    record = kept(store, archive)
    html = browser(store, rereader).get(f"/articles/{record.id}").text
    taken = re.search(r'class="taken".*?</div>', html, re.DOTALL)[0]
    assert "Notre dossier sur les ponts outlet’s file: Notre dossier" in words(taken)
    assert html.index(LINES[0]) < html.index(taken) < html.index(LINES[1])
    assert "json-ld author" in words(html)
    assert "Modified 2024-10-25T11:30:00+02:00 json-ld" in words(html)
    alone = browser(store, rereader).get(f"/articles/{record.id}?text=alone").text
    assert "Notre dossier" not in words(alone)
    assert LINES[1] in alone


def test_a_pages_way_is_told_step_by_step(store, archive, rereader):
    record = kept(store, archive)
    said = words(browser(store, rereader).get(f"/articles/{record.id}/way").text)
    for step in (
        f"{len(PAGE.body)} bytes",
        "text/html; charset=iso-8859-1",
        "Read as utf-8, strictly valid",
        "newsarticle",
        "json-ld headline Le pont des Tanneurs va rouvrir yes",
        "feed Le pont va rouvrir no",
        "feed published Fri, 25 Oct 2024 07:12:00 +0200",
        "3 p",
        "Mentions légales left aside",
        "Notre dossier sur les ponts outlet’s file: Notre dossier",
        "Today&#39;s rules read the same record.",
    ):
        assert step in said
    french = words(browser(store, rereader).get(f"/articles/{record.id}/way?lang=fr").text)
    assert "Les règles d’aujourd’hui lisent la même notice." in french
    assert "Notre dossier sur les ponts fichier du titre : Notre dossier" in french


def test_it_tells_what_todays_rules_read_otherwise(store, archive, rereader):
    record = kept(store, archive, title="Un titre lu autrefois", authors=())
    said = words(browser(store, rereader).get(f"/articles/{record.id}/way").text)
    assert "authors — Ève Durand" in said
    assert "[removed: autrefois ] [added: Tanneurs va rouvrir ]" in said


def test_each_revision_has_its_own_page(store, archive, rereader):
    record = kept(store, archive)
    later = replace(PAGE, body=HTML.replace("quatre mois", "cinq mois").encode())
    pointer = archive.append(later, outlet="gazette")
    second = replace(record, revision=2, text=record.text.replace("quatre", "cinq"), archive=pointer)
    save(store, second)
    client = browser(store, rereader)
    for number, pages in ((1, "quatre mois"), (2, "cinq mois")):
        assert pages in client.get(f"/articles/{record.id}/way?revision={number}").text
    assert client.get(f"/articles/{record.id}/way?revision=3").status_code == 404
    assert client.get(f"/articles/{record.id}/way?revision=x").status_code == 422


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"archive": None}, "not in the archive"),
        ({"archive": "2024-10-26/nulle-part.warc.gz@0"}, "no longer in the archive"),
        ({"archive": "../../etc/passwd@0"}, "no longer in the archive"),
        ({"fetched_at": article(1).fetched_at}, "another page in its place"),
    ],
)
def test_without_its_page_it_says_so(store, archive, rereader, changes, sentence):
    record = kept(store, archive, **changes)
    for path in ("", "/way"):
        answer = browser(store, rereader).get(f"/articles/{record.id}{path}")
        assert (answer.status_code, sentence in answer.text) == (200, True)
    assert LINES[0] in browser(store, rereader).get(f"/articles/{record.id}").text


def test_a_page_on_object_storage_is_read_from_there_and_a_store_that_is_away_is_said(store, tmp_path, monkeypatch):
    fsspec = pytest.importorskip("fsspec", reason="not in the test extra; pip install 'kiosque[dataset-test]'")
    shelf = WarcArchive(tmp_path / "archive", away=DistantArchive(f"memory://bucket/{tmp_path.name}"))
    record = kept(store, shelf)
    shelf.close()
    assert send_finished(shelf.folder, shelf.away, store).files == 1
    reader = Rereader(shelf, outlet_of=lambda _: OUTLET, page_time=5, page_memory=2000)
    client = browser(store, reader)

    def away(*_, **__):
        raise OSError(111, "Connection refused")

    with monkeypatch.context() as trouble:
        trouble.setattr(type(fsspec.filesystem("memory")), "cat_file", away)
        assert "object storage, which does not answer now" in client.get(f"/articles/{record.id}/way").text
    shelf.away = DistantArchive(shelf.away.url)  # which was not asked in vain a moment ago
    assert "Notre dossier sur les ponts" in words(client.get(f"/articles/{record.id}/way").text)
    reader.close()


def test_hostile_pages_stay_texts_and_cost_bounded_work(store, archive, rereader):
    bad = HTML.replace("Notre dossier sur les ponts", HOSTILE.replace("<", "&lt;"))
    bad = bad.replace("<nav>", f"<nav>{'<p>Trois petits mots.</p>' * 3000}")
    page = replace(PAGE, body=bad.encode(), headers=(("x-mot", "<script>"),) * 500)
    record = kept(store, archive, page)
    for path in ("", "/way"):
        html = browser(store, rereader).get(f"/articles/{record.id}{path}").text
        assert "<script>alert" not in html
        assert len(html) < 2_000_000


def test_a_reader_too_many_is_told_to_come_back(store, archive, rereader):
    record = kept(store, archive, replace(PAGE, url="https://gazette.example/autre"))
    for _ in range(module.MOST_WAITING):
        rereader._places.acquire()
    try:
        assert "try again in a moment" in browser(store, rereader).get(f"/articles/{record.id}").text
    finally:
        rereader._places.release(module.MOST_WAITING)
    assert "try again in a moment" not in browser(store, rereader).get(f"/articles/{record.id}").text


def test_lines_stand_where_the_page_had_them_whatever_repeats():
    text = "Un chapô.\nLe pont ouvre.\nLe pont ferme."
    lines = [
        Line(text="Le pont ferme.", fate="kept"),  # in a menu, before the article
        Line(text="Menu", fate="aside"),
        Line(text="Un chapô.", fate="kept"),
        Line(text="Partager", fate="aside"),
        Line(text="Le pont ouvre.", fate="kept"),
        Line(text="Lire aussi", fate="removed", rule="common: related"),
        Line(text="Le pont ferme.", fate="kept"),
        Line(text="Abonnez-vous", fate="removed", rule="common: offer"),
        Line(text="Mentions légales", fate="aside"),
    ]
    assert rows(text, "Un chapô.", lines) == [
        Row("Un chapô.", is_lead=True, taken=()),
        Row("Le pont ouvre.", is_lead=False, taken=(lines[3],)),
        Row("Le pont ferme.", is_lead=False, taken=(lines[5],)),
        Row("", is_lead=False, taken=(lines[7],)),
    ]
    many = [Line(text="a", fate="kept")] * 2_000
    assert [row.text for row in rows("a\n" * 1_500, None, many)] == ["a"] * 1_500
