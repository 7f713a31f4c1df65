"""`kiosque outlets check`: ok, warning, broken or blocked, with the reason and the likely mend."""

import json
from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, date, datetime
from urllib.parse import urlsplit

import pytest
from command import Kiosque
from small_site import PAGE, Site, article, feed

from kiosque.cli.outlets_turns import looks_seen, remember
from kiosque.demo import DemoPress
from kiosque.scout.health import Look, in_turn, judge

pytestmark = pytest.mark.slow  # crawls in processes of their own

TODAY = date(2026, 3, 2)
SITE = "https://gazette.example"
GOOD = Look(place="feed", url=f"{SITE}/rss", entries=10, newest=TODAY)
READ = Look(place="article", url=f"{SITE}/a")


def judged(*looks):
    return judge("gazette", "La Gazette", SITE, looks, today=TODAY)


def lost(outcome, place="feed"):
    return Look(place=place, url=f"{SITE}/{place}", outcome=outcome)


def test_feeds_and_articles_that_are_read_are_ok():
    assert (judged(GOOD, READ, READ).state, judged(GOOD, READ).findings) == ("ok", ())


@pytest.mark.parametrize(
    ("outcome", "state", "mend"),
    [
        ("failed:status-404", "broken", "the feed moved"),
        ("problem:html", "broken", "a page stands where the feed was"),
        ("problem:not-xml", "broken", "no feed any more"),
        ("failed:dns", "broken", "the domain is gone"),
        ("blocked:robots", "blocked", "robots.txt closes it"),
        ("failed:status-403", "blocked", "it refuses us"),
        ("failed:challenge", "blocked", "a browser"),
        ("failed:status-503", "warning", "out of order"),
        ("failed:timeout", "warning", "check again tomorrow"),
        ("problem:empty-feed", "warning", "has no entries"),
    ],
)
def test_what_became_of_the_only_feed(outcome, state, mend):
    health = judged(lost(outcome))
    assert health.state == state
    assert mend in health.findings[0].mend


@pytest.mark.parametrize(
    ("outcome", "state", "mend"),
    [
        ("rejected:no-text", "broken", "the template changed"),
        ("rejected:login-wall", "blocked", "behind a login"),
        ("rejected:not-french", "warning", "another language"),
        ("blocked:reserved", "blocked", "ask for leave"),
    ],
)
def test_what_became_of_the_articles(outcome, state, mend):
    health = judged(GOOD, lost(outcome, "article"), lost(outcome, "article"))
    assert health.state == state
    assert mend in health.findings[0].mend


def test_one_of_two_that_fails_is_a_warning():
    assert judged(GOOD, lost("failed:status-404"), READ).state == "warning"
    assert judged(GOOD, READ, lost("rejected:too-short", "article")).state == "warning"


def test_a_feed_that_moved_is_named():
    [finding] = judged(Look(place="feed", url=f"{SITE}/rss", moved_to=f"{SITE}/feed"), READ).findings
    assert (finding.state, finding.reason) == ("warning", f"moved to {SITE}/feed")


def test_a_feed_that_says_nothing_new_for_a_month():
    [finding] = judged(Look(place="feed", url=f"{SITE}/rss", newest=date(2026, 1, 5)), READ).findings
    assert finding.reason == "newest entry of 2026-01-05"


def test_a_selector_that_matches_on_no_article_is_a_template_that_changed():
    one, other = (Look(place="article", url=f"{SITE}/a", unmatched=css) for css in ((".a", ".b"), (".b", ".c")))
    health = judge("gazette", "La Gazette", SITE, [GOOD, one, other], today=TODAY, fields=(".a", ".b"))
    assert [(finding.state, finding.reason) for finding in health.findings] == [("warning", ".b matches nothing")]


def test_reserved_rights_are_said():
    health = judged(GOOD, Look(place="article", url=f"{SITE}/a", reserved="tdmrep.json"), READ)
    assert (health.state, health.findings[0].reason) == ("warning", "reserved by tdmrep.json")


def test_an_outlet_without_feeds_is_broken():
    assert judged().state == "broken"


