"""The dataset as a Delta Lake table: each export is one transaction of it, a whole one or a merge of what changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kiosque import __version__
from kiosque.errors import StorageError, UsageError
from storage.columns import Filters, select_rows
from storage.cursor import cursor_text, read_cursor

try:
    import pyarrow as pa
    from deltalake import CommitProperties, DeltaTable, write_deltalake
    from deltalake.exceptions import DeltaError
except ImportError as error:  # pragma: no cover - the tests have it
    raise UsageError("--format delta needs deltalake: pip install 'kiosque[delta]'") from error

from storage.arrow import schema_of, sound, table_of
from storage.remote import is_remote

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from storage import ChangeFeed, Store

# What a merge is told of each row besides.
KIND = "_kind"
# How the table's history names where an export ended, and what it left out.
CURSOR, FILTERS = "kiosque.cursor", "kiosque.filters"
PARTITION = "published_month"


class _Counted:
    """The feed as Arrow batches, read once and in bounded memory; counts as they pass."""

    def __init__(self, feed: ChangeFeed, filters: Filters, names: Sequence[str]) -> None:
        self._feed, self._filters = feed, filters
        self._schema = schema_of(names)
        self.rows = self.reserved = self.duplicates = 0

    def rows_only(self) -> pa.RecordBatchReader:
        """Read the rows that stand."""
        return pa.RecordBatchReader.from_batches(self._schema, self._batches(deleted=False))

    def with_kinds(self) -> pa.RecordBatchReader:
        """Read the rows with their kind, and those that were deleted with nothing but their id."""
        schema = self._schema.append(pa.field(KIND, pa.string()))
        return pa.RecordBatchReader.from_batches(schema, self._batches(deleted=True))

    def _batches(self, *, deleted: bool) -> Iterator[pa.RecordBatch]:
        for batch in self._feed.batches:
            selected = select_rows(batch, self._filters)
            self.reserved += selected.reserved
            self.duplicates += selected.duplicates
            if selected.columns.get("id"):
                table = sound(table_of(selected.columns, self._schema))
                self.rows += table.num_rows
                yield from _of_kind(table, "kept").to_batches() if deleted else table.to_batches()
            gone = [change.id for change in selected.changes if change.kind == "deleted"]
            if deleted and gone:
                columns = {name: pa.nulls(len(gone), self._schema.field(name).type) for name in self._schema.names}
                yield from _of_kind(pa.table(columns | {"id": gone}, schema=self._schema), "deleted").to_batches()


def _of_kind(table: pa.Table, kind: str) -> pa.Table:
    return table.append_column(pa.field(KIND, pa.string()), pa.array([kind] * table.num_rows, pa.string()))


def export_delta(
    store: Store, place: str, *, names: Sequence[str], since: str | None = None, filters: Filters | None = None
) -> dict[str, Any]:
    """Write the dataset into a Delta table at a folder or URL, made on first use; return what was written.

    Without `since` the table is replaced; readers of an earlier version still have it. With a cursor, changed rows
    replace those of their `id` and deleted ones go, all in one transaction. Raises `UsageError` for a cursor of another
    store or a table that is not there, `StorageError` otherwise.
    """
    after = read_cursor(since, store) if since is not None else None
    filters = filters or Filters()
    with store.changed(after=after or 0, arrow=True) as feed:
        cursor = cursor_text(store, feed.cursor)
        said = {CURSOR: cursor, FILTERS: str(filters), "kiosque.version": __version__}
        counted = _Counted(feed, filters, names)
        try:
            if after is None:
                _replace(place, counted, said)
            else:
                _merge(place, counted, said)
        except (DeltaError, OSError) as error:
            raise StorageError(f"{place}: {str(error).splitlines()[0]}; the table is as it was") from error
    return {
        "rows": counted.rows,
        "reserved_left_out": counted.reserved,
        "duplicates_left_out": counted.duplicates,
        "cursor": cursor,
    }


def _replace(place: str, counted: _Counted, said: dict[str, str]) -> None:
    if DeltaTable.is_deltatable(place):
        _refuse_foreign(DeltaTable(place))
    elif not is_remote(place) and Path(place).exists() and any(Path(place).iterdir()):
        raise StorageError(f"{place} holds something else than a Delta table; choose an empty folder")
    write_deltalake(
        place,
        counted.rows_only(),
        mode="overwrite",
        schema_mode="overwrite",
        partition_by=[PARTITION],
        commit_properties=CommitProperties(custom_metadata=said),
    )


def _merge(place: str, counted: _Counted, said: dict[str, str]) -> None:
    if not DeltaTable.is_deltatable(place):
        raise UsageError(f"{place} holds no Delta table to merge changes into; make a full export first")
    table = DeltaTable(place)
    _refuse_foreign(table)
    matched = "new._kind = 'deleted'"
    (
        table.merge(
            counted.with_kinds(),
            predicate="old.id = new.id",
            source_alias="new",
            target_alias="old",
            commit_properties=CommitProperties(custom_metadata=said),
        )
        .when_matched_delete(predicate=matched)
        .when_matched_update_all(except_cols=[KIND])
        .when_not_matched_insert_all(predicate="new._kind = 'kept'", except_cols=[KIND])
        .execute()
    )


def _refuse_foreign(table: DeltaTable) -> None:
    if not any(CURSOR in one for one in table.history()):
        raise StorageError(f"{table.table_uri} is somebody else's Delta table; choose an empty folder")
