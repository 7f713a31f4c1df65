"""`kiosque outlets clutter`: the lines that repeat, with their counts and dates."""

import json
from datetime import UTC, datetime

import pytest
from command import Kiosque

from storage import open_storage

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def home(tmp_path):
    kiosque = Kiosque(tmp_path)
    kiosque.outlet("gazette", site="https://gazette.example")
    store = open_storage(f"sqlite:///{tmp_path / 'kiosque.sqlite'}")
    slogan = [("la gazette, chaque matin depuis 0", f"a{n}") for n in range(12)]
    store.note_lines("gazette", slogan, at=NOON)
    store.note_lines("gazette", [("bientôt la suite", "a1"), ("bientôt la suite", "a2")], at=NOON)
    store.close()
    return kiosque


def test_repeated_lines_are_shown_with_their_dates_and_whether_they_are_learned(tmp_path):
    out, _ = home(tmp_path).run("outlets", "clutter", "gazette")
    assert out.splitlines()[1].split(maxsplit=4) == [
        *("12", "2026-03-02", "2026-03-02", "yes"),
        "la gazette, chaque matin depuis 0",
    ]
    assert out.splitlines()[2].split()[3] == "no"


def test_the_same_as_json(tmp_path):
    found = json.loads(home(tmp_path).run("outlets", "clutter", "gazette", "--json", "--limit", "1")[0])
    assert found["outlet"] == "gazette"
    assert [(line["articles"], line["learned"]) for line in found["lines"]] == [(12, True)]


@pytest.mark.slow
def test_an_outlet_without_repeated_lines_says_so_and_a_stranger_is_an_error(tmp_path):
    kiosque = home(tmp_path)
    assert "no line stands in more than one article" in kiosque.run("outlets", "clutter", "lemonde")[0]
    assert "no outlet is called 'nowhere'" in kiosque.run("outlets", "clutter", "nowhere", code=2)[1]
