"""An export: the dataset in a folder, which holds the old one or the new one and never a half."""

from __future__ import annotations

import csv
import io
import json
import shutil
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from filelock import FileLock, Timeout

from kiosque import __version__
from kiosque.errors import StorageError
from kiosque.records import instant, record_schema
from storage.card import card, dictionary
from storage.columns import Filters, select_rows
from storage.cursor import cursor_text, read_cursor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from storage import ChangeFeed, Sink, Store

Format = Literal["parquet", "jsonl", "csv"]
MANIFEST, SCHEMA, CARD, DICTIONARY = "manifest.json", "record.schema.json", "README.md", "dictionary.csv"
STAGING, OLD, LOCK = ".export.partial", ".export.old", ".export.lock"
# All that an export ever writes into its folder.
OURS = {
    MANIFEST, SCHEMA, CARD, DICTIONARY, "data", "records.jsonl", "records.csv",
    "changes.jsonl", "changes.csv", "changes.parquet",
}  # fmt: skip
HIDDEN = {STAGING, OLD, LOCK}
COLUMNS = tuple(record_schema()["properties"])
CHANGE_COLUMNS = ("number", "id", "revision", "kind")
DATED = ("published_at", "published_on", "published_month")


def export(
    store: Store, folder: Path, *, form: Format = "jsonl", since: str | None = None, filters: Filters | None = None
) -> dict[str, Any]:
    """Write the latest revision of every article, or what changed since a cursor; return the manifest.

    Memory is bounded whatever the store holds. Raises `UsageError` for a cursor of another store and
    `StorageError` otherwise; what stood in the folder then still stands.
    """
    after = read_cursor(since, store) if since is not None else None
    filters = filters or Filters()
    with prepared(folder) as staging:
        with store.changed(after=after or 0) as feed:
            manifest = _write(feed, staging, form=form, after=after, filters=filters)
            manifest["cursor"] = cursor_text(store, feed.cursor)
        manifest["filters"] = {"since": since} | asdict(filters)
        columns = COLUMNS if form == "jsonl" else (*COLUMNS, *DATED)
        _put(staging / CARD, card(manifest, columns))
        _put(staging / DICTIONARY, _csv([("column", "type", "meaning"), *dictionary(columns)]))
        _put(staging / SCHEMA, _json(record_schema()))
        _put(staging / MANIFEST, _json(manifest))
        _commit(staging, folder)
    return manifest


def _write(feed: ChangeFeed, staging: Path, *, form: Format, after: int | None, filters: Filters) -> dict[str, Any]:
    make = sink_of(form)
    with ExitStack() as sinks:
        records = make(staging, f"{'part-0' if form == 'parquet' else 'records'}.{form}", COLUMNS)
        sinks.callback(records.discard)
        changes = make(staging, f"changes.{form}", CHANGE_COLUMNS) if after is not None else None
        if changes is not None:
            sinks.callback(changes.discard)
        counted = _pour(feed, filters, records, changes)
        files = [*records.close(), *(changes.close() if changes is not None else ())]
    return {
        "schema_version": 1,
        "kiosque_version": __version__,
        "made_at": instant(datetime.now(UTC)),
        "format": form,
        "rows": sum(file.rows for file in files if not file.name.startswith("changes.")),
        **counted,
        "files": [asdict(file) for file in files],
    }


def _pour(feed: ChangeFeed, filters: Filters, records: Sink, changes: Sink | None) -> dict[str, Any]:
    """Write the feed into the sinks; return what the manifest says of it."""
    counted: dict[str, Any] = {"reserved_left_out": 0, "duplicates_left_out": 0}
    kinds = dict.fromkeys(("new", "revised", "corrected", "deleted"), 0)
    for batch in feed.batches:
        selected = select_rows(batch, filters)
        counted["reserved_left_out"] += selected.reserved
        counted["duplicates_left_out"] += selected.duplicates
        if selected.columns.get("id"):
            records.write(selected.columns)
        for change in selected.changes:
            kinds[change.kind] += 1
        if changes is not None and selected.changes:
            changes.write({name: [getattr(one, name) for one in selected.changes] for name in CHANGE_COLUMNS})
    return counted if changes is None else counted | {"changes": kinds}


def sink_of(form: Format) -> Callable[[Path, str, Sequence[str]], Sink]:
    """Return what makes the sinks of a format. Raises `UsageError` where its library is missing."""
    if form == "parquet":
        from storage.parquet import ParquetSink  # noqa: PLC0415 - half a second, and not everybody has it

        return ParquetSink
    from storage.textfiles import csv_sink, jsonl_sink  # noqa: PLC0415

    return jsonl_sink if form == "jsonl" else csv_sink


@contextmanager
def prepared(folder: Path) -> Iterator[Path]:
    """Make the folder and one inside it to write to; refuse a folder that holds something else than an export."""
    staging = folder / STAGING
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _refuse_foreign(folder)
        lock = FileLock(folder / LOCK, timeout=0)
        lock.acquire()
    except Timeout:
        raise StorageError(f"another export writes to {folder}; let it finish, or choose another folder") from None
    except OSError as error:
        raise StorageError(f"{folder}: {error.strerror or error}") from error
    try:
        shutil.rmtree(staging, ignore_errors=True)  # of an export that was interrupted
        staging.mkdir()
        yield staging
    except OSError as error:
        raise StorageError(f"{folder}: {error.strerror or error}; nothing was replaced") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        lock.release()
        (folder / LOCK).unlink(missing_ok=True)


def _refuse_foreign(folder: Path) -> None:
    """Raise unless the folder is empty or an export, whole or interrupted; more may lie beside a whole one."""
    names = {path.name for path in folder.iterdir()}
    is_export = MANIFEST in names and _is_manifest(folder / MANIFEST)
    interrupted = bool(names & HIDDEN) and names <= OURS | HIDDEN
    if names and not is_export and not interrupted:
        raise StorageError(f"{folder} holds something else than an export ({min(names)}); choose an empty folder")


def _is_manifest(path: Path) -> bool:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and "kiosque_version" in found and "cursor" in found


def _commit(staging: Path, folder: Path) -> None:
    """Put the new export in the place of the old one; the manifest goes first and comes last."""
    old = folder / OLD
    shutil.rmtree(old, ignore_errors=True)
    old.mkdir()
    for name in (MANIFEST, *sorted(OURS - {MANIFEST})):
        if (folder / name).exists():
            (folder / name).rename(old / name)
    for name in (*sorted(OURS - {MANIFEST}), MANIFEST):
        if (staging / name).exists():
            (staging / name).rename(folder / name)
    shutil.rmtree(old, ignore_errors=True)


def _put(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="")


def _json(content: dict[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def _csv(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()
