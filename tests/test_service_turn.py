"""One scheduler per store: who has it, how it is lost, and that a killed one gives way."""

from __future__ import annotations

import os
import socket

import pytest

from storage.turn import Holder, turn_of


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    return f"sqlite:///{tmp_path / 'k.sqlite'}" if request.param == "sqlite" else request.getfixturevalue("postgresql")


def test_the_second_learns_who_has_it_and_gets_it_when_it_is_given_back(database, tmp_path):
    first, second = turn_of(database, tmp_path), turn_of(database, tmp_path)
    assert first.take()
    assert not second.take()
    holder = second.holder()
    assert (holder.host, holder.pid) == (socket.gethostname()[:60], os.getpid())
    assert first.check() == "held"
    second.release()
    assert not second.take(), "who never had it gives nothing back"
    first.release()
    assert second.take()
    second.release()


def test_a_holder_says_when_it_began():
    from datetime import UTC, datetime  # noqa: PLC0415

    holder = Holder(host="presse", pid=7, since=datetime(2024, 10, 25, 12, 0, tzinfo=UTC))
    assert str(holder) == "pid 7 on presse, since 2024-10-25 12:00:00 UTC"


def test_a_sign_that_somebody_broke_is_nobody(tmp_path):
    turn = turn_of(f"sqlite:///{tmp_path / 'k.sqlite'}", tmp_path)
    (tmp_path / "k.sqlite.scheduler.json").write_text('{"host": 1', encoding="utf-8")
    assert turn.holder() is None


def cut(postgresql):
    """End every connection but our own, as a restart does."""
    import psycopg  # noqa: PLC0415

    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_a_lock_that_went_with_its_connection_is_taken_again(postgresql, tmp_path):
    first, second = turn_of(postgresql, tmp_path), turn_of(postgresql, tmp_path)
    assert first.take()
    cut(postgresql)
    assert first.check() == "held"
    assert not second.take(), "it is the first one's again"
    first.release()
    second.release()


def test_a_lock_that_another_took_meanwhile_is_lost(postgresql, tmp_path):
    first, second = turn_of(postgresql, tmp_path), turn_of(postgresql, tmp_path)
    assert first.take()
    cut(postgresql)
    assert second.take()
    assert first.check() == "lost"
    first.release()
    second.release()


def test_a_database_that_does_not_answer_leaves_it_open(postgresql, tmp_path):
    turn = turn_of(postgresql, tmp_path)
    assert turn.take()
    cut(postgresql)
    turn._engine.dispose()
    turn._engine = turn_of("postgresql://nobody@127.0.0.1:1/none", tmp_path)._engine
    assert turn.check() == "away"
    turn.release()