def test_many_feeds_take_turns_and_the_main_one_is_always_polled():
    feeds = ["une", *(f"section{n}" for n in range(6))]
    polled = {}
    for day in (2, 16, 30):  # every other week, as somebody may run it
        now = in_turn(feeds, most=4, polled=polled)
        assert now[0] == "une"
        assert len(now) == 4
        polled |= dict.fromkeys(now, date(2026, 3, day))
        if day == 16:
            assert set(polled) == set(feeds)  # each once before any section a second time
    assert in_turn(["une"], most=4, polled={}) == ("une",)
    assert in_turn([], most=4, polled={}) == ()


def test_an_outlet_whose_host_had_enough_is_not_called_ok():
    health = judged(lost("skipped:budget"))
    assert (health.state, health.findings[0].reason) == ("warning", "not-looked-at")
    assert judged(GOOD, lost("skipped:budget"), READ).state == "ok"


def test_what_an_earlier_run_saw_of_a_waiting_feed_is_a_warning_with_its_day():
    earlier = Look(place="feed", url=f"{SITE}/sport", outcome="failed:status-404", day=date(2026, 2, 23))
    health = judge("gazette", "La Gazette", SITE, [GOOD, READ], today=TODAY, unpolled=[earlier.url], earlier=[earlier])
    assert health.state == "warning"
    assert [finding.reason for finding in health.findings] == ["failed:status-404 on 2026-02-23"]


def test_a_feed_is_not_stale_because_its_last_turn_is_long_ago():
    earlier = Look(place="feed", url=f"{SITE}/sport", newest=date(2025, 12, 1), day=date(2025, 12, 2))
    assert judge("gazette", "La Gazette", SITE, [GOOD, READ], today=TODAY, earlier=[earlier]).state == "ok"


def test_turns_are_remembered_and_a_damaged_memory_begins_anew(tmp_path):
    section = Look(place="feed", url=f"{SITE}/sport", outcome="problem:html", newest=TODAY, entries=3)
    health = judge("gazette", "La Gazette", SITE, [GOOD, section, READ], today=TODAY, unpolled=[f"{SITE}/culture"])
    assert remember(tmp_path, [health], {}, today=TODAY) == ""
    assert looks_seen(tmp_path) == {look.url: replace(look, day=TODAY) for look in (GOOD, section)}
    for damaged in ("", "[1]", '{"a": 1}', '[{"url": "x", "day": "hier"}]', "[" * 90_000):
        (tmp_path / "outlets-check.json").write_text(damaged)
        assert looks_seen(tmp_path) == {}
    (tmp_path / "file").touch()
    assert "cannot be written" in remember(tmp_path / "file", [health], {}, today=TODAY)


def test_the_demo_press_is_fine_and_is_asked_little(tmp_path):
    with DemoPress() as press:
        kiosque = Kiosque(tmp_path, hosts=press.hosts)
        press.write_outlets(kiosque.outlets)
        out, err = kiosque.run("outlets", "check", *(outlet.slug for outlet in press.outlets))
        assert [line.split()[0] for line in out.splitlines() if line[0] != " "][:3] == ["ok"] * 3, out
        assert out.endswith("3 ok\n")
        asked = Counter(request.host for request in press.requests)
        assert max(asked.values()) <= 8
        assert err == ""
        assert not (tmp_path / "kiosque.sqlite").exists()


