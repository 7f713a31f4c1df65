"""Strangers' feeds and pages, a person's slips, a machine's faults: a clear answer, and nothing lost."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from command import Kiosque
from small_site import PAGE, Site, article, feed

RSS = "application/rss+xml"
GOOD = article()


@pytest.fixture
def site():
    with Site() as opened:
        yield opened


@pytest.fixture
def kiosque(tmp_path, site):
    return Kiosque(tmp_path / "home", hosts=[site.host])


@pytest.mark.slow
def test_feeds_that_are_none_are_named_and_the_others_go_on(kiosque, site):
    site.answers |= {
        "/html": (200, PAGE, b"<html><body>Erreur</body></html>"),
        "/cut": (200, RSS, feed(f"{site.url}/a")[2][:-40]),
        "/empty": (200, RSS, b""),
        "/gone": (410, PAGE, b""),
        "/a": (200, PAGE, GOOD),
    }
    names = ("html", "cut", "empty", "gone", "never")
    arguments = [word for name in names for word in ("--feed", f"{site.url}/{name}")]
    found = kiosque.crawl(*arguments, code=1)
    assert found["outcomes"] == {"new": 1}, "what the cut feed still said was read"
    problems = "\n".join(found["problems"])
    for name, slug in (
        ("html", "problem:html"),
        ("empty", "problem:empty"),
        ("gone", "failed:status-410"),
        ("never", "failed:status-404"),
    ):
        assert f"{site.url}/{name}: {slug}" in problems


@pytest.mark.slow
def test_pages_that_are_no_articles_are_rejected_each_with_its_reason(kiosque, site):
    site.answers |= {
        "/empty": (200, PAGE, b""),
        "/pdf": (200, PAGE, b"%PDF-1.7\n" + bytes(range(256)) * 40),
        "/nul": (200, PAGE, b"\0" * 5000),
        "/short": (200, PAGE, b"<html lang=fr><body><p>Bonjour.</p></body></html>"),
        "/deep": (200, PAGE, b"<div>" * 100_000),
        "/good": (200, PAGE, GOOD),
        "/rss": feed(*(f"{site.url}/{name}" for name in ("empty", "pdf", "nul", "short", "deep", "good"))),
    }
    found = kiosque.crawl("--feed", f"{site.url}/rss")
    assert found["outcomes"].pop("new") == 1
    assert sum(found["outcomes"].values()) == 5
    assert all(outcome.startswith("rejected:") for outcome in found["outcomes"]), found["outcomes"]


@pytest.mark.slow
def test_a_page_that_hangs_extraction_is_given_up_and_the_crawl_goes_on(kiosque, site):
    section = b"<section>" + b"<p>Un paragraphe de plus, encore et encore, pour voir.</p>" * 4_000 + b"</section>"
    slow = b"<html lang=fr><title>Long</title><body><article><h1>Long</h1>" + section * 9
    site.answers |= {
        "/slow": (200, PAGE, slow),
        "/good": (200, PAGE, GOOD),
        "/rss": feed(f"{site.url}/slow", f"{site.url}/good"),
    }
    found = kiosque.crawl("--feed", f"{site.url}/rss", KIOSQUE_READ_PAGE_TIME="0.6")
    assert found["outcomes"] == {"new": 1, "rejected:too-slow": 1}


@pytest.mark.slow
def test_a_page_that_is_too_large_is_not_taken(kiosque, site):
    site.answers |= {"/big": (200, PAGE, b"x" * 300_000)}
    found = kiosque.crawl("--url", f"{site.url}/big", code=1, KIOSQUE_CRAWL_MAX_PAGE="0.2")
    assert found["outcomes"] == {"failed:too-large": 1}


@pytest.mark.slow
def test_a_server_that_answers_never_is_given_up_in_time(kiosque, site):
    site.answers |= {"/sleep": lambda _: time.sleep(4)}
    found = kiosque.crawl("--url", f"{site.url}/sleep", code=1, KIOSQUE_CRAWL_TIMEOUT="0.5")
    assert found["outcomes"] == {"failed:timeout": 1}


@pytest.mark.slow
def test_what_failed_is_fetched_by_the_next_crawl_even_when_the_feed_is_unchanged(kiosque, site):
    etag = ("ETag", '"1"')
    status, kind, body = feed(f"{site.url}/a")

    def rss(handler):
        known = handler.headers.get("If-None-Match") == etag[1]
        handler.send_response(304 if known else status)
        handler.send_header("Content-Type", kind)
        handler.send_header(*etag)
        handler.send_header("Content-Length", "0" if known else str(len(body)))
        handler.end_headers()
        if not known:
            handler.wfile.write(body)

    site.answers |= {"/rss": rss, "/a": (503, PAGE, b"")}
    kiosque.outlet("essai", site=site.url, feeds=[f"{site.url}/rss"])
    assert kiosque.crawl("essai", code=1)["outcomes"] == {"failed:status-503": 1}
    site.answers["/a"] = (200, PAGE, GOOD)
    again = kiosque.crawl("essai")
    assert again["polls"] == {"not-modified": 1}
    assert again["outcomes"] == {"new": 1}


@pytest.mark.slow
def test_robots_txt_is_obeyed(kiosque, site):
    site.answers |= {
        "/robots.txt": (200, "text/plain", b"User-agent: *\nDisallow: /prive"),
        "/prive/a": (200, PAGE, GOOD),
    }
    assert kiosque.crawl("--url", f"{site.url}/prive/a", code=1)["outcomes"] == {"blocked:robots": 1}
    assert site.asked("/prive/a") == []


@pytest.mark.slow
def test_we_say_who_we_are(kiosque, site):
    site.answers |= {"/a": (200, PAGE, GOOD)}
    kiosque.crawl("--url", f"{site.url}/a", KIOSQUE_CONTACT="https://exemple.fr/robot")
    (headers,) = site.asked("/a")
    assert headers["User-Agent"].startswith("Kiosque/")
    assert "https://exemple.fr/robot" in headers["User-Agent"]
    assert headers["Accept-Language"] == "fr"


@pytest.mark.slow
def test_a_redirect_to_a_private_address_is_not_followed(kiosque, site):
    target = "http://127.0.0.1:9/interdit"
    site.answers |= {"/a": (302, PAGE, b"", ("Location", target))}
    assert kiosque.crawl("--url", f"{site.url}/a", code=1)["outcomes"] == {"blocked:private-address": 1}


def test_a_home_that_cannot_be_written_is_named(kiosque, tmp_path):
    (tmp_path / "file").write_text("pas un dossier")
    _, err = kiosque.run("records", "--home", tmp_path / "file" / "home", code=2)
    assert str(tmp_path / "file" / "home") in err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_home_is_named(kiosque):
    kiosque.home.chmod(0o500)
    _, err = kiosque.run("records", code=1)
    assert str(kiosque.home) in err
    kiosque.home.chmod(0o700)


def test_wrong_settings_name_file_and_key(kiosque):
    (kiosque.home / "kiosque.toml").write_text("[crawl]\ndely = 2\n")
    _, err = kiosque.run("records", code=2)
    assert "kiosque.toml" in err
    assert "'crawl.dely'" in err
    assert "did you mean 'crawl.delay'" in err


def test_a_wrong_environment_variable_is_named(kiosque):
    _, err = kiosque.run("records", code=2, KIOSQUE_CRAWL_TIMEOUT="vite")
    assert "KIOSQUE_CRAWL_TIMEOUT" in err


@pytest.mark.parametrize(
    ("library", "arguments", "extra"),
    [
        ("pyarrow", ("export", "{home}/dataset", "--format", "parquet"), "parquet"),
        ("deltalake", ("export", "{home}/dataset", "--format", "delta"), "delta"),
        ("distributed", ("reread", "--engine", "dask", "x.warc.gz"), "dask"),
        ("procrastinate", ("--db", "postgresql://u@localhost/x", "worker"), "workers"),
    ],
)
def test_a_library_that_is_missing_is_named_with_what_installs_it(tmp_path, library, arguments, extra):
    said = ["--home", str(tmp_path / "home"), *(one.format(home=tmp_path) for one in arguments)]
    code = f"import sys; sys.modules[{library!r}] = None; from kiosque.cli import main; main({said!r})"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1), ended.stderr
    assert f"pip install 'kiosque[{extra}]'" in ended.stderr
