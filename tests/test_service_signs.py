"""What others see of the service: metrics, probes, systemd's socket, JSON logs."""

from __future__ import annotations

import asyncio
import http.client
import io
import json
import logging
import os
import socket
import time
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from kiosque.cli.logs import JsonLines, OneLine
from kiosque.errors import UsageError
from kiosque.health import Finding, Newest, OutletNumbers
from kiosque.service.look import Look
from kiosque.service.metrics import MOST_OUTLETS, Seen, exposition
from kiosque.service.note import JobRun
from kiosque.service.probes import METRICS, OK, Probes, state_answer
from kiosque.service.pulse import pulse
from kiosque.service.sd_notify import notify, watchdog_seconds
from kiosque.service.vitals import Vitals
from pipelines.tally import Tally

NOON = datetime(2024, 10, 25, 12, 0, tzinfo=UTC)


def seen(**given):
    plain = {"tally": Tally(), "vitals": Vitals(), "jobs": lambda: (), "now": NOON.timestamp}
    return Seen(**plain | given)


def samples(one):
    families = text_string_to_metric_families(exposition(one).decode())
    found = (sample for family in families for sample in family.samples)
    # By name and by the labels' values, in the order of the labels' names.
    return {(one.name, *(value for _, value in sorted(one.labels.items()))): one.value for one in found}


def test_outcomes_timings_jobs_and_freshness_are_exposed():
    tally = Tally()
    tally.polls["parsed"] += 3
    for outcome in ("new", "new", "rejected:too-short", "failed:status-503", "failed:status-502"):
        tally.begin("gazette")
        tally.end("gazette", outcome)
    tally.fetching.add(0.2)
    tally.arrive("gazette", 90.0)
    newest = Newest(id="a", title="t", url="u", first_seen_at=NOON - timedelta(hours=1), published=None)
    look = Look(
        at=NOON,
        numbers={"gazette": OutletNumbers(slug="gazette", articles=7, waiting=2, newest=newest)},
        findings=(Finding(kind="feed-gone", outlet="gazette"),),
    )
    job = JobRun(name="poll_due", runs=4, last_run=NOON, seconds=0.5)
    found = samples(seen(tally=tally, jobs=lambda: [job], look=look))
    assert found["kiosque_polls_total", "parsed"] == 3
    assert found["kiosque_pages_total", "new"] == 2
    assert found["kiosque_pages_total", "failed:status-5xx"] == 2
    assert found["kiosque_outlet_pages_total", "failed", "gazette"] == 2
    assert found["kiosque_fetch_seconds_bucket", "0.25"] == 1
    assert found["kiosque_fetch_seconds_bucket", "0.1"] == 0
    assert found["kiosque_outlet_delay_seconds_sum", "gazette"] == 90
    assert found["kiosque_newest_age_seconds", "gazette"] == 3600
    assert found["kiosque_waiting", "gazette"] == 2
    assert found["kiosque_job_runs_total", "poll_due"] == 4
    assert found["kiosque_job_last_seconds", "poll_due"] == 0.5
    assert found["kiosque_findings", "feed-gone"] == 1
    assert found["kiosque_ready",] == 1


def test_a_hostile_label_is_one_value():
    tally = Tally()
    evil = 'x"} 1\nkiosque_ready 0\n# \\'
    tally.ended[evil, "new"] += 1
    found = samples(seen(tally=tally))
    assert found["kiosque_outlet_pages_total", "new", evil] == 1
    assert found["kiosque_ready",] == 1


def test_the_number_of_series_is_bounded():
    tally = Tally()
    for n in range(3 * MOST_OUTLETS):
        tally.ended[f"o{n}", "new"] += 1
    for status in range(100, 1000):
        tally.ended["o0", f"failed:status-{status}"] += 1
    found = samples(seen(tally=tally))
    names = [key for key in found if key[0] == "kiosque_outlet_pages_total"]
    assert len(names) == MOST_OUTLETS + 2
    assert found["kiosque_outlet_pages_total", "new", "(others)"] == 2 * MOST_OUTLETS
    assert len([key for key in found if key[0] == "kiosque_pages_total"]) == 10


# -- probes ----------------------------------------------------------------------------------------


