"""An export: the dataset in a folder, with its manifest and schema."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from kiosque import __version__
from kiosque.errors import StorageError
from kiosque.records import instant, record_schema
from storage.jsonl import JsonlSink

if TYPE_CHECKING:
    from pathlib import Path

    from storage import Store

MANIFEST = "manifest.json"
RECORDS = "records.jsonl"
SCHEMA = "record.schema.json"
BATCH = 200


def export_jsonl(store: Store, folder: Path, *, after: int = 0, include_reserved: bool = False) -> dict[str, Any]:
    """Write the latest revisions whose change number is above `after`, and return the manifest.

    The manifest is written last: a reader who waits for it sees a whole export. Raises
    `StorageError`, in which case what stood in the folder still stands.
    """
    prepare_folder(folder)
    cursor = store.last_change()  # read first: what changes during the export comes again with the next one
    sink = JsonlSink(folder / RECORDS)
    left_out = 0
    try:
        batch = []
        for record in store.records(after=after):
            if record.rights.tdm_reserved and not include_reserved:
                left_out += 1
                continue
            batch.append(record)
            if len(batch) == BATCH:
                sink.write(batch)
                batch = []
        sink.write(batch)
        sink.close()
    except BaseException:
        sink.discard()
        raise
    manifest = {
        "schema_version": 1,
        "kiosque_version": __version__,
        "made_at": instant(datetime.now(UTC)),
        "filters": {"since": after, "include_reserved": include_reserved},
        "rows": sink.rows,
        "reserved_left_out": left_out,
        "cursor": cursor,
        "files": [{"name": RECORDS, "rows": sink.rows, "sha256": sink.sha256}],
    }
    write_whole(folder / SCHEMA, record_schema())
    write_whole(folder / MANIFEST, manifest)
    return manifest


def prepare_folder(folder: Path) -> None:
    """Make the folder; refuse one that holds something else than an export."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        names = {path.name for path in folder.iterdir()}
    except OSError as error:
        raise StorageError(f"{folder}: {error.strerror}") from error
    if names and MANIFEST not in names and not names <= {RECORDS, SCHEMA, f".{RECORDS}.partial"}:
        raise StorageError(f"{folder} holds something else than an export ({min(names)}); choose an empty folder")


def write_whole(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file that appears whole or not at all."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}") from error
