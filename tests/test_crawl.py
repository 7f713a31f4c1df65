"""The whole way, as a user takes it: a press on loopback, `kiosque crawl`, the records."""

from __future__ import annotations

import json
import os
import pty
import signal
import sqlite3
import subprocess
import sys
import time

import pytest
from command import Kiosque

from kiosque.demo import DemoPress, plain_spaces


class PressKiosque(Kiosque):
    """The command line, and a press to crawl."""

    def __init__(self, home, press):
        super().__init__(home, hosts=press.hosts)
        self.press = press
        press.write_outlets(self.outlets)
        self.slugs = [outlet.slug for outlet in press.outlets]

    def crawl(self, *arguments, code=0, **changes):
        return super().crawl(*(arguments or self.slugs), code=code, **changes)


@pytest.fixture(scope="module")
def crawled(tmp_path_factory):
    """A press that was crawled once; the tests that use it change nothing."""
    with DemoPress() as press:
        kiosque = PressKiosque(tmp_path_factory.mktemp("home"), press)
        yield kiosque, kiosque.crawl()


@pytest.fixture
def kiosque(tmp_path):
    with DemoPress() as press:
        yield PressKiosque(tmp_path, press)


def test_every_article_of_the_press_is_saved_once_and_the_outcomes_add_up(crawled):
    kiosque, summary = crawled
    expected = {fact.url for fact in kiosque.press.expected()}
    assert {record.url for record in kiosque.records()} == expected
    assert summary["outcomes"]["new"] == len(expected)
    assert summary["seen"] == sum(summary["outcomes"].values())
    assert summary["seen"] == sum(sum(counts.values()) for counts in summary["outlets"].values())


def test_every_record_says_what_its_page_says(crawled):
    kiosque, _ = crawled
    records = {record.url: record for record in kiosque.records()}
    for fact in kiosque.press.expected():
        record = records[fact.url]
        assert plain_spaces(record.title) == fact.title
        assert record.published[:10] == fact.day, fact.url
        assert set(record.authors) == set(fact.authors), fact.url
        assert fact.missing_from(record.text) == (), fact.url
        assert fact.clutter_in(record.text) == (), fact.url
        assert record.paywalled is fact.paywalled, fact.url


def test_an_amp_page_leads_to_its_article(crawled):
    kiosque, _ = crawled
    met = [url for record in kiosque.records() for url in record.urls]
    assert any("/amp/" in url for url in met)
    assert not any("/amp/" in record.url for record in kiosque.records())


@pytest.mark.slow
def test_a_second_crawl_stores_nothing_and_an_edit_makes_one_revision(kiosque):
    kiosque.crawl()
    before = kiosque.records()
    second = kiosque.crawl()
    assert set(second["outcomes"]) <= {"unchanged"}
    assert kiosque.records() == before
    url = kiosque.press.edit()
    third = kiosque.crawl()
    assert third["outcomes"].get("revised") == 1
    assert "new" not in third["outcomes"]
    assert [(r.url, r.revision) for r in kiosque.records() if r.revision > 1] == [(url, 2)]
    assert len(kiosque.records(revisions=True)) == len(before) + 1


@pytest.mark.slow
def test_an_edit_that_the_feed_does_not_tell_is_found_by_a_revisit(kiosque):
    kiosque.crawl()
    url = kiosque.press.edit_page_only()
    assert "revised" not in kiosque.crawl()["outcomes"]
    found = kiosque.crawl(*kiosque.slugs, "--revisit")
    assert found["outcomes"]["revised"] == 1
    assert [r.url for r in kiosque.records() if r.revision == 2] == [url]
    asked = [request for request in kiosque.press.requests if request.status == 304]
    assert len(asked) > 10, "unchanged pages answer a conditional request with 304"


@pytest.mark.slow
def test_a_limit_leaves_the_rest_for_the_next_crawl(kiosque):
    expected = len(kiosque.press.expected())
    first = kiosque.crawl(*kiosque.slugs, "--limit", "4")
    assert first["outcomes"] == {"new": 4}
    assert kiosque.crawl()["outcomes"]["new"] == expected - 4


@pytest.mark.slow
def test_a_dry_run_stores_nothing(kiosque):
    found = kiosque.crawl(*kiosque.slugs, "--dry-run")
    assert found["outcomes"]["new"] == len(kiosque.press.expected())
    assert kiosque.records() == []
    assert kiosque.crawl()["outcomes"]["new"] == found["outcomes"]["new"]


@pytest.mark.slow
def test_single_pages_and_feeds_are_crawled_by_address(kiosque):
    fact = kiosque.press.expected()[0]
    assert kiosque.crawl("--url", fact.url)["outcomes"] == {"new": 1}
    feed = kiosque.press.outlets[0].feeds[0]
    assert kiosque.crawl("--feed", feed)["outcomes"]["new"] > 1


@pytest.mark.slow
def test_a_page_that_is_not_there_fails_with_its_status(kiosque):
    found = kiosque.crawl("--url", kiosque.press.outlets[0].site + "/rien", code=1)
    assert found["outcomes"] == {"failed:status-404": 1}


def test_a_public_host_needs_a_contact(kiosque):
    _, err = kiosque.run("crawl", "--url", "https://exemple.fr/a", code=2)
    assert "KIOSQUE_CONTACT" in err


