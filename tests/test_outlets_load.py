"""Outlet files: what a good one gives, and the sentence that each fault gets."""

import os
import re
import time
from datetime import date

import pytest

from kiosque.errors import OutletError
from kiosque.model import CleanRules, Outlet, ReadRules
from kiosque.outlets import load_outlet, load_outlets, outlet_toml

GOOD = """\
name = "La Voix de l'Est"
site = "https://lavoix.example"
country = "FR"
timezone = "Europe/Paris"
feeds = ["https://lavoix.example/rss.xml"]
"""
FULL = """\
name = "La Voix de l'Est"
site = "https://lavoix.example"
country = "CA"
region = "Québec"
timezone = "America/Toronto"
language = "fr-CA"
tags = ["regional", "daily"]
feeds = ["https://lavoix.example/rss.xml"]
news_sitemaps = ["https://lavoix.example/news.xml"]
sections = ["https://lavoix.example/est"]
expect_per_day = [5, 60]
delay = 2.0

[clean]
drop_css = ["aside.abonnement"]
drop_lines = ["Lire aussi"]
keep_lines = ["Lire la suite des débats"]

[[read]]
body_css = "div.article__content"

[[read]]
body_css = "div#corps"
until = 2024-06-01
"""


def outlet_file(folder, text, name="lavoix.toml"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def fault_of(folder, text, name="lavoix.toml"):
    with pytest.raises(OutletError) as caught:
        load_outlet(outlet_file(folder, text, name))
    sentence = str(caught.value)
    assert name in sentence
    assert "\n" not in sentence
    return sentence


def test_a_file_of_five_lines_is_an_outlet(tmp_path):
    assert load_outlet(outlet_file(tmp_path, GOOD)) == Outlet(
        slug="lavoix",
        name="La Voix de l'Est",
        site="https://lavoix.example",
        country="FR",
        timezone="Europe/Paris",
        feeds=("https://lavoix.example/rss.xml",),
    )


def test_every_key_has_its_place(tmp_path):
    outlet = load_outlet(outlet_file(tmp_path, FULL))
    assert (outlet.region, outlet.language, outlet.tags) == ("Québec", "fr-CA", ("regional", "daily"))
    assert outlet.news_sitemaps == ("https://lavoix.example/news.xml",)
    assert outlet.sections == ("https://lavoix.example/est",)
    assert (outlet.expect_per_day, outlet.delay) == ((5, 60), 2.0)
    assert outlet.clean == CleanRules(
        drop_css=("aside.abonnement",), drop_lines=("Lire aussi",), keep_lines=("Lire la suite des débats",)
    )
    assert outlet.read_rules(date(2026, 1, 1)) == ReadRules(body_css="div.article__content")
    assert outlet.read_rules(date(2024, 5, 31)) == ReadRules(body_css="div#corps", until=date(2024, 6, 1))


def test_one_read_table_needs_no_double_brackets(tmp_path):
    outlet = load_outlet(outlet_file(tmp_path, GOOD + '[read]\ntitle_css = "h1"\n'))
    assert outlet.read == (ReadRules(title_css="h1"),)


@pytest.mark.parametrize("text", [GOOD, FULL, GOOD + '\n[read]\ntitle_css = "h1"\n'])
def test_an_outlet_written_out_reads_back_the_same(tmp_path, text):
    outlet = load_outlet(outlet_file(tmp_path, text))
    assert outlet_toml(outlet) == text
    assert load_outlet(outlet_file(tmp_path, outlet_toml(outlet))) == outlet


def test_a_windows_editor_may_mark_the_file(tmp_path):
    assert load_outlet(outlet_file(tmp_path, b"\xef\xbb\xbf" + GOOD.encode().replace(b"\n", b"\r\n"))).country == "FR"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("feed = []", "unknown key 'feed', did you mean 'feeds'?"),
        ("zzz = 1", "unknown key 'zzz', the keys are name, site, country"),
        ("[clean]\ndrop_cs = []", "unknown key 'clean.drop_cs', did you mean 'clean.drop_css'?"),
        ("[[read]]\nbody = 'p'", "unknown key 'read.body', did you mean 'read.body_css'?"),
        ("tags = 'daily'", "tags must be an array, not a string"),
        ("tags = [1]", "tags[1] must be a string, not a number"),
        ("tags = ['Quotidien']", "tags[1]: 'Quotidien' may hold only a-z"),
        ("clean = 3", "clean must be a table, not a number"),
        ("read = ['p']", "read must be a table, not a string"),
        ("language = 'français'", "language: 'français' is not a language tag"),
        ("region = ''", "region is empty"),
        ('region = "a\\nb"', "region holds a line break"),
        ("region = 2024-06-01", "region must be a string, not a date or time"),
        ("region = true", "region must be a string, not true or false"),
        ("delay = -1", "delay must be a number of seconds from 0 to 3600"),
        ("delay = nan", "delay must be a number of seconds"),
        ("delay = true", "delay must be a number of seconds"),
        ("expect_per_day = [60, 5]", "expect_per_day must be two whole numbers"),
        ("expect_per_day = [5]", "expect_per_day must be two whole numbers"),
        ("expect_per_day = [false, true]", "expect_per_day must be two whole numbers"),
        ("sections = ['https://a.example', 'https://a.example']", "sections: 'https://a.example' stands there twice"),
        ("sections = ['ftp://a.example/']", "sections[1]: 'ftp://a.example/' is not an http or https address"),
        ("sections = ['/est']", "sections[1]: '/est' is not an http or https address"),
        ("sections = ['http://[::1']", "is not an http or https address"),
        ("sections = ['http://a.example:port/']", "is not an http or https address"),
        ("sections = ['http://a.example/a b']", "is not an http or https address"),
        ("sections = ['https://ida:secret@a.example/']", "a.example comes with a name or password"),
        ("[clean]\ndrop_css = ['div[']", "clean.drop_css[1]: 'div[' is not a CSS selector"),
        ("[clean]\ndrop_css = ['p::text']", "clean.drop_css[1]: 'p::text' is not a CSS selector that works here"),
        ("[clean]\ndrop_lines = [' ']", "clean.drop_lines[1] is empty"),
        ("[read]\ndate_css = '>'", "read.date_css: '>' is not a CSS selector"),
        ("[read]\nuntil = '2024-06-01'", "read.until must be a day without quotes"),
        ("[read]\nuntil = 2024-06-01T10:00:00", "read.until must be a day"),
        ("[[read]]\ntitle_css = 'h1'\n[[read]]\ntitle_css = 'h2'", "read.until: two [[read]] tables are for the same"),
        ("feeds = ['http://b.example/']", "Cannot overwrite a value (at line 6, column"),
        ("name 'X'", "is not TOML: Expected '='"),
    ],
)
def test_a_fault_is_named_with_its_key(tmp_path, line, says):
    assert says in fault_of(tmp_path, f"{GOOD}{line}\n")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('name = "La Voix de l\'Est"', "", "the key 'name' is missing"),
        ('site = "https://lavoix.example"', "", "the key 'site' is missing"),
        ('country = "FR"', "", "the key 'country' is missing"),
        ('"FR"', '"fr"', "country: 'fr' is not an ISO 3166-1 country code, did you mean 'FR'?"),
        ('"FR"', '"UK"', "country: 'UK' is not an ISO 3166-1 country code"),
        ("Europe/Paris", "Europe/Pari", "timezone: no time zone is called 'Europe/Pari'"),
        ("Europe/Paris", "../../etc/passwd", "timezone: no time zone is called '../../etc/passwd'"),
        ("Europe/Paris", "Europe", "timezone: no time zone is called 'Europe'"),
    ],
)
def test_a_wrong_or_missing_value_is_named_with_its_key(tmp_path, old, new, says):
    assert says in fault_of(tmp_path, GOOD.replace(old, new))


