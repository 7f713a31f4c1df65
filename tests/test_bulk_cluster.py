"""Bulk rereading on real Dask clusters: killed workers, an interrupted run, a scheduler's address."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command import Kiosque
from test_reread import NOON, html, warc, words_of

from storage.parts import Results

pytestmark = pytest.mark.slow  # clusters in processes of their own


@pytest.fixture
def kiosque(tmp_path):
    made = Kiosque(tmp_path / "home")
    made.outlet("exemple", site="https://exemple.fr", name="L’Exemple")
    return made


def warcs(folder, files, pages):
    folder.mkdir()
    for f in range(files):
        captures = [
            (f"https://exemple.fr/{f}/{n}", html(f"Le quai {f} {n}", lines=words_of(f * 1000 + n)), NOON)
            for n in range(pages)
        ]
        warc(folder / f"{f}.warc.gz", *captures)
    return folder


def descendants(pid):
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, task.read_text().split()):
                found += [child, *descendants(child)]
    return found


def alive(pid):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    return False


def wait_for(condition, seconds=40):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)


def test_a_local_cluster_reads_what_can_be_read_and_names_the_rest(kiosque, tmp_path):
    folder = warcs(tmp_path / "warcs", 3, 5)
    cut = (folder / "1.warc.gz").read_bytes()
    (folder / "1.warc.gz").write_bytes(cut[: len(cut) // 2])
    out, err = kiosque.run("reread", "--engine", "dask", str(folder), "--write", "--json", code=1)
    found = json.loads(out)
    assert found["files"] == {"read": 2, "broken": 1, "skipped": 0}
    assert 10 <= found["outcomes"]["new"] < 15
    assert err.startswith("kiosque: ")
    assert "1.warc.gz" in err
    assert len(kiosque.records()) == found["outcomes"]["new"]
    (folder / "1.warc.gz").write_bytes(cut)
    out, _ = kiosque.run("reread", "--engine", "dask", str(folder), "--write")
    assert "1 files read, 0 broken, 2 done before" in out
    assert len(kiosque.records()) == 15


def test_a_run_that_was_killed_goes_on_with_the_other_files_and_leaves_no_process(kiosque, tmp_path):
    folder, parts = warcs(tmp_path / "warcs", 6, 60), tmp_path / "parts"
    command = ("reread", "--engine", "dask", str(folder), "--to", str(parts), "--json")
    process = kiosque.start(*command)
    wait_for(lambda: parts.exists() and Results(str(parts)).done())
    tree = descendants(process.pid)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    wait_for(lambda: not any(map(alive, tree)))
    done = len(Results(str(parts)).done())
    assert 0 < done < 6
    found = json.loads(kiosque.run(*command)[0])
    assert found["files"] == {"read": 6 - done, "broken": 0, "skipped": done}
    import pyarrow.parquet as pq  # noqa: PLC0415

    urls = [url for path in parts.glob("data/*.parquet") for url in pq.read_table(path)["url"].to_pylist()]
    assert len(urls) == len(set(urls)) == 360


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_all_of_its_processes_ends_it_soon_and_keeps_what_is_done(kiosque, tmp_path, number):
    folder = warcs(tmp_path / "warcs", 6, 60)
    process = kiosque.start("reread", "--engine", "dask", str(folder), "--write", process_group=0)
    wait_for(lambda: (kiosque.home / "kiosque.sqlite").exists() and kiosque.records())
    os.killpg(process.pid, number)  # as a terminal and a service manager do
    _, err = process.communicate(timeout=40)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    kept = len(kiosque.records())
    assert 0 < kept < 360
    out, _ = kiosque.run("reread", "--engine", "dask", str(folder), "--write", "--json")
    assert json.loads(out)["outcomes"]["new"] == 360 - kept


def test_a_worker_that_dies_is_replaced_and_its_file_read_again(kiosque, tmp_path):
    folder, parts = warcs(tmp_path / "warcs", 2, 80), tmp_path / "parts"
    process = kiosque.start(
        "reread", "--engine", "dask", str(folder), "--to", str(parts), "--json", KIOSQUE_WORKERS="2"
    )

    def readers():
        """Workers that have a pool of their own under way."""
        found = [pid for pid in descendants(process.pid) if any(descendants(child) for child in descendants(pid))]
        return [pid for pid in found if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    wait_for(readers)
    os.kill(readers()[0], signal.SIGKILL)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert (json.loads(out)["rows"], json.loads(out)["problems"]) == (160, [])


@contextlib.contextmanager
def dask(*command, **environment):
    """Run a part of a cluster as an operator would; give its address."""
    with subprocess.Popen(
        [sys.executable, "-m", *command], env=os.environ | environment, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.communicate(timeout=20)


@pytest.fixture
def scheduler(tmp_path):
    place = tmp_path / "scheduler.json"
    options = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(place))
    with dask("distributed.cli.dask_scheduler", *options):
        wait_for(lambda: place.exists() and place.read_text(encoding="utf-8").strip().endswith("}"))
        yield json.loads(place.read_text(encoding="utf-8"))["address"]


WORKER = ("distributed.cli.dask_worker", "--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1")


def test_a_scheduler_in_use_does_it(kiosque, tmp_path, scheduler):
    folder, parts = warcs(tmp_path / "warcs", 2, 5), tmp_path / "parts"
    command = ("reread", "--engine", "dask", "--scheduler", scheduler, str(folder), "--to", str(parts))
    with dask(*WORKER, scheduler, DASK_DISTRIBUTED__WORKER__DAEMON="False"):
        out, _ = kiosque.run(*command, "--json")
        assert json.loads(out)["rows"] == 10
        out, _ = kiosque.run("reread", "--engine", "dask", "--scheduler", scheduler, str(folder), "--write", "--json")
        assert json.loads(out)["outcomes"] == {"new": 10}
    assert len(kiosque.records()) == 10


def test_a_worker_that_cannot_do_it_is_said_in_one_sentence(kiosque, tmp_path, scheduler):
    folder = warcs(tmp_path / "warcs", 1, 1)
    with dask(*WORKER, scheduler):
        _, err = kiosque.run("reread", "--engine", "dask", "--scheduler", scheduler, str(folder), code=2)
    assert "DASK_DISTRIBUTED__WORKER__DAEMON=False" in err.splitlines()[-1]


def test_an_address_where_nobody_answers_is_said_in_one_sentence(kiosque, tmp_path):
    folder = warcs(tmp_path / "warcs", 1, 1)
    command = ("reread", "--engine", "dask", str(folder), "--scheduler")
    _, err = kiosque.run(*command, "tcp://127.0.0.1:1", code=2)
    assert "no Dask scheduler answers there" in err.splitlines()[-1]


def test_postgresql_takes_it_from_several_workers_at_once(kiosque, tmp_path, postgresql):
    folder = warcs(tmp_path / "warcs", 4, 20)
    database = {"KIOSQUE_DB": postgresql, "KIOSQUE_WORKERS": "2"}
    out, _ = kiosque.run("reread", "--engine", "dask", str(folder), "--write", "--json", **database)
    assert json.loads(out)["outcomes"] == {"new": 80}
    out, _ = kiosque.run("reread", "--engine", "dask", str(folder), "--again", "--write", "--json", **database)
    assert json.loads(out)["outcomes"] == {"unchanged": 80}


def test_memory_of_a_worker_does_not_grow_with_the_file(kiosque, tmp_path):
    found = []
    for pages in (20, 200):
        body = html("Le quai", more=f"<!-- {'x' * 400_000} -->")
        file = warc(tmp_path / f"{pages}.warc.gz", *((f"https://exemple.fr/{n}", body, NOON) for n in range(pages)))
        out, _ = kiosque.run("reread", "--engine", "dask", str(file), "--to", str(tmp_path / f"p{pages}"), "--json")
        found.append(json.loads(out)["memory_mb"])
    assert found[1] < 1.1 * found[0], found  # 72 MB of pages more
