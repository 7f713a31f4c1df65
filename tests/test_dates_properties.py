"""Any instant reads back in every shape, any text is survived, and time grows with the text."""

from datetime import UTC, date, datetime, timedelta
from time import process_time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pipelines.steps.dates import parse_date, read_dates
from pipelines.steps.dates.repair import MAX_CHARS
from pipelines.steps.dates.tokens import classes

ZONES = (
    *("Europe/Paris", "Europe/Brussels", "Europe/Zurich", "Europe/Luxembourg", "Europe/Monaco", "America/Toronto"),
    *("America/Moncton", "America/Martinique", "America/Cayenne", "America/Port-au-Prince", "America/Miquelon"),
    *("Africa/Casablanca", "Africa/Algiers", "Africa/Tunis", "Africa/Dakar", "Africa/Abidjan", "Africa/Kinshasa"),
    *("Africa/Douala", "Indian/Reunion", "Indian/Mayotte", "Indian/Antananarivo", "Indian/Mauritius", "Asia/Beirut"),
    *("Pacific/Noumea", "Pacific/Tahiti", "Pacific/Wallis"),
)
DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
MONTHS = (
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
)
SHORT = ("janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc.")
BARE = ("jan", "fev", "mar", "avr", "mai", "juin", "juil", "aout", "sep", "oct", "nov", "dec")
ENGLISH = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def first(day):
    return "1er" if day == 1 else str(day)


def offset(at, colon=":"):
    text = at.strftime("%z")
    return text[:3] + colon + text[3:5]


DATED = {  # the local instant, as each shape writes its day
    "25 octobre 2024": lambda at: f"{first(at.day)} {MONTHS[at.month - 1]} {at.year}",
    "vendredi 25 octobre 2024": lambda at: f"{DAYS[at.weekday()]} {at.day} {MONTHS[at.month - 1]} {at.year}",
    "Publié le 25 oct. 2024": lambda at: f"Publié le {at.day} {SHORT[at.month - 1]} {at.year}",
    "25 oct 2024": lambda at: f"{at.day:02d} {BARE[at.month - 1]} {at.year}",
    "VENDREDI 25 OCTOBRE 2024": lambda at: f"{DAYS[at.weekday()]} {at.day} {MONTHS[at.month - 1]} {at.year}".upper(),
    "octobre 25, 2024": lambda at: f"{MONTHS[at.month - 1]} {at.day}, {at.year}",
    "vendredi, octobre 25, 2024": lambda at: f"{DAYS[at.weekday()]}, {MONTHS[at.month - 1]} {at.day}, {at.year}",
    "25-oct-2024": lambda at: f"{at.day}-{BARE[at.month - 1]}-{at.year}",
    "25/10/2024": lambda at: f"{at:%d/%m/}{at.year}",
    "25.10.24": lambda at: f"{at:%d.%m.%y}",
    "25-10-2024": lambda at: f"{at:%d-%m-}{at.year}",
    "2024-10-25": lambda at: f"{at:%Y-%m-%d}",
    "20241025": lambda at: f"{at:%Y%m%d}",
}
TIMED = {  # minutes and coarser
    " à 07h12": lambda at: f" à {at:%Hh%M}",
    " à 7 h 12": lambda at: f" à {at.hour} h {at:%M}",
    ", 07:12": lambda at: f", {at:%H:%M}",
    " - 07:12": lambda at: f" - {at:%H:%M}",
    " | 7h12": lambda at: f" | {at.hour}h{at:%M}",
    " à 7 heures 12": lambda at: f" à {at.hour} heures {at:%M}",
    " 7:12 AM": lambda at: f" {at.hour % 12 or 12}:{at:%M} {'AM' if at.hour < 12 else 'PM'}",
}
MACHINE = {  # seconds, with the offset
    "iso": lambda at: f"{at:%Y-%m-%dT%H:%M:%S}{offset(at)}",
    "iso without a colon": lambda at: f"{at:%Y-%m-%dT%H:%M:%S}{offset(at, '')}",
    "iso utc": lambda at: f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z",
    "iso with a space": lambda at: f"{at:%Y-%m-%d %H:%M:%S} {offset(at)}",
    "rfc 822": lambda at: f"{at:%d} {ENGLISH[at.month - 1]} {at:%Y %H:%M:%S} {offset(at, '')}",
    "rfc 822 in French": lambda at: (
        f"{DAYS[at.weekday()][:3]}, {at:%d} {SHORT[at.month - 1]} {at:%Y %H:%M:%S} {offset(at, '')}"
    ),
    "gmt": lambda at: f"{at.astimezone(UTC):%d/%m/%Y %H:%M:%S} GMT",
}
YEARLESS = {
    "25 octobre": lambda at: f"{first(at.day)} {MONTHS[at.month - 1]}",
    "vendredi, octobre 25": lambda at: f"{DAYS[at.weekday()]}, {MONTHS[at.month - 1]} {at.day}",
    "25/10": lambda at: f"{at:%d/%m}",
    "ven. 25 oct.": lambda at: f"{DAYS[at.weekday()][:3]}. {at.day} {SHORT[at.month - 1]}",
}

