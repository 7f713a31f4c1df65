"""The worker pool: a page that hangs or kills its worker takes only itself with it."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from datetime import UTC, datetime
from functools import partial

import pytest
from small_site import article

from kiosque.model import Article, Page, Rejected
from kiosque.outlets import unknown_outlet
from pipelines.pool import ReaderPool, _Task

URL = "https://gazette.example/a"


def page():
    return Page(url=URL, final_url=URL, body=article(), fetched_at=datetime(2024, 10, 26, tzinfo=UTC))


def eat_memory():
    return len(bytearray(3_000_000_000))


def die_once(mark):
    if not os.path.exists(mark):  # noqa: PTH110 - in a worker, which need not import pathlib
        os.mkdir(mark)  # noqa: PTH102
        os.kill(os.getpid(), signal.SIGKILL)
    return "read"


@pytest.fixture(scope="module")
def pool():
    opened = ReaderPool(workers=1, page_time=0.5, page_memory=500)
    yield opened
    opened.close(now=True)


def faulty(pool, function, *arguments):
    task = _Task(partial(function, *arguments), {}, lambda reason: Rejected(reason=reason, url=URL))
    return pool._begin(task).result(timeout=20)


def workers(pool):
    return list(pool._pool._pool_manager.worker_manager.workers)


@pytest.mark.parametrize(
    ("function", "arguments", "reason"),
    [(time.sleep, (60,), "too-slow"), (os._exit, (9,), "too-heavy"), (eat_memory, (), "too-heavy")],
)
def test_a_fault_costs_its_page_and_the_next_one_is_read(pool, function, arguments, reason):
    assert faulty(pool, function, *arguments) == Rejected(reason=reason, url=URL)
    assert isinstance(pool.submit(page(), unknown_outlet(URL)).result(timeout=20), Article)


def test_a_bug_in_a_worker_is_handed_on(pool):
    with pytest.raises(ZeroDivisionError):
        faulty(pool, divmod, 1, 0)


def test_a_killed_worker_that_was_idle_costs_nothing(pool):
    """Short of memory, the system ends whom it likes; Pebble then ends its whole pool."""
    assert isinstance(pool.submit(page(), unknown_outlet(URL)).result(timeout=20), Article)
    before = pool._pool
    for worker in workers(pool):
        os.kill(worker, signal.SIGKILL)
    end = time.monotonic() + 10
    while before.active and time.monotonic() < end:
        time.sleep(0.02)
    assert isinstance(pool.submit(page(), unknown_outlet(URL)).result(timeout=20), Article)
    assert pool._pool is not before


def test_a_page_whose_worker_was_killed_is_read_by_another(pool, tmp_path):
    mark = tmp_path / "begun"
    running = pool._begin(_Task(die_once, {"mark": str(mark)}, lambda reason: reason))
    assert running.result(timeout=20) == "read"


def die_with_the_lock(mark):
    """Die as a worker does that is killed while it takes up a task."""
    with contextlib.suppress(FileExistsError):  # of both workers one is the first
        os.mkdir(mark)  # noqa: PTH102
        frame = sys._getframe()
        while "channel" not in frame.f_locals:
            frame = frame.f_back
        frame.f_locals["channel"].mutex.acquire()
        os.kill(os.getpid(), signal.SIGKILL)
    return "read"


def test_a_worker_killed_with_the_lock_of_all_stops_the_others_for_seconds_only(monkeypatch, tmp_path):
    monkeypatch.setattr("pipelines.pool.PATIENCE", 3.0)
    pool = ReaderPool(workers=2, page_time=5.0, page_memory=500)
    try:
        assert faulty(pool, divmod, 1, 1) == (1, 0)
        mark = tmp_path / "begun"
        running = [pool._begin(_Task(die_with_the_lock, {"mark": str(mark)}, lambda reason: reason)) for _ in range(4)]
        assert [one.result(timeout=90) for one in running] == ["read"] * 4
    finally:
        pool.close(now=True)


def test_a_task_for_a_closed_pool_is_refused():
    pool = ReaderPool(workers=1, page_time=1.0, page_memory=500)
    pool.close(now=True)
    with pytest.raises(RuntimeError):
        pool.submit(page(), unknown_outlet(URL))
