"""`kiosque export`: write the dataset to a folder."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from kiosque.errors import UsageError


class Format(StrEnum):
    """What an export is written as."""

    parquet = "parquet"
    jsonl = "jsonl"
    csv = "csv"


def export(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="An empty folder, or one that an export made")],
    *,
    form: Annotated[Format, typer.Option("--format", help="jsonl; parquet and csv are to come")] = Format.jsonl,
    since: Annotated[
        int | None, typer.Option(metavar="CURSOR", min=0, help="Only what changed after an earlier export's cursor")
    ] = None,
    include_reserved: Annotated[
        bool, typer.Option(help="Also records whose publisher reserves text and data mining")
    ] = False,
) -> None:
    """Write the latest revision of every article, with a manifest and the JSON Schema.

    Example: kiosque export dataset --format jsonl
    """
    if form is not Format.jsonl:
        raise UsageError(f"--format {form} is not there yet; use --format jsonl")
    from storage import open_storage
    from storage.export import export_jsonl

    store = open_storage(context.obj.settings().database)
    try:
        manifest = export_jsonl(store, folder, after=since or 0, include_reserved=include_reserved)
    finally:
        store.close()
    print(
        f"{manifest['rows']} records in {folder / manifest['files'][0]['name']}"
        f" ({manifest['reserved_left_out']} reserved left out); cursor {manifest['cursor']}"
    )
