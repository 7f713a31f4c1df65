"""Outlets picked by country, region and tags, and `kiosque outlets` on the command line."""

import json
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from kiosque.cli.outlets import outlets_app
from kiosque.errors import OutletError
from kiosque.outlets import choose, load_outlets, named
from kiosque.settings import Settings

OUTLETS = load_outlets()


def test_no_filter_keeps_all():
    assert choose(OUTLETS) == OUTLETS


def test_a_country_or_another():
    chosen = choose(OUTLETS, countries=["re", "YT"])
    assert {outlet.country for outlet in chosen.values()} == {"RE", "YT"}


def test_a_part_of_a_region_is_enough_and_accents_do_not_matter():
    assert "ouest-france" in choose(OUTLETS, regions=["bretagne"])
    assert "ledevoir" in choose(OUTLETS, regions=["quebec"])


def test_tags_hold_together():
    chosen = choose(OUTLETS, countries=["BE"], tags=["regional", "daily"])
    assert list(chosen) == ["lavenir", "sudinfo"]


def test_a_misspelt_slug_gets_the_nearest():
    with pytest.raises(OutletError, match="no outlet is called 'lemond', did you mean 'lemonde'"):
        named(OUTLETS, "lemond")


def test_a_slug_like_no_other_gets_the_way_to_the_list():
    with pytest.raises(OutletError, match="`kiosque outlets list` shows those there are"):
        named(OUTLETS, "§§§§")


def globals_of(outlets_dir):
    return SimpleNamespace(settings=lambda: Settings(outlets_dir=outlets_dir, db="memory:"))


def run(*arguments, outlets_dir=None):
    result = CliRunner().invoke(outlets_app, arguments, obj=globals_of(outlets_dir))
    assert result.exception is None, result.exception
    return result.output


def test_the_list_is_a_table_of_one_line_an_outlet():
    lines = run("list", "--country", "RE").splitlines()
    assert lines[0].split() == ["Outlet", "Name", "Country", "Region", "Tags", "Feeds"]
    assert [line.split()[0] for line in lines[1:]] == ["clicanoo", "imazpress", "zinfos974"]


def test_the_list_in_json_has_every_field():
    outlets = json.loads(run("list", "--kind", "agency", "--format", "json"))
    assert [outlet["slug"] for outlet in outlets] == ["agenceecofin", "aip", "alterpresse"]
    assert outlets[1]["timezone"] == "Africa/Abidjan"


def test_an_empty_list_says_so():
    assert run("list", "--tag", "nothing").strip() == "No outlet matches."
    assert json.loads(run("list", "--tag", "nothing", "--format", "json")) == []


def test_the_list_holds_the_outlets_of_ones_own(tmp_path):
    own = 'name = "[bold]Gazette[/bold]"\nsite = "https://gazette.example"\ncountry = "FR"\nregion = "Ici"\n'
    (tmp_path / "gazette.toml").write_text(own)
    assert "[bold]Gazette[/bold]" in run("list", "--region", "ici", outlets_dir=tmp_path)


def test_show_prints_the_declaration():
    shown = run("show", "lequotidien-sn")
    assert shown.startswith('# lequotidien-sn.toml\nname = "Le Quotidien (Sénégal)"\n')
    assert json.loads(run("show", "lequotidien-sn", "--format", "json"))["country"] == "SN"


def test_show_of_an_unknown_slug_is_an_outlet_error():
    result = CliRunner().invoke(outlets_app, ["show", "nowhere"], obj=globals_of(None))
    assert isinstance(result.exception, OutletError)
