"""What was reported as saved is there after a crash, and a database that went away is waited for."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys
import threading
import time

import pytest
from sqlalchemy import text
from test_export_feed import URL, article, feed_ids, save
from test_storage_contract import KEY, NOON, record, settled

from kiosque.errors import StorageError
from kiosque.model import Article, FeedEntry, Outlet, Page, Rejected, Rights, Visit
from pipelines.conclude import Finding
from pipelines.keeper import Keeper
from storage import FORGOTTEN, RecordQuery, StoreAwayError, open_storage
from storage.engine import make_engine
from storage.memory import MemoryStore

pytestmark = pytest.mark.slow  # real databases, made and broken

# Saves articles one after the other, and says each one's number once the store has it.
WRITER = """
import sys
sys.path.insert(0, sys.argv[2])
from test_export_feed import article
from test_storage_contract import settled
from storage import open_storage
store = open_storage(sys.argv[1])
for batch in range(10_000):
    records = [article(batch * 10 + n) for n in range(10)]
    store.settle([settled(one, key=one.url) for one in records])
    print(batch, flush=True)
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "postgresql":
        return request.getfixturevalue("postgresql")
    return f"sqlite:///{tmp_path / 'k.sqlite'}"


def killed_writer(url, seconds):
    """Start a writer, kill it at some moment, and return the last batch that it reported."""
    command = [sys.executable, "-c", WRITER, url, __file__.rpartition("/")[0]]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout.readline() == "0\n"
        time.sleep(seconds)
        writer.send_signal(signal.SIGKILL)
        reported = ["0", *writer.stdout.read().split()]
    return int(reported[-1])


@pytest.mark.slow
def test_a_killed_writer_loses_nothing_that_it_reported(url):
    rng = random.Random()  # noqa: S311 - any moment will do
    last = killed_writer(url, rng.uniform(0.05, 0.6))
    store = open_storage(url)
    numbers = [int(id_, 16) for id_ in feed_ids(store)]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) % 10 == 0
    assert len(numbers) >= 10 * (last + 1)
    addresses = store.known([URL.format(n) for n in numbers])
    assert len(addresses) == len(numbers)
    assert store.counts()["gazette"] == {"articles": len(numbers), "revisions": len(numbers), "pending": 0}
    with store._engine.connect() as connection:
        if url.startswith("sqlite"):
            assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"
    store.close()


def test_several_writers_leave_a_feed_without_gaps(url):
    stores = [open_storage(url) for _ in range(3)]

    def write(which, store):
        for n in range(12):
            save(store, article(which * 100 + n))

    threads = [threading.Thread(target=write, args=pair) for pair in enumerate(stores)]
    seen, reader = [], open_storage(url)
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        seen += changes_after(reader, seen[-1] if seen else 0)
    seen += changes_after(reader, seen[-1] if seen else 0)
    assert seen == list(range(1, 37))
    for store in (*stores, reader):
        store.close()


def changes_after(store, number):
    with store.changed(after=number) as feed:
        return [change.number for batch in feed.batches for change in batch.changes]


# -- the keeper -------------------------------------------------------------------------------------

OUTLET = Outlet(slug="gazette", name="La Gazette", site="https://gazette.example", country="FR")


def finding(n=0, text="Les élus de Valmont ont voté le budget.", **changes):
    url = URL.format(n)
    reading = Article(url=url, urls=(url,), outlet="gazette", title=f"Titre {n}", lead=None, text=text, fetched_at=NOON)
    visit = Visit(outlet=OUTLET, key=url, url=url, page=Page(url=url, final_url=url, fetched_at=NOON))
    return Finding(**{"visit": visit, "rights": Rights(), "reading": reading, "at": NOON} | changes)


def kept(store, *findings):
    async def keep():
        keeper = Keeper(store)
        return await asyncio.gather(*map(keeper.keep, findings))

    return asyncio.run(keep())


@pytest.mark.parametrize("reason", ["too-slow", "too-heavy"])
def test_a_page_that_may_have_met_a_busy_machine_is_read_again_twice(reason):
    store, url = MemoryStore(), URL.format(0)
    slow = Rejected(reason=reason, url=url)
    for attempts, left in ((0, 1), (1, 1), (2, 0)):
        page = Page(url=url, final_url=url, fetched_at=NOON)
        visit = Visit(outlet=OUTLET, key=url, url=url, attempts=attempts, page=page)
        store.enqueue("gazette", [(url, FeedEntry(url=url))], at=NOON)
        [settled] = kept(store, finding(visit=visit, reading=slow))
        assert settled.outcome == f"rejected:{reason}"
        assert len(store.pending(["gazette"])) == left


