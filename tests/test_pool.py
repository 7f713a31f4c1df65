"""The worker pool: a page that hangs or kills its worker takes only itself with it."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime

import pytest
from small_site import article

from kiosque.model import Article, Page, Rejected
from kiosque.outlets import unknown_outlet
from pipelines.pool import ReaderPool, guarded

URL = "https://gazette.example/a"


def page():
    return Page(url=URL, final_url=URL, body=article(), fetched_at=datetime(2024, 10, 26, tzinfo=UTC))


def eat_memory():
    return len(bytearray(3_000_000_000))


@pytest.fixture(scope="module")
def pool():
    opened = ReaderPool(workers=1, page_time=0.5, page_memory=500)
    yield opened
    opened.close(now=True)


def faulty(pool, function, *arguments):
    task = pool._pool.schedule(function, args=arguments, timeout=0.5)
    return guarded(task, lambda reason: Rejected(reason=reason, url=URL)).result(timeout=20)


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