@pytest.mark.slow
def test_a_private_host_that_was_not_allowed_is_not_contacted(kiosque):
    changes = {"KIOSQUE_ALLOW_PRIVATE_HOSTS": "", "KIOSQUE_CONTACT": "redaction@exemple.fr"}
    found = kiosque.crawl("--url", kiosque.press.expected()[0].url, code=1, **changes)
    assert found["outcomes"] == {"blocked:private-address": 1}
    assert kiosque.press.requests == []


@pytest.mark.slow
def test_a_name_that_leads_to_a_private_address_is_not_contacted(kiosque):
    port = kiosque.press.hosts[0].partition(":")[2]
    changes = {"KIOSQUE_ALLOW_PRIVATE_HOSTS": "", "KIOSQUE_CONTACT": "redaction@exemple.fr"}
    # Every system resolves its own name to one of its private addresses.
    name = os.uname().nodename
    found = kiosque.crawl("--url", f"http://{name}:{port}/", code=1, **changes)
    assert found["seen"] == 1
    assert set(found["outcomes"]) <= {"blocked:private-address", "failed:dns"}
    assert kiosque.press.requests == []


@pytest.mark.slow
def test_an_unknown_outlet_is_a_usage_error_with_a_hint(kiosque):
    _, err = kiosque.run("crawl", "courier-de-valmont", code=2)
    assert "did you mean courrier-de-valmont" in err


@pytest.mark.slow
def test_an_outlet_file_with_an_unknown_key_names_file_and_key(kiosque):
    (kiosque.outlets / "faux.toml").write_text('name = "Faux"\nsite = "https://faux.fr"\ncountry = "FR"\nfedes = []\n')
    _, err = kiosque.run("crawl", "faux", code=2)
    assert "faux.toml" in err
    assert "fedes" in err
    assert "Traceback" not in err


@pytest.mark.slow
def test_ctrl_c_keeps_what_is_finished_and_the_next_crawl_goes_on(kiosque):
    expected = len(kiosque.press.expected())
    process = kiosque.start("crawl", *kiosque.slugs, KIOSQUE_CRAWL_CONCURRENCY="1")
    deadline = time.monotonic() + 30
    while len(kiosque.press.requests) < 9 and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, (out, err)
    assert "Traceback" not in err
    kept = len(kiosque.records())
    assert kept < expected
    assert kiosque.crawl()["outcomes"].get("new", 0) == expected - kept
    assert len(kiosque.records()) == expected


@pytest.mark.slow
def test_the_database_may_be_locked_by_another_program(kiosque):
    kiosque.crawl("--url", kiosque.press.expected()[0].url)
    with sqlite3.connect(kiosque.home / "kiosque.sqlite") as other:
        other.execute("BEGIN IMMEDIATE")
        process = kiosque.start("crawl", *kiosque.slugs)
        time.sleep(4)
        other.rollback()
    other.close()
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert len(kiosque.records()) == len(kiosque.press.expected())


@pytest.mark.slow
def test_scrapys_own_commands_work(kiosque, pytestconfig):
    environment = kiosque.environment | {"KIOSQUE_HOME": str(kiosque.home), "KIOSQUE_OUTLETS": str(kiosque.outlets)}

    def scrapy(*arguments):
        command = [sys.executable, "-m", "scrapy", *arguments]
        return subprocess.run(
            command, cwd=pytestconfig.rootpath, env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    listed = scrapy("list")
    assert {"feed", "news_sitemap", "pages"} <= set(listed.stdout.split()), listed.stderr
    slug = kiosque.slugs[0]
    done = scrapy("crawl", "feed", "-a", f"outlet={slug}", "-O", f"{kiosque.home}/items.jsonl")
    assert done.returncode == 0, done.stderr
    saved = [record for record in kiosque.records() if record.outlet == slug]
    assert saved
    items = [json.loads(line) for line in (kiosque.home / "items.jsonl").read_text().splitlines()]
    assert {item["id"] for item in items} == {record.id for record in saved}


@pytest.mark.slow
def test_a_slogan_that_repeats_is_learned_and_taken_out_of_what_was_stored(kiosque):
    first = kiosque.crawl()
    assert first["corrected"] > 0
    repeated = [fact for fact in kiosque.press.expected() if fact.repeated and fact.outlet != "sentinelle-de-brevaux"]
    records = {record.url: record for record in kiosque.records()}
    assert repeated
    assert all(fact.repeated_in(records[fact.url].text) == () for fact in repeated)
    assert {record.revision for record in records.values()} == {1}, "a correction is no revision"
    assert set(kiosque.crawl(*kiosque.slugs, "--revisit")["outcomes"]) == {"unchanged"}


@pytest.mark.slow
def test_a_terminal_sees_progress_and_gets_its_cursor_back(kiosque):
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "kiosque", "--home", kiosque.home, "--outlets", kiosque.outlets, "crawl"]
    environment = kiosque.environment | {"TERM": "xterm"}
    command += kiosque.slugs
    with subprocess.Popen(command, env=environment, stderr=theirs, stdout=subprocess.PIPE) as process:
        os.close(theirs)
        process.communicate(timeout=60)
    shown = b""
    try:
        while piece := os.read(ours, 65536):
            shown += piece
    except OSError:  # the terminal's other end is closed
        pass
    os.close(ours)
    assert process.returncode == 0
    assert b"/15" in shown
    assert shown.rindex(b"\x1b[?25h") > shown.rindex(b"\x1b[?25l")