def test_findings_are_settled_in_batches_in_their_order():
    store = MemoryStore()
    assert [
        one.outcome for one in kept(store, finding(1), finding(1), finding(2, reading=Rejected(reason="x", url="")))
    ] == [
        "new",
        "unchanged",
        "rejected:x",
    ]
    assert [one.cluster for one in store.records()] == [one.id for one in store.records()]


def test_more_findings_than_may_wait_all_come_in(monkeypatch):
    monkeypatch.setattr("pipelines.keeper.MOST_WAITING", 3)
    monkeypatch.setattr("pipelines.keeper.BATCH", 2)
    assert [one.outcome for one in kept(MemoryStore(), *map(finding, range(20)))] == ["new"] * 20


def test_what_was_forgotten_is_not_kept_again():
    store = MemoryStore()
    kept(store, finding(1))
    store.forget(urls=[URL.format(1)], at=NOON)
    (again,) = kept(store, finding(1))
    assert (again.outcome, again.record, list(store.records())) == (FORGOTTEN, None, [])


def test_rights_that_change_while_the_text_stays_are_corrected():
    store = MemoryStore()
    kept(store, finding(1))
    (again,) = kept(store, finding(1, rights=Rights(tdm_reserved=True)))
    assert (again.outcome, again.corrects) == ("unchanged", True)
    assert [(one.revision, one.rights.tdm_reserved) for one in store.records()] == [(1, True)]


def test_lines_of_new_articles_are_counted():
    store = MemoryStore()
    slogan = "Votre quotidien depuis 1887"
    prose = "Les élus de Valmont ont voté le budget de la ville pour la durée entière du mandat et jusqu’à l’été {}."
    kept(store, *(finding(n, text=f"{prose.format(n)}\n{slogan}") for n in range(5)))
    assert "votre quotidien depuis 0" in store.learned("gazette")
    kept(store, *(finding(n, text=f"{prose.format(n)}\n{slogan}") for n in range(5)))
    assert store.line_counts("gazette")[0].articles == 5


def test_a_store_that_refuses_a_batch_says_so_to_each():
    class Full(MemoryStore):
        def settle(self, _):
            raise StorageError("the disk is full")

    async def keep():
        keeper = Keeper(Full())
        return await asyncio.gather(*(keeper.keep(finding(n)) for n in range(3)), return_exceptions=True)

    assert [str(error) for error in asyncio.run(keep())] == ["the disk is full"] * 3


def cut_off(url):
    """End every other connection to a PostgreSQL database, as a restart does."""
    engine = make_engine(url)
    with engine.connect() as connection:
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"))  # noqa: S608
    engine.dispose()


def test_a_dropped_connection_is_waited_for(postgresql, monkeypatch, caplog):
    monkeypatch.setattr("pipelines.keeper.FIRST_WAIT", 0.05)
    store = open_storage(postgresql)
    dropped = []

    def drop_once(settled_, plain=store.settle):
        plain(settled_)
        if not dropped:
            dropped.append(True)
            cut_off(postgresql)  # before the commit

    monkeypatch.setattr(store, "settle", drop_once)
    assert [one.outcome for one in kept(store, *map(finding, range(30)))] == ["new"] * 30
    assert len(list(store.records())) == 30
    assert "does not answer" in caplog.text
    store.close()


def test_a_server_that_is_away_is_waited_for(monkeypatch):
    class Away(MemoryStore):
        tries = 0

        def known(self, keys):
            self.tries += 1
            if self.tries < 4:
                raise StoreAwayError("db.example does not answer")
            return super().known(keys)

    monkeypatch.setattr("pipelines.keeper.FIRST_WAIT", 0.001)
    store = Away()
    assert [one.outcome for one in kept(store, finding(1))] == ["new"]
    assert store.tries == 4


def test_a_server_that_is_not_there_is_said_to_be_away(tmp_path):
    with pytest.raises(StorageError, match="does not answer"):
        open_storage(f"postgresql://nobody@/press?host={tmp_path}")


def test_what_was_saved_before_a_rollback_stays(url):
    store = open_storage(url)
    save(store, record())

    def failing():
        with store.transaction():
            store.settle([settled(record(revision=2), key=KEY, outcome="revised")])
            store.note_lines("gazette", [("une ligne", "a")], at=NOON)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing()
    assert [one.revision for one in store.records(RecordQuery(revisions=True))] == [1]
    assert store.line_counts("gazette") == []
    store.close()
