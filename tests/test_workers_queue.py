"""The queue of many machines on a real PostgreSQL: one site to one worker, who goes first, what a dead one leaves."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from command import Kiosque

from kiosque.errors import UsageError
from kiosque.model import FeedEntry, Outlet
from kiosque.service.workers.planner import errands
from kiosque.service.workers.signs import Signs
from storage import open_storage
from storage.due import due_outlets, waiting
from storage.errands import Errand, arguments, errand_of
from storage.queue import Queue
from storage.queue_look import look_at_queue
from storage.queue_schema import make_queue, require

NOON = datetime(2024, 10, 25, 12, 0, tzinfo=UTC)


def errand(kind="read", site="exemple.fr", **more):
    return Errand(kind=kind, site=site, outlets=("exemple",), **more)


@pytest.fixture
def together(postgresql):
    """Runs a coroutine function with so many workers' doors to one queue."""
    make_queue(postgresql)

    def run(act, workers=2):
        async def inside():
            queues = [Queue(postgresql) for _ in range(workers)]
            for queue in queues:
                await queue.open()
            try:
                await act(*queues)
            finally:
                for queue in queues:
                    await queue.close()

        asyncio.run(inside())

    return run


def test_a_site_is_one_workers_until_it_is_finished(together):
    async def act(first, second):
        await first.defer([errand("read"), errand("revisit"), errand(site="autre.fr")])
        mine = await first.claim()
        assert mine.errand == errand("read")
        other = await second.claim()
        assert other.errand.site == "autre.fr"
        assert await second.claim() is None, "what is left is of a site that the first one is at"
        await first.finish(mine)
        assert (await second.claim()).errand == errand("revisit")

    together(act)


def test_news_go_before_revisits_before_what_waited_for_days(together):
    async def act(queue):
        kinds = ("backfill", "revisit", "read", "poll")
        await queue.defer(errand(kind, site=f"{kind}.fr") for kind in kinds)
        assert [(await queue.claim()).errand.kind for _ in kinds] == ["poll", "read", "revisit", "backfill"]

    together(act, workers=1)


def test_an_errand_waits_in_the_queue_once(together):
    async def act(queue):
        assert await queue.defer([errand(), errand(), errand("poll")]) == 2
        assert await queue.planned() == {"read:exemple.fr", "poll:exemple.fr"}

    together(act, workers=1)


def test_a_site_that_rests_is_nobodys_whatever_waits_there(together):
    async def act(first, second):
        await first.defer([errand("read")])
        await first.put_back(await first.claim(), after=60.0)
        await first.defer([errand("poll")])
        assert await second.claim() is None
        assert await second.take("exemple.fr") is None, "nor to one whom a redirect leads there"
        await first.defer([errand(site="autre.fr")])
        assert (await second.claim()).errand.site == "autre.fr"

    together(act)


def test_a_foreign_site_is_taken_only_while_nobody_is_there(together):
    async def act(first, second):
        await first.defer([errand()])
        mine = await first.claim()
        assert await second.take("exemple.fr") is None
        await first.finish(mine)
        guest = await second.take("exemple.fr")
        await first.defer([errand("poll")])
        assert await first.claim() is None
        await second.finish(guest)
        assert (await first.claim()).errand.kind == "poll"

    together(act)


def test_the_jobs_of_a_silent_worker_go_to_others_after_the_sites_pause(together, postgresql):
    async def act(dead, living):
        await dead.defer([errand(site="vite.fr"), errand(site="lent.fr", pause=30.0)])
        lost = [await dead.claim(), await dead.claim()]
        with psycopg.connect(postgresql, options="-c search_path=kiosque_queue") as connection:
            past = "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '61 s' WHERE id = %s"
            connection.execute(past, [dead.worker])
        assert await living.take_from_the_silent(silent_after=60.0) == 2
        assert (await living.claim()).errand.site == "vite.fr"
        assert (await living.claim()).errand.site == "lent.fr", "30 s of silence were more than its pause"
        assert not await dead.beat("{}"), "it learns that it was taken for dead"
        assert not any(map(dead.holds, lost)), "and lets go of what it had"

    together(act)


def test_a_slow_site_of_a_dead_worker_rests_before_others_ask_it(together, postgresql):
    async def act(dead, living):
        await dead.defer([errand()])
        claim = await dead.slower(await dead.claim(), 45.0)
        assert claim.errand.pause == 45.0
        with psycopg.connect(postgresql, options="-c search_path=kiosque_queue") as connection:
            connection.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '61 s' WHERE id = 1")
        assert await living.take_from_the_silent(silent_after=60.0) == 1
        assert await living.claim() is None
        with psycopg.connect(postgresql, options="-c search_path=kiosque_queue") as connection:
            left = "SELECT extract(epoch FROM scheduled_at - now()) FROM procrastinate_jobs"
            assert 10 < connection.execute(left).fetchone()[0] <= 15

    together(act)


def test_a_claim_whose_answer_was_lost_is_given_back(together):
    async def act(queue):
        await queue.defer([errand()])
        known = await queue.claim()
        await queue.give_back_strays([known.number])
        assert await queue.claim() is None
        await queue.give_back_strays([])
        assert (await queue.claim()).errand == errand()

    together(act, workers=1)