zones = st.sampled_from(ZONES)
SINCE = datetime(1990, 1, 1, tzinfo=UTC)
instants = st.integers(0, 46 * 365 * 86_400).map(lambda seconds: SINCE + timedelta(seconds=seconds))
later = st.timedeltas(timedelta(0), timedelta(days=300))
quick = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def is_plain(local):
    """Not in an hour that a clock change repeats: there two instants are written alike."""
    return local.utcoffset() == local.replace(fold=1 - local.fold).utcoffset()


@quick
@given(at=instants, zone=zones, after=later, shape=st.sampled_from(sorted(DATED)))
def test_a_day_reads_back_in_every_shape(at, zone, after, shape):
    local = at.astimezone(ZoneInfo(zone))
    reading = parse_date(DATED[shape](local), relative_to=at + after, timezone=zone)
    assert (reading.value, reading.precision) == (local.date().isoformat(), "day")


@quick
@given(at=instants, zone=zones, after=later, shape=st.sampled_from(sorted(DATED)), time=st.sampled_from(sorted(TIMED)))
def test_a_minute_reads_back_in_every_shape(at, zone, after, shape, time):
    local = at.replace(second=0).astimezone(ZoneInfo(zone))
    assume(is_plain(local))
    reading = parse_date(DATED[shape](local) + TIMED[time](local), relative_to=at + after, timezone=zone)
    assert (reading.value, reading.precision) == (local.isoformat(), "minute")


@quick
@given(at=instants, zone=zones, after=later, shape=st.sampled_from(sorted(MACHINE)))
def test_a_second_reads_back_from_every_machine(at, zone, after, shape):
    local = at.astimezone(ZoneInfo(zone))
    reading = parse_date(MACHINE[shape](local), relative_to=at + after, timezone=zone)
    assert datetime.fromisoformat(reading.value) == at
    assert reading.value == local.isoformat()


@quick
@given(at=instants, zone=zones, after=later, shape=st.sampled_from(sorted(YEARLESS)))
def test_a_day_without_a_year_reads_back_within_a_year(at, zone, after, shape):
    local = at.astimezone(ZoneInfo(zone))
    reading = parse_date(YEARLESS[shape](local), relative_to=at + after, timezone=zone)
    assert reading.value == local.date().isoformat()


@quick
@given(at=instants, zone=zones, hours=st.integers(1, 48), minutes=st.integers(0, 59))
def test_an_age_is_counted_in_real_time(at, zone, hours, minutes):
    reading = parse_date(f"il y a {hours} h {minutes:02d}", relative_to=at, timezone=zone)
    assert datetime.fromisoformat(reading.value) == at - timedelta(hours=hours, minutes=minutes)


@quick
@given(at=instants, zone=zones, days=st.integers(0, 400))
def test_days_are_counted_on_the_outlets_calendar(at, zone, days):
    reading = parse_date(f"il y a {days} jours", relative_to=at, timezone=zone)
    assert date.fromisoformat(reading.value) == at.astimezone(ZoneInfo(zone)).date() - timedelta(days=days)


words = st.lists(
    st.sampled_from(
        [*sorted(classes()), "é", "Ã©", "\u00a0", "<b>", "&amp;", "2024", "99999999999", "10000", "\ud800"]
    ),
    max_size=20,
)


@quick
@given(text=st.one_of(st.text(), words.map(" ".join), words.map("".join)), at=instants, zone=zones)
def test_any_text_gives_dates_or_none(text, at, zone):
    reading = parse_date(text, relative_to=at, timezone=zone)
    readings = read_dates(text, relative_to=at, timezone=zone)
    assert (reading is None) == (readings == ())
    for each in readings:
        assert datetime.fromisoformat(each.value)


HOSTILE = (
    "1 ",
    "9",
    "1/",
    "1.",
    "10:",
    "12 h ",
    "lundi ",
    "hier ",
    "il y a ",
    "loi du 1/2/2020 ",
    "par a ",
    "| 10 mai ",
    "Ã",
    "&amp;",
    "<b",
    "né le ",
    "Publié ",
)


def seconds(text):
    def once():
        start = process_time()
        parse_date(text, relative_to=datetime(2024, 10, 25, 10, tzinfo=UTC), timezone="Europe/Paris")
        return process_time() - start

    return min(once() for _ in range(7))


@pytest.mark.parametrize("piece", HOSTILE)
def test_ten_times_the_text_takes_about_ten_times_the_time(piece):
    short, long = (piece * (size // len(piece)) for size in (MAX_CHARS // 10, MAX_CHARS))
    assert seconds(long) < 40 * seconds(short)


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_hundred_kilobytes_cost_no_more_than_what_is_read(piece):
    read, huge = (piece * (size // len(piece)) for size in (MAX_CHARS, 100_000))
    assert seconds(huge) < 4 * seconds(read)
