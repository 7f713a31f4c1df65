"""robots.txt and tdmrep.json, by their specifications, against a server on loopback."""

from __future__ import annotations

import asyncio
import itertools
import json
import time

import pytest
from command import Kiosque
from small_site import PAGE, Site, article, feed

from spiders.host_files import Answer, HostFiles, Reading
from spiders.reservations import PATH as TDMREP
from spiders.robots import LONGEST_DELAY, MOST_READ, read_robots

pytestmark = pytest.mark.slow  # crawls in processes of their own

TEXT = "text/plain"
ROBOTS = "/robots.txt"
GOOD = article()


@pytest.fixture
def site():
    with Site() as opened:
        opened.answers |= {"/a": (200, PAGE, GOOD), "/prive/a": (200, PAGE, article("Une affaire privée"))}
        yield opened


@pytest.fixture
def kiosque(tmp_path, site):
    return Kiosque(tmp_path / "home", hosts=[site.host])


def told(text):
    return read_robots(Answer(status=200, body=text.encode()))


def test_a_server_fault_closes_the_host_and_the_address_waits(kiosque, site):
    site.answers[ROBOTS] = (503, TEXT, b"")
    found = kiosque.crawl("--url", f"{site.url}/a", code=1)
    assert found["outcomes"] == {"blocked:robots": 1}
    assert site.asked("/a") == []


def test_what_an_unread_robots_txt_kept_away_is_fetched_when_it_can_be_read(kiosque, site):
    site.answers |= {"/rss": feed(f"{site.url}/a"), ROBOTS: (200, TEXT, b"")}
    kiosque.outlet("essai", site=site.url, feeds=[f"{site.url}/rss"])
    kiosque.crawl("essai", "--limit", "0")
    site.answers[ROBOTS] = (500, TEXT, b"")
    assert kiosque.crawl("essai", code=1)["outcomes"] == {"blocked:robots": 1}
    site.answers[ROBOTS] = (200, TEXT, b"")
    assert kiosque.crawl("essai")["outcomes"] == {"new": 1}


def test_a_robots_txt_that_never_answers_closes_the_host(kiosque, site):
    site.answers[ROBOTS] = lambda _: time.sleep(4)
    found = kiosque.crawl("--url", f"{site.url}/a", code=1, KIOSQUE_CRAWL_TIMEOUT="0.4")
    assert found["outcomes"] == {"blocked:robots": 1}
    assert site.asked("/a") == []


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_host_that_has_none_or_will_not_show_it_is_open(status):
    assert read_robots(Answer(status=status)).value.allows("https://exemple.fr/a")


@pytest.mark.parametrize("answer", [Answer(status=500), Answer(status=429), Answer(failure="TimeoutError")])
def test_a_host_whose_robots_txt_cannot_be_read_is_closed(answer):
    reading = read_robots(answer)
    assert not reading.value.allows("https://exemple.fr/a")
    assert not reading.sure


def test_robots_txt_is_asked_once_for_a_whole_crawl(kiosque, site):
    site.answers |= {f"/{n}": (200, PAGE, article(f"Titre {n}")) for n in range(5)}
    site.answers["/rss"] = feed(*(f"{site.url}/{n}" for n in range(5)))
    kiosque.crawl("--feed", f"{site.url}/rss")
    assert len(site.asked(ROBOTS)) == 1
    assert len(site.asked(TDMREP)) == 1


@pytest.mark.parametrize(("hops", "outcome"), [(5, "blocked:robots"), (6, "new")])
def test_five_redirects_of_robots_txt_are_followed_and_a_sixth_is_none(kiosque, site, hops, outcome):
    site.answers[ROBOTS] = (302, TEXT, b"", ("Location", "/r1"))
    site.answers |= {f"/r{n}": (302, TEXT, b"", ("Location", f"/r{n + 1}")) for n in range(1, hops)}
    site.answers[f"/r{hops}"] = (200, TEXT, b"User-agent: *\nDisallow: /a")
    found = kiosque.crawl("--url", f"{site.url}/a", code=int(outcome != "new"))
    assert found["outcomes"] == {outcome: 1}


def test_a_robots_txt_that_leads_to_a_private_address_is_not_followed_and_closes(kiosque, site):
    site.answers[ROBOTS] = (302, TEXT, b"", ("Location", "http://169.254.169.254/robots.txt"))
    assert kiosque.crawl("--url", f"{site.url}/a", code=1)["outcomes"] == {"blocked:robots": 1}


