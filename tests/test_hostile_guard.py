"""What DNS answers, how hosts that refuse are left alone, how fast hosts are asked."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest
from command import Kiosque
from scrapy import Request
from scrapy.http import HtmlResponse
from small_site import PAGE, Site, article, feed

from kiosque.addresses import AllowedHosts
from spiders import guard
from spiders.guard import Blocked, PublicHostsOnly, PublicResolver
from spiders.pace import next_pause, slow_down
from spiders.patience import BUSY_FOR, MOST_REFUSALS, REFUSED_FOR, Patience

# -- DNS -----------------------------------------------------------------------------------------


class Dns:
    """A resolver whose answers a test sets."""

    def __init__(self, *answers):
        self.answers = answers

    def resolveHostName(self, receiver, name, *_, **__):  # noqa: N802
        receiver.resolutionBegan(name)
        for answer in self.answers:
            receiver.addressResolved(SimpleNamespace(host=answer))
        receiver.resolutionComplete()
        return name


class Receiver:
    """Takes what the guard lets through."""

    def __init__(self):
        self.began, self.addresses, self.complete = False, [], False

    def resolutionBegan(self, _):  # noqa: N802
        self.began = True

    def addressResolved(self, address):  # noqa: N802
        self.addresses.append(address.host)

    def resolutionComplete(self):  # noqa: N802
        self.complete = True


def resolved(*answers, name="exemple.fr", allowed=""):
    receiver = Receiver()
    reactor = SimpleNamespace(nameResolver=Dns(*answers))
    PublicResolver(reactor, AllowedHosts.parse(allowed)).resolveHostName(receiver, name)
    assert receiver.began
    assert receiver.complete
    return receiver.addresses


@pytest.fixture(autouse=True)
def forget_names():
    guard.refused_names.clear()
    yield
    guard.refused_names.clear()


@pytest.mark.parametrize(
    "answer",
    [
        "127.0.0.1",
        "10.1.2.3",
        "169.254.169.254",
        "::1",
        "::ffff:192.168.0.1",
        "fd00:ec2::254",
        "fe80::1%eth0",
        "0.1.2.3",
    ],
)
def test_a_private_answer_of_dns_is_never_connected_to(answer):
    assert resolved(answer) == []
    assert "exemple.fr" in guard.refused_names


def test_of_mixed_answers_only_the_public_ones_are_left():
    assert resolved("192.0.78.9", "10.0.0.1", "2606:4700::1111") == ["192.0.78.9", "2606:4700::1111"]


def test_a_host_that_was_allowed_by_name_may_have_a_private_address():
    assert resolved("10.0.0.1", name="intranet.exemple", allowed="intranet.exemple") == ["10.0.0.1"]


def test_names_that_strangers_make_up_do_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(guard, "MOST_REFUSED", 3)
    for n in range(10):
        resolved("10.0.0.1", name=f"{n}.fr")
    assert len(guard.refused_names) == 3


def test_without_a_contact_no_stranger_is_asked():
    with pytest.raises(Blocked, match="no-contact"):
        PublicHostsOnly(AllowedHosts(), contact="").process_request(Request("https://exemple.fr/a"))


def test_a_redirect_to_another_host_is_sent_at_that_hosts_pace():
    request = Request("https://ailleurs.example/a", meta={"download_slot": "exemple.fr"})
    PublicHostsOnly(AllowedHosts(), contact="https://nous.example").process_request(request)
    assert "download_slot" not in request.meta, "Scrapy finds it anew"


# -- patience ------------------------------------------------------------------------------------


class Host:
    """Answers of one host to a `Patience` whose clock a test sets."""

    def __init__(self):
        self.now = 0.0
        self.patience = Patience(clock=lambda: self.now)
        self.request = Request("https://exemple.fr/a")

    def answers(self, status, body=b"", **headers):
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        response = HtmlResponse(self.request.url, status=status, body=body, headers=given)
        assert self.patience.process_response(self.request, response) is response

    def is_asked(self, url="https://exemple.fr/a"):
        try:
            self.patience.process_request(Request(url))
        except Blocked as error:
            return not error.passing
        return True


def test_a_host_that_asks_to_wait_is_left_alone_so_long():
    host = Host()
    host.answers(503, Retry_After="60")
    assert not host.is_asked()
    assert host.is_asked("https://autre.fr/a")
    host.now = 61
    assert host.is_asked()


def test_too_many_requests_without_a_word_is_five_minutes():
    host = Host()
    host.answers(429)
    host.now = BUSY_FOR - 1
    assert not host.is_asked()
    host.now = BUSY_FOR + 1
    assert host.is_asked()


def test_a_fault_without_a_word_is_no_wait():
    host = Host()
    host.answers(503)
    assert host.is_asked()


@pytest.mark.parametrize(("status", "body"), [(403, b""), (200, b"<title>Just a moment...</title>")])
def test_a_host_that_refuses_again_and_again_is_left_alone_for_hours(status, body):
    host = Host()
    for _ in range(MOST_REFUSALS - 1):
        host.answers(status, body)
    assert host.is_asked()
    host.answers(status, body)
    host.now = REFUSED_FOR - 1
    assert not host.is_asked()
    host.now = REFUSED_FOR + 1
    assert host.is_asked()


def test_a_page_in_between_ends_the_count():
    host = Host()
    for _ in range(3 * MOST_REFUSALS):
        host.answers(403)
        host.answers(200, b"<p>un article</p>")
    assert host.is_asked()


@pytest.mark.slow
def test_a_crawl_stops_asking_a_host_that_refuses(tmp_path):
    with Site() as site:
        site.answers |= {f"/{n}": (403, PAGE, b"") for n in range(20)}
        site.answers["/rss"] = feed(*(f"{site.url}/{n}" for n in range(20)))
        kiosque = Kiosque(tmp_path / "home", hosts=[site.host])
        found = kiosque.crawl("--feed", f"{site.url}/rss", code=1, KIOSQUE_CRAWL_CONCURRENCY="1")
        assert found["outcomes"] == {"failed:status-403": MOST_REFUSALS, "blocked:host-waits": 20 - MOST_REFUSALS}
        asked = [path for path, _ in site.requests if path[1:].isdigit()]
        assert len(asked) == MOST_REFUSALS


@pytest.mark.slow
def test_what_a_waiting_host_kept_away_is_not_lost(tmp_path):
    with Site() as site:
        site.answers |= {"/0": (429, PAGE, b"", ("Retry-After", "2")), "/1": (200, PAGE, article())}
        site.answers["/rss"] = feed(f"{site.url}/0", f"{site.url}/1")
        kiosque = Kiosque(tmp_path / "home", hosts=[site.host])
        kiosque.outlet("essai", site=site.url, feeds=[f"{site.url}/rss"])
        first = kiosque.crawl("essai", code=1, KIOSQUE_CRAWL_CONCURRENCY="1")
        assert first["outcomes"] == {"failed:status-429": 1, "blocked:host-waits": 1}
        site.answers["/0"] = (
            200,
            PAGE,
            article("Un autre titre", text="Tout autre chose se passe au marché couvert. "),
        )
        time.sleep(2)
        assert kiosque.crawl("essai")["outcomes"] == {"new": 2}


# -- pace ----------------------------------------------------------------------------------------


def test_a_slow_host_is_asked_more_slowly_and_never_faster_than_its_floor():
    assert next_pause(1.0, 5.0, floor=1.0) == 5.0
    assert next_pause(5.0, 0.0, floor=2.0) == 2.5
    assert next_pause(1.0, 500.0, floor=1.0) == 60.0
    assert next_pause(120.0, 0.1, floor=120.0) == 120.0


def test_a_crawl_delay_only_ever_slows_down():
    slot = SimpleNamespace(concurrency=2, delay=1.0, jitter=0.5)
    settings = SimpleNamespace(getfloat=lambda _: 1.0)
    downloader = SimpleNamespace(per_slot_settings={}, slots={"e.fr": slot}, settings=settings)
    crawler = SimpleNamespace(engine=SimpleNamespace(downloader=downloader))
    slow_down(crawler, "e.fr", 0.5)
    assert slot.delay == 1.0
    slow_down(crawler, "e.fr", 7.0)
    assert (slot.concurrency, slot.delay) == (1, 7.0)
    slow_down(crawler, "e.fr", 3.0)
    assert slot.delay == 7.0
    assert downloader.per_slot_settings["e.fr"]["delay"] == 7.0
