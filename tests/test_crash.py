"""A crawl that is killed at any moment (SIGKILL): nothing is lost, nothing is there twice."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
from collections import Counter

import pytest
from command import Kiosque
from small_site import PAGE, Site, article, feed

from storage import open_storage

pytestmark = pytest.mark.slow  # crawls in processes of their own

FEEDS, PAGES_EACH = 4, 10
PLACES = ("au marché", "à la gare", "au port", "à la mairie", "au stade", "au musée", "à l’école", "au théâtre")


def story(number):
    """A page whose words no other has, so that none is another's near-duplicate."""
    dice = random.Random(number)  # noqa: S311 - the same pages in every run
    words = [f"{dice.choice('bcdfglmnprstv')}{dice.choice('aeiou')}{dice.choice('lmnrst')}{n}" for n in range(60)]
    text = f"L’histoire numéro {number} commence {PLACES[number % 8]} : {' '.join(words)}."
    return article(f"Histoire {number}", text=text)


@pytest.fixture
def press():
    """Four feeds of ten articles; answers take a little while, so that a kill meets all of them."""
    with Site() as site:
        bodies = {f"/{n}": story(n) for n in range(FEEDS * PAGES_EACH)}

        def page(handler):
            time.sleep(0.005)
            body = bodies[handler.path]
            handler.send_response(200)
            handler.send_header("Content-Type", PAGE)
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)

        site.answers |= dict.fromkeys(bodies, page)
        for k in range(FEEDS):
            urls = [f"{site.url}/{n}" for n in range(k * PAGES_EACH, (k + 1) * PAGES_EACH)]
            site.answers[f"/rss{k}"] = feed(*urls)
        yield site


def kill_and_check(tmp_path, press, *, kills, seed):
    kiosque = Kiosque(tmp_path / "home", hosts=[press.host])
    kiosque.outlet("essai", site=press.url, feeds=[f"{press.url}/rss{k}" for k in range(FEEDS)])
    dice = random.Random(seed)  # noqa: S311 - which moments, so that a failure can be seen again
    met = Counter(killed(kiosque, press, dice) for _ in range(kills))
    summary = kiosque.crawl("essai")
    expected = {f"{press.url}/{n}" for n in range(FEEDS * PAGES_EACH)}
    records = kiosque.records(revisions=True)
    assert Counter(record.url for record in records) == dict.fromkeys(expected, 1), (seed, met)
    assert {record.revision for record in records} == {1}
    assert summary["left"] == 0
    assert summary["seen"] == sum(summary["outcomes"].values())
    assert set(summary["outcomes"]) <= {"new", "unchanged"}
    check_store(kiosque, expected)
    return met


def killed(kiosque, press, dice):
    """Start a crawl and kill it and its workers after a while; return at what: so many pages asked."""
    asked = len(press.requests)
    process = kiosque.start("crawl", "essai", "--json", process_group=0)
    deadline = time.monotonic() + 20
    wanted = dice.randrange(0, 24)  # requests: some of robots.txt and the feeds, some of the pages
    while process.poll() is None and len(press.requests) - asked < wanted and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(dice.random() * 0.08)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    return "ended before" if process.returncode == 0 else "killed"


def check_store(kiosque, expected):
    """Look at the tables: whole, every entry ended, outcomes of all runs as many as the articles at least."""
    with sqlite3.connect(kiosque.home / "kiosque.sqlite") as store:
        assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert store.execute("SELECT count(*) FROM entries WHERE state != 'done'").fetchone() == (0,)
        assert store.execute("SELECT count(*) FROM entries").fetchone() == (len(expected),)
        assert store.execute("SELECT sum(n) FROM outcomes WHERE outcome = 'new'").fetchone() == (len(expected),)
        numbers = [n for (n,) in store.execute("SELECT number FROM changes ORDER BY number")]
        assert numbers == list(range(1, len(expected) + 1)), "the change feed has no gap"
    store.close()
    opened = open_storage(f"sqlite:///{kiosque.home / 'kiosque.sqlite'}")
    pointers = {record.archive for record in opened.records()}
    opened.close()
    assert None not in pointers


def test_five_kills_lose_nothing(tmp_path, press):
    kill_and_check(tmp_path, press, kills=5, seed=1)


@pytest.mark.slow
def test_fifty_kills_lose_nothing(tmp_path, press):
    seed = int(time.time())
    met = kill_and_check(tmp_path, press, kills=50, seed=seed)
    assert met["killed"] > 25, "most crawls are killed in the middle"