def test_only_the_first_half_megabyte_counts():
    padding = "# rien\n" * (MOST_READ // 7 + 1)
    assert told(f"User-agent: *\nDisallow: /a\n{padding}").value.allows("https://e.fr/a") is False
    assert told(f"User-agent: *\nDisallow: /b\n{padding}\nDisallow: /a\n").value.allows("https://e.fr/a") is True


def test_our_name_is_kiosque():
    robots = told("User-agent: *\nDisallow: /\n\nUser-agent: kiosque\nDisallow: /prive").value
    assert robots.allows("https://e.fr/a")
    assert not robots.allows("https://e.fr/prive/a")


def test_the_longest_rule_wins_and_wildcards_count():
    robots = told("User-agent: *\nDisallow: /*.pdf$\nDisallow: /a\nAllow: /a/ouvert").value
    assert not robots.allows("https://e.fr/x/y.pdf")
    assert not robots.allows("https://e.fr/a/b")
    assert robots.allows("https://e.fr/a/ouvert/1")


def test_a_crawl_delay_is_capped():
    assert told("User-agent: *\nCrawl-delay: 86400").value.delay == LONGEST_DELAY
    assert told("User-agent: *\nCrawl-delay: vite").value.delay == 0


def test_a_robots_txt_made_to_hang_a_matcher_does_not():
    start = time.monotonic()
    robots = told("User-agent: *\n" + "Disallow: /" + "*a" * 5000 + "b\n" + "Disallow: /x*y\n" * 30_000).value
    assert robots.allows("https://e.fr/" + "a" * 3000)
    assert time.monotonic() - start < 3


def test_crawl_delay_spaces_the_requests(kiosque, site):
    times = []

    def page(handler):
        times.append(time.monotonic())
        handler.send_response(200)
        handler.send_header("Content-Type", PAGE)
        handler.send_header("Content-Length", str(len(GOOD)))
        handler.end_headers()
        handler.wfile.write(GOOD)

    site.answers |= {f"/{n}": page for n in range(3)}
    site.answers |= {
        ROBOTS: (200, TEXT, b"User-agent: *\nCrawl-delay: 0.5"),
        "/rss": feed(*(f"{site.url}/{n}" for n in range(3))),
    }
    kiosque.crawl("--feed", f"{site.url}/rss")
    gaps = [later - sooner for sooner, later in itertools.pairwise(times)]
    assert len(gaps) == 2
    assert min(gaps) >= 0.45


# -- how long an answer holds --------------------------------------------------------------------


class Host:
    """A host file whose answers and clock a test sets."""

    def __init__(self):
        self.now = 0.0
        self.files = HostFiles("/f", read=self.read, clock=lambda: self.now)

    @staticmethod
    def read(answer):
        return Reading(value=answer.body.decode() or "rien", seconds=100, sure=answer.status == 200)


def test_what_a_host_said_holds_on_while_it_gives_no_answer():
    host = Host()
    assert host.files.keep("https://e.fr", Answer(status=200, body=b"un")) == "un"
    assert host.files.keep("https://e.fr", Answer(status=500)) == "un"
    assert host.files.keep("https://e.fr", Answer(status=500)) == "un"
    assert host.files.keep("https://autre.fr", Answer(status=500)) == "rien"


def test_a_host_file_is_asked_again_when_its_time_is_over(monkeypatch):
    host, asked = Host(), []

    async def ask(url, _, *, mark):
        asked.append((url, mark))
        return Answer(status=200, body=b"un")

    monkeypatch.setattr("spiders.host_files.asked", ask)

    async def thrice():
        several = await asyncio.gather(*(host.files.get("https://e.fr/a", None) for _ in range(5)))
        host.now = 99
        again = await host.files.get("https://e.fr/b", None)
        host.now = 101
        return [*several, again, await host.files.get("https://e.fr/c", None)]

    assert set(asyncio.run(thrice())) == {"un"}
    assert asked == [("https://e.fr/f", "/f")] * 2


def test_a_host_that_another_worker_was_at_is_asked_by_whoever_needs_it_next():
    host = Host()
    host.files.keep("https://e.fr", Answer(failure="host-busy"))
    assert host.files._kept["https://e.fr"].until == host.now, "it said nothing: that holds no time at all"


def test_hosts_are_forgotten_beyond_a_bound(monkeypatch):
    monkeypatch.setattr("spiders.host_files.MOST_HOSTS", 3)
    host = Host()
    for n in range(10):
        host.files.keep(f"https://{n}.fr", Answer(status=200, body=b"un"))
    assert len(host.files._kept) == 3


# -- rights --------------------------------------------------------------------------------------


def reserve(site, *paths):
    rules = [{"location": path, "tdm-reservation": 1, "tdm-policy": "https://e.fr/p"} for path in paths]
    site.answers[TDMREP] = (200, "application/json", json.dumps(rules).encode())


def test_what_a_host_reserves_is_stored_and_marked_with_its_place(kiosque, site):
    reserve(site, "/prive/*")
    kiosque.crawl("--url", f"{site.url}/a", "--url", f"{site.url}/prive/a")
    rights = {record.url.removeprefix(site.url): record.rights for record in kiosque.records()}
    assert rights["/a"].tdm_reserved is None
    assert rights["/prive/a"].tdm_reserved is True
    assert rights["/prive/a"].tdm_policy == "https://e.fr/p"
    assert ("tdmrep.json", "tdm-reservation 1") in rights["/prive/a"].said


def test_with_refuse_what_a_host_reserves_is_not_fetched(kiosque, site):
    reserve(site, "/prive/*")
    found = kiosque.crawl("--url", f"{site.url}/a", "--url", f"{site.url}/prive/a", KIOSQUE_RIGHTS_RESERVED="refuse")
    assert found["outcomes"] == {"new": 1, "blocked:reserved": 1}
    assert site.asked("/prive/a") == []


@pytest.mark.parametrize(
    "answer",
    [
        (200, PAGE, GOOD, ("TDM-Reservation", "1")),
        (200, PAGE, article(head='<meta name="tdm-reservation" content="1">')),
    ],
)
def test_with_refuse_a_page_that_reserves_itself_is_not_kept(kiosque, site, answer):
    site.answers["/a"] = answer
    found = kiosque.crawl("--url", f"{site.url}/a", code=1, KIOSQUE_RIGHTS_RESERVED="refuse")
    assert found["outcomes"] == {"blocked:reserved": 1}
    assert kiosque.records() == []
    assert not list((kiosque.home / "archive").rglob("*.warc*"))


def test_with_refuse_a_host_that_does_not_tell_is_not_asked_for_pages(kiosque, site):
    site.answers[TDMREP] = (500, TEXT, b"")
    found = kiosque.crawl("--url", f"{site.url}/a", code=1, KIOSQUE_RIGHTS_RESERVED="refuse")
    assert found["outcomes"] == {"blocked:reserved": 1}
    assert site.asked("/a") == []


def test_with_ignore_nobody_looks(kiosque, site):
    reserve(site, "/*")
    site.answers["/a"] = (200, PAGE, GOOD, ("TDM-Reservation", "1"))
    kiosque.crawl("--url", f"{site.url}/a", KIOSQUE_RIGHTS_RESERVED="ignore")
    (record,) = kiosque.records()
    assert record.rights.tdm_reserved is None
    assert site.asked(TDMREP) == []


def test_a_pages_own_word_counts_more_than_its_hosts(kiosque, site):
    reserve(site, "/*")
    site.answers["/a"] = (200, PAGE, GOOD, ("TDM-Reservation", "0"), ("X-Robots-Tag", "noai"))
    kiosque.crawl("--url", f"{site.url}/a")
    (record,) = kiosque.records()
    assert record.rights.tdm_reserved is False
    assert record.rights.noai is True
    assert ("X-Robots-Tag", "noai") in record.rights.said


def test_tdmrep_is_not_asked_where_robots_txt_closes_it(kiosque, site):
    site.answers[ROBOTS] = (200, TEXT, b"User-agent: *\nDisallow: /.well-known/")
    reserve(site, "/*")
    assert kiosque.crawl("--url", f"{site.url}/a")["outcomes"] == {"new": 1}
    assert site.asked(TDMREP) == []


def test_the_demo_press_reserves_its_subscribers_path(tmp_path):
    from kiosque.demo import DemoPress  # noqa: PLC0415

    with DemoPress() as press:
        kiosque = Kiosque(tmp_path / "home", hosts=press.hosts)
        press.write_outlets(kiosque.outlets)
        kiosque.crawl(press.outlets[2].slug)
        reserved = {fact.url for fact in press.expected() if fact.reserved}
        assert reserved
        assert {record.url for record in kiosque.records() if record.rights.tdm_reserved} == reserved
