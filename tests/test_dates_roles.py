"""Every date of a line, each with what it is for."""

from datetime import UTC, datetime

import pytest

from pipelines.steps.dates import parse_date, read_dates

FETCHED = datetime(2024, 10, 25, 10, tzinfo=UTC)  # a Friday, noon in Paris


def roles(text):
    readings = read_dates(text, relative_to=FETCHED, timezone="Europe/Paris")
    return [f"{reading.role} {reading.value}" for reading in readings]


LINES = {
    "Publié le 24/10/2024 à 18h36 - Mis à jour le 25/10/2024 à 9h02": [
        "published 2024-10-24T18:36:00+02:00",
        "modified 2024-10-25T09:02:00+02:00",
    ],
    "Mis à jour : 25/10/2024 Publié : 24/10/2024": ["modified 2024-10-25", "published 2024-10-24"],
    "24 octobre 2024 à 18h36 (mis à jour : 19h10)": [
        "unknown 2024-10-24T18:36:00+02:00",
        "modified 2024-10-24T19:10:00+02:00",
    ],
    "Publié le 24/10/2024 - Mis à jour le 25/10/2024 à 9h02 - Actualisé à 10h15": [
        "published 2024-10-24",
        "modified 2024-10-25T09:02:00+02:00",
        "modified 2024-10-25T10:15:00+02:00",
    ],
    "Publié le 30 décembre 2022, mis à jour le 2 janvier": ["published 2022-12-30", "modified 2023-01-02"],
    "Publié le 23/10/2024 à 23h50, mis à jour à 0h10": [
        "published 2024-10-23T23:50:00+02:00",
        "modified 2024-10-24T00:10:00+02:00",
    ],
    "Créé hier, modifié ce matin": ["published 2024-10-24", "modified 2024-10-25"],
    "Publié et mis à jour le 24 octobre 2024": ["published 2024-10-24"],
    "Posté le 24 octobre, édité le 25 octobre": ["published 2024-10-24", "modified 2024-10-25"],
    "25/10/2024 09:02 (publié le 24/10/2024)": ["unknown 2024-10-25T09:02:00+02:00", "published 2024-10-24"],
    "Act: 25/10/2024": ["modified 2024-10-25"],
    "Né le 3 mai 1990. Publié le 24 octobre 2024": ["published 2024-10-24"],
    "Offre valable jusqu'au 31/10/2024 | Publié le 24/10/2024": ["published 2024-10-24"],
    "Temps de lecture : 3 min": [],
}


@pytest.mark.parametrize(("text", "dates"), LINES.items())
def test_each_date_keeps_its_role(text, dates):
    assert roles(text) == dates


def test_a_modification_alone_is_read_with_its_role():
    reading = parse_date("Mis à jour à 9h02", relative_to=FETCHED, timezone="Europe/Paris")
    assert (reading.role, reading.value) == ("modified", "2024-10-25T09:02:00+02:00")


def test_the_piece_is_given_as_it_was_written():
    (reading,) = read_dates("Par Léa — Jeudi 24 OCTOBRE à 18 h 36, Lyon", relative_to=FETCHED, timezone="Europe/Paris")
    assert reading.text == "Jeudi 24 OCTOBRE à 18 h 36"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("25 octobre", "year 2024: the latest 25 octobre not after the fetch"),
        ("lundi 24 octobre 2024", "the date as stated, though it is no lundi"),
        ("10/24/2024", "month before day, the only reading"),
        ("jeudi", "the latest jeudi not after the fetch"),
        ("il y a 2 heures", "counted back from the fetch"),
        ("an hour ago", "read by dateparser: the scanner knows no such shape"),
    ],
)
def test_a_reading_says_how_it_was_found(text, reason):
    assert parse_date(text, relative_to=FETCHED, timezone="Europe/Paris").reason == reason


CLOCKS = {  # fetched (UTC), timezone, text: value
    ("2024-04-01T08:00", "Europe/Paris", "hier à 2h30"): "2024-03-31T03:30:00+02:00",  # skipped
    ("2024-10-27T05:00", "Europe/Paris", "aujourd'hui à 2h30"): "2024-10-27T02:30:00+02:00",  # repeated
    ("2024-10-27T02:00", "Europe/Paris", "il y a 2 heures"): "2024-10-27T02:00:00+02:00",
    ("2024-12-31T13:30", "Pacific/Noumea", "1er janvier à 0h15"): "2025-01-01T00:15:00+11:00",
    ("2025-01-01T03:00", "America/Toronto", "1er janvier"): "2024-01-01",
    ("2024-10-25T20:30", "Indian/Reunion", "aujourd'hui"): "2024-10-26",
    ("2024-04-11T08:00", "Africa/Casablanca", "Ramadan, le 8 avril 2024 à 12h"): "2024-04-08T12:00:00+00:00",
    ("2024-07-14T13:35", "America/Toronto", "14 juil. 2024 à 9 h 30 HNE"): "2024-07-14T09:30:00-04:00",  # meant HAE
    ("2024-07-15T13:35", "America/Toronto", "14 juil. 2024 à 9 h 30 HNE"): "2024-07-14T10:30:00-04:00",  # may be so
    ("2024-10-25T19:00", "Europe/Paris", "27 octobre 2024"): None,
    ("2024-10-25T19:00", "Europe/Paris", "Publié le 12 juin 1968"): "1968-06-12",
}


@pytest.mark.parametrize(("place", "value"), CLOCKS.items())
def test_days_and_hours_are_counted_on_the_outlets_clock(place, value):
    fetched, timezone, text = place
    reading = parse_date(text, relative_to=datetime.fromisoformat(f"{fetched}+00:00"), timezone=timezone)
    assert (reading and reading.value) == value