def test_a_job_that_breaks_waits_longer_each_time(together, postgresql):
    async def act(queue):
        await queue.defer([errand()])
        await queue.put_back(await queue.claim(), after=0.0)  # which is no failure
        for wait in (10, 20):
            await queue.failed(await queue.claim())
            with psycopg.connect(postgresql, options="-c search_path=kiosque_queue") as connection:
                left = "SELECT extract(epoch FROM scheduled_at - now()) FROM procrastinate_jobs"
                assert wait - 3 < connection.execute(left).fetchone()[0] <= wait
                connection.execute("UPDATE procrastinate_jobs SET scheduled_at = now()")

    together(act, workers=1)


def test_the_queue_is_made_once_and_left_by_a_newer_one(postgresql):
    make_queue(postgresql)
    make_queue(postgresql)
    with psycopg.connect(postgresql) as connection:
        connection.execute("UPDATE kiosque_queue.kiosque_steps SET step = '99.00.00_01_tomorrow.sql'")
    with pytest.raises(Exception, match="newer procrastinate"):
        make_queue(postgresql)


def test_what_is_due_is_told_apart_by_kind(postgresql):
    store = open_storage(postgresql)
    try:
        store.enqueue("jour", [("https://jour.fr/a", FeedEntry(url="https://jour.fr/a"))], at=NOON)
        old = NOON - timedelta(days=3)
        store.enqueue("hier", [("https://hier.fr/a", FeedEntry(url="https://hier.fr/a"))], at=old)
        due = due_outlets(store, now=NOON, fresh_since=NOON - timedelta(days=2))
        assert due == {"poll": set(), "read": {"jour"}, "revisit": set(), "backfill": {"hier"}}
        both = ["jour", "hier"]
        before = waiting(store, both, now=NOON, limit=9, before=NOON - timedelta(days=2))
        assert [queued.url for queued in before] == ["https://hier.fr/a"]
        since = waiting(store, both, now=NOON, limit=9, since=NOON - timedelta(days=2))
        assert [queued.url for queued in since] == ["https://jour.fr/a"]
    finally:
        store.close()


def test_status_shows_the_workers_and_what_waits(together, postgresql, tmp_path):
    said = '{"host":"presse-2","pid":7,"since":"2024-10-25T12:00:00Z","pages":41,"plans":true}'
    seen = []

    async def act(queue):
        await queue.beat(said)
        await queue.defer([errand(), errand("poll", site="autre.fr"), errand("backfill")])
        await queue.claim()
        store = open_storage(postgresql)
        try:
            seen.append(look_at_queue(store))
        finally:
            store.close()
        seen.append(await asyncio.to_thread(Kiosque(tmp_path).run, "status", KIOSQUE_DB=postgresql))

    together(act, workers=1)
    look, (screen, _) = seen
    assert look.waiting == {"poll": 0, "read": 1, "revisit": 0, "backfill": 1}
    assert (look.under_way, look.stalled(datetime.now(UTC))) == (1, 0)
    assert look.stalled(datetime.now(UTC) + timedelta(seconds=90)) == 1
    assert "1 sites under way · waiting: 0 poll, 1 read, 0 revisit, 1 backfill" in screen
    assert "pid 7 on presse-2" in screen
    assert "plans for all" in screen


# -- without a database ----------------------------------------------------------------------------


def outlet(slug, site, **more):
    return Outlet(slug=slug, name=slug, site=site, country="FR", **more)


def test_outlets_that_share_a_site_are_done_together_at_the_slowest_ones_pace():
    outlets = [outlet("nord", "https://nord.presse.fr"), outlet("sud", "https://presse.fr", delay=5.0)]
    due = {"poll": {"sud"}, "read": set(), "revisit": {"nord"}, "backfill": set()}
    together = {"site": "presse.fr", "outlets": ("nord", "sud"), "pause": 5.0}
    assert errands(due, outlets, usual_pause=1.0) == [
        Errand(kind="poll", **together),
        Errand(kind="revisit", **together),
    ]


def test_a_job_of_another_version_is_no_errand():
    assert errand_of(arguments(errand(pause=2.0))) == errand(pause=2.0)
    assert errand_of({"kind": "sing", "site": "exemple.fr", "outlets": []}) is None
    assert errand_of({"kind": "read"}) is None


def test_a_worker_that_is_not_heard_stops_long_before_others_take_over():
    signs = Signs(silent_after=60.0)
    assert signs.fresh()
    signs.heard -= 31.0
    assert not signs.fresh()
    since = signs.since
    signs.hear(sent=time.monotonic())
    assert signs.fresh()
    assert signs.since > since, "after an outage its steadiness begins anew"


def test_a_sign_counts_from_when_it_was_sent():
    signs = Signs(silent_after=60.0)
    signs.hear(sent=time.monotonic() - 31.0)
    assert not signs.fresh(), "its answer came late: the others count from when it arrived"


def test_workers_need_postgresql(tmp_path):
    with pytest.raises(UsageError, match="workers need PostgreSQL: give --db postgresql://"):
        require("sqlite:///k.sqlite")
    _, err = Kiosque(tmp_path).run("worker", code=2)
    assert "workers need PostgreSQL" in err


def test_workers_need_their_library(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "procrastinate", None)
    with pytest.raises(UsageError, match=r"pip install 'kiosque\[workers\]'"):
        require("postgresql://press@db.example/press")
