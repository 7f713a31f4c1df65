"""Kiosque inside somebody else's program: `kiosque.read`, and Scrapy's own exports, shell, extensions and counters."""

from __future__ import annotations

import ast
import csv
import doctest
import inspect
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
from command import Kiosque
from itemadapter import ItemAdapter
from test_trace import HTML, OUTLET

import kiosque
from kiosque.demo import DemoPress
from kiosque.errors import UsageError
from kiosque.records import record_schema

ROOT = Path(__file__).resolve().parents[1]
DOCS = (ROOT / "docs" / "embedding.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"^```python\n(.*?)^```", DOCS, re.MULTILINE | re.DOTALL)
URL = "https://gazette.example/pont"
FETCHED = datetime(2024, 10, 26, 8, tzinfo=UTC)


@pytest.mark.slow
def test_a_call_returns_what_the_command_prints(tmp_path):
    page = tmp_path / "page.html"
    page.write_text(HTML, encoding="utf-8")
    given = ("--url", URL, "--fetched-at", FETCHED.isoformat(), "--format", "json")
    out, _ = Kiosque(tmp_path).run("read", page, *given)
    for html in (HTML, HTML.encode()):
        assert kiosque.read(html, url=URL, fetched_at=FETCHED) == json.loads(out)


def test_a_call_returns_a_record_by_the_schema():
    found = kiosque.read(HTML, URL, outlet=OUTLET)
    assert found.pop("outcome") == "new"
    jsonschema.validate(found, record_schema())
    assert json.loads(json.dumps(found)) == found
    assert (found["outlet"], "Notre dossier" in found["text"]) == ("gazette", False)


def test_bytes_are_read_in_their_own_encoding():
    found = kiosque.read(HTML.replace("’", "'").encode("cp1252"), URL)
    assert found["authors"] == ["Ève Durand"]


@pytest.mark.parametrize("html", ["", "<", "\ud800", "\x00" * 50, b"\xff" * 50, b"%PDF-1.7", "<p>" * 5_000])
def test_no_page_raises(html):
    found = kiosque.read(html, URL)
    assert found["outcome"].startswith("rejected:")
    assert set(found) == {"outcome", "url", "detail"}


def test_what_the_caller_gets_wrong_is_said():
    with pytest.raises(UsageError, match="no outlet is called 'nulle-part'"):
        kiosque.read(HTML, URL, outlet="nulle-part")
    with pytest.raises(UsageError, match="an instant needs its zone"):
        kiosque.read(HTML, URL, fetched_at=FETCHED.replace(tzinfo=None))


def test_importing_kiosque_costs_next_to_nothing():
    code = "import sys, kiosque; print(sorted({'lxml', 'trafilatura', 'scrapy', 'msgspec'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert found.stdout.strip() == "[]"


def test_the_documentations_call_answers_as_it_says():
    shown = next(body for body in SNIPPETS if ">>>" in body)
    test = doctest.DocTestParser().get_doctest(shown, {}, "docs/embedding.md", None, 0)
    said = []
    assert doctest.DocTestRunner().run(test, out=said.append).failed == 0, "".join(said)


@pytest.fixture
def scrapy(tmp_path):
    """Run `scrapy` in a folder of its own, with the documentation's settings, over the demo press."""
    mine = next(body for body in SNIPPETS if "scrapy_settings" in body)
    ast.parse(mine)
    (tmp_path / "mine.py").write_text(mine, encoding="utf-8")
    with DemoPress() as press:
        home = Kiosque(tmp_path / "home", hosts=press.hosts)
        press.write_outlets(home.outlets)
        environment = home.environment | {
            "KIOSQUE_HOME": str(home.home),
            "KIOSQUE_OUTLETS": str(home.outlets),
            "PYTHONPATH": os.pathsep.join((str(ROOT), str(tmp_path))),
            "SCRAPY_SETTINGS_MODULE": "mine",
        }

        def run(*arguments):
            command = [sys.executable, "-m", "scrapy", *arguments]
            done = subprocess.run(
                command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=90, check=False
            )
            assert done.returncode == 0, done.stderr
            return done

        run.press, run.home, run.folder = press, home, tmp_path
        yield run


@pytest.mark.slow
def test_exports_pipelines_extensions_and_counters_work_as_in_any_project(scrapy):
    slug = scrapy.press.outlets[0].slug
    done = scrapy("crawl", "feed", "-a", f"outlet={slug}", "-s", "LOG_LEVEL=INFO")
    saved = {record.id: record for record in scrapy.home.records()}
    items = [json.loads(line) for line in (scrapy.folder / "out/feed.jsonl").read_text().splitlines()]
    assert {item["id"] for item in items} == set(saved)
    assert items
    for item in items:
        record = saved[item["id"]]
        assert item["title"] == record.title.upper()
        # A clutter that was learned at the end is corrected in the store after the export.
        assert {"text", "fetched_at", "rights", "archive"} < set(item)
        jsonschema.validate(item, record_schema())
        assert ItemAdapter(item).asdict() == item
    rows = list(csv.DictReader((scrapy.folder / "out/feed.csv").read_text(encoding="utf-8").splitlines()))
    assert {row["id"] for row in rows} == set(saved)
    assert f"'mine/words': {sum(item['word_count'] for item in items)}" in done.stderr
    assert f"'kiosque/new': {len(items)}" in done.stderr
    assert f"'item_scraped_count': {len(items)}" in done.stderr


@pytest.mark.slow
def test_the_shell_fetches_as_a_crawl_does_and_reads_a_response(scrapy):
    story = scrapy.press.expected()[0]
    code = "(response.status, __import__('kiosque').read(response.body, response.url)['outcome'])"
    assert "(200, 'new')" in scrapy("shell", story.url, "-c", code).stdout
    assert scrapy("shell", "http://10.0.0.1/", "-c", "response").stdout.strip() == "None"


def test_help_says_what_a_call_takes():
    assert list(inspect.signature(kiosque.read).parameters) == ["html", "url", "outlet", "fetched_at"]
    assert "rejected:REASON" in kiosque.read.__doc__
