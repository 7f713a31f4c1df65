"""The capacity model, and a small simulated day that holds the real claims and decisions to it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from storage import open_storage

BENCH = Path(__file__).resolve().parents[1] / "bench"


@pytest.fixture(autouse=True)
def bench(monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path, str(BENCH)])  # behind the rest: its storage.py is not the package


def test_a_feed_that_brings_nothing_is_asked_as_seldom_as_may_be():
    from capacity_model import Feed, day_of  # noqa: PLC0415

    assert day_of([Feed(rate=0.0)]).polls == 5  # every 5.5 to 6 hours, beginning at midnight
    assert day_of([Feed(rate=0.0, is_dead=True)]).polls == 1


def test_a_busy_feed_is_asked_no_faster_than_every_five_minutes_and_less_at_night():
    from capacity_model import Feed, day_of  # noqa: PLC0415

    found = day_of([Feed(rate=400.0)])
    assert 210 < found.polls < 274
    assert 100 < found.median_delay < 180
    assert day_of([Feed(rate=400.0, ttl=3_600.0)]).polls == 23


def test_twice_the_news_comes_sooner():
    from capacity_model import Feed, day_of  # noqa: PLC0415

    one, two = day_of([Feed(rate=5.0)]), day_of([Feed(rate=10.0)])
    assert one.polls < two.polls < 2.2 * one.polls
    assert two.median_delay < one.median_delay
    assert two.p95_delay < one.p95_delay
    assert (round(one.articles), round(two.articles)) == (5, 10)


def test_a_model_that_is_wrong_says_where():
    from capacity_model import misses  # noqa: PLC0415

    predicted = {"polls": 100.0, "delay": 60.0}
    assert misses(predicted, {"polls": 119.0, "delay": 50.0}, {"polls": 1.2, "delay": 1.2}) == []
    assert misses(predicted, {"polls": 121.0, "delay": 60.0}, {"polls": 1.2}) == [
        "polls: predicted 100, measured 121: off by 1.21, allowed 1.20"
    ]
    assert len(misses(predicted, {"delay": 0.0}, {"delay": 9.0})) == 1


def test_needs_grow_with_the_day():
    from capacity_model import Costs, Day, need_of  # noqa: PLC0415

    day = Day(polls=864_000.0, articles=86_400.0, median_delay=1.0, p95_delay=1.0)
    costs = Costs(cpu_poll_ms=6.0, cpu_article_ms=32.0, statements_poll=3.0, statements_article=4.0)
    need = need_of(day, feeds=1_000, costs=costs)
    assert need.polls_per_second == 10.0
    assert need.cores == pytest.approx(0.092)
    assert need.statements_per_second == pytest.approx(0.4 + 30.0 + 4.0)
    assert need.claims_busy == pytest.approx(1.0), "ten feeds a second are what a tick of five seconds claims"


def test_a_simulated_day_of_forty_feeds_is_as_the_model_says(tmp_path):
    import capacity  # noqa: PLC0415

    feeds = capacity.some_feeds(40, mean=8.0)
    store = open_storage(f"sqlite:///{tmp_path}/day.sqlite")
    try:
        simulation, measured = capacity.simulated(store, feeds, articles=0, tick=240.0)
    finally:
        store.close()
    expected = capacity.predicted(feeds, capacity.COSTS["sqlite"])
    factors = {"polls a day": 1.3, "articles found": 1.3, "median delay, s": 1.6, "p95 delay, s": 2.0}
    assert capacity.misses(expected, measured, factors) == []
    assert 0 < simulation.seen.unchanged < simulation.seen.polls
    assert all(delay >= 0 for delay in simulation.seen.delays)


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_simulated_day_of_five_hundred_feeds_is_as_the_model_says(request, tmp_path, database):
    import capacity  # noqa: PLC0415

    url = f"sqlite:///{tmp_path}/day.sqlite" if database == "sqlite" else request.getfixturevalue("postgresql")
    feeds = capacity.some_feeds(500, mean=5.5)
    store = open_storage(url)
    try:
        _, measured = capacity.simulated(store, feeds, articles=300, tick=60.0)
    finally:
        store.close()
    expected = capacity.predicted(feeds, capacity.COSTS[database])
    names = ("polls a day", "articles found", "median delay, s", "p95 delay, s")
    assert capacity.misses(expected, measured, dict.fromkeys(names, 1.5)) == []
