"""Alerts: once per incident, grouped, with an all-clear, over real HTTP and SMTP on loopback."""

from __future__ import annotations

import asyncio
import email
import json
import socketserver
import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from kiosque.errors import UsageError
from kiosque.health import Finding
from kiosque.polling import new_feed
from kiosque.service import incidents
from kiosque.service.alerts import AlertError, send, title
from kiosque.service.incidents import CALM, Incident, News, follow, news, told
from kiosque.service.rounds import check_health
from kiosque.settings import Settings, load_settings
from storage import open_storage
from storage.notes import read_note

NOON = datetime(2024, 10, 25, 12, 0, tzinfo=UTC)


def gone(outlet="gazette", feed="https://gazette.example/rss"):
    return Finding(kind="feed-gone", outlet=outlet, facts={"feed": feed, "reason": "410", "failures": "2"})


def look(before, *found, minutes=0):
    return follow(before, found, now=NOON + timedelta(minutes=minutes))


def test_an_incident_is_told_once_and_once_when_it_is_over():
    known = look((), gone())
    first = news(known)
    assert [one.outlet for one in first.opened] == ["gazette"]
    known = told(known, first)
    known = look(known, gone(), minutes=5)
    assert not news(known)
    for n in range(CALM):
        assert not news(known)
        known = look(known, minutes=10 + n)
    last = news(known)
    assert [one.kind for one in last.over] == ["feed-gone"]
    assert last.over[0].since == NOON
    assert told(known, last) == ()


def test_what_comes_and_goes_is_one_incident():
    known = told(look((), gone()), news(look((), gone())))
    known = look(look(known), gone())
    assert not news(known)
    assert known[0].calm == 0


def test_what_could_not_be_told_is_told_the_next_time():
    known = look(look((), gone()), gone())
    assert len(news(known).opened) == 1


def test_what_ended_before_anybody_was_told_is_never_told():
    known = look((), gone())
    for _ in range(CALM):
        known = look(known)
    assert known == ()


def test_what_is_only_worth_a_look_alarms_nobody():
    assert look((), Finding(kind="feed-silent", outlet="gazette", facts={"feed": "f", "since": "x"})) == ()
    assert look((), Finding(kind="reload-failed", outlet="", facts={"reason": "x.toml: no"}))


def test_two_feeds_of_an_outlet_are_two_incidents():
    assert len(look((), gone(feed="https://a.example/1"), gone(feed="https://a.example/2"))) == 2


def test_incidents_survive_a_restart_and_what_cannot_be_read_is_none():
    known = look((), gone())
    assert incidents.decode(incidents.encode(known)) == known
    assert incidents.decode("[{") == ()


def test_a_title_counts():
    one = look((), gone())[0]
    assert title(News(opened=(one,))) == "Kiosque: 1 new problem"
    assert title(News(opened=(one, one), over=(one,), lasting=3)) == (
        "Kiosque: 2 new problems, 1 problem over, 3 still open"
    )


# -- over the wire ---------------------------------------------------------------------------------


@contextmanager
def serving(server):
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def hook(status=200, **headers):
    got = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((self.path, self.headers["Content-Type"], json.loads(body)))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_):
            pass

    with serving(HTTPServer(("127.0.0.1", 0), Handler)) as server:
        server.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
        server.got = got
        yield server


@contextmanager
def mail_server(*, refuse=False):
    """As much SMTP (RFC 5321) as a message needs."""
    got = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            self.say("220 essai")
            envelope = []
            while line := self.rfile.readline().decode().strip():
                match line.split(":")[0].split(" ")[0].upper():
                    case "DATA":
                        self.say("354 go on")
                        got.append((envelope, self.message()))
                        self.say("250 kept")
                    case "QUIT":
                        self.say("221 bye")
                        return
                    case "RCPT" if refuse:
                        self.say("550 no such person")
                    case verb:
                        envelope += [line] if verb in {"MAIL", "RCPT"} else []
                        self.say("250 ok")

        def message(self):
            lines = []
            while (line := self.rfile.readline()) != b".\r\n":
                lines.append(line)
            return email.message_from_bytes(b"".join(lines), policy=email.policy.default)

        def say(self, text):
            self.wfile.write(f"{text}\r\n".encode())

    with serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)) as server:
        server.daemon_threads = True
        server.place = f"127.0.0.1:{server.server_address[1]}"
        server.got = got
        yield server


def an_alert(**facts):
    found = gone(**facts)
    return news(look((), found))


def test_a_webhook_gets_json_with_a_text():
    with hook() as server:
        assert send(an_alert(), Settings(alerts_webhook=server.url), now=NOON) == []
    ((path, kind, said),) = server.got
    assert (path, kind) == ("/hook", "application/json; charset=utf-8")
    assert said["title"] == "Kiosque: 1 new problem"
    assert said["text"].startswith(
        "Kiosque: 1 new problem\n\nNEW  gazette: The feed https://gazette.example/rss is gone"
    )
    assert said["opened"][0]["kind"] == "feed-gone"
    assert said["over"] == []


def test_a_webhook_that_redirects_is_not_followed():
    with hook() as other, hook(302, Location=other.url) as server, pytest.raises(AlertError, match="answers 302"):
        send(an_alert(), Settings(alerts_webhook=server.url), now=NOON)
    assert other.got == []


