"""The service's jobs: when they run, what is kept of them, what a wrong clock does."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from kiosque.clock import Clock
from kiosque.errors import StorageError
from kiosque.model import FeedEntry, Outlet
from kiosque.polling import Rhythm, mended, new_feed
from kiosque.service import note
from kiosque.service.findings import judge_service
from kiosque.service.note import JobRun, ServiceNote
from kiosque.service.timetable import Job, Timetable
from kiosque.service.vitals import Vitals
from kiosque.settings import Settings
from scheduler import Claims, tend_feeds
from storage import open_storage
from storage.notes import read_note, write_notes

NOON = datetime(2024, 10, 25, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


async def nothing():
    pass


def run(job, *, known=(), clock=None, seconds=0.0):
    """Run a timetable for a moment, and return it."""

    async def play():
        table = Timetable([job], known=known, clock=clock)
        table.start()
        await asyncio.sleep(seconds)
        found = table.runs()[0]
        await table.stop()
        return found

    return asyncio.run(play())


def test_a_job_keeps_when_it_ran_and_how_long_it_took():
    found = run(Job(name="poll", run=nothing, every=0.05), seconds=0.3)
    assert found.runs >= 2
    assert found.error is None
    assert found.seconds is not None
    assert abs(datetime.now(UTC) - found.last_run) < timedelta(seconds=5)
    assert found.next_run > found.last_run


def test_a_job_that_fails_says_why_and_runs_again(caplog):
    async def refuse():
        raise StorageError("the disk is full")

    with caplog.at_level(logging.CRITICAL, "kiosque.schedule"):
        found = run(Job(name="poll", run=refuse, every=0.05), seconds=0.3)
    assert found.error == "the disk is full"
    assert found.failures == found.runs >= 2


def test_a_job_that_takes_long_is_not_started_twice():
    under_way, most = 0, 0

    async def slow():
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.2)
        under_way -= 1

    run(Job(name="poll", run=slow, every=0.02), seconds=0.3)
    assert most == 1


def test_stopping_cancels_what_runs_without_a_complaint(caplog):
    found = run(Job(name="poll", run=lambda: asyncio.sleep(60), every=0.02), seconds=0.1)
    assert (found.runs, found.error, caplog.records) == (0, None, [])


def test_a_job_that_remembers_waits_for_the_rest_of_its_time():
    """The service was restarted two hours after the last run of a daily job."""
    before = JobRun(name="rights", last_run=datetime.now(UTC) - timedelta(hours=2))
    found = run(Job(name="rights", run=nothing, every=86_400.0, wait=60.0, remembers=True), known=[before])
    assert timedelta(hours=21) < found.next_run - datetime.now(UTC) < timedelta(hours=23)


def test_a_last_run_in_the_future_was_a_wrong_clock_and_delays_nothing():
    before = JobRun(name="rights", last_run=datetime.now(UTC) + timedelta(days=300))
    found = run(Job(name="rights", run=nothing, every=86_400.0, wait=60.0, remembers=True), known=[before])
    assert found.next_run - datetime.now(UTC) < timedelta(minutes=2)


def test_a_nightly_job_that_was_missed_runs_soon_after_the_start():
    at = f"{datetime.now(UTC) - timedelta(hours=3):%H:00}"
    missed = JobRun(name="export", last_run=datetime.now(UTC) - timedelta(days=2))
    found = run(Job(name="export", run=nothing, at=at), known=[missed])
    assert found.next_run - datetime.now(UTC) < timedelta(minutes=2)
    done = replace(missed, last_run=datetime.now(UTC) - timedelta(hours=3))
    assert run(Job(name="export", run=nothing, at=at), known=[done]).next_run - datetime.now(UTC) > timedelta(hours=15)


def test_what_failed_before_a_restart_is_still_known():
    before = JobRun(name="export", error="the disk is full", failures=1)
    found = run(Job(name="export", run=nothing, at="03:00"), known=[before])
    assert (found.error, found.failures) == ("the disk is full", 1)


def test_a_quick_clock_lives_through_days_in_seconds():
    clock = Clock(speed=86_400.0, start=datetime.now(UTC))
    assert run(Job(name="daily", run=nothing, every=8_640.0), clock=clock, seconds=0.5).runs >= 3


# -- clocks that jump ------------------------------------------------------------------------------


def test_a_feed_that_a_wrong_clock_planned_is_planned_anew():
    """The machine started in the year 2036, polled, and was set right."""
    feed = replace(
        new_feed("https://gazette.example/rss", outlet="gazette", now=NOON),
        next_due=NOON + timedelta(days=4_000),
        not_before=NOON + timedelta(days=4_000),
        rhythm=Rhythm(until=NOON + timedelta(days=4_000)),
    )
    found = mended(feed, now=NOON, due=NOON + timedelta(seconds=30))
    assert (found.next_due, found.not_before, found.rhythm.until) == (NOON + timedelta(seconds=30), None, None)


def test_a_feed_that_waits_a_day_is_left_as_it_is():
    feed = replace(new_feed("https://gazette.example/rss", outlet="gazette", now=NOON), next_due=NOON + 1.3 * DAY)
    assert mended(feed, now=NOON, due=NOON) is None


@pytest.mark.parametrize("asleep", [timedelta(hours=8), timedelta(days=30)])
def test_after_a_sleep_each_feed_is_claimed_once_and_few_at_a_time(asleep):
    store = open_storage("memory:")
    for n in range(120):
        store.save_feed(new_feed(f"https://gazette.example/{n}", outlet="gazette", now=NOON))
    awake = NOON + asleep
    claims = [
        [state.url for state in store.claim_due(["gazette"], now=at, until=at + timedelta(minutes=15), limit=50)]
        for at in (awake + timedelta(seconds=5 * tick) for tick in range(5))
    ]
    assert [len(some) for some in claims] == [50, 50, 20, 0, 0]
    assert len({url for some in claims for url in some}) == 120


def test_a_clock_set_back_does_not_stop_the_jobs():
    """APScheduler waits for a time of day; set back by an hour, that is an hour too far."""

    async def play():
        table = Timetable([Job(name="poll", run=nothing, every=0.05)])
        table.start()
        job = table._scheduler.get_job("poll")
        job.modify(next_run_time=datetime.now(UTC) + timedelta(hours=1))
        await asyncio.sleep(0.2)
        before = table.runs()[0].runs
        table.nudge()
        await asyncio.sleep(0.2)
        after = table.runs()[0].runs
        await table.stop()
        return before, after

    before, after = asyncio.run(play())
    assert after > before


# -- what is given to the spider -------------------------------------------------------------------


class Busy:
    """A spider that is at some addresses already."""

    def __init__(self, *keys, feeds=()):
        self.keys = set(keys)
        self.feeds = set(feeds)
        self.inbox = asyncio.Queue()

    def asks(self, url):
        return url in self.feeds

    def has(self, key):
        return key in self.keys

    @property
    def under_way(self):
        return len(self.keys)

    def given(self):
        return [self.inbox.get_nowait() for _ in range(self.inbox.qsize())]


class Desk:
    """As much of a newsroom as claims ask."""

    def __init__(self, store):
        self.store = store
        self.keeper = self
        self.clock = Clock()
        self.settings = Settings()

    async def ask(self, function, *arguments, **more):
        return function(*arguments, **more)


def claims(spider, *, entries=0, hold="held"):
    store = open_storage("memory:")
    urls = [f"https://gazette.example/{n}" for n in range(entries)]
    store.enqueue("gazette", [(url, FeedEntry(url=url)) for url in urls], at=NOON)
    store.save_feed(new_feed("https://gazette.example/rss", outlet="gazette", now=NOON))
    station = SimpleNamespace(newsroom=Desk(store), slugs=("gazette",), vitals=Vitals(claimed=0.0, hold=hold))
    return Claims(station=station, spider=spider)


def test_entries_of_a_slow_host_do_not_keep_the_others_waiting():
    """The sixty oldest are under way; fifty are looked at in a tick."""
    spider = Busy(*(f"https://gazette.example/{n}" for n in range(60)))
    asyncio.run(claims(spider, entries=70).retry_due())
    assert sorted(queued.key[-2:] for queued in spider.given()) == [str(n) for n in range(60, 70)]


def test_what_may_wait_waits_in_the_store_while_the_spider_is_at_many_addresses():
    spider = Busy(*(f"https://courrier.example/{n}" for n in range(500)))
    one = claims(spider, entries=5)
    asyncio.run(one.retry_due())
    asyncio.run(one.revisit_due())
    assert spider.given() == []
    asyncio.run(one.poll_due())
    assert len(spider.given()) == 1
    spider.keys.pop()
    asyncio.run(one.retry_due())
    assert len(spider.given()) == 5


def test_a_spider_that_is_full_gets_nothing_and_that_is_no_silence():
    spider = Busy()
    for _ in range(201):
        spider.inbox.put_nowait(None)
    one = claims(spider)
    asyncio.run(one.poll_due())
    assert spider.inbox.qsize() == 201
    assert one.station.vitals.claimed > 0


def test_a_feed_whose_poll_waits_for_longer_than_a_claim_is_not_given_again():
    """Forty feeds of one host, asked a minute apart, would be given three times before the last was asked."""
    spider = Busy(feeds=["https://gazette.example/rss"])
    one = claims(spider)
    asyncio.run(one.poll_due())
    assert spider.given() == []
    assert one.station.vitals.claimed > 0
    spider.feeds.clear()
    one.station.newsroom.store.release_claims(["gazette"], now=one.station.newsroom.clock.now())
    asyncio.run(one.poll_due())
    assert len(spider.given()) == 1


@pytest.mark.parametrize("hold", ["away", "lost"])
def test_nothing_is_claimed_of_a_store_that_is_not_ours(hold):
    spider = Busy()
    one = claims(spider, hold=hold)
    asyncio.run(one.poll_due())
    assert spider.given() == []
    assert one.station.vitals.claimed == 0.0


def test_feeds_that_are_new_in_the_files_are_put_into_the_table_and_gone_ones_stay_gone():
    store = open_storage("memory:")
    outlet = Outlet(
        slug="gazette",
        name="La Gazette",
        site="https://gazette.example",
        country="FR",
        feeds=("https://gazette.example/a", "https://gazette.example/b", "https://gazette.example/c"),
    )
    gone = new_feed("https://gazette.example/b", outlet="gazette", now=NOON)
    store.save_feed(replace(gone, health="gone", next_due=None))
    store.save_feed(new_feed("https://gazette.example/c", outlet="courrier", now=NOON))
    desk = Desk(store)
    desk.outlets = {"gazette": outlet}
    tend_feeds(SimpleNamespace(newsroom=desk, slugs=("gazette",)))
    states = store.feed_states(outlet.feeds)
    assert abs(states[outlet.feeds[0]].next_due - datetime.now(UTC)) < timedelta(seconds=62)
    assert states[outlet.feeds[1]].next_due is None
    assert states[outlet.feeds[2]].outlet == "gazette", "its feed stands in another file now"


# -- what is said of the service -------------------------------------------------------------------


def said(**changes):
    plain = ServiceNote(host="presse", pid=7, since=NOON, heard=NOON)
    return replace(plain, **changes)


def kinds(one, *, now=NOON):
    return [finding.kind for finding in judge_service(one, now=now)]


def test_a_service_that_fell_silent_is_a_finding_and_one_that_was_stopped_is_none():
    later = NOON + timedelta(minutes=10)
    assert kinds(said(), now=later) == ["service-silent"]
    assert kinds(said(stopped=NOON), now=later) == []
    assert kinds(None) == []


def test_a_job_that_fails_again_and_again_is_a_finding_a_daily_one_at_once():
    tick = JobRun(name="poll_due", every="5 s", failures=2, error="away")
    assert kinds(said(jobs=(tick,))) == []
    assert kinds(said(jobs=(replace(tick, failures=3),))) == ["job-failing"]
    assert kinds(said(jobs=(JobRun(name="export", every="daily 03:00", failures=1, error="full"),))) == ["job-failing"]


def test_a_file_that_could_not_be_read_again_is_a_finding():
    assert kinds(said(reload_error="gazette.toml: unknown key 'feed'")) == ["reload-failed"]


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request, tmp_path):
    here = f"sqlite:///{tmp_path / 'k.sqlite'}"
    opened = open_storage(here if request.param == "sqlite" else request.getfixturevalue("postgresql"))
    yield opened
    opened.close()


def test_notes_are_kept_changed_and_taken_away(store):
    one = said(jobs=(JobRun(name="poll_due", every="5 s", last_run=NOON, seconds=0.2),))
    write_notes(store, {note.KEY: note.encode(one), "other": "mot « cité »"})
    assert note.decode(read_note(store, note.KEY)) == one
    write_notes(store, {note.KEY: "{broken", "other": None})
    assert note.decode(read_note(store, note.KEY)) is None
    assert read_note(store, "other") is None


def test_the_signs_of_life_say_what_is_wrong():
    vitals = Vitals(beat=1000.0, claimed=1000.0, store_answered=1000.0, tick=5.0)
    assert (vitals.sick(at=1001.0), vitals.unready(at=1001.0)) == ("", "")
    assert vitals.sick(at=1031.0) == "the event loop has hung for 31 s"
    vitals.beat = 1100.0
    assert vitals.sick(at=1100.0) == ""
    assert vitals.unready(at=1100.0) == "the store has not answered for 100 s"
    vitals.store_answered = 1100.0
    assert vitals.unready(at=1100.0) == "no feed was looked for since 100 s"
    vitals.claimed = 1100.0
    vitals.hold = "lost"
    assert vitals.unready(at=1100.0) == "another scheduler has the store"


@pytest.mark.slow
def test_the_memory_of_a_service_does_not_follow_its_store():
    """The short form of `bench/memory.py`; the figures of the long one stand in docs/operations.md."""
    bench = Path(__file__).parents[1] / "bench" / "memory.py"
    given = ["--sizes", "1000,5000", "--json"]
    found = subprocess.run([sys.executable, str(bench), *given], capture_output=True, text=True, check=True)
    assert json.loads(found.stdout.splitlines()[-1])[-1]["ratio"] <= 1.2