def test_a_file_of_another_encoding_is_said_to_be_so(tmp_path):
    assert "is not UTF-8 (at byte 9)" in fault_of(tmp_path, 'name = "É'.encode("latin-1"))


@pytest.mark.parametrize("name", ["La Voix.toml", "lavoix_est.toml", "é.toml", "-.toml", ".toml"])
def test_a_file_name_that_makes_no_slug_is_refused(tmp_path, name):
    assert "the file's name may hold only a-z, 0-9 and hyphens" in fault_of(tmp_path, GOOD, name)


@pytest.mark.parametrize(
    "text",
    [
        b"#" * 70_000,
        b"a = " + b"[" * 60_000,
        b"a = " + b"{a=" * 20_000,
        b"." * 30_000 + b" = 1",
        b"a." * 30_000 + b"a = 1",
        b"a = " + b"9" * 60_000,
        b"\x00" * 1_000,
        b"[clean]\ndrop_css = ['" + b":not(" * 390 + b"']",
        b"[clean]\ndrop_css = ['" + b"a" * 3_000 + b"']",
        b"a = 1\n" * 5_000,
        b"tags = [" + b"'a'," * 15_000 + b"]",
        b"[" + b"a." * 499 + b"a]\n" + b"b = 1\n" * 3_000,
    ],
)
def test_a_hostile_file_gets_a_sentence_and_soon(tmp_path, text):
    start = time.perf_counter()
    assert len(fault_of(tmp_path, text)) < 3_000
    assert time.perf_counter() - start < 2


def test_a_pipe_in_the_folder_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "lavoix.toml")
    with pytest.raises(OutletError, match=r"lavoix\.toml: there is no such file"):
        load_outlet(tmp_path / "lavoix.toml")


def test_a_folder_of_ones_own_adds_outlets_and_wins(tmp_path):
    outlet_file(tmp_path, GOOD, "00-voix.toml")
    outlet_file(tmp_path, GOOD, "lemonde.toml")
    outlet_file(tmp_path, "not an outlet", "_common.toml")
    outlet_file(tmp_path, "not an outlet", "notes.txt")
    outlets = load_outlets(tmp_path)
    assert list(outlets) == sorted(outlets)
    assert next(iter(outlets)) == "00-voix"
    assert outlets["lemonde"].name == "La Voix de l'Est"
    assert outlets["lefigaro"].name == "Le Figaro"


def test_a_folder_that_is_not_there_is_said_to_be_so(tmp_path):
    with pytest.raises(OutletError, match=r"nowhere: this folder of outlets cannot be read"):
        load_outlets(tmp_path / "nowhere")


def test_a_fault_in_ones_own_folder_names_the_whole_path(tmp_path):
    path = outlet_file(tmp_path, "x = 1")
    with pytest.raises(OutletError, match=re.escape(f"{path}: unknown key 'x'")):
        load_outlets(tmp_path)
