"""Reading beside: a process of its own reads a large SQLite store for an export, by a driver that makes Arrow columns.

Python's own driver makes a value for each of thirty cells of a row, which takes longer than SQLite takes to read them.
That process has a SQLite of its own, which may not be opened here: two of them in one process let go of each other's
locks (https://www.sqlite.org/howtocorrupt.html). What it cannot do is done without it.
"""

from __future__ import annotations

import json
import select
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection

# Rows from which on it pays to start a process: a third of a second.
WORTH_IT = 20_000
# A process that does not answer for so many seconds is done without.
PATIENCE = 20.0
# What a pipe holds, in bytes: a page goes through it in a few turns.
PIPE = 1 << 20
# Another program may write between the beginnings of two transactions, but hardly so often.
TRIES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """A process that reads."""

    process: subprocess.Popen[bytes]

    def begin(self) -> int | None:
        """Begin to see the store as it is now; return the number of its newest change, None when it cannot be seen."""
        with suppress(OSError, ValueError):
            self._ask({})
            if select.select([self._output()], [], [], PATIENCE)[0]:
                return int(self._output().readline())
        return None

    def pages(self, sql: str, *, size: int, order: str, begin: int) -> Iterator[dict[str, Any]]:
        """Yield the columns of a query's pages, in their order; should it fail, the rest is left to the caller.

        The query gives `size` rows and has one parameter: the value of its number column `order` that they come after.
        """
        import pyarrow as pa  # noqa: PLC0415 - not everybody has it

        with suppress(OSError, ValueError):  # Arrow's errors are among them
            self._ask({"sql": sql, "size": size, "order": order, "begin": begin})
            for batch in pa.ipc.open_stream(self._output()):
                yield dict(zip(batch.schema.names, batch.columns, strict=True))

    def _ask(self, request: dict[str, Any]) -> None:
        if self.process.stdin is not None:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()

    def _output(self) -> Any:
        return self.process.stdout


@contextmanager
def beside(path: str | None) -> Iterator[Beside | None]:
    """Start a process that reads the SQLite file at a path, and end it; None where there is none to be had."""
    try:
        process = _started(path) if path is not None else None
    except OSError:
        process = None
    if process is None:
        yield None
        return
    try:
        yield Beside(process=process)
    finally:
        process.kill()
        process.communicate()


def _started(path: str) -> subprocess.Popen[bytes] | None:
    if not sys.executable or find_spec("adbc_driver_sqlite") is None:
        return None
    # -P: this folder has modules named as the standard library's.
    program = [sys.executable, "-P", str(Path(__file__).with_name("beside_reader.py")), str(Path(path).absolute())]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(program, **pipes, pipesize=PIPE)  # noqa: S603 - our own program


@contextmanager
def same_state(
    reading: Callable[[], AbstractContextManager[Connection]],
    last_number: Callable[[Connection], int],
    other: Beside | None,
) -> Iterator[tuple[Connection, Beside | None]]:
    """Open a transaction that sees the same state as the process beside; without that one where it cannot be had.

    Whatever changes an article has a number.
    """
    for _ in range(TRIES if other is not None else 0):
        number = other.begin() if other is not None else None
        with reading() as connection:
            if number == last_number(connection):
                yield connection, other
                return
        if number is None:
            break
    with reading() as connection:
        yield connection, None
