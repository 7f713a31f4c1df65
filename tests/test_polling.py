from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosque.feeds import FeedReading
from kiosque.model import FeedEntry
from kiosque.polling import (
    Bounds,
    FeedState,
    Poll,
    claimed,
    decide,
    explain,
    new_feed,
    request_headers,
    with_child,
)

NOON = datetime(2024, 10, 25, 10, 0, tzinfo=UTC)  # noon in Paris
URL = "https://exemple.fr/rss.xml"
HOUR, DAY = 3_600, 86_400
NEW = new_feed(URL, outlet="exemple", now=NOON)
ENTRIES = tuple(FeedEntry(url=f"https://exemple.fr/{n}") for n in range(30))
SOUND = FeedReading(kind="rss", entries=ENTRIES)
HTML = FeedReading(problem="html", detail="The answer is an HTML page, not a feed.")


def hours_before(*hours, now=NOON):
    return tuple(now - timedelta(hours=each) for each in hours)


def answer(reading=SOUND, *, published=(), headers=None, **rest):
    if published:
        dated = (FeedEntry(url=f"https://exemple.fr/{each:%s}", published=each.isoformat()) for each in published)
        reading = replace(reading, entries=tuple(dated))
    pairs = tuple((headers or {"etag": '"a1"', "last-modified": "Fri, 25 Oct 2024 09:00:00 GMT"}).items())
    return Poll(status=200, reading=reading, headers=pairs, **{"body_hash": "h1", **rest})


def step(state, poll, *, now=NOON, fraction=0.0, bounds=None):
    return decide(state, poll, now=now, rng_fraction=fraction, bounds=bounds)


def wait(state, now=NOON):
    return (state.next_due - now).total_seconds()


OK = step(NEW, answer(published=hours_before(*range(1, 31))))


def test_new_feed_is_due_at_once_and_asked_whole():
    assert (NEW.health, NEW.address, NEW.next_due, request_headers(NEW, NOON)) == ("new", URL, NOON, {})
    assert explain(NEW).startswith("new. Never polled. Next poll: 2024-10-25 12:00.")


def test_validators_are_echoed_byte_for_byte():
    state = step(NEW, answer(headers={"etag": 'W/"é 1" ', "last-modified": "hier matin"}))
    assert request_headers(state, NOON) == {"If-None-Match": 'W/"é 1" ', "If-Modified-Since": "hier matin"}


@pytest.mark.parametrize("bad", ['"a\r\nX-Injected: 1"', "a" * 5_000, "a\x00b"])
def test_validator_that_no_server_should_be_sent_is_dropped(bad):
    assert request_headers(step(NEW, answer(headers={"etag": bad})), NOON) == {}


@pytest.mark.parametrize(
    "poll",
    [
        answer(HTML, headers={"etag": '"page"'}),
        answer(replace(SOUND, problem="truncated", detail="Cut."), headers={"etag": '"page"'}),
        Poll(status=304, conditional=True, headers=(("etag", '"page"'),)),
        Poll(status=500, headers=(("etag", '"page"'),)),
        Poll(failure="timeout"),
    ],
)
def test_only_an_answer_understood_whole_updates_the_validators(poll):
    state = step(OK, poll)
    assert (state.etag, state.last_modified, state.body_hash) == (OK.etag, OK.last_modified, OK.body_hash)


def test_understood_answer_without_validators_clears_them():
    assert request_headers(step(OK, answer(headers={"date": "x"})), NOON) == {}


def test_once_a_day_the_whole_feed_is_fetched():
    assert request_headers(OK, NOON + timedelta(hours=23))
    assert request_headers(OK, NOON + timedelta(hours=24)) == {}
    later = NOON + timedelta(hours=23)
    unmodified = step(OK, Poll(status=304, conditional=True), now=later)
    assert request_headers(unmodified, NOON + timedelta(hours=24)) == {}
    same = step(OK, Poll(status=200, body_hash="h1"), now=later)
    assert request_headers(same, NOON + timedelta(hours=24))


def test_unasked_304_is_a_failure():
    for state in (step(OK, Poll(status=304, conditional=False)), step(NEW, Poll(status=304))):
        assert (state.health, state.failures) == ("failing", 1)
    assert step(OK, Poll(status=304)).health == "ok"


def test_busy_feed_is_polled_at_the_shortest_wait_and_a_slow_one_at_the_longest():
    busy = step(NEW, answer(published=hours_before(*(n / 20 for n in range(1, 31)))))
    slow = step(NEW, answer(published=hours_before(*(n * 72.0 for n in range(1, 5)))))
    assert wait(busy) == 300
    assert 5 * HOUR < wait(slow) <= 6 * HOUR
    assert busy.reason == "30 entries. Asked again after 5 min: it brings news faster than the shortest wait of 5 min."
    assert slow.reason.endswith("Asked again after 5.5 h: little is to be expected, and the longest wait is 6.0 h.")


