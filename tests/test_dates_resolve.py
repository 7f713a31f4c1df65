"""One date from many signals, as pages, feeds and addresses claim them."""

from datetime import UTC, datetime

from pipelines.steps.dates import Signal, resolve_dates

FETCHED = datetime(2024, 10, 25, 10, tzinfo=UTC)  # noon in Paris


def resolve(*claims, timezone="Europe/Paris", fetched=FETCHED):
    signals = [Signal(source=source, text=text, role=role) for source, text, role in claims]
    return resolve_dates(signals, fetched_at=fetched, timezone=timezone)


def published(*claims, **where):
    return resolve(*((source, text, "published") for source, text in claims), **where).published


def test_json_ld_is_trusted_before_the_visible_text():
    date = published(("visible", "24 octobre 2024 à 19h02"), ("json-ld", "2024-10-24T18:36:00+02:00"))
    assert (date.value, date.source) == ("2024-10-24T18:36:00+02:00", "json-ld")


def test_nothing_readable_gives_no_date():
    dates = resolve(("json-ld", "", "published"), ("visible", "Temps de lecture : 3 min", "unknown"))
    assert (dates.published, dates.modified) == (None, None)


def test_the_raw_text_and_its_place_are_kept():
    date = published(("visible", "Publié le 24 octobre 2024 à 18h36"))
    assert (date.source, date.text, date.precision) == ("visible", "Publié le 24 octobre 2024 à 18h36", "minute")


def test_two_agreeing_signals_are_surer_than_one():
    alone = published(("meta", "2024-10-24T18:36:00+02:00"))
    both = published(("meta", "2024-10-24T18:36:00+02:00"), ("visible", "24/10/2024 à 18h36"))
    assert both.confidence > alone.confidence
    assert "visible agrees" in both.reason


def test_a_contradiction_is_less_sure_than_one_signal():
    alone = published(("meta", "2024-10-24T18:36:00+02:00"))
    against = published(("meta", "2024-10-24T18:36:00+02:00"), ("url", "https://exemple.fr/2024/10/02/titre"))
    assert against.confidence < alone.confidence
    assert "url says 2024-10-02" in against.reason


def test_a_time_element_an_hour_off_is_a_zone_slip():
    date = published(("json-ld", "2024-10-24T18:36:00+02:00"), ("time", "2024-10-24T18:36:00+01:00"))
    assert date.value == "2024-10-24T18:36:00+02:00"
    assert "zone slip: time says 2024-10-24T19:36:00+02:00" in date.reason


def test_of_two_zones_the_one_that_more_signals_share_is_right():
    date = published(
        ("json-ld", "2024-10-24T18:36:00Z"),
        ("feed", "Thu, 24 Oct 2024 18:36:00 +0200"),
        ("visible", "24/10/2024 à 18h36"),
    )
    assert date.value == "2024-10-24T18:36:00+02:00"
    assert "json-ld overruled" in date.reason


def test_of_two_zones_the_one_after_the_fetch_is_wrong():
    date = published(("json-ld", "2024-10-25T11:40:00Z"), ("visible", "25/10/2024 à 11h40"))
    assert date.value == "2024-10-25T11:40:00+02:00"


def test_a_plain_day_takes_its_time_from_the_visible_text():
    date = published(("json-ld", "2024-10-25"), ("visible", "25/10/2024 à 07h12"))
    assert (date.value, date.precision, date.source) == ("2024-10-25T07:12:00+02:00", "minute", "visible")


def test_a_plain_day_takes_no_time_from_another_day():
    date = published(("json-ld", "2024-10-24"), ("visible", "25/10/2024 à 07h12"))
    assert (date.value, date.precision) == ("2024-10-24", "day")


def test_a_month_takes_its_day_from_a_finer_signal():
    date = published(("meta", "10/2024"), ("url", "https://exemple.fr/2024/10/24/titre"))
    assert date.value == "2024-10-24"


def test_a_machines_midnight_is_a_plain_day():
    for midnight in (
        "2024-10-24T00:00:00+02:00",
        "2024-10-24T00:00:00Z",
        "2024-10-24T00:00:00",
        "2024-10-23T22:00:00Z",
    ):
        date = published(("json-ld", midnight))
        assert (date.value[:10], date.precision) == (date.value, "day")


