"""The change feed as SQL: what became of each article since some change, as columns for exports."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, Text, case, cast, func, literal_column, select

from storage import Batch, Change, ChangeFeed
from storage.changing import AllNew
from storage.columns import LISTS
from storage.queries import chunks
from storage.rows import mark
from storage.schema import addresses, articles, changes, revisions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection

    from storage import ChangeKind, Stop
    from storage.beside import Beside

# Articles in one batch: some megabytes of text. Each column of a batch costs Arrow a few calls, whatever its size.
PAGE = 1_000
# Digits of a change's sign.
SIGN = 8
# The net effect of several changes: the strongest speaks.
WEIGHT: dict[ChangeKind, int] = {"corrected": 1, "revised": 2, "new": 3}
KIND: dict[int, ChangeKind] = {weight: kind for kind, weight in WEIGHT.items()}
FROM_REVISION = tuple(column for column in revisions.c if column.name not in {"change", *LISTS, "rights"})
# JSON stays text; SQLite has it as text already.
AS_JSON = tuple(revisions.c[name] for name in ("authors", "tags", "rights"))
AS_TEXT = tuple(cast(column, Text) for column in AS_JSON)
COLUMNS = (
    *(column.name for column in FROM_REVISION),
    *("authors", "tags", "rights", "first_seen_at", "cluster", "number", "urls"),
)


def open_feed(
    connection: Connection, *, after: int, stop: Stop | None = None, beside: Beside | None = None
) -> ChangeFeed:
    """Open the feed on a connection that sees one state; go on from `stop` when what came before it is still so.

    A process that sees the same state reads `beside`, and gives Arrow's arrays.
    """
    cursor = last_number(connection)
    goes_on = stop is not None and after <= stop.position <= stop.cursor <= cursor and _stands(connection, after, stop)
    begin = stop.position if goes_on and stop is not None else after
    return ChangeFeed(cursor=cursor, batches=_batches(connection, after, begin, beside), goes_on=goes_on)


def _stands(connection: Connection, after: int, stop: Stop) -> bool:
    """Tell whether no article that stood in the feed up to its stop has changed since."""
    since = select(changes.c.id).where(changes.c.number > stop.cursor)
    last = func.max(changes.c.number)
    moved = (
        select(changes.c.id)
        .where(changes.c.number <= stop.cursor, changes.c.id.in_(since))
        .group_by(changes.c.id)
        .having(last > after, last <= stop.position)
    )
    return connection.execute(moved.limit(1)).first() is None


def last_number(connection: Connection) -> int:
    """Return the number of the newest change."""
    return connection.execute(select(func.max(changes.c.number))).scalar() or 0


def sign(connection: Connection, number: int) -> str:
    """Return eight hexadecimal digits that stand for a change: what it was, of which article, and when."""
    query = select(changes.c.id, changes.c.revision, changes.c.kind, changes.c.at).where(changes.c.number == number)
    row = connection.execute(query).first()
    return mark(":".join(map(str, row)))[:SIGN] if row is not None else ""


def _batches(connection: Connection, after: int, begin: int, beside: Beside | None) -> Iterator[Batch]:
    if beside is not None:
        for columns in beside.pages(_statement(connection), size=PAGE, order="number", begin=begin):
            begin = int(columns["number"][-1].as_py())
            yield _batch(connection, columns, after)
    for rows in _pages(connection, _rows(connection).where(articles.c.change > begin)):
        yield _batch(connection, dict(zip(COLUMNS, zip(*rows, strict=True), strict=True)), after)
    if after:
        yield from _deleted(connection, after)


def _rows(connection: Connection) -> Select[Any]:
    """Select the latest revision of each article, its columns `COLUMNS`."""
    latest = (articles.c.id == revisions.c.id) & (articles.c.revision == revisions.c.revision)
    head = (articles.c.first_seen_at, articles.c.cluster, articles.c.change.label("number"))
    lists = AS_JSON if connection.dialect.name == "sqlite" else AS_TEXT
    its = (*FROM_REVISION, *lists, *head, _urls(connection).label("urls"))
    return select(*its).join(articles, latest).order_by(articles.c.change)


def _statement(connection: Connection) -> str:
    """Return the SQL of a page after a change, which is its one parameter."""
    page = _rows(connection).where(articles.c.change > literal_column("?")).limit(PAGE)
    return str(page.compile(connection, compile_kwargs={"literal_binds": True}))


def _pages(connection: Connection, query: Select[Any]) -> Iterator[Sequence[Any]]:
    if connection.dialect.name == "sqlite":
        # The driver's own rows: SQLAlchemy's cost as much as reading them.
        cursor: Any = connection.execute(query).cursor
        while rows := _undecoded(connection, cursor):
            yield rows
    else:
        streamed = connection.execution_options(stream_results=True, yield_per=PAGE)
        yield from streamed.execute(query).partitions(PAGE)


def _undecoded(connection: Connection, cursor: Any) -> Sequence[Any]:
    """Read rows with their texts as UTF-8: Parquet holds that, and decoding takes longer than reading."""
    driver: Any = connection.connection.driver_connection
    driver.text_factory = bytes
    try:
        return list(cursor.fetchmany(PAGE))
    finally:
        driver.text_factory = str


def _urls(connection: Connection) -> Any:
    """Select an article's other addresses as a JSON list."""
    together = func.json_group_array if connection.dialect.name == "sqlite" else func.json_agg
    its = (addresses.c.article == articles.c.id, addresses.c.url != revisions.c.url)
    own = select(cast(together(addresses.c.url), Text)).where(*its)
    return own.correlate(articles, revisions).scalar_subquery()


def _batch(connection: Connection, columns: dict[str, Any], after: int) -> Batch:
    noted = AllNew(columns["id"], columns.pop("number"), columns["revision"])
    if not after:
        return Batch(changes=noted, columns=columns)
    kinds = _kinds(connection, [change.id for change in noted], after)
    return Batch(changes=[replace(change, kind=kinds.get(change.id, "new")) for change in noted], columns=columns)


def _kinds(connection: Connection, ids: Sequence[str], after: int) -> dict[str, ChangeKind]:
    weight = func.max(case(*((changes.c.kind == kind, n) for kind, n in WEIGHT.items()), else_=WEIGHT["new"]))
    return {
        id_: KIND[heaviest]
        for some in chunks(sorted(ids))
        for id_, heaviest in connection.execute(
            select(changes.c.id, weight).where(changes.c.id.in_(some), changes.c.number > after).group_by(changes.c.id)
        )
    }


def _deleted(connection: Connection, after: int) -> Iterator[Batch]:
    query = (
        select(changes.c.number, changes.c.id)
        .where(changes.c.number > after, changes.c.kind == "deleted", changes.c.id.not_in(select(articles.c.id)))
        .order_by(changes.c.number)
    )
    for rows in connection.execute(query).partitions(PAGE):
        gone = tuple(Change(number=number, id=id_, revision=0, kind="deleted") for number, id_ in rows)
        yield Batch(changes=gone, columns=dict.fromkeys((name for name in COLUMNS if name != "number"), ()))