def test_an_entry_an_hour_is_asked_for_every_half_hour():
    assert 25 * 60 < wait(OK) < 35 * 60


def test_night_of_the_newsroom_is_left_asleep():
    state, now = NEW, NOON - timedelta(days=7)
    for day in range(7):  # two articles an hour from 8 to 20 in Paris
        morning = datetime(2024, 10, 18 + day, 6, 0, tzinfo=UTC)
        published = tuple(morning + timedelta(minutes=30 * n) for n in range(24))
        state = step(state, answer(published=published), now=morning + timedelta(hours=14))
        now = morning + timedelta(hours=14)
    assert now == datetime(2024, 10, 24, 20, 0, tzinfo=UTC)
    unmodified = Poll(status=304, conditional=True)
    assert wait(step(state, unmodified, now=now), now) > 3 * HOUR
    before_dawn = datetime(2024, 10, 25, 5, 30, tzinfo=UTC)
    assert wait(step(state, unmodified, now=before_dawn), before_dawn) < HOUR


def test_feed_without_dates_is_known_by_its_new_entries():
    state = step(NEW, answer(new=30))
    assert wait(state) == 1_800
    now = NOON
    for _ in range(48):
        now += timedelta(minutes=30)
        state = step(state, answer(new=3, body_hash=str(now)), now=now)
    assert wait(state, now) < 15 * 60


def test_feed_that_only_changes_its_own_date_brings_nothing_new():
    state, now = step(NEW, answer()), NOON
    for _ in range(60):
        now = state.next_due
        state = step(state, answer(body_hash=str(now)), now=now)
    assert state.rhythm.per_hour is None
    assert wait(state, now) > 5 * HOUR


def test_dates_of_every_standard_form_are_counted():
    texts = (
        "Fri, 25 Oct 2024 11:00:00 +0200",
        "2024-10-25T08:00:00Z",
        "2024-10-25",
        "vendredi",
        "Fri, 25 Oct 2024 09:30 CEST",
    )
    entries = tuple(FeedEntry(url=f"https://exemple.fr/{n}", published=text) for n, text in enumerate(texts))
    state = step(NEW, answer(replace(SOUND, entries=entries)))
    assert sum(state.rhythm.counts) == 4
    assert state.last_changed == datetime(2024, 10, 25, 9, 30, tzinfo=UTC)


def test_feed_that_never_brought_anything_is_asked_less_and_less():
    state, now = step(NEW, answer(new=30)), NOON
    for _ in range(100):
        now = state.next_due
        state = step(state, answer(new=0), now=now)
    assert wait(state, now) > 5 * HOUR