def test_each_kind_of_trouble_is_found_over_http(tmp_path):
    today = datetime.now(UTC).date().isoformat()
    with ExitStack() as stack:
        sites = {name: stack.enter_context(Site()) for name in ("gone", "robots", "template", "moved", "many", "fine")}
        kiosque = Kiosque(tmp_path, hosts=[site.host for site in sites.values()])
        for name, site in sites.items():
            site.answers["/a"] = site.answers["/b"] = (200, PAGE, article(day=today))
            site.answers["/rss"] = feed(f"{site.url}/a", f"{site.url}/b")
            kiosque.outlet(name, site=site.url, feeds=[f"{site.url}/rss"], language="any")
        del sites["gone"].answers["/rss"]
        sites["robots"].answers["/robots.txt"] = (200, "text/plain", b"User-agent: *\nDisallow: /rss\n")
        sites["template"].answers |= {
            f"/{n}": (200, PAGE, b"<html><body><nav>Accueil</nav></body></html>") for n in "ab"
        }
        sites["moved"].answers["/feed"] = sites["moved"].answers["/rss"]
        sites["moved"].answers["/rss"] = (301, PAGE, b"", ("Location", "/feed"))
        with (kiosque.outlets / "fine.toml").open("a") as file:
            file.write('\n[read]\nauthors_css = ".signature"\n')
        many = sites["many"]
        more = [f"{many.url}/rss{n}" for n in range(20)]
        many.answers |= {urlsplit(url).path: many.answers["/rss"] for url in more}
        kiosque.outlet("many", site=many.url, feeds=[f"{many.url}/rss", *more], language="any")
        out, err = kiosque.run("outlets", "check", *sites, "--json", code=1)
        found = {outlet["slug"]: outlet for outlet in json.loads(out)["outlets"]}
        assert {slug: outlet["state"] for slug, outlet in found.items()} == {
            "gone": "broken",
            "robots": "blocked",
            "template": "broken",
            "moved": "warning",
            "many": "warning",  # entries of an old year in the test's feed
            "fine": "warning",
        }
        assert found["gone"]["findings"][0]["mend"].startswith("the feed moved")
        assert f"moved to {sites['moved'].url}/feed" in [f["reason"] for f in found["moved"]["findings"]]
        assert "the template changed" in found["template"]["findings"][0]["mend"]
        assert "newest entry of 2024-10-25" in [f["reason"] for f in found["fine"]["findings"]]
        assert ".signature matches nothing" in [f["reason"] for f in found["fine"]["findings"]]
        assert len(found["many"]["unpolled"]) == 17
        assert len(many.requests) <= 8
        assert "Traceback" not in err


def test_each_feed_is_polled_over_successive_runs(tmp_path):
    with Site() as site:
        kiosque = Kiosque(tmp_path, hosts=[site.host])
        site.answers["/a"] = (200, PAGE, article(day=datetime.now(UTC).date().isoformat()))
        paths = ["/rss", *(f"/rss{n}" for n in range(7))]
        site.answers |= dict.fromkeys(paths, feed(f"{site.url}/a"))
        kiosque.outlet("many", site=site.url, feeds=[f"{site.url}{path}" for path in paths], language="any")
        polled = []
        for _ in range(3):
            before = len(site.requests)
            out, err = kiosque.run("outlets", "check", "many")
            polled.append({path for path, _ in site.requests[before:]} & set(paths))
            assert err == ""
        assert [len(each) for each in polled] == [4, 4, 4]
        assert set.union(*polled) == set(paths)
        assert f"not polled this time: {site.url}/rss2, {site.url}/rss3, {site.url}/rss4 and 1 more" in out


def test_a_host_that_is_gone_is_not_taken_for_one_that_forbids(tmp_path):
    with Site({"/robots.txt": (503, PAGE, b"")}) as site:
        kiosque = Kiosque(tmp_path, hosts=[site.host, "127.0.0.1:9"])
        kiosque.outlet("down", site="http://127.0.0.1:9", feeds=["http://127.0.0.1:9/rss"])
        kiosque.outlet("ill", site=site.url, feeds=[f"{site.url}/rss"])
        out, err = kiosque.run("outlets", "check", "down", "ill", "--json")
        reasons = [outlet["findings"][0]["reason"] for outlet in json.loads(out)["outlets"]]
        assert reasons == ["failed:refused", "failed:status-503"]
        assert err == ""


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("lemond",), "did you mean 'lemonde'"),
        (("lemonde",), "KIOSQUE_CONTACT"),
        ((), "KIOSQUE_CONTACT"),
        (("--group", "nothing"), "no outlet has the group 'nothing'"),
    ],
)
def test_bad_calls_are_said(tmp_path, arguments, sentence):
    _, err = Kiosque(tmp_path).run("outlets", "check", *arguments, code=2)
    assert sentence in err
