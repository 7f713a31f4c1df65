"""The service as a process: another one takes over, files change under it, signals, probes, a life in minutes."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from command import Kiosque
from small_site import PAGE, Site, article, feed
from test_polling_service import until

from kiosque.service import note
from storage import open_storage
from storage.notes import read_note
from storage.turn import SCHEDULER

pytestmark = pytest.mark.slow  # crawls in processes of their own

SOAK = Path(__file__).resolve().parents[1] / "bench" / "soak.py"


@pytest.fixture
def site():
    with Site() as opened:
        opened.answers |= {"/a": (200, PAGE, article()), "/rss": feed(f"{opened.url}/a")}
        yield opened


@pytest.fixture
def kiosque(tmp_path, site):
    kiosque = Kiosque(tmp_path / "home", hosts=[site.host])
    kiosque.outlet("essai", site=site.url, feeds=[f"{site.url}/rss"])
    kiosque.environment |= {"KIOSQUE_SCHEDULE_TICK": "0.2", "KIOSQUE_METRICS_LISTEN": f"127.0.0.1:{free_port()}"}
    return kiosque


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@contextmanager
def running(kiosque, *arguments, log, **changes):
    """Run the service, its log in a file: nobody reads a pipe meanwhile."""
    command = [sys.executable, "-m", "kiosque", "--home", kiosque.home, "--outlets", kiosque.outlets]
    with log.open("w") as to:
        process = subprocess.Popen([*command, *arguments], env=kiosque.environment | changes, stderr=to)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)
    assert "Traceback" not in log.read_text(encoding="utf-8")


def ready(kiosque):
    host, _, port = kiosque.environment["KIOSQUE_METRICS_LISTEN"].partition(":")
    try:
        connection = http.client.HTTPConnection(host, int(port), timeout=5)
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_one_in_waiting_takes_over_when_the_first_is_killed(engine, request, kiosque, site, tmp_path):
    if engine == "postgresql":
        kiosque.environment["KIOSQUE_DB"] = request.getfixturevalue("postgresql")
    first_log, second_log = tmp_path / "first.log", tmp_path / "second.log"
    with running(kiosque, "schedule", log=first_log) as first:
        until(lambda: site.asked("/a"))
        _, err = kiosque.run("schedule", code=2)
        assert f"another scheduler runs on this store (pid {first.pid} on {socket.gethostname()[:60]}, since" in err
        changes = {"KIOSQUE_METRICS_LISTEN": ""}
        with running(kiosque, "schedule", "--standby", log=second_log, **changes) as second:
            until(lambda: f"another scheduler has the store (pid {first.pid}" in second_log.read_text())
            asked = len(site.asked("/rss"))
            first.send_signal(signal.SIGKILL)
            first.wait()
            site.answers |= {"/b": (200, PAGE, article("Autre titre")), "/rss2": feed(f"{site.url}/b")}
            kiosque.outlet("autre", site=site.url, feeds=[f"{site.url}/rss2"])
            until(lambda: "this scheduler has the store now" in second_log.read_text())
            until(lambda: site.asked("/b"), seconds=90)
            assert second.poll() is None
        assert second.returncode == 0
    assert asked >= 1


def test_a_scheduler_whose_store_another_took_ends_with_status_1(kiosque, site, postgresql, tmp_path):
    import psycopg  # noqa: PLC0415

    log = tmp_path / "log"
    with running(kiosque, "schedule", log=log, KIOSQUE_DB=postgresql) as process:
        until(lambda: site.asked("/a"))
        with psycopg.connect(postgresql, autocommit=True) as other:
            low = SCHEDULER & 0xFFFFFFFF
            other.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE objsubid = 1 AND objid = %s", [low])
            other.execute("SET lock_timeout = '5s'")
            other.execute("SELECT pg_advisory_lock(%s)", [SCHEDULER])
            assert process.wait(timeout=30) == 1
    assert "another scheduler took this store while the database was away" in log.read_text()


def test_one_in_waiting_ends_at_sigterm(kiosque, tmp_path):
    with running(kiosque, "schedule", log=tmp_path / "first.log"):
        until(lambda: ready(kiosque))
        with running(kiosque, "schedule", "--standby", log=tmp_path / "second.log") as second:
            until(lambda: "standing by" in (tmp_path / "second.log").read_text())
        assert second.returncode == 0


def test_files_change_under_a_running_service(kiosque, site, tmp_path):
    log = tmp_path / "log"
    with running(kiosque, "schedule", log=log) as process:
        until(lambda: ready(kiosque))
        site.answers |= {"/b": (200, PAGE, article("Autre titre")), "/rss2": feed(f"{site.url}/b")}
        kiosque.outlet("autre", site=site.url, feeds=[f"{site.url}/rss2"])
        process.send_signal(signal.SIGHUP)
        until(lambda: site.asked("/b"))
        (kiosque.outlets / "autre.toml").write_text("name = ", encoding="utf-8")
        process.send_signal(signal.SIGHUP)
        until(lambda: "not reloaded, what ran before goes on" in log.read_text())
        assert ready(kiosque)
        (kiosque.outlets / "autre.toml").unlink()
        until(lambda: log.read_text().count("reloaded: ") == 2, seconds=90)  # nobody told it
    assert process.returncode == 0


def test_sigterm_ends_it_within_its_time_whatever_is_under_way(kiosque, site, tmp_path):
    """A page that never ends is under way; what it would have brought waits on the frontier."""
    site.answers["/a"] = lambda _: time.sleep(60)
    with running(kiosque, "schedule", log=tmp_path / "log", KIOSQUE_SCHEDULE_STOP_TIME="1") as process:
        until(lambda: site.asked("/a"))
        start = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
        assert time.monotonic() - start < 10
    store = open_storage(f"sqlite:///{kiosque.home / 'kiosque.sqlite'}")
    said = note.decode(read_note(store, note.KEY))
    waiting = store.pending(["essai"])
    store.close()
    assert (said.pid, said.stopped is not None) == (process.pid, True)
    assert [entry.url for entry in waiting] == [f"{site.url}/a"]


def test_status_shows_the_jobs_and_systemd_is_told(kiosque, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(20)
        told = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "90000000"}
        with running(kiosque, "schedule", log=tmp_path / "log", **told) as process:
            assert manager.recv(1000) == b"READY=1\nSTATUS=scheduling 1 outlets"
            assert manager.recv(1000) == b"WATCHDOG=1"
            until(lambda: ready(kiosque))
            found = json.loads(kiosque.run("status", "--json")[0])["service"]
            assert (found["pid"], found["running"]) == (process.pid, True)
            names = {job["name"] for job in found["jobs"]}
            assert {"poll_due", "retry_due", "revisit_due", "clean_learned", "check_health", "refresh_rights"} <= names
            out, _ = kiosque.run("status")
            assert f"Service: pid {process.pid} on" in out
            assert "retain_archive" in out
        words = set()
        while b"STOPPING=1" not in words:
            words.add(manager.recv(1000))


def test_status_can_be_watched(kiosque):
    kiosque.crawl("essai")
    for seconds in (2, 10, 30):  # there is nothing to see from outside when the first screen was drawn
        out = watched(kiosque, seconds)
        if "1 outlet · 1 article" in out:
            return
    raise AssertionError(out)


def watched(kiosque, seconds):
    with kiosque.start("status", "--watch") as watching:
        loaded = Path(f"/proc/{watching.pid}/maps")
        until(lambda: "sqlite3" in loaded.read_text())  # it looks into the store now
        time.sleep(seconds)
        watching.send_signal(signal.SIGINT)
        out, err = watching.communicate(timeout=30)
    assert (watching.returncode, err) == (0, "")
    return out


def test_a_nightly_export_is_written_in_a_process_of_its_own(kiosque, tmp_path):
    import asyncio  # noqa: PLC0415
    from dataclasses import replace  # noqa: PLC0415

    from kiosque.errors import KiosqueError  # noqa: PLC0415
    from kiosque.service.rounds import export  # noqa: PLC0415
    from kiosque.settings import load_settings  # noqa: PLC0415

    kiosque.crawl("essai")
    settings = load_settings(
        environment={}, home=kiosque.home, export_folder=str(tmp_path / "dataset"), export_format="jsonl"
    )
    asyncio.run(export(settings))
    assert json.loads((tmp_path / "dataset" / "manifest.json").read_text(encoding="utf-8"))["rows"] == 1
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    with pytest.raises(KiosqueError, match=r"the export failed: kiosque: .*holds something else"):
        asyncio.run(export(replace(settings, export_folder=str(tmp_path / "taken"))))


@pytest.mark.slow
@pytest.mark.parametrize(("form", "there"), [("jsonl", "manifest.json"), ("delta", "_delta_log")])
def test_the_nightly_export_goes_where_a_url_says_and_as_a_delta_table(kiosque, tmp_path, form, there):
    import asyncio  # noqa: PLC0415

    from kiosque.service.rounds import export  # noqa: PLC0415
    from kiosque.settings import load_settings  # noqa: PLC0415

    pytest.importorskip("fsspec" if form == "jsonl" else "deltalake")
    kiosque.crawl("essai")
    (kiosque.home / "kiosque.toml").write_text(
        f'[export]\nfolder = "file://{tmp_path}/far/press"\nformat = "{form}"\n', encoding="utf-8"
    )
    asyncio.run(export(load_settings(environment={}, home=kiosque.home)))
    assert (tmp_path / "far" / "press" / there).exists()


def test_the_archive_lets_go_of_old_pages(kiosque):
    import asyncio  # noqa: PLC0415
    from datetime import UTC, datetime, timedelta  # noqa: PLC0415

    from kiosque.settings import load_settings  # noqa: PLC0415
    from pipelines.archivist import open_archive  # noqa: PLC0415

    kiosque.crawl("essai")
    archivist = open_archive(load_settings(environment={}, home=kiosque.home))
    later = datetime.now(UTC).date() + timedelta(days=40)
    assert asyncio.run(archivist.prune(today=later, keep_days=0, keep_gb=0)) == []
    assert len(asyncio.run(archivist.prune(today=later, keep_days=30, keep_gb=0))) == 1
    archivist.close()


def test_two_simulated_days_with_faults_and_kills_store_every_article_once(tmp_path):
    """The short form of `bench/soak.py`; the figures of the long one stand in docs/operations.md."""
    given = ["--days", "1", "--outlets", "6", "--speed", "4500", "--keep", str(tmp_path / "soak")]
    found = subprocess.run(
        [sys.executable, str(SOAK), *given], capture_output=True, text=True, check=False, timeout=180
    )
    said = json.loads(found.stdout)
    assert (said["published"], said["stored"], said["missing"], said["twice"]) == (120, 120, 0, 0), said
    assert said["good"], said
