"""Lists of feeds: OPML and CSV in, OPML and CSV out, and lists that mean harm."""

import csv
import io
import subprocess
import sys
import time

import pytest
from command import Kiosque

from kiosque.errors import OutletError
from kiosque.outlets import load_outlet, load_outlets
from kiosque.outlets.gather import ListedFeed, gather
from kiosque.outlets.opml import read_opml, write_opml
from kiosque.outlets.sheet import read_csv, write_csv

OUTLETS = load_outlets()
OPML = """<?xml version="1.0" encoding="UTF-8"?>
<opml version="2.0"><head><title>Mes flux</title></head><body>
  <outline text="Presse régionale">
    <outline type="rss" text="La Gazette de Valmont" xmlUrl="https://www.gazette-valmont.ch/rss?a=1&b=2"/>
    <outline type="rss" text="Gazette, sports" xmlUrl="https://gazette-valmont.ch/sports.xml" category="/Sport"/>
    <outline type="rss" text="Le Monde" xmlUrl="http://www.lemonde.fr/rss/une.xml/"/>
    <outline type="rss" text="Le Monde, sport" xmlUrl="https://www.lemonde.fr/sport/rss_full.xml"/>
  </outline>
  <outline text="Sur FeedBurner" xmlUrl="https://feeds.feedburner.com/fanal" htmlUrl="https://www.fanal.example/"/>
  <outline text="Un fichier" xmlUrl="file:///etc/passwd"/>
</body></opml>""".encode()


def test_a_list_becomes_outlets_one_a_site():
    gathered = gather(read_opml(OPML, name="f"), OUTLETS)
    valmont, fanal = gathered.new
    assert (valmont.slug, valmont.name) == ("gazette-valmont", "La Gazette de Valmont")
    assert (valmont.country, valmont.timezone) == ("CH", "Europe/Zurich")
    assert valmont.feeds == ("https://www.gazette-valmont.ch/rss?a=1&b=2", "https://gazette-valmont.ch/sports.xml")
    assert valmont.tags == ("presse-regionale", "sport")
    assert (fanal.slug, fanal.site, fanal.country) == ("fanal-example", "https://www.fanal.example", "FR")


def test_feeds_of_known_outlets_are_named_and_not_made_again():
    gathered = gather(read_opml(OPML, name="f"), OUTLETS)
    assert gathered.known == (
        ("http://www.lemonde.fr/rss/une.xml/", "lemonde", True),
        ("https://www.lemonde.fr/sport/rss_full.xml", "lemonde", False),
    )
    assert gathered.refused == (
        ("file:///etc/passwd", "'file:///etc/passwd' is not an http or https address of a site"),
    )


def test_what_is_exported_is_imported_again():
    some = {slug: OUTLETS[slug] for slug in ("lemonde", "rtbf", "lefaso", "sudouest")}
    from_opml = gather(read_opml(write_opml(some.values()), name="f"), {}).new
    assert {outlet.feeds for outlet in from_opml} == {o.feeds for o in some.values() if o.feeds}
    from_csv = gather(read_csv(write_csv(some.values()).encode(), name="f"), {}).new
    told = ("name", "country", "region", "timezone", "language", "tags", "feeds", "news_sitemaps")
    assert [[getattr(o, key) for key in told] for o in from_csv] == [
        [getattr(o, key) for key in told] for o in some.values()
    ]


def test_every_shipped_outlet_survives_the_round_trip():
    again = gather(read_csv(write_csv(OUTLETS.values()).encode(), name="f"), {})
    assert not again.refused
    assert {o.feeds for o in again.new if o.feeds} >= {
        o.feeds for o in OUTLETS.values() if o.feeds and "radiofrance" not in o.site
    }


def test_a_list_with_semicolons_and_other_names_of_columns():
    body = "Name;XmlUrl;Country\nGazette;https://gazette.example/rss;be\n".encode("utf-8-sig")
    [outlet] = gather(read_csv(body, name="f"), {}).new
    assert (outlet.name, outlet.country, outlet.timezone) == ("Gazette", "BE", "Europe/Brussels")


def test_a_cell_is_never_a_formula():
    [outlet] = gather([ListedFeed(url="https://g.example/rss", name="=cmd|' /C calc'!A0")], {}).new
    [_, row] = csv.reader(io.StringIO(write_csv([outlet])))
    assert row[1] == "'=cmd|' /C calc'!A0"
    [again] = read_csv(write_csv([outlet]).encode(), name="f")
    assert again.name == outlet.name


def nested(levels):
    each = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, levels))
    head = f'<?xml version="1.0"?><!DOCTYPE opml [<!ENTITY e0 "{"ha" * 500}">{each}]>'
    return f'{head}<opml><body><outline text="&e{levels - 1};" xmlUrl="https://g.example/"/></body></opml>'.encode()


def test_an_entity_bomb_costs_nothing():
    start = time.perf_counter()
    with pytest.raises(OutletError, match="f: has a DOCTYPE"):
        read_opml(nested(30), name="f")
    assert time.perf_counter() - start < 1


