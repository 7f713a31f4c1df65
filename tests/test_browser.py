"""The dashboard of a live demo in a real Chromium: by keyboard, on a phone, in the dark, by ear, without script.

`SCREENSHOTS=docs/images pytest --slow tests/test_browser.py` draws the pictures of `docs/dashboard.md` anew.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import threading
import time
import urllib.request
from pathlib import Path

import pytest
from command import Kiosque
from test_status import article, save

from kiosque.cli.dashboard import listen, serving
from storage import open_storage

playwright = pytest.importorskip("playwright.sync_api", reason="the browser tests need playwright")
axe = pytest.importorskip("axe_playwright_python.base", reason="the browser tests need axe-playwright-python")
pytest.importorskip("fastapi", reason="the dashboard needs kiosque[dashboard]")

from kiosque.dashboard import make_app  # noqa: E402 - only where FastAPI is

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium found; apt-get install chromium"),
]
FLAGS = (
    "--no-sandbox",  # as root, in a container
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESK, PHONE = {"width": 1200, "height": 800}, {"width": 360, "height": 740}
# Rules of axe that speak of accessibility; best practices among them.
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SCREENSHOTS = os.environ.get("SCREENSHOTS")


def ask(url):
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - of the demo under test
        return json.load(answer)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The address of a demo's dashboard, once it has an article that was revised."""
    kiosque = Kiosque(tmp_path_factory.mktemp("demo"))
    with kiosque.start("demo", "--port", "0", PYTHONUNBUFFERED="1") as process:
        for line in process.stdout:
            if found := re.search(r"The dashboard is at (http://\S+)", line):
                break
        else:
            raise AssertionError(process.stderr.read())
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield found[1], wait_for_revision(found[1])
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(ValueError):  # a thread reads the rest
            process.wait(timeout=30)


def wait_for_revision(address):
    for _ in range(120):
        records = ask(f"{address}api/v1/records?limit=100")["records"]
        if len(records) > 14 and (revised := [one["id"] for one in records if one["revision"] > 1]):
            return revised[0]
        time.sleep(0.5)
    raise AssertionError("the demo brought no revision within a minute")


