"""Rules of an outlet's file that match nothing any more: found on the archived pages, told by `kiosque doctor`."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from command import Kiosque
from test_storage_contract import record, settled

from kiosque.model import CleanRules, Outlet, Page, ReadRules
from kiosque.service.look import look_at
from kiosque.service.stale_rules import check_rules
from kiosque.settings import load_settings
from pipelines.rule_health import unmatched_rules
from storage import open_storage
from storage.archive import WarcArchive

START = datetime(2024, 10, 1, 12, 0, tzinfo=UTC)
OLD = "<article><div class='corps'><p>Le pont a rouvert.</p></div><aside class='abo'>Abonnez-vous</aside></article>"
NEW = "<article><div class='texte'><p>Le pont a rouvert.</p></div><aside class='abo'>Abonnez-vous</aside></article>"


def outlet(**rules):
    clean = CleanRules(drop_css=("aside.abo",))
    return Outlet(
        slug="gazette",
        name="Gazette",
        site="https://gazette.example",
        country="FR",
        clean=clean,
        read=(ReadRules(**rules),),
    )


@pytest.fixture
def fill(tmp_path):
    """Return a function that stores and archives pages, a day apart, and gives the store and the archive."""
    stores = []

    def kept(*bodies, name="kiosque.sqlite"):
        store = open_storage(f"sqlite:///{tmp_path / name}")
        stores.append(store)
        archive = WarcArchive(tmp_path / "archive")
        for n, body in enumerate(bodies):
            url, at = f"https://gazette.example/{n}", START + timedelta(days=n)
            pointer = archive.append(Page(url=url, final_url=url, body=body.encode(), fetched_at=at))
            one = record(
                id=f"{n:024x}", url=url, urls=(url,), fetched_at=at, first_seen_at=at, archive=pointer, outlet="gazette"
            )
            store.settle([settled(one, key=url, at=at)])
        archive.close()
        return store, archive

    yield kept
    for store in stores:
        store.close()


def test_a_rule_that_the_new_template_left_behind_is_named_with_its_last_match(fill):
    found = list(unmatched_rules(*fill(*[OLD] * 5, *[NEW] * 12), [outlet(body_css="div.corps")]))
    assert [(one.kind, one.outlet) for one in found] == [("rule-unmatched", "gazette")]
    assert found[0].facts == {
        "rule": "div.corps",
        "n": "12",
        "matched": "2024-10-05",
        "example": "https://gazette.example/16",
    }


def test_a_rule_that_matches_one_of_the_newest_pages_is_sound(fill):
    assert not list(unmatched_rules(*fill(*[NEW] * 11, OLD), [outlet(body_css="div.corps")]))


def test_a_rare_box_is_missed_only_where_it_stood_before(fill):
    rare = Outlet(
        slug="gazette",
        name="Gazette",
        site="https://gazette.example",
        country="FR",
        clean=CleanRules(drop_css=("div.jeu", "aside.abo")),
    )
    pages = [*[NEW] * 2, *["<p>Le pont a rouvert.</p>"] * 12]
    assert [one.facts["rule"] for one in unmatched_rules(*fill(*pages), [rare])] == ["aside.abo"]


def test_three_pages_are_too_few_to_blame_a_rule(fill):
    assert not list(unmatched_rules(*fill(*[NEW] * 3), [outlet(body_css="div.corps")]))


def test_rules_with_until_are_held_against_pages_of_their_time(fill):
    rules = outlet(body_css="div.corps", until=date(2024, 10, 9))
    rules = replace(rules, read=(*rules.read, ReadRules(body_css="div.texte")))
    assert not list(unmatched_rules(*fill(*[OLD] * 8, *[NEW] * 4), [rules]))


def test_a_page_that_the_archive_lost_is_passed_over(fill, tmp_path):
    store, archive = fill(*[NEW] * 6)
    for file in (tmp_path / "archive").rglob("*.warc.gz"):
        file.unlink()
    assert not list(unmatched_rules(store, archive, [outlet(body_css="div.corps")]))


def test_doctor_says_which_rule_to_mend(fill, tmp_path):
    kiosque = Kiosque(tmp_path)
    kiosque.outlet("gazette", site="https://gazette.example", feeds=["https://gazette.example/rss"])
    file = next(tmp_path.rglob("gazette.toml"))
    file.write_text(file.read_text() + '\n[read]\nbody_css = "div.corps"\n')
    fill(*[NEW] * 6)
    out, _ = kiosque.run("doctor", "--json", code=1)
    told = [one for one in json.loads(out) if one["kind"] == "rule-unmatched"]
    assert told[0]["says"] == (
        "The rule `div.corps` of its file matches none of its last 6 pages (last match: –): https://gazette.example/5"
    )


def test_what_the_service_found_is_seen_until_the_rule_is_mended(fill, tmp_path):
    store, _ = fill(*[OLD] * 5, *[NEW] * 12)
    stale = outlet(body_css="div.corps")
    check_rules(load_settings(environment={}, home=tmp_path), [stale])

    def seen(*outlets):
        look = look_at(store, {one.slug: one for one in outlets}, now=START + timedelta(days=17))
        return [one.facts["rule"] for one in look.findings if one.kind == "rule-unmatched"]

    assert seen(stale) == ["div.corps"]
    assert seen(outlet(body_css="div.texte")) == []
    assert seen() == []