BOMB = b"""<?xml version="1.0"?><!DOCTYPE opml [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><opml><body><outline text="&c;" xmlUrl="https://g.example/"/></body></opml>"""
THIEF = b"""<!DOCTYPE opml [<!ENTITY x SYSTEM "file:///etc/hostname">]>
<opml><body><outline text="&x;" xmlUrl="https://g.example/"/></body></opml>"""


@pytest.mark.parametrize("body", [BOMB, THIEF, BOMB.decode().replace("1.0", "1.0", 1).encode("utf-16")])
def test_entities_are_not_even_declared(body):
    with pytest.raises(OutletError, match="f: has a DOCTYPE"):
        read_opml(body, name="f")


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "is no OPML file"),
        (b"\x00\xff\xfe" * 100, "is no OPML file"),
        (b"<html><body>404</body></html>", "is no OPML file"),
        (b"<rss><channel/></rss>", "is no OPML file"),
        (b"<opml>" + b" " * 5_000_001, "larger than 5 MB"),
    ],
)
def test_what_is_no_opml_is_said(body, sentence):
    with pytest.raises(OutletError, match=sentence):
        read_opml(body, name="f")


def test_a_list_of_many_and_deep_folders_is_read_in_time():
    start = time.perf_counter()
    read_opml(b"<opml><body>" + b"<outline text='a'>" * 100_000, name="f")
    many = b"<opml><body>" + b"<outline text='a' xmlUrl='https://%d.example/'/>" * 50_000 + b"</body></opml>"
    assert len(read_opml(many.replace(b"%d", b"a"), name="f")) == 20_000
    assert time.perf_counter() - start < 5


def test_a_cut_list_gives_what_came():
    assert [feed.name for feed in read_opml(OPML[:330], name="f")] == ["La Gazette de Valmont"]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "no column of feeds"),
        (b"nom,adresse\na,b\n", "no column of feeds"),
        (b"feeds\n\xff", "not UTF-8"),
        (b"x" * 5_000_001, "larger than 5 MB"),
    ],
)
def test_what_is_no_table_of_feeds_is_said(body, sentence):
    with pytest.raises(OutletError, match=sentence):
        read_csv(body, name="f")


@pytest.mark.parametrize("site", ["https://../../x", "https://COM1", "https://%2e%2e", "https://[::1]", "https://é.fr"])
def test_no_site_gives_a_slug_that_leaves_the_folder(site):
    for outlet in gather([ListedFeed(url=f"{site}/rss")], {}).new:
        assert outlet.slug.replace("-", "").isalnum()
        assert outlet.slug.isascii()


def test_import_writes_files_that_load(tmp_path):
    kiosque = Kiosque(tmp_path)
    (tmp_path / "feeds.opml").write_bytes(OPML)
    out, _ = kiosque.run("outlets", "import", str(tmp_path / "feeds.opml"))
    assert "new      gazette-valmont: La Gazette de Valmont (CH, Europe/Zurich), feeds: 2" in out
    assert "known    lemonde: http://www.lemonde.fr/rss/une.xml/ is polled already" in out
    assert load_outlet(kiosque.outlets / "gazette-valmont.toml").tags == ("presse-regionale", "sport")
    out, _ = kiosque.run("outlets", "import", str(tmp_path / "feeds.opml"))
    assert "known    gazette-valmont: https://gazette-valmont.ch/sports.xml is polled already" in out
    assert "new " not in out


def test_import_into_another_folder_says_how_to_use_it(tmp_path):
    kiosque = Kiosque(tmp_path)
    (tmp_path / "f.csv").write_text("feeds\nhttps://gazette.example/rss\n")
    out, _ = kiosque.run("outlets", "import", str(tmp_path / "f.csv"), "--to", str(tmp_path / "own"))
    assert f"kiosque --outlets {tmp_path / 'own'} crawl gazette" in out


def test_export_of_a_country_as_opml(tmp_path):
    kiosque = Kiosque(tmp_path)
    out, _ = kiosque.run("outlets", "export", str(tmp_path / "be.opml"), "--country", "BE")
    assert out.startswith("7 outlets written to ")
    assert "https://www.rtbf.be" in (tmp_path / "be.opml").read_text()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("import", "nowhere.opml"), "nowhere.opml: there is no such file"),
        (("export", "feeds.pdf"), "must end in .opml or .csv"),
        (("export", "/nowhere/feeds.csv"), "cannot be written"),
        (("export", "f.csv", "--country", "QQ"), "no outlet has the country 'QQ'"),
    ],
)
def test_bad_calls_are_one_sentence(tmp_path, arguments, sentence):
    _, err = Kiosque(tmp_path).run("outlets", *arguments, code=2)
    assert sentence in err
    assert err.count("\n") == 1


def test_what_was_added_to_the_home_is_known(tmp_path):
    (tmp_path / "f.csv").write_text("feeds\nhttps://gazette.example/rss\n")
    command = [sys.executable, "-m", "kiosque", "--home", tmp_path, "outlets", "import", tmp_path / "f.csv"]
    first, second = (subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2))
    assert f"kiosque --outlets {tmp_path / 'outlets'} crawl gazette-example --dry-run" in first
    assert second == "known    gazette-example: https://gazette.example/rss is polled already\n"