def test_a_webhook_that_is_not_there_is_one_sentence():
    with hook() as server:
        pass
    with pytest.raises(AlertError, match="the webhook cannot be reached"):
        send(an_alert(), Settings(alerts_webhook=server.url), now=NOON)


def test_a_mail_is_written_and_a_hostile_feed_adds_no_header():
    with mail_server() as server:
        settings = Settings(alerts_email="lea@example.org, yves@example.org", alerts_smtp=server.place)
        send(an_alert(feed="https://x.example/\r\nBcc: victim@example.org\r\n.\r\n"), settings, now=NOON)
    ((envelope, message),) = server.got
    assert [line.split(":", 1)[1].split(">")[0].strip(" <") for line in envelope] == [
        "lea@example.org",
        "lea@example.org",
        "yves@example.org",
    ]
    assert message["Subject"] == "Kiosque: 1 new problem"
    assert message["Bcc"] is None
    assert "Bcc: victim" in message.get_content()


def test_one_way_that_fails_does_not_keep_the_other_from_telling():
    with mail_server(refuse=True) as mail, hook() as web:
        settings = Settings(alerts_email="lea@example.org", alerts_smtp=mail.place, alerts_webhook=web.url)
        complaints = send(an_alert(), settings, now=NOON)
    assert len(web.got) == 1
    assert "did not take it" in complaints[0]


def test_a_look_at_the_store_alerts_once_and_gives_the_all_clear(tmp_path):
    with hook() as server:
        settings = Settings(home=tmp_path, db=f"sqlite:///{tmp_path / 'k.sqlite'}", alerts_webhook=server.url)
        url = "https://gazette.example/rss"
        outlets = {"gazette": an_outlet(url)}
        state = replace(new_feed(url, outlet="gazette", now=NOON), health="gone", last_polled=NOON)
        keep(settings, state)
        for minutes in (0, 5):
            asyncio.run(check_health(settings, outlets, now=NOON + timedelta(minutes=minutes)))
        keep(settings, replace(state, health="ok"))
        for n in range(CALM + 1):
            asyncio.run(check_health(settings, outlets, now=NOON + timedelta(minutes=10 + n)))
    assert [said["title"] for _, _, said in server.got] == [
        "Kiosque: 1 new problem",
        "Kiosque: all clear, 1 problem over",
    ]


def test_alerts_are_off_by_default(tmp_path):
    settings = Settings(home=tmp_path, db=f"sqlite:///{tmp_path / 'k.sqlite'}")
    state = new_feed("https://gazette.example/rss", outlet="gazette", now=NOON)
    keep(settings, replace(state, health="gone", last_polled=NOON))
    found = asyncio.run(check_health(settings, {"gazette": an_outlet(state.url)}, now=NOON))
    assert [one.kind for one in found.findings] == ["feed-gone"]
    store = open_storage(settings.database)
    assert [one.told for one in incidents.decode(read_note(store, incidents.KEY))] == [False]
    store.close()


def keep(settings, state):
    store = open_storage(settings.database)
    store.save_feed(state)
    store.close()


def an_outlet(url):
    from kiosque.model import Outlet  # noqa: PLC0415

    return Outlet(slug="gazette", name="La Gazette", site="https://gazette.example", country="FR", feeds=(url,))


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("KIOSQUE_ALERTS_WEBHOOK", "file:///etc/passwd", "begins with http:// or https://"),
        ("KIOSQUE_ALERTS_EMAIL", "lea", "an e-mail address"),
        ("KIOSQUE_ALERTS_EMAIL", "lea@example.org\nBcc: x@example.org", "an e-mail address"),
        ("KIOSQUE_ALERTS_SMTP", "example.org", "HOST:PORT"),
        ("KIOSQUE_ALERTS_SMTP_SECURITY", "ssl", "one of none, starttls, tls"),
        ("KIOSQUE_EXPORT_AT", "25:00", "an hour and minute"),
        ("KIOSQUE_EXPORT_FORMAT", "xlsx", "one of parquet, jsonl, csv"),
        ("KIOSQUE_METRICS_LISTEN", "9464", "HOST:PORT"),
        ("KIOSQUE_LOG_FORMAT", "xml", "one of text, json"),
        ("KIOSQUE_SCHEDULE_TICK", "nan", "a number from 0"),
    ],
)
def test_a_wrong_setting_is_named(name, value, wanted, tmp_path):
    with pytest.raises(UsageError, match=name) as error:
        load_settings(environment={name: value}, home=tmp_path)
    assert wanted in str(error.value)


def test_the_password_is_shown_nowhere(tmp_path):
    settings = load_settings(environment={"KIOSQUE_ALERTS_SMTP_PASSWORD": "geheim"}, home=tmp_path)
    assert settings.alerts_smtp_password == "geheim"  # noqa: S105
    assert "geheim" not in repr(settings)


def test_the_shape_of_an_incident_is_bounded():
    found = Finding(kind="feed-gone", outlet="gazette", facts={"feed": "x" * 9_000, "reason": "", "failures": "1"})
    (one,) = look((), found)
    assert isinstance(one, Incident)
    assert len(one.part) <= 300
    assert len(one.says) <= 1_000
