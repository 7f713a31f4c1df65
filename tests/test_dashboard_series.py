"""Numbers over time: hours, days and weeks with their gaps, as charts and tables take them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from test_status import article, save

from kiosque.health import Coverage
from storage import open_storage
from storage.coverage import coverage_by_day

pytest.importorskip("fastapi", reason="the dashboard needs kiosque[dashboard]")

from kiosque.dashboard.series import by_day, by_hour, coverage_by_week

NOON = datetime(2024, 10, 25, 12, 30, tzinfo=UTC)


@pytest.fixture
def store(tmp_path):
    opened = open_storage(f"sqlite:///{tmp_path / 'k.sqlite'}")
    yield opened
    opened.close()


def test_hours_are_summed_over_outlets_and_hours_without_articles_are_zero():
    series = by_hour([{"2024-10-25T12": 2}, {"2024-10-25T12": 1, "2024-10-25T10": 4}], now=NOON, hours=3)
    assert series.rows == [("2024-10-25 12:00", [3]), ("2024-10-25 11:00", [0]), ("2024-10-25 10:00", [4])]
    assert series.first == [4, 0, 3]


def test_days_end_today():
    series = by_day({"2024-10-25": 2, "2024-10-01": 9}, now=NOON, days=2)
    assert series.rows == [("2024-10-25", [2]), ("2024-10-24", [0])]


def test_weeks_are_shares_of_their_articles_and_a_week_without_any_is_a_gap():
    days = {
        "2024-10-25": Coverage(articles=3, date=3, authors=1, lead=0),
        "2024-10-19": Coverage(articles=1, date=0, authors=1, lead=0),
    }
    series = coverage_by_week(days, now=NOON, weeks=2)
    assert series.rows == [("2024-10-19", [75, 50, 0]), ("2024-10-12", [None, None, None])]


def test_the_script_gets_times_numbers_and_words():
    series = by_day({"2024-10-25": 2}, now=NOON, days=1)
    given = json.loads(series.as_json({"articles": "Articles"}, time="Jour"))
    assert (given["times"], given["time"], given["kind"]) == ([1729814400], "Jour", "bars")
    assert given["series"] == [{"label": "Articles", "values": [2]}]


def test_coverage_is_counted_by_the_day_an_article_was_first_seen(store):
    save(store, article(1, lead="Un chapô.", first_seen_at=NOON))
    save(store, article(2, authors=(), published=None, first_seen_at=NOON + timedelta(hours=1)))
    save(store, article(3, first_seen_at=NOON - timedelta(days=90)))
    found = coverage_by_day(store, "gazette", since=NOON - timedelta(days=1))
    assert list(found) == ["2024-10-25"]
    one = found["2024-10-25"]
    assert (one.articles, one.date, one.authors, one.lead) == (2, 1, 1, 1)
    assert coverage_by_day(store, "autre", since=NOON) == {}