@pytest.fixture(scope="module")
def chromium():
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(demo, chromium):
    """Open pages of the demo; at the end no script may have failed and no rule of the policy been broken."""
    complaints, contexts = [], []

    def opened(path="/", **options):
        context = chromium.new_context(**{"base_url": demo[0], "viewport": DESK, "locale": "en"} | options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def pages(demo):
    """Every kind of page, each with something to show."""
    address, revised = demo
    members = [one["id"] for one in ask(f"{address}api/v1/records?limit=100")["records"] if one["agency"]]
    return {
        "overview": "/",
        "outlets": "/outlets",
        "outlet": "/outlets/courrier-de-valmont",
        "articles": "/articles?q=valmont",
        "nothing found": "/articles?q=introuvable",
        "article": f"/articles/{revised}",
        "near-duplicate": f"/articles/{members[0]}",
        "way": f"/articles/{revised}/way",
        "revision": f"/articles/{revised}/revisions/2",
    }


@pytest.mark.parametrize(("scheme", "language"), [("light", "en"), ("dark", "fr")])
def test_axe_finds_nothing_on_any_page(demo, open_page, scheme, language):
    found = {}
    page = open_page(color_scheme=scheme, locale=language)
    for name, path in pages(demo).items():
        page.goto(path)
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        page.evaluate(axe.AXE_SCRIPT)
        options = json.dumps({"runOnly": {"type": "tag", "values": TAGS}})
        answer = page.evaluate(f"axe.run(document, {options})")
        assert len(answer["passes"]) > 20
        found |= {f"{name}: {one['id']}": [node["html"][:200] for node in one["nodes"]] for one in answer["violations"]}
    assert found == {}


def test_a_phone_needs_no_scrolling_sideways(demo, open_page):
    page = open_page(viewport=PHONE, has_touch=True, is_mobile=True)
    for path in pages(demo).values():
        page.goto(path)
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        width = page.evaluate("document.documentElement.scrollWidth")
        assert (path, width) == (path, PHONE["width"])


def test_everything_can_be_reached_by_keyboard(demo, open_page):
    page = open_page(f"/articles/{demo[1]}")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    reached = set()
    for _ in range(80):
        page.keyboard.press("Tab")
        where = page.evaluate("document.activeElement.getAttribute('href') || document.activeElement.className")
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        if page.evaluate("document.activeElement === document.body"):
            break
        assert outline != "none", where
        reached.add(where)
    assert {f"/articles/{demo[1]}/way", f"/articles/{demo[1]}/revisions/2", "scroll"} <= reached


def test_a_table_behind_a_summary_opens_by_keyboard(open_page):
    page = open_page("/")
    table = page.locator("figure details table")
    playwright.expect(table).to_be_hidden()
    page.locator("figure summary").focus()
    page.keyboard.press("Enter")
    playwright.expect(table).to_be_visible()
    assert table.locator("tbody tr").count() == 48


def test_a_search_answers_while_one_types(open_page):
    page = open_page("/articles")
    every = page.locator(".articles li")
    assert every.count() > 10
    page.evaluate("window.sameDocument = true")
    page.get_by_label("Words").press_sequentially("tanneurs", delay=20)
    playwright.expect(every.nth(10)).to_be_hidden()  # few speak of it
    playwright.expect(page).to_have_url(re.compile(r"q=tanneurs"))
    playwright.expect(page.locator("#count")).to_have_text(re.compile(r"^Articles shown: \d+$"))
    assert page.evaluate("window.sameDocument && document.activeElement.id") == "q"
    page.go_back()
    playwright.expect(every.nth(10)).to_be_visible()


def test_the_overview_refreshes_but_never_under_the_readers_hands(open_page):
    page = open_page("about:blank")
    page.clock.install()
    page.goto("/")
    old = page.locator("#live[data-old]")
    pause = page.get_by_role("button", name="Pause the refresh")

    def twenty_seconds():
        page.evaluate("document.querySelector('#live').dataset.old = 'yes'")
        page.clock.fast_forward(21_000)

    twenty_seconds()
    playwright.expect(old).to_have_count(0)
    playwright.expect(page.locator("figure.chart.live canvas")).to_have_count(1)
    page.locator("#live a").first.focus()
    twenty_seconds()
    page.wait_for_timeout(700)
    playwright.expect(old).to_have_count(1)
    pause.click()
    playwright.expect(page.get_by_role("button", pressed=True)).to_have_count(1)
    twenty_seconds()
    page.wait_for_timeout(700)
    playwright.expect(old).to_have_count(1)
    pause.click()
    twenty_seconds()
    playwright.expect(old).to_have_count(0)


def test_without_script_it_is_all_there(demo, open_page):
    page = open_page("/", java_script_enabled=False)
    playwright.expect(page.locator("figure svg")).to_be_visible()
    playwright.expect(page.locator("#live-controls")).to_be_hidden()
    page.get_by_role("link", name="Articles", exact=True).click()
    page.get_by_label("Words").fill("tanneurs")
    page.get_by_role("button", name="Search").click()
    playwright.expect(page).to_have_url(re.compile(r"q=tanneurs"))
    playwright.expect(page.locator(".articles li").first).to_be_visible()
    page.goto(f"/articles/{demo[1]}/way")
    page.locator("summary", has_text="Every line of the page").click()
    playwright.expect(page.locator("tr.fate.kept").first).to_be_visible()


def test_the_language_is_the_browsers(open_page):
    page = open_page("/", locale="fr-FR")
    playwright.expect(page.get_by_role("heading", level=1)).to_have_text("Vue d’ensemble")
    page.get_by_role("link", name="English").click()
    playwright.expect(page.get_by_role("heading", level=1)).to_have_text("Overview")


BAD = "<script>hacked=1</script><img src=x onerror='hacked=1'>\" onfocus=hacked=1 autofocus hx-on:load='hacked=1' x=\""


def test_hostile_texts_run_nothing_and_load_nothing(chromium, tmp_path):
    store = open_storage(f"sqlite:///{tmp_path / 'k.sqlite'}")
    hostile = {"title": BAD, "authors": (BAD,), "section": BAD, "url": "javascript:hacked=1", "outlet_name": BAD}
    save(store, article(1, text=f"Valmont {BAD}", **hostile))
    save(store, article(1, revision=2, text=f"Valmont encore {BAD}", **hostile))
    asked = []
    listening = listen("127.0.0.1", 0)
    with listening, serving(make_app(store, {}), listening) as address:
        page = chromium.new_page(base_url=address)
        page.on("request", lambda request: asked.append(request.url))
        for path in ("/", "/outlets", "/outlets/gazette", f"/articles/{1:024x}", f"/articles/{1:024x}/revisions/2"):
            page.goto(path)
            assert page.evaluate("typeof hacked") == "undefined", path
        page.goto("/articles")
        page.get_by_label("Words").press_sequentially("encore")
        playwright.expect(page).to_have_url(re.compile("q=encore"))
        playwright.expect(page.locator(".articles a")).to_contain_text("<script>hacked=1</script>")
        assert page.evaluate("typeof hacked") == "undefined"
        page.close()
    store.close()
    assert {url for url in asked if not url.startswith(address)} == set()


@pytest.mark.skipif(SCREENSHOTS is None, reason="SCREENSHOTS names no folder")
def test_pictures_for_the_documentation(demo, open_page):
    folder = Path(SCREENSHOTS)
    folder.mkdir(parents=True, exist_ok=True)
    every = pages(demo)
    for name, path, options in (
        ("overview", every["overview"], {"viewport": {"width": 900, "height": 760}}),
        ("article", every["article"], {"viewport": {"width": 1100, "height": 760}}),
        ("way", every["way"], {"viewport": {"width": 900, "height": 900}, "color_scheme": "dark"}),
        ("phone", every["article"], {"viewport": PHONE, "color_scheme": "dark", "locale": "fr"}),
    ):
        page = open_page(path, **options)
        page.screenshot(path=folder / f"dashboard-{name}.png")
