"""Run as a program: reads pages of a query on a SQLite file straight into Arrow, and writes them to standard output.

It stands apart from the rest, and imports nothing of it, since it has to start quickly. A line of standard input is
`{}`, which begins a transaction and is answered by the number of the newest change, or the fields of a query, which
is answered by all its pages as one Arrow stream of binary columns. See `storage.beside`.
"""

from __future__ import annotations

import gc
import json
import signal
import sys
from array import array
from contextlib import closing
from typing import TYPE_CHECKING, Any

sys.modules["numpy"] = None  # type: ignore[assignment]  # pyarrow loads it when it can, and does without

import adbc_driver_sqlite  # noqa: E402
import pyarrow as pa  # noqa: E402
from adbc_driver_manager import AdbcConnection, AdbcStatement  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

LAST_NUMBER = "SELECT coalesce(max(number), 0) AS number FROM changes"


def main(path: str) -> None:
    """Answer requests until one was answered by pages, or none comes."""
    gc.disable()  # there are no cycles, and looking for them takes a part of the time
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started this one ends it
    with closing(adbc_driver_sqlite.connect(path)) as database, closing(AdbcConnection(database)) as connection:
        connection.set_autocommit(False)
        for line in sys.stdin.buffer:
            request = json.loads(line)
            if "sql" in request:
                _send(_pages(connection, **request))
                return
            connection.rollback()
            print(_table(connection, LAST_NUMBER)["number"][0].as_py(), flush=True)  # noqa: T201 - it speaks so


def _send(pages: Iterator[pa.RecordBatch]) -> None:
    writer = None
    for page in pages:
        if writer is None:
            writer = pa.ipc.new_stream(sys.stdout.buffer, page.schema)
        writer.write_batch(page)
        sys.stdout.buffer.flush()
    if writer is not None:
        writer.close()


def _pages(connection: AdbcConnection, *, sql: str, size: int, order: str, begin: int) -> Iterator[pa.RecordBatch]:
    """Yield the rows after `begin` in pages of a size; the query has one parameter, the last value of `order`."""
    while (found := _table(connection, sql, _number(begin), size=size)).num_rows:
        begin = found[order][-1].as_py()
        yield pa.record_batch([_binary(column) for column in found.columns], names=found.schema.names)


def _table(connection: AdbcConnection, sql: str, values: pa.RecordBatch | None = None, *, size: int = 1) -> pa.Table:
    with closing(AdbcStatement(connection)) as statement:
        # By the rows of a batch the driver learns the types of columns.
        statement.set_options(**{"adbc.sqlite.query.batch_rows": str(size)})
        statement.set_sql_query(sql)
        if values is not None:
            schema, array = values.__arrow_c_array__()
            statement.bind(array, schema)
        stream, _ = statement.execute_query()
        return pa.RecordBatchReader.from_stream(stream).read_all()


def _number(value: int) -> pa.RecordBatch:
    """Return a row of one number; `pa.array` would load pandas, where it is installed."""
    return pa.record_batch(
        [pa.Array.from_buffers(pa.int64(), 1, [None, pa.py_buffer(array("q", [value]))])], names=["begin"]
    )


def _binary(column: Any) -> pa.Array:
    """Return a column as UTF-8, numbers in decimal: which type it has depends on the page's own values."""
    whole = column.combine_chunks()
    if pa.types.is_binary(whole.type):
        return whole
    return (whole if pa.types.is_string(whole.type) else whole.cast(pa.string())).view(pa.binary())


if __name__ == "__main__":
    main(sys.argv[1])