@pytest.mark.parametrize(
    ("poll", "least"),
    [
        (answer(headers={"cache-control": "public, max-age=7200"}), 7_200),
        (answer(replace(SOUND, ttl_minutes=240)), 4 * HOUR),
        (answer(replace(SOUND, update_period_seconds=DAY // 2)), 12 * HOUR),
        (answer(replace(SOUND, ttl_minutes=1, update_period_seconds=HOUR)), HOUR),
        (answer(headers={"cache-control": "max-age=31536000"}), DAY),
        (answer(replace(SOUND, update_period_seconds=30 * DAY)), DAY),
    ],
)
def test_the_server_is_never_asked_sooner_than_it_wants_up_to_a_day(poll, least):
    for fraction in (0.0, 0.999):
        assert least <= wait(step(NEW, poll, fraction=fraction)) <= min(DAY, least * 1.1)


def test_ttl_is_remembered_when_nothing_was_modified():
    state = step(NEW, answer(replace(SOUND, ttl_minutes=240)))
    assert wait(step(state, Poll(status=304, conditional=True))) == 4 * HOUR


def test_hours_and_days_to_skip_are_skipped_but_never_more_than_a_day():
    state = step(NEW, answer(replace(SOUND, skip_hours=(10, 11, 12))))
    assert state.next_due == datetime(2024, 10, 25, 13, 0, tzinfo=UTC)
    assert "the feed asks to skip the hours before" in state.reason
    assert wait(step(NEW, answer(replace(SOUND, skip_hours=tuple(range(24)))))) == DAY
    friday = step(NEW, answer(replace(SOUND, skip_days=(4,))))
    assert friday.next_due == datetime(2024, 10, 26, 0, 0, tzinfo=UTC)


def test_failures_back_off_up_to_a_day_and_never_end():
    state, waits = OK, []
    for _ in range(40):
        state = step(state, Poll(failure="dns"))
        waits.append(wait(state))
    assert waits[:4] == [600, 1_200, 2_400, 4_800]
    assert waits[-1] == DAY
    assert (state.health, state.failures) == ("failing", 40)
    assert state.reason == "No answer: dns, 40 times in a row. Asked again after 24.0 h."
    assert step(state, answer()).failures == 0


@pytest.mark.parametrize("status", [400, 404, 500, 502, 503, 204, 302])
def test_error_status_is_failing(status):
    state = step(OK, Poll(status=status))
    assert (state.health, wait(state)) == ("failing", 600)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "3600"}, HOUR),
        ({"retry-after": "1"}, 300),
        ({"retry-after": "99999999999"}, DAY),
        ({"retry-after": "Fri, 25 Oct 2024 12:00:00 GMT"}, 2 * HOUR),
        ({"retry-after": "Fri, 25 Oct 2024 14:00:00 GMT", "date": "Fri, 25 Oct 2024 13:00:00 GMT"}, HOUR),
        ({"retry-after": "Thu, 24 Oct 2024 14:00:00 GMT"}, 300),
        ({"retry-after": "demain"}, 600),
        ({"retry-after": "Fri, 99 Oct 99999 14:00:00 GMT"}, 600),
        ({}, 600),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_counts_from_the_servers_own_clock(headers, seconds, status):
    assert wait(step(OK, Poll(status=status, headers=tuple(headers.items())))) == seconds


def test_refusal_is_blocked_with_a_long_wait():
    once = step(OK, Poll(status=403))
    assert (once.health, wait(once)) == ("blocked", 6 * HOUR)
    assert wait(step(step(once, Poll(failure="challenge")), Poll(status=403))) == DAY
    assert step(once, answer()).health == "ok"


@pytest.mark.parametrize("failure", ["robots", "private-address", "scheme", "reserved"])
def test_what_we_do_not_ask_is_blocked_for_a_day(failure):
    state = step(OK, Poll(failure=failure))
    assert (state.health, wait(state)) == ("blocked", DAY)
    assert state.reason.startswith("Not asked: ")


@pytest.mark.parametrize("failures", [0, 1, 2, 5])
def test_refusals_wait_six_hours_then_twelve_then_a_day(failures):
    after = step(replace(NEW, failures=failures), Poll(status=403))
    assert wait(after) == min(6 * HOUR * 2**failures, DAY)


@pytest.mark.parametrize("status", [401, 402, 403, 407, 451])
def test_a_status_that_refuses_us_is_told_as_a_refusal(status):
    after = step(NEW, Poll(status=status))
    assert after.health == "blocked"
    assert after.reason.startswith(f"The server refuses: status {status}.")


def test_the_server_is_not_asked_before_the_time_that_it_named():
    after = step(NEW, Poll(status=429, headers=(("retry-after", "7200"),)))
    assert after.not_before == NOON + timedelta(hours=2)


def test_410_twice_stops_the_feed():
    once = step(OK, Poll(status=410))
    assert (once.health, wait(once)) == ("failing", DAY)
    twice = step(once, Poll(status=410))
    assert (twice.health, twice.next_due) == ("gone", None)
    assert twice.reason == "Status 410 was said twice: the feed is gone and not asked again."
    assert "Next poll: never." in explain(twice)


def test_410_with_another_answer_between_does_not_stop_it():
    state = step(step(step(OK, Poll(status=410)), answer()), Poll(status=410))
    assert state.next_due is not None
    assert step(step(step(OK, Poll(status=410)), Poll(failure="timeout")), Poll(status=410)).health == "gone"


MOVED = "https://exemple.fr/nouveau.xml"


def test_a_feed_that_is_gone_counts_its_failures():
    once = step(NEW, Poll(status=410))
    assert [once.failures, step(once, Poll(status=410)).failures] == [1, 2]


def test_third_permanent_redirect_in_a_row_rewrites_the_address():
    moved = answer(final_url=MOVED, permanent=True)
    twice = step(step(OK, moved), moved)
    assert (twice.address, twice.redirect_seen) == (URL, 2)
    third = step(twice, Poll(status=304, conditional=True, final_url=MOVED, permanent=True))
    assert (third.url, third.address, third.redirect_seen) == (URL, MOVED, 0)
    assert f"Moved for good to {MOVED}." in explain(third)


@pytest.mark.parametrize(
    "between",
    [
        answer(final_url=MOVED, permanent=False),
        answer(final_url="https://exemple.fr/autre.xml", permanent=True),
        answer(HTML, final_url=MOVED, permanent=True),
        answer(final_url=URL),
        Poll(status=404, final_url=MOVED, permanent=True),
    ],
)
def test_redirects_count_only_in_a_row_and_to_what_parses(between):
    moved = answer(final_url=MOVED, permanent=True)
    assert step(step(step(step(OK, moved), moved), between), moved).address == URL


def test_rewritten_address_that_fails_is_given_up_for_the_declared_one():
    state = replace(OK, moved_to=MOVED)
    for _ in range(4):
        state = step(state, Poll(status=404))
    assert state.address == MOVED
    state = step(state, Poll(status=404))
    assert (state.address, state.etag) == (URL, None)


def test_html_where_a_feed_should_be_is_not_an_empty_feed():
    state = step(OK, answer(HTML))
    assert (state.health, state.failures) == ("not-a-feed", 1)
    assert state.reason == "The answer is an HTML page, not a feed. Asked again after 10 min."


def test_empty_feed_is_sound_but_told():
    empty = FeedReading(kind="rss", problem="empty-feed", detail="There are no entries.")
    state = step(OK, answer(empty, body_hash="h2"))
    assert (state.health, state.failures) == ("empty", 0)
    assert step(state, Poll(status=304, conditional=True)).health == "empty"
    assert step(state, answer(body_hash="h3")).health == "ok"


def test_feed_that_stopped_is_silent_until_news_comes():
    state, now = OK, NOON
    unmodified = Poll(status=304, conditional=True)
    seen = []
    while now < NOON + timedelta(days=60):
        now = state.next_due
        state = step(state, unmodified, now=now)
        seen.append(state.health)
    assert seen.index("silent") > 5
    assert set(seen[seen.index("silent") :]) == {"silent"}
    assert "Nothing new for 60." in state.reason
    assert step(state, answer(published=(now,), body_hash="h9"), now=now).health == "ok"


def test_weekly_feed_is_not_silent_after_three_days():
    weekly = step(NEW, answer(published=hours_before(72, 72 + 168)))
    assert weekly.health == "ok"


def test_feed_with_nothing_but_old_entries_is_silent_from_the_first():
    assert step(NEW, answer(published=hours_before(24 * 700))).health == "silent"


def test_answer_that_no_parser_could_finish_is_told():
    state = step(OK, answer(FeedReading(problem="too-slow")))
    assert state.reason == "The answer was not understood: too-slow. Asked again after 10 min."


def test_dates_in_the_future_are_no_news():
    state = step(NEW, answer(published=(NOON + timedelta(days=400),)))
    assert state.last_changed == NOON


def test_broken_or_cut_feed_that_was_read_is_told_with_its_reason():
    cut = replace(SOUND, problem="truncated", detail="The document stops before its end; what came was read.")
    state = step(OK, answer(cut))
    assert state.health == "ok"
    assert state.reason.startswith("The document stops before its end; what came was read. Asked again after")


def test_jitter_spreads_within_the_bounds():
    slow = answer(published=hours_before(*(n * 72.0 for n in range(1, 5))))
    waits = {wait(step(NEW, slow, fraction=n / 10)) for n in range(10)}
    assert len(waits) == 10
    assert max(waits) <= 6 * HOUR


def test_next_poll_is_set_before_the_fetch():
    assert wait(claimed(NEW, now=NOON, rng_fraction=0.5)) == pytest.approx(1_800 * 1.05)
    assert claimed(OK, now=NOON, rng_fraction=0.0).next_due > NOON
    assert claimed(OK, now=NOON, rng_fraction=0.0).etag == OK.etag


def test_explanation_speaks_the_outlets_local_time():
    text = explain(OK)
    assert text.startswith("ok. 30 entries. Asked again after ")
    assert "Last polled 2024-10-25 12:00, last success 2024-10-25 12:00, newest 2024-10-25 11:00." in text
    assert "About 24.0 entries a day." in text


def test_state_is_plain_json_between_polls():
    assert msgspec.json.decode(msgspec.json.encode(OK), type=FeedState) == OK


INSTANTS = st.datetimes(datetime(1990, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 -- hypothesis adds the zone
HEADERS = st.dictionaries(
    st.sampled_from(["etag", "last-modified", "cache-control", "retry-after", "date"]),
    st.one_of(st.text(max_size=20), st.integers(0, 10**12).map(str), st.integers(0, 10**9).map("max-age={}".format)),
).map(lambda each: tuple(each.items()))
DATED = st.builds(
    FeedEntry,
    url=st.integers(0, 99).map("https://exemple.fr/{}".format),
    published=st.one_of(st.text(max_size=20), INSTANTS.map(datetime.isoformat), INSTANTS.map(format_datetime)),
)
READINGS = st.one_of(
    st.none(),
    st.just(HTML),
    st.builds(
        FeedReading,
        kind=st.just("rss"),
        entries=st.sampled_from([(), ENTRIES]) | st.lists(DATED, max_size=5).map(tuple),
        problem=st.sampled_from([None, "truncated", "malformed", "empty-feed"]),
        ttl_minutes=st.none() | st.integers(1, 43_200),
        update_period_seconds=st.none() | st.integers(1, 31_536_000),
        skip_hours=st.lists(st.integers(0, 23)).map(tuple),
        skip_days=st.lists(st.integers(0, 6)).map(tuple),
    ),
)
POLLS = st.builds(
    Poll,
    status=st.none() | st.sampled_from([200, 200, 200, 304, 301, 403, 404, 410, 429, 500, 503, 999]),
    failure=st.none() | st.sampled_from(["timeout", "robots", "challenge", "autre"]),
    headers=HEADERS,
    final_url=st.none() | st.sampled_from([URL, MOVED]),
    permanent=st.booleans(),
    conditional=st.none() | st.booleans(),
    body_hash=st.none() | st.sampled_from(["a", "b"]),
    reading=READINGS,
    new=st.none() | st.integers(0, 10_000),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(POLLS, st.floats(0, 400_000), st.floats(0, 0.999)), max_size=12), st.integers(1, 7_200))
def test_whatever_comes_the_next_poll_is_in_time_or_the_feed_is_gone(polls, shortest):
    bounds = Bounds(shortest=shortest)
    state: FeedState = NEW
    now = NOON
    for poll, later, fraction in polls:
        now += timedelta(seconds=later)
        state = step(state, poll, now=now, fraction=fraction, bounds=bounds)
        explain(state)
        assert state.url == URL
        assert (state.next_due is None) == (state.health == "gone") == (state.gone_seen >= 2)
        if state.next_due is not None:
            assert shortest <= wait(state, now) <= DAY + 1
            assert state.reason.endswith(".")
        if state.health in {"ok", "silent", "empty"}:
            assert state.failures == 0


# -- sitemap indexes -----------------------------------------------------------------------------

INDEX = replace(OK, url="https://exemple.fr/index.xml", last_polled=NOON, next_due=NOON + timedelta(hours=6))
CHILD = replace(OK, url="https://exemple.fr/news.xml", next_due=NOON + timedelta(hours=1), reason="Busy.")


def test_an_index_is_due_with_the_soonest_of_its_sitemaps():
    told = with_child(INDEX, CHILD)
    assert (told.next_due, told.interval_seconds) == (NOON + timedelta(hours=1), HOUR)
    assert told.reason == "Asked with its sitemap https://exemple.fr/news.xml: Busy."


def test_a_sitemap_that_is_due_later_than_its_index_puts_nothing_off():
    later = replace(CHILD, next_due=NOON + timedelta(hours=9))
    assert with_child(INDEX, later).next_due == INDEX.next_due


@pytest.mark.parametrize("change", [{"health": "failing"}, {"health": "blocked"}, {"next_due": None}])
def test_a_sitemap_in_trouble_says_nothing_for_its_index(change):
    assert with_child(INDEX, replace(CHILD, **change)) == INDEX


def test_an_index_that_is_gone_or_was_never_asked_is_not_woken_by_a_sitemap():
    assert with_child(replace(INDEX, next_due=None), CHILD).next_due is None
    assert with_child(replace(INDEX, last_polled=None), CHILD).next_due == INDEX.next_due


def test_an_index_is_no_longer_silent_when_one_of_its_sitemaps_has_news():
    silent = replace(INDEX, health="silent", last_changed=NOON - timedelta(days=9))
    told = with_child(silent, replace(CHILD, last_changed=NOON))
    assert (told.health, told.last_changed) == ("ok", NOON)
    assert with_child(silent, replace(CHILD, health="silent")).health == "silent"
    assert with_child(replace(INDEX, health="empty"), CHILD).health == "empty"


@pytest.mark.parametrize("date", ["Fri, 25 Oct 2024 12:00:00", "Fri, 25 Oct 2024 14:00:00 +0200"])
def test_retry_after_reads_a_date_of_any_zone_and_takes_one_without_for_utc(date):
    after = step(NEW, Poll(status=503, headers=(("retry-after", date), ("date", format_datetime(NOON, usegmt=True)))))
    assert wait(after) == 2 * HOUR