def get(port, path, method="GET"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request(method, path)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body


@pytest.fixture
def probes():
    vitals = Vitals()
    one = seen(vitals=vitals)
    answers = {
        "/metrics": lambda: (OK, METRICS, exposition(one)),
        "/healthz": state_answer(vitals.sick),
        "/readyz": state_answer(vitals.unready),
    }
    opened = Probes("127.0.0.1:0", answers)
    opened.vitals = vitals
    yield opened
    opened.close()


def test_probes_mean_what_they_say(probes):
    assert get(probes.port, "/healthz") == (200, "ok\n")
    assert get(probes.port, "/readyz?verbose") == (200, "ok\n")
    probes.vitals.claimed -= 500
    assert get(probes.port, "/healthz") == (200, "ok\n")
    assert get(probes.port, "/readyz") == (503, "no feed was looked for since 500 s\n")
    probes.vitals.beat -= 100
    assert get(probes.port, "/healthz") == (503, "the event loop has hung for 100 s\n")


def test_other_paths_and_methods_are_refused(probes):
    assert get(probes.port, "/etc/passwd")[0] == 404
    assert get(probes.port, "/healthz", "POST")[0] == 501
    assert get(probes.port, "/metrics", "HEAD") == (200, "")
    assert "kiosque_ready 1.0" in get(probes.port, "/metrics")[1]


def test_a_client_that_says_nothing_does_not_keep_others_waiting(probes):
    with socket.create_connection(("127.0.0.1", probes.port)):
        assert get(probes.port, "/healthz")[0] == 200


def test_a_port_that_is_taken_is_a_sentence(probes):
    with pytest.raises(UsageError, match=f"metrics.listen: 127.0.0.1:{probes.port} cannot be used"):
        Probes(f"127.0.0.1:{probes.port}", {})


# -- systemd ---------------------------------------------------------------------------------------


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path):
    """What systemd is to a service: a datagram socket."""
    name = str(tmp_path / "notify") if request.param == "path" else f"@kiosque-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(name.replace("@", "\0"))
        listening.settimeout(3)
        yield name, listening


def test_systemd_is_told(manager):
    name, listening = manager
    assert notify("READY=1", "STATUS=scheduling 3 outlets", environment={"NOTIFY_SOCKET": name})
    assert listening.recv(1000) == b"READY=1\nSTATUS=scheduling 3 outlets"


@pytest.mark.parametrize("name", ["", "relative", "/nowhere/at/all"])
def test_nobody_who_listens_is_no_error(name):
    assert not notify("READY=1", environment={"NOTIFY_SOCKET": name})


def test_the_watchdog_is_for_the_process_that_it_names():
    assert watchdog_seconds({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": str(os.getpid())}) == 3.0
    assert watchdog_seconds({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}) is None
    assert watchdog_seconds({"WATCHDOG_USEC": "soon"}) is None
    assert watchdog_seconds({}) is None


def test_the_pulse_feeds_the_watchdog_and_sees_a_jump(manager, monkeypatch):
    name, listening = manager
    monkeypatch.setenv("NOTIFY_SOCKET", name)
    monkeypatch.setenv("WATCHDOG_USEC", "100000")
    monkeypatch.setattr("kiosque.service.pulse.BEAT", 0.02)
    vitals, jumps, notes = Vitals(beat=0.0), [], []

    async def note():
        notes.append(1)

    async def play():
        beating = asyncio.create_task(
            pulse(vitals, turn=None, write_note=note, clock_was_set=lambda: jumps.append(1), lost=lambda: None)
        )
        await asyncio.sleep(0.1)
        real = time.time
        monkeypatch.setattr("kiosque.service.pulse.time.time", lambda: real() + 3600)
        await asyncio.sleep(0.1)
        beating.cancel()
        await asyncio.wait([beating])

    asyncio.run(play())
    assert listening.recv(100) == b"WATCHDOG=1"
    assert (jumps, notes) == ([1], [1])
    assert time.monotonic() - vitals.beat < 5


# -- logs ------------------------------------------------------------------------------------------


def logged(formatter, message, *arguments, **extra):
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    logger = logging.Logger("kiosque.schedule")  # noqa: LOG001 - one that nobody else hears
    logger.addHandler(handler)
    logger.info(message, *arguments, extra=extra)
    return stream.getvalue()


def test_an_event_is_a_json_line_with_fields():
    said = logged(JsonLines(), "new %s", "Le pont\u2028rouvre\n", fields={"outlet": "gazette", "level": "x"})
    assert said.count("\n") == 1
    event = json.loads(said)
    assert (event["message"], event["outlet"], event["level"]) == ("new Le pont\u2028rouvre\n", "gazette", "info")
    assert datetime.fromisoformat(event["at"]).utcoffset() == timedelta(0)


def test_a_hostile_title_is_one_line_of_text():
    said = logged(OneLine(), "new %s", "Le pont\n2024 ERROR \x1b[31mfaux")
    assert said.count("\n") == 1
    assert "\x1b" not in said