def test_an_invented_midnight_keeps_the_day_that_was_written():
    date = published(("json-ld", "2024-10-24T00:00:00Z"), timezone="America/Toronto")
    assert date.value == "2024-10-24"


def test_a_midnight_that_a_reader_sees_is_a_time():
    date = published(("json-ld", "2024-10-24T00:00:00+02:00"), ("visible", "Publié le 24 octobre 2024 à 0h00"))
    assert date.value == "2024-10-24T00:00:00+02:00"


def test_an_evening_that_is_midnight_in_utc_is_a_time_where_a_reader_sees_it():
    date = published(
        ("json-ld", "2024-10-24T00:00:00Z"), ("visible", "Publié le 23 octobre 2024 à 20 h"), timezone="America/Toronto"
    )
    assert date.value == "2024-10-23T20:00:00-04:00"


def test_a_date_more_than_a_day_ahead_is_refused():
    date = published(("json-ld", "2025-01-01T08:00:00+01:00"), ("visible", "24 octobre 2024"))
    assert (date.value, date.source) == ("2024-10-24", "visible")
    assert published(("json-ld", "2025-01-01T08:00:00+01:00")) is None


def test_the_moment_of_the_page_being_made_gives_way():
    date = published(("json-ld", "2024-10-25T09:59:58Z"), ("visible", "Publié le 3 mars 2020 à 7h12"))
    assert date.value == "2020-03-03T07:12:00+01:00"


def test_three_signals_that_agree_overrule_one_day():
    date = published(
        ("json-ld", "2016-05-03T08:00:00+02:00"),
        ("feed", "Thu, 24 Oct 2024 18:36:00 +0200"),
        ("visible", "24/10/2024 à 18h36"),
        ("url", "https://exemple.fr/2024/10/24/titre"),
    )
    assert date.value == "2024-10-24T18:36:00+02:00"


def test_a_label_in_the_text_is_stronger_than_the_role_of_its_place():
    dates = resolve(
        ("time", "Mis à jour le 25/10/2024 à 09h02", "published"), ("visible", "24/10/2024 à 18h36", "published")
    )
    assert dates.published.value == "2024-10-24T18:36:00+02:00"
    assert dates.modified == "2024-10-25T09:02:00+02:00"


def test_one_visible_line_gives_both_dates():
    dates = resolve(("visible", "Publié le 24/10/2024 à 18h36, mis à jour à 19h10", "unknown"))
    assert dates.published.value == "2024-10-24T18:36:00+02:00"
    assert dates.modified == "2024-10-24T19:10:00+02:00"


def test_a_labelled_line_is_trusted_before_an_unlabelled_one():
    dates = resolve(("visible", "3 octobre 2024", "unknown"), ("visible", "Publié le 24 octobre 2024", "unknown"))
    assert dates.published.value == "2024-10-24"


def test_a_modification_before_the_publication_is_dropped():
    dates = resolve(
        ("json-ld", "2024-10-24T18:36:00+02:00", "published"), ("json-ld", "2024-10-23T08:00:00+02:00", "modified")
    )
    assert dates.modified is None


def test_a_modification_on_the_day_of_the_publication_stays():
    dates = resolve(("json-ld", "2024-10-24T18:36:00+02:00", "published"), ("meta", "2024-10-24", "modified"))
    assert dates.modified == "2024-10-24"


def test_a_modification_alone_is_no_publication():
    dates = resolve(("visible", "Mis à jour le 25 octobre 2024 à 9h02", "unknown"))
    assert (dates.published, dates.modified) == (None, "2024-10-25T09:02:00+02:00")


def test_addresses_carry_days_in_three_ways():
    for address in (
        "https://exemple.fr/politique/2024/10/24/titre-de-l-article",
        "https://exemple.fr/politique/titre-20241024-1234",
        "https://exemple.fr/politique/titre-24-10-2024-AB12.php",
    ):
        assert published(("url", address)).value == "2024-10-24"
    for address in (
        "https://exemple.fr/2024/13/45/titre",
        "https://exemple.fr/p/202410241836",
        "https://exemple.fr/2034/10/24/a",
    ):
        assert published(("url", address)) is None


def test_the_card_date_of_a_page_crawled_a_year_later():
    date = published(("visible", "vendredi, octobre 25"), fetched=datetime(2026, 3, 1, 8, tzinfo=UTC))
    assert date.value == "2024-10-25"
    assert "the latest in which 25 octobre is a vendredi" in date.reason
