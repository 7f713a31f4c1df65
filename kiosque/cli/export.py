"""`kiosque export`: write the dataset to a folder."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """What an export is written as."""

    parquet = "parquet"
    jsonl = "jsonl"
    csv = "csv"


def export(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="An empty folder, or one that an export made")],
    *,
    form: Annotated[Format, typer.Option("--format", help="What to write")] = Format.jsonl,
    since: Annotated[
        str | None, typer.Option(metavar="CURSOR", help="Only what changed after an earlier export's cursor")
    ] = None,
    include_reserved: Annotated[
        bool, typer.Option(help="Also records whose publisher reserves text and data mining")
    ] = False,
    one_per_cluster: Annotated[
        bool, typer.Option("--one-per-cluster", help="Only the earliest of each group of near-duplicates")
    ] = False,
) -> None:
    """Write the latest revision of every article, with a manifest, the JSON Schema and a dataset card.

    Example: kiosque export dataset --format parquet
    """
    from storage import export as exports
    from storage import open_storage
    from storage.columns import Filters

    store = open_storage(context.obj.settings().database)
    try:
        filters = Filters(include_reserved=include_reserved, one_per_cluster=one_per_cluster)
        manifest = exports.export(store, folder, form=form.value, since=since, filters=filters)
    finally:
        store.close()
    print(
        f"{manifest['rows']} records in {folder} ({manifest['reserved_left_out']} reserved left out);"
        f" cursor {manifest['cursor']}"
    )
