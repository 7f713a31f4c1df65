"""An export: the dataset in a folder, which holds the old one or the new one and never a half."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from kiosque import __version__
from kiosque.errors import UsageError
from kiosque.records import instant, record_schema
from storage import Stop
from storage.ahead import ahead
from storage.card import card, dictionary
from storage.columns import Filters, select_rows
from storage.cursor import cursor_text, read_cursor
from storage.folder import CARD, DICTIONARY, MANIFEST, SCHEMA, commit, prepared
from storage.progress import Progress, Request, clear, note, noted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from storage import Batch, ChangeFeed, ExportFile, Sink, Store

Format = Literal["parquet", "jsonl", "csv"]
COLUMNS = tuple(record_schema()["properties"])
CHANGE_COLUMNS = ("number", "id", "revision", "kind")
DATED = ("published_at", "published_on", "published_month")
# Rows after which an export writes down how far it came: a minute's work.
NOTED_EVERY = 200_000


def export(
    store: Store, folder: Path, *, form: Format = "jsonl", since: str | None = None, filters: Filters | None = None
) -> dict[str, Any]:
    """Write the latest revision of every article, or what changed since a cursor; return the manifest.

    Memory is bounded whatever the store holds. An export that was interrupted is gone on with. Raises `UsageError`
    for a cursor of another store and `StorageError` otherwise; what stood in the folder then still stands.
    """
    after = read_cursor(since, store) if since is not None else None
    filters = filters or Filters()
    request = Request(store=store.name(), form=form, after=after, filters=filters, version=__version__)
    with prepared(folder) as staging:
        before = noted(staging, request)
        stop = before.stop if before is not None else None
        with store.changed(after=after or 0, stop=stop, arrow=form == "parquet") as feed:
            before = before if feed.goes_on else None
            clear(staging, keep=before)
            manifest = _write(feed, staging, request, before)
            manifest["cursor"] = cursor_text(store, feed.cursor)
        manifest["filters"] = {"since": since} | asdict(filters)
        columns = COLUMNS if form == "jsonl" else (*COLUMNS, *DATED)
        _put(staging / CARD, card(manifest, columns))
        _put(staging / DICTIONARY, _csv([("column", "type", "meaning"), *dictionary(columns)]))
        _put(staging / SCHEMA, _json(record_schema()))
        _put(staging / MANIFEST, _json(manifest))
        commit(staging, folder)
    return manifest


@dataclass(slots=True, kw_only=True)
class _Writing:
    """An export that is being written: its sinks, and what the manifest will say."""

    request: Request
    staging: Path
    records: Sink
    changes: Sink | None
    reserved: int = 0
    duplicates: int = 0
    kinds: dict[str, int] = field(default_factory=dict)
    unnoted: int = 0
    """Rows since it was written down how far it came."""

    def take(self, batch: Batch) -> None:
        """Write a batch."""
        selected = select_rows(batch, self.request.filters)
        self.reserved += selected.reserved
        self.duplicates += selected.duplicates
        self.unnoted += len(batch.changes)
        if any(selected.kept):
            self.records.write(selected.columns)
        if self.changes is None:  # a full export has only new ones
            return
        if changes := selected.changes:
            for kind, n in Counter(change.kind for change in changes).items():
                self.kinds[kind] = self.kinds.get(kind, 0) + n
            self.changes.write({name: [getattr(one, name) for one in changes] for name in CHANGE_COLUMNS})

    def note(self, stop: Stop) -> None:
        """Write down how far it came."""
        self.unnoted = 0
        progress = Progress(
            request=self.request,
            stop=stop,
            reserved=self.reserved,
            duplicates=self.duplicates,
            kinds=self.kinds,
            records=tuple(self.records.pause()),
            changes=tuple(self.changes.pause()) if self.changes is not None else (),
        )
        note(self.staging, progress)

    def close(self) -> list[ExportFile]:
        """Finish the files."""
        return [*self.records.close(), *(self.changes.close() if self.changes is not None else ())]


def _write(feed: ChangeFeed, staging: Path, request: Request, before: Progress | None) -> dict[str, Any]:
    """Write the feed, after what was written `before`; return what the manifest says of it."""
    make, form = sink_of(request.form), request.form
    done = before or Progress(request=request, stop=Stop(cursor=0, position=0))
    with ExitStack() as sinks:
        records = make(staging, f"{'part-0' if form == 'parquet' else 'records'}.{form}", COLUMNS, done.records)
        sinks.callback(records.discard)
        changes = None
        if request.after is not None:
            changes = make(staging, f"changes.{form}", CHANGE_COLUMNS, done.changes)
            sinks.callback(changes.discard)
        writing = _Writing(request=request, staging=staging, records=records, changes=changes)
        writing.reserved, writing.duplicates, writing.kinds = done.reserved, done.duplicates, dict(done.kinds)
        for batch in sinks.enter_context(ahead(feed.batches)):
            writing.take(batch)
            # Those that were deleted come last and have no place in the order of the others.
            if writing.unnoted >= NOTED_EVERY and batch.changes[-1].kind != "deleted":
                writing.note(Stop(cursor=feed.cursor, position=batch.changes[-1].number))
        files = writing.close()
    kinds = dict.fromkeys(("new", "revised", "corrected", "deleted"), 0) | writing.kinds
    return {
        "schema_version": 1,
        "kiosque_version": __version__,
        "made_at": instant(datetime.now(UTC)),
        "format": form,
        "rows": sum(file.rows for file in files if not file.name.startswith("changes.")),
        "reserved_left_out": writing.reserved,
        "duplicates_left_out": writing.duplicates,
        **({} if changes is None else {"changes": kinds}),
        "files": [asdict(file) for file in files],
    }


def sink_of(form: str) -> Callable[[Path, str, Sequence[str], Sequence[ExportFile]], Sink]:
    """Return what makes the sinks of a format. Raises `UsageError` where its library is missing."""
    if form == "parquet":
        try:
            from storage.parquet import ParquetSink  # noqa: PLC0415 - half a second, and not everybody has it
        except ImportError as error:
            raise UsageError(f"--format parquet needs pyarrow: pip install 'kiosque[parquet]' ({error})") from error
        return ParquetSink
    from storage.textfiles import csv_sink, jsonl_sink  # noqa: PLC0415

    return jsonl_sink if form == "jsonl" else csv_sink


def _put(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="")


def _json(content: dict[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def _csv(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()
