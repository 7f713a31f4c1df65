"""The shipped outlets: valid, in one form, of one owner each, every address with its origin."""

import csv
import time
import tomllib
from collections import Counter
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

from kiosque.outlets import finder, load_outlets, markdown_table, outlet_toml
from kiosque.outlets.choose import TAGS
from kiosque.outlets.fields import OUTLET_KEYS

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "outlets"
OUTLETS = load_outlets()
REACHES = (("national",), ("regional",), ("local",), ("overseas",), ("international",))


def addresses(outlet):
    return (outlet.site, *outlet.feeds, *outlet.news_sitemaps, *outlet.sections)


def twice(values):
    return [value for value, count in Counter(values).items() if count > 1]


def test_there_are_at_least_250_outlets():
    assert len(OUTLETS) >= 250


def test_the_whole_registry_loads_at_once():
    def seconds():
        start = time.perf_counter()
        load_outlets()
        return time.perf_counter() - start

    assert min(seconds() for _ in range(3)) < 0.25  # 0.05 on an idle machine


def test_keys_stand_in_their_order():
    keys = {slug: list(tomllib.loads((FOLDER / f"{slug}.toml").read_text(encoding="utf-8"))) for slug in OUTLETS}
    assert [slug for slug in OUTLETS if keys[slug] != [key for key in OUTLET_KEYS if key in keys[slug]]] == []


def test_a_file_holds_what_it_would_be_written_as():
    written = {slug: tomllib.loads(outlet_toml(outlet)) for slug, outlet in OUTLETS.items()}
    shipped = {slug: tomllib.loads((FOLDER / f"{slug}.toml").read_text(encoding="utf-8")) for slug in OUTLETS}
    assert [slug for slug in OUTLETS if written[slug] != shipped[slug]] == []


def test_every_outlet_has_somewhere_to_look_for_news():
    assert [slug for slug, outlet in OUTLETS.items() if len(addresses(outlet)) < 2] == []


def test_tags_are_known_and_the_reach_comes_first():
    assert [slug for slug, outlet in OUTLETS.items() if outlet.tags[:1] not in REACHES] == []
    assert set().union(*(outlet.tags for outlet in OUTLETS.values())) <= TAGS.keys()


def test_names_are_unique():
    assert twice(outlet.name.casefold() for outlet in OUTLETS.values()) == []


def test_sites_are_unique_by_host():
    assert twice(urlsplit(outlet.site).hostname.removeprefix("www.") for outlet in OUTLETS.values()) == []


def test_no_address_is_polled_for_two_outlets():
    assert twice(url.split("://")[1].rstrip("/") for outlet in OUTLETS.values() for url in addresses(outlet)) == []


def test_every_address_finds_its_own_outlet():
    find = finder(OUTLETS)
    strays = [(slug, url) for slug, outlet in OUTLETS.items() for url in addresses(outlet) if find(url).slug != slug]
    assert strays == []


def test_every_zone_lies_in_the_outlets_country():
    lines = files("tzdata").joinpath("zoneinfo", "zone.tab").read_text().splitlines()
    zones = {tuple(line.split("\t")[:3:2]) for line in lines if not line.startswith("#")}
    assert [slug for slug, outlet in OUTLETS.items() if (outlet.country, outlet.timezone) not in zones] == []


def test_every_address_has_an_origin_and_nothing_else_has():
    with (FOLDER / "provenance.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    shipped = {(slug, url) for slug, outlet in OUTLETS.items() for url in addresses(outlet)}
    assert {(row["slug"], row["url"]) for row in rows} == shipped
    assert len(rows) == len(shipped)
    assert all(row["origin"].strip() for row in rows)


def test_nothing_that_was_left_out_is_shipped():
    with (FOLDER / "left-out.csv").open(encoding="utf-8", newline="") as file:
        left_out = {row["url"]: row["why"] for row in csv.DictReader(file)}
    assert all(left_out.values())
    assert left_out.keys().isdisjoint(url for outlet in OUTLETS.values() for url in addresses(outlet))


def test_the_table_in_the_docs_is_made_from_the_files():
    assert (
        (ROOT / "docs" / "outlets.md").read_text(encoding="utf-8").endswith("\n\n" + markdown_table(OUTLETS.values()))
    )
