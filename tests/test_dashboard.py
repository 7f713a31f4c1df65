"""The dashboard's pages: what they show, in two languages, and that hostile texts stay texts."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from test_status import URL, article, save
from test_storage_contract import settled

from kiosque.model import FeedEntry, Outlet, Rights
from kiosque.polling import new_feed
from kiosque.service.note import KEY, JobRun, ServiceNote, encode
from storage import Placing, open_storage
from storage.notes import write_notes

pytest.importorskip("fastapi", reason="the dashboard needs kiosque[dashboard]")
testclient = pytest.importorskip("starlette.testclient", reason="Starlette's test client needs httpx2")

from kiosque.advice import ADVICE  # noqa: E402
from kiosque.dashboard import make_app  # noqa: E402 - only where FastAPI is
from kiosque.dashboard.diff import Piece, only_changes, text_diff  # noqa: E402
from kiosque.dashboard.guard import HEADERS  # noqa: E402
from kiosque.dashboard.words import FRENCH_ADVICE, LANGUAGES, WORDS, word  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
NOW = datetime.now(UTC)
GAZETTE = Outlet(
    slug="gazette",
    name="La <Gazette>",
    site="https://gazette.example",
    country="FR",
    feeds=("https://gazette.example/rss",),
    expect_per_day=(1, 9),
)
ID = f"{1:024x}"
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>\u202eretourné{{ 7*7 }}"
TOKEN = "un-jeton-bien-long-pour-le-test"  # noqa: S105 - of this test


@pytest.fixture
def store(tmp_path):
    opened = open_storage(f"sqlite:///{tmp_path / 'k.sqlite'}")
    yield opened
    opened.close()


@pytest.fixture
def client(store):
    return browser(store)


def browser(store, *, token=None, host="127.0.0.1:8484", **headers):
    app = make_app(store, {"gazette": GAZETTE}, token=token)
    return testclient.TestClient(app, base_url=f"http://{host}", headers=headers)


def filled(store):
    save(store, article(1, lead="Le chapô."))
    save(store, article(1, revision=2, title="Le viaduc", text="Les élus de Valmont ont refusé."))
    copy = article(2, title="Le même, ailleurs", cluster=ID, paywalled=True, rights=Rights(tdm_reserved=True))
    save(store, copy, placing=Placing(cluster=ID))
    feed = new_feed("https://gazette.example/rss", outlet="gazette", now=NOW)
    store.save_feed(replace(feed, health="blocked", reason="Not asked: robots.txt does not allow it."))
    store.note_lines("gazette", [("votre quotidien", f"{n:024x}") for n in range(5)], at=NOW)


PAGES = (
    "/",
    "/outlets",
    "/outlets/gazette",
    "/articles",
    "/articles?q=valmont",
    f"/articles/{ID}",
    f"/articles/{ID}/revisions/2",
)


class Tags(HTMLParser):
    """Collects the tags and attributes of a page; void elements are known."""

    def __init__(self, html):
        super().__init__()
        self.found, self.open, self.ids = [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in {"meta", "link", "input", "br", "img", "rect"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag != "rect":
            assert self.open.pop() == tag


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_sound_and_carries_the_guards_headers(store, client, path, language):
    filled(store)
    answer = client.get(path, headers={"Accept-Language": language})
    assert answer.status_code == 200
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    tags = Tags(answer.text)
    assert tags.open == []
    assert len(tags.ids) == len(set(tags.ids))
    names = [name for name, _ in tags.found]
    assert names.count("h1") == names.count("main") == 1
    assert dict(tags.found)["html"] == {"lang": language}
    assert re.findall(r"<script[^>]*>(.*?)</script>", answer.text, re.DOTALL) == ["", "", ""]
    for name, attributes in tags.found:
        assert name not in {"style", "iframe", "img"}
        assert not any(key.startswith(("on", "hx-on")) or key == "style" for key in attributes)
        assert attributes.get("src", "/static/").startswith("/static/")
        assert (attributes.get("method") or "get").lower() != "post"


def test_no_page_may_run_what_stands_in_it_or_ask_elsewhere():
    policy = dict(part.strip().split(" ", 1) for part in HEADERS["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert set(policy.values()) == {"'none'", "'self'"}


# Name: SHA-256 of the file as its project published it.
VENDORED = {
    "htmx.min.js": "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717",
    "uPlot.iife.min.js": "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
    "uPlot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
}


@pytest.mark.parametrize("name", VENDORED)
def test_files_of_other_projects_are_as_they_published_them_with_their_licence(client, name):
    answer = client.get(f"/static/vendor/{name}")
    assert hashlib.sha256(answer.content).hexdigest() == VENDORED[name]
    assert answer.headers["Content-Type"].startswith(("text/javascript", "text/css"))
    licence = f"kiosque/dashboard/static/vendor/{name.partition('.')[0]}.LICENSE.txt"
    assert "Permission" in (ROOT / licence).read_text()


def test_the_pages_own_scripts_make_no_code_from_text(client):
    ours = client.get("/static/kiosque.js").text
    assert not re.search(r"\beval\b|innerHTML|outerHTML|insertAdjacentHTML|document\.write|new Function", ours)
    (config,) = re.findall(r"name=\"htmx-config\" content='(.*?)'", client.get("/").text)
    assert json.loads(config) == {
        "includeIndicatorStyles": False,
        "allowEval": False,
        "allowScriptTags": False,
        "selfRequestsOnly": True,
        "historyCacheSize": 0,
        "refreshOnHistoryMiss": True,
    }


@pytest.mark.parametrize("path", PAGES)
def test_hostile_texts_stay_texts(store, path):
    bad = replace(GAZETTE, name=HOSTILE, site="javascript:alert(3)", feeds=("javascript:alert(5)",))
    changes = {"authors": (HOSTILE,), "section": HOSTILE, "published_text": HOSTILE, "outlet_name": HOSTILE}
    links = {"url": "javascript:alert(4)", "urls": ("javascript:alert(4)",), "image": "data:text/html,x"}
    save(store, article(1, title=HOSTILE, text=f"Valmont {HOSTILE}", **changes))
    save(store, article(1, revision=2, title=f"{HOSTILE} 2", text=f"Valmont 2 {HOSTILE}", **changes | links))
    feed = new_feed("javascript:alert(5)", outlet="gazette", now=NOW)
    store.save_feed(replace(feed, health="blocked", reason=HOSTILE))
    store.note_lines("gazette", [(HOSTILE, f"{n:024x}") for n in range(5)], at=NOW)
    app = make_app(store, {"gazette": bad})
    html = testclient.TestClient(app, base_url="http://localhost").get(path).text
    tags = Tags(html)
    scripts = [attributes for name, attributes in tags.found if name == "script"]
    assert all(attributes["src"].startswith("/static/") for attributes in scripts)
    assert "img" not in {name for name, _ in tags.found}
    links = [attributes.get("href") or "" for _, attributes in tags.found]
    assert not [link for link in links if "javascript" in link or link.startswith("//")]
    assert "49" not in re.findall(r"retourné(.*?)<", html)
    (title,) = re.findall(r"<title>(.*?)</title>", html, re.DOTALL)
    assert "\u202e" not in title


@pytest.mark.parametrize("path", [*PAGES, "/nope"])
def test_pages_can_be_used_by_ear_and_by_keyboard(store, client, path):
    filled(store)
    found = Tags(client.get(path).text).found
    named = {attributes.get("for") for name, attributes in found if name == "label"}
    levels = [int(name[1]) for name, _ in found if name in {"h1", "h2", "h3"}]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = {attributes["id"] for _, attributes in found if "id" in attributes}
    for name, attributes in found:
        if name in {"input", "select"} and attributes.get("type") != "hidden":
            assert attributes["id"] in named
        if name == "th":
            assert attributes["scope"] in {"row", "col"}
        if name == "svg" or attributes.get("role") == "region":
            assert attributes["aria-label"]
        if attributes.get("class") == "scroll":
            assert attributes["tabindex"] == "0"
        if attributes.get("aria-label"):
            assert name in {"svg", "nav"} or attributes.get("role") in {"region", "note"}
        if name == "section":
            assert attributes["aria-labelledby"] in ids
    assert found[-1][0] == "a"
    assert ("a", {"class": "skip", "href": "#content"}) in found
    tables = [name for name, _ in found if name in {"table", "caption"}]
    assert tables == ["table", "caption"] * (len(tables) // 2)


def test_links_always_say_something(store, client):
    save(store, article(1, title="\u202e ", authors=()))
    for path in ("/", "/articles", f"/articles/{ID}", "/outlets/gazette"):
        html = client.get(path).text
        assert all(re.sub(r"<[^>]*>|\s", "", text) for text in re.findall(r"<a [^>]*>(.*?)</a>", html, re.DOTALL))


def test_writing_direction_of_a_title_ends_with_it(store, client):
    save(store, article(1, title="\u202eenvers", text="\u2067مرحبا"))
    html = client.get(f"/articles/{ID}").text
    assert "<bdi>envers</bdi>" in html
    assert "<bdi>\u2067مرحبا</bdi>" in html


def test_the_language_is_the_browsers_unless_the_address_asks(store, client):
    filled(store)
    assert "What needs a look" in client.get("/").text
    assert "À regarder" in client.get("/", headers={"Accept-Language": "de, fr-CH;q=0.9, en;q=0.5"}).text
    french = client.get("/?lang=fr", headers={"Accept-Language": "en"})
    assert 'href="/outlets?lang=fr"' in french.text
    assert french.headers["Content-Language"] == "fr"
    assert "respectez-le" in french.text.lower()
    kept = client.get("/articles?q=pont&lang=fr").text
    assert '"?q=pont&amp;lang=en"' in kept


def test_every_word_exists_in_both_languages_with_the_same_facts():
    for key, pair in WORDS.items():
        assert all(pair), key
        english, french = (set(re.findall(r"\{(\w+)\}", text)) for text in pair)
        assert english == french, key
    assert FRENCH_ADVICE.keys() == ADVICE.keys()
    for kind, pair in FRENCH_ADVICE.items():
        given = {name for text in ADVICE[kind] for name in re.findall(r"\{(\w+)\}", text)}
        assert {name for text in pair for name in re.findall(r"\{(\w+)\}", text)} <= given | {"outlet"}, kind
    assert word("words_n", "fr", n=3) == "3 mots"


def test_an_outlet_tells_its_feeds_why_and_what_was_learned(store, client):
    filled(store)
    html = client.get("/outlets/gazette").text
    assert "robots.txt does not allow it" in html
    assert "Next poll" in html
    assert "votre quotidien" in html
    assert "La &lt;Gazette&gt;" in html


def test_the_overview_shows_the_services_jobs_and_what_is_wrong_with_them(store):
    filled(store)
    now = datetime.now(UTC)
    jobs = (
        JobRun(name="poll", every="5 s", last_run=now, seconds=0.25, next_run=now + timedelta(minutes=9)),
        JobRun(name="export", every="daily", last_run=now, seconds=2, error=f"disk full {HOSTILE}", failures=1),
    )
    running = ServiceNote(host="kiosque-1", pid=7, since=now, heard=now, jobs=jobs)
    for service, said in (
        (running, "It runs"),
        (replace(running, stopped=now), "Stopped"),
        (replace(running, heard=now - timedelta(hours=1)), "Not heard of since"),
    ):
        write_notes(store, {KEY: encode(service)})
        html = browser(store).get("/").text
        assert said in html
        assert ("in 8 min" in html) == (service.stopped is None)
        assert "disk full &lt;script&gt;" in html
    assert "Le service et ses tâches" in browser(store).get("/?lang=fr").text


def test_an_outlet_shows_its_recent_pages_and_how_each_ended(store, client):
    filled(store)
    entries = [(URL.format(n), FeedEntry(url=URL.format(n))) for n in (1, 7, 8)]
    store.enqueue("gazette", entries, at=NOW)
    store.settle([settled(None, key=URL.format(7), outcome=f"rejected:{HOSTILE}", at=NOW)])
    html = client.get("/outlets/gazette").text
    rows = [" ".join(re.sub("<[^>]*>", " ", row).split()) for row in re.findall(r"<tr>(.*?)</tr>", html, re.DOTALL)]
    (waiting,) = (row for row in rows if row.startswith(URL.format(8)))
    (rejected,) = (row for row in rows if row.startswith(URL.format(7)))
    (known,) = (row for row in rows if row.startswith(URL.format(1)))
    assert "waits" in waiting
    assert "rejected:&lt;script&gt;" in rejected
    assert known.endswith(f"read : {URL.format(1)}")
    assert f'href="/articles/{ID}"' in html


def test_an_article_tells_where_its_fields_came_from_and_its_near_duplicates(store, client):
    filled(store)
    html = client.get(f"/articles/{ID}").text
    assert "json-ld" in html
    assert "confidence 90 %" in html
    assert "Le même, ailleurs" in html
    assert f"/articles/{ID}/revisions/2" in html
    assert "text and data mining reserved" in client.get(f"/articles/{2:024x}").text


def test_a_revision_shows_the_words_that_changed(store, client):
    filled(store)
    html = client.get(f"/articles/{ID}/revisions/2").text
    assert re.search(r"<del>.*?<bdi>voté</bdi>", html)
    assert re.search(r"<ins>.*?<bdi>refusé</bdi>", html)
    assert client.get(f"/articles/{ID}/revisions/3").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/nope",
        "//evil.example/x",
        "/articles/../../etc",
        f"/articles/{'f' * 24}",
        "/articles/x%00",
        "/outlets/autre",
        "/outlets/" + "a" * 500,
        f"/articles/{ID}/revisions/99999999999",
        "/static/..%2fapp.py",
        "/outlets/%F0%9F",
    ],
)
def test_what_is_not_there_is_a_page_that_says_so(client, path):
    answer = client.get(path)
    assert answer.status_code in {404, 422}
    assert 'href="//' not in answer.text
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS


@pytest.mark.parametrize(
    "query",
    [
        "q=%00",
        "q=%22)%20OR%20*",
        "q=" + "a" * 900,
        "before=-1",
        "before=x",
        "since=2024-13-45",
        "since=0001-01-01",
        "outlet=%27;--",
        "before=999999999999999999",
        "q=%ED%A0%80",
        "lang=xx",
        "q=a&q=b",
    ],
)
def test_filters_that_cannot_be_do_no_harm(store, client, query):
    filled(store)
    assert client.get(f"/articles?{query}").status_code == 200


def test_an_address_without_end_is_refused(client):
    assert client.get("/articles?q=" + "a" * 5_000).status_code == 414


def test_nothing_is_changed_by_asking(store, client):
    filled(store)
    for path in ("/", "/articles", f"/articles/{ID}", "/api/v1/records"):
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            assert client.request(method, path).status_code == 405
    before = store.last_change()
    for path in PAGES:
        client.get(path)
    assert store.last_change() == before


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8484", "127.0.0.1.evil.example", "10.0.0.1"])
def test_without_a_token_only_this_machines_names_are_answered(store, host):
    assert browser(store, host=host).get("/").status_code == 421
    assert browser(store, host=host).get("/healthz").status_code == 200


def test_with_a_token_whoever_shows_it_may_read(store):
    password = base64.b64encode(f"moi:{TOKEN}".encode()).decode()
    anybody = browser(store, token=TOKEN, host="kiosque.example")
    refused = anybody.get("/")
    assert (refused.status_code, refused.headers["WWW-Authenticate"][:5]) == (401, "Basic")
    assert {name: refused.headers[name] for name in HEADERS} == HEADERS
    for shown in (f"Bearer {TOKEN}", f"bearer {TOKEN}", f"Basic {password}"):
        assert anybody.get("/", headers={"Authorization": shown}).status_code == 200
    for wrong in ("Bearer x", "Bearer", "Basic %%%", "Basic " + base64.b64encode(b"\xff:\xff").decode(), "Digest a"):
        assert anybody.get("/api/v1/records", headers={"Authorization": wrong}).status_code == 401
    assert [anybody.get(path).status_code for path in ("/healthz", "/readyz")] == [200, 200]


def test_readiness_is_about_the_store(store, client, tmp_path):
    assert client.get("/readyz").status_code == 200
    (tmp_path / "k.sqlite").write_bytes(b"no database" * 1_000)
    for path in tmp_path.glob("k.sqlite-*"):
        path.unlink()
    store.close()
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200
    broken = client.get("/articles")
    assert (broken.status_code, broken.headers["X-Frame-Options"]) == (503, "DENY")


def test_head_is_answered_like_get(client):
    assert client.head("/").status_code == 200


def test_a_diff_goes_by_words_and_leaves_out_what_stayed():
    old = "Un.\nDeux.\nTrois.\nQuatre.\nLe pont ferme.\nSix."
    lines = list(only_changes(text_diff(old, old.replace("ferme", "rouvre"))))
    assert lines[0] is None
    assert lines[2] == (
        Piece("same", "Le pont "),
        Piece("del", "ferme"),
        Piece("ins", "rouvre"),
        Piece("same", "."),
    )


def test_a_diff_of_anything_takes_bounded_time():
    began = datetime.now(UTC)
    text_diff("a b " * 50_000, "b a " * 50_000)
    text_diff("a\n" * 50_000, "b\n" * 50_000)
    text_diff("a b\n" * 1_400, "b a\n" * 1_400)
    assert datetime.now(UTC) - began < timedelta(seconds=10)


def test_postgresql_answers_the_same_questions(postgresql):
    store = open_storage(postgresql)
    try:
        filled(store)
        for path in (*PAGES, "/articles?before=999999999999999999", "/articles?q=%00&since=0001-01-01"):
            assert browser(store).get(path).status_code == 200
        ahead = f"/api/v1/changes?since={store.name()}:999999999999999999"
        assert browser(store).get(ahead).status_code == 409
        for path in ("/api/v1/records?search=valmont", "/api/v1/changes", "/api/v1/outlets", "/readyz"):
            assert browser(store).get(path).status_code == 200
    finally:
        store.close()


def test_many_readers_and_a_writer_do_not_disturb_each_other(store, tmp_path):
    filled(store)
    reader = open_storage(f"sqlite:///{tmp_path / 'k.sqlite'}")
    app = make_app(reader, {"gazette": GAZETTE})

    def read(n):
        client = testclient.TestClient(app, base_url="http://localhost")
        return [client.get(path).status_code for path in (PAGES[n % len(PAGES)], "/api/v1/records?search=valmont")]

    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(read, n) for n in range(24)]
        for n in range(10, 40):
            save(store, article(n))
    assert {code for answer in answers for code in answer.result()} == {200}
    reader.close()


@pytest.mark.parametrize("path", PAGES)
def test_an_outlet_whose_file_is_gone_keeps_its_pages(store, path):
    filled(store)
    answer = testclient.TestClient(make_app(store, {}), base_url="http://[::1]:8484").get(path)
    assert answer.status_code == 200


def test_an_empty_store_has_pages_too(client):
    for path in ("/", "/outlets", "/articles"):
        assert client.get(path).status_code == 200
    assert URL.format(1) not in client.get("/articles").text
