"""The API: bounded pages, cursors, JSON and JSON lines, and parameters that are checked."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from test_status import NOW, URL, article, save

from kiosque.model import Rights
from kiosque.records import record_schema, record_to_json
from storage import open_storage

pytest.importorskip("fastapi", reason="the API needs kiosque[dashboard]")
testclient = pytest.importorskip("starlette.testclient", reason="Starlette's test client needs httpx2")

from kiosque.dashboard import make_app  # noqa: E402 - only where FastAPI is

ID = f"{1:024x}"


@pytest.fixture
def store(tmp_path):
    opened = open_storage(f"sqlite:///{tmp_path / 'k.sqlite'}")
    for n in range(1, 6):
        save(opened, article(n, title=f"Le pont {n}"))
    yield opened
    opened.close()


@pytest.fixture
def client(store):
    return testclient.TestClient(make_app(store, {}), base_url="http://localhost")


def followed(client, path):
    """Follow `Link: rel=next` from page to page."""
    pages = []
    while path:
        answer = client.get(path)
        assert answer.status_code == 200
        pages.append(answer)
        path = answer.headers.get("Link", "<>")[1:].partition(">")[0]
    return pages


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_pages_follow_each_other_by_cursor_and_keep_the_filters(client, order):
    pages = followed(client, f"/api/v1/records?limit=2&search=pont&outlet=gazette&order={order}")
    titles = [one["title"] for page in pages for one in page.json()["records"]]
    expected = [f"Le pont {n}" for n in range(1, 6)]
    assert titles == (expected if order == "oldest" else expected[::-1])
    assert pages[-1].json()["next"] is None


def test_records_follow_the_schema_and_equal_the_stores(store, client):
    found = client.get("/api/v1/records").json()["records"]
    assert found == [json.loads(record_to_json(one)) for one in store.records()]
    for one in found:
        Draft202012Validator(record_schema()).validate(one)
    assert client.get(f"/api/v1/records/{ID}").json() == found[-1]


def test_json_lines_have_an_item_a_line(client):
    answer = client.get("/api/v1/records?format=jsonl&limit=3")
    assert answer.headers["Content-Type"].startswith("application/x-ndjson")
    assert [json.loads(line)["title"] for line in answer.text.splitlines()] == ["Le pont 5", "Le pont 4", "Le pont 3"]
    assert 'rel="next"' in answer.headers["Link"]


def test_a_copy_that_follows_the_changes_equals_the_store(store, client):
    copy, cursor = {}, None

    def catch_up(cursor):
        while True:
            since = f"&since={cursor}" if cursor else ""
            page = client.get(f"/api/v1/changes?limit=2{since}").json()
            for change in page["changes"]:
                if change["record"] is None:
                    copy.pop(change["id"], None)
                else:
                    copy[change["id"]] = change["record"]
            cursor = page["cursor"]
            if not page["more"]:
                return cursor

    cursor = catch_up(cursor)
    save(store, article(2, revision=2, title="Le viaduc"))
    store.forget(urls=[URL.format(3)], at=NOW)
    save(store, article(4, revision=2, rights=Rights(tdm_reserved=True)))
    catch_up(cursor)
    kept = {one.id: json.loads(record_to_json(one)) for one in store.records() if not one.rights.tdm_reserved}
    assert copy == kept
    assert len(copy) == 3


def test_changes_as_lines_name_their_cursor_in_a_header(store, client):
    answer = client.get("/api/v1/changes?format=jsonl&limit=2")
    assert [json.loads(line)["number"] for line in answer.text.splitlines()] == [1, 2]
    assert answer.headers["Kiosque-Cursor"] == f"{store.name()}:2:{store.sign(2)}"


def test_reserved_records_are_left_out_unless_asked_for(store, client):
    save(store, article(6, rights=Rights(tdm_reserved=True)))
    assert len(client.get("/api/v1/records").json()["records"]) == 5
    assert len(client.get("/api/v1/records?include_reserved=true").json()["records"]) == 6
    assert client.get("/api/v1/changes?limit=500").json()["changes"][-1]["kind"] == "deleted"


def test_a_search_of_a_store_that_is_far_behind_says_that_it_is_partial(store, client, monkeypatch):
    monkeypatch.setattr("storage.search.PAGE", 1)
    first = client.get("/api/v1/records?search=pont")
    monkeypatch.setattr("storage.overview.INDEXED_AT_ONCE", 0)
    save(store, article(6, title="Le pont 6"))
    behind = client.get("/api/v1/records?search=pont")
    assert (first.json()["partial"], behind.json()["partial"]) == (True, True)
    assert behind.headers["Kiosque-Search"] == "partial"
    monkeypatch.undo()
    whole = client.get("/api/v1/records?search=pont").json()
    assert (whole["partial"], len(whole["records"])) == (False, 6)


def test_revisions_of_a_record(store, client):
    save(store, article(1, revision=2, title="Le viaduc"))
    assert [one["title"] for one in client.get(f"/api/v1/records/{ID}/revisions").json()] == ["Le pont 1", "Le viaduc"]


def test_outlets_come_with_their_numbers(client):
    (one,) = client.get("/api/v1/outlets").json()["outlets"]
    assert (one["slug"], one["articles"], one["newest"]["title"]) == ("gazette", 5, "Le pont 5")
    assert json.loads(client.get("/api/v1/outlets?format=jsonl").text) == one


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("limit=0", 422),
        ("limit=501", 422),
        ("limit=x", 422),
        ("outlet=%00", 422),
        ("outlet=A'", 422),
        ("since=hier", 422),
        ("since=0001-01-01T00:00:00%2B14:00", 200),
        ("since=2024-10-25", 200),
        ("since=2024-10-25T07:12:00%2B02:00", 200),
        ("search=", 422),
        ("search=" + "a" * 201, 422),
        ("search=%22*", 200),
        ("search=%00", 200),
        ("cursor=x", 422),
        ("cursor=autre:3", 409),
        ("format=xml", 422),
        ("order=DROP", 422),
        ("include_reserved=peut-etre", 422),
    ],
)
def test_parameters_are_checked(client, query, status):
    answer = client.get(f"/api/v1/records?{query}")
    assert answer.status_code == status
    if status != 200:
        assert set(answer.json()) == {"detail"}


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    opened = open_storage(f"sqlite:///{tmp_path_factory.mktemp('api') / 'k.sqlite'}")
    save(opened, article(1))
    yield testclient.TestClient(make_app(opened, {}), base_url="http://localhost")
    opened.close()


NAMES = ("cursor", "outlet", "since", "search", "limit", "order", "format", "include_reserved", "q", "before", "lang")
PATHS = ("/api/v1/records", "/api/v1/changes", f"/api/v1/records/{ID}", "/api/v1/outlets", "/articles", "/", "/outlets")


@given(
    path=st.sampled_from(PATHS) | st.text(max_size=20).map(lambda text: f"/api/v1/records/{quote(text, safe='')}"),
    asked=st.dictionaries(st.sampled_from(NAMES), st.text(max_size=30) | st.integers().map(str), max_size=4),
)
@pytest.mark.slow
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_whatever_is_asked_is_answered(kept, path, asked):
    answer = kept.get(path, params=asked)
    assert answer.status_code in {200, 404, 409, 422}


def test_a_cursor_ahead_of_the_store_is_refused(store, client):
    answer = client.get(f"/api/v1/changes?since={store.name()}:999999999999999999")
    assert (answer.status_code, "restored" in answer.json()["detail"]) == (409, True)


@pytest.mark.parametrize("path", ["/records/x", f"/records/{'f' * 24}", "/nope", "/records/%00", "/../x"])
def test_what_is_not_there_is_json_too(client, path):
    answer = client.get(f"/api/v1{path}")
    assert answer.status_code in {404, 422}
    if "/api/" in str(answer.url):
        assert "detail" in answer.json()


def test_the_description_names_every_path(client):
    described = client.get("/api/v1/openapi.json").json()
    assert described["openapi"].startswith("3.1")
    assert set(described["paths"]) == {
        "/api/v1/records",
        "/api/v1/records/{id}",
        "/api/v1/records/{id}/revisions",
        "/api/v1/changes",
        "/api/v1/outlets",
    }
    assert client.get("/docs").status_code == 404
