"""What a person should look at: each judgement, and that passing trouble is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from kiosque.advice import ADVICE, advice, says
from kiosque.health import Coverage, Finding, Newest, OutletNumbers, judge
from kiosque.model import Outlet
from kiosque.polling import FeedState

NOON = datetime(2024, 10, 25, 12, 0, tzinfo=UTC)
RSS = "https://gazette.example/rss"
GAZETTE = Outlet(slug="gazette", name="La Gazette", site="https://gazette.example", country="FR", feeds=(RSS,))


def feed(**changes):
    sound = FeedState(url=RSS, outlet="gazette", health="ok", last_polled=NOON)
    return replace(sound, last_success=NOON, **changes)


def newest(**ago):
    at = NOON - timedelta(**ago)
    return Newest(id="a" * 24, title="Le pont", url="https://gazette.example/a", first_seen_at=at, published=None)


def numbers(**given):
    return OutletNumbers(slug="gazette", **{"feeds": (feed(),), "newest": newest(hours=1)} | given)


def kinds(one, outlet=GAZETTE):
    return [finding.kind for finding in judge([one], {outlet.slug: outlet}, now=NOON)]


def test_a_sound_outlet_needs_nobody():
    assert kinds(numbers(days={"2024-10-25": {"new": 20, "failed:timeout": 2}})) == []


def test_what_was_never_crawled_is_not_judged():
    assert judge([], {"gazette": GAZETTE}, now=NOON) == ()


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ({"health": "gone"}, "feed-gone"),
        ({"health": "not-a-feed", "failures": 3}, "feed-not-a-feed"),
        ({"health": "failing", "failures": 3}, "feed-failing"),
        ({"health": "blocked"}, "feed-blocked"),
        ({"health": "silent"}, "feed-silent"),
        ({"health": "empty"}, "feed-empty"),
    ],
)
def test_each_state_of_a_feed_that_needs_a_look(state, kind):
    assert kinds(numbers(feeds=(feed(**state),))) == [kind]


def test_a_feed_that_was_taken_out_of_the_file_is_no_longer_said():
    gone = numbers(feeds=(feed(health="gone"),))
    assert kinds(gone, replace(GAZETTE, feeds=("https://gazette.example/feed",))) == []
    assert judge([gone], {}, now=NOON) == ()


def test_the_sitemaps_of_an_index_are_judged_with_it():
    index = feed(children=("https://gazette.example/news-1.xml",))
    child = replace(feed(health="failing", failures=4), url="https://gazette.example/news-1.xml")
    assert kinds(numbers(feeds=(index, child))) == ["feed-failing"]


def test_a_passing_failure_is_no_news():
    assert kinds(numbers(feeds=(feed(health="failing", failures=2),))) == []


def test_a_service_that_stopped_is_said_once_and_first():
    old = feed(last_polled=NOON - timedelta(days=3), health="blocked")
    assert kinds(numbers(feeds=(old, old))) == ["not-polled", "feed-blocked", "feed-blocked"]


def test_a_large_share_of_failed_pages_names_the_most_frequent_reason():
    days = {"2024-10-24": {"new": 5, "failed:timeout": 6}, "2024-10-25": {"failed:status-500": 3}}
    (found,) = judge([numbers(days=days)], {"gazette": GAZETTE}, now=NOON)
    assert found.kind == "failed-share"
    assert says(found) == "64 % of its pages could not be fetched (9 of 14), most often failed:timeout."


def test_rejections_are_held_against_the_outlets_own_history():
    usual = {f"2024-10-{day}": {"new": 4, "rejected:listing-page": 6} for day in range(10, 20)}
    assert kinds(numbers(days=usual | {"2024-10-25": {"new": 4, "rejected:listing-page": 8}})) == []
    assert kinds(numbers(days=usual | {"2024-10-25": {"rejected:too-short": 20}})) == ["rejected-share"]


def test_an_outlet_without_articles_for_days_is_named_though_its_feed_answers():
    assert kinds(numbers(newest=newest(days=8))) == ["no-articles"]
    expects = replace(GAZETTE, expect_per_day=(5, 60))
    assert kinds(numbers(newest=newest(days=3)), expects) == ["no-articles"]
    assert kinds(numbers(newest=newest(days=3))) == []


def test_expected_articles_count_complete_days_after_the_first_one():
    expects = replace(GAZETTE, expect_per_day=(5, 60))
    few = {f"2024-10-{day}": {"new": 2} for day in range(20, 26)}
    assert kinds(numbers(days=few), expects) == ["too-few"]
    many = {f"2024-10-{day}": {"new": 90} for day in range(20, 26)}
    assert kinds(numbers(days=many), expects) == ["too-many"]
    assert kinds(numbers(days={"2024-10-24": {"new": 400}}), expects) == []


def test_fields_that_vanish_are_a_template_that_changed():
    before = Coverage(articles=100, date=99, authors=90, lead=80, words=400.0)
    broken = Coverage(articles=20, date=20, authors=2, lead=16, words=390.0, example="https://gazette.example/a")
    (found,) = judge([numbers(before=before, recent=broken)], {"gazette": GAZETTE}, now=NOON)
    assert says(found) == "10 % of its new articles have authors, 90 % before: https://gazette.example/a"


def test_texts_that_shrink_are_named():
    before, now = Coverage(articles=100, date=99, words=400.0), Coverage(articles=20, date=20, words=90.0)
    assert kinds(numbers(before=before, recent=now)) == ["text-shrank"]


def test_few_articles_say_nothing_of_coverage():
    before, now = Coverage(articles=100, date=99, words=400.0), Coverage(articles=3, words=10.0)
    assert kinds(numbers(before=before, recent=now)) == []


def test_an_outlet_without_dates_is_named_from_the_start():
    assert kinds(numbers(recent=Coverage(articles=20, date=2, words=300.0))) == ["undated"]


def test_what_a_feed_says_is_no_format_string():
    facts = {"feed": "https://x.example/{outlet}", "reason": "{0.__class__} %s", "failures": "3"}
    finding = Finding(kind="feed-failing", outlet="gazette", facts=facts)
    assert "{0.__class__} %s" in says(finding)
    assert advice(finding).startswith("Open it in a browser")


def test_every_kind_has_french_words_with_the_same_facts():
    words = pytest.importorskip("kiosque.dashboard.words", reason="needs kiosque[dashboard]")
    braces = words.FRENCH_ADVICE.keys()
    assert braces == ADVICE.keys()
