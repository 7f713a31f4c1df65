"""Changed files take effect while the service runs; broken ones change nothing, and that is said."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace

import pytest

from kiosque.service.host_rights import HostRights, compared, decode, encode, judge_rights
from kiosque.service.reload import Reloader, merged
from kiosque.service.rights_round import origins
from kiosque.settings import Settings, load_settings

GAZETTE = (
    'name = "La Gazette"\nsite = "https://gazette.example"\ncountry = "FR"\nfeeds = ["https://gazette.example/rss"]\n'
)


class Home:
    """A home and what was applied of it."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "outlets").mkdir()
        self.write("outlets/gazette.toml", GAZETTE)
        self.applied = []
        self.reloader = Reloader(
            self.settings(), read=self.settings, choose=lambda outlets, _: sorted(outlets), apply=self.applied.append
        )
        self._changes = 0

    def settings(self):
        return load_settings(environment={}, home=self.folder)

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        self._changes = getattr(self, "_changes", 0) + 1
        os.utime(path, ns=(self._changes * 10**9, self._changes * 10**9))

    def look(self, times=2):
        async def looks():
            for _ in range(times):
                await self.reloader.watch()

        asyncio.run(looks())


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path)


def test_what_did_not_change_is_not_read_again(home):
    home.look(5)
    assert home.applied == []


def test_a_new_outlet_is_crawled_and_one_whose_file_goes_is_not(home):
    home.write("outlets/fanal.toml", GAZETTE.replace("Gazette", "Fanal").replace("gazette", "fanal"))
    home.look()
    assert {"fanal", "gazette"} <= set(home.applied[-1].slugs)
    (home.folder / "outlets" / "gazette.toml").unlink()
    home.look()
    assert "gazette" not in home.applied[-1].slugs
    assert len(home.applied) == 2


def test_a_file_that_is_being_written_is_left_alone(home):
    home.write("outlets/fanal.toml", "name = ")
    home.look(1)
    home.write("outlets/fanal.toml", GAZETTE.replace("gazette", "fanal"))
    home.look(1)
    assert (home.applied, home.reloader.error) == ([], None)
    home.look(1)
    assert "fanal" in home.applied[-1].slugs


def test_a_broken_file_keeps_what_ran_and_is_said_until_it_is_mended(home, caplog):
    home.write("outlets/gazette.toml", GAZETTE + "feed = 1\n")
    home.look()
    assert home.applied == []
    assert "gazette.toml" in home.reloader.error
    assert "not reloaded, what ran before goes on" in caplog.text
    home.look()
    assert caplog.text.count("not reloaded") == 1, "once for each change"
    home.write("outlets/gazette.toml", GAZETTE)
    home.look()
    assert home.reloader.error is None
    assert len(home.applied) == 1


def test_a_setting_takes_effect_at_once_or_is_named(home, caplog):
    home.write("kiosque.toml", "[schedule]\npoll_min = 60.0\n[crawl]\nconcurrency = 4\n")
    home.look()
    assert (home.applied[-1].settings.poll_min, home.applied[-1].settings.concurrency) == (60.0, 32)
    assert "used after a restart: crawl.concurrency" in caplog.text


def test_settings_that_nothing_reads_twice_wait_for_a_restart():
    now, later = merged(Settings(), replace(Settings(), workers=3, alerts_webhook="https://x.example/"))
    assert (now.workers, now.alerts_webhook, later) == (0, "https://x.example/", ("workers",))


# -- the hosts' rights -----------------------------------------------------------------------------


def noon():
    from datetime import UTC, datetime  # noqa: PLC0415

    return datetime(2024, 10, 25, 12, 0, tzinfo=UTC)


def after(before, says):
    return {host.origin: host for host in compared(before, {"https://a.example": ("a", says)}, now=noon())}


def test_a_host_that_reserves_its_rights_is_named_for_a_week():
    from datetime import timedelta  # noqa: PLC0415

    known = after(after({}, "open"), "open, reserved")
    (found,) = judge_rights(known.values(), now=noon())
    assert (found.kind, found.outlet, found.facts["before"]) == ("rights-changed", "a", "open")
    assert list(judge_rights(known.values(), now=noon() + timedelta(days=8))) == []
    assert decode(encode(known.values())) == known


def test_a_host_that_does_not_answer_says_what_it_said():
    known = after(after(after({}, "open"), "unread"), "open")
    assert known["https://a.example"] == HostRights(origin="https://a.example", outlet="a", says="open")


def test_every_host_of_an_outlet_is_asked_once():
    from kiosque.model import Outlet  # noqa: PLC0415

    one = Outlet(
        slug="a",
        name="A",
        site="https://a.example/",
        country="FR",
        feeds=("https://f.example/1", "https://f.example/2"),
    )
    assert list(origins([one])) == ["https://a.example", "https://f.example"]
