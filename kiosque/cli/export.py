"""`kiosque export`: write the dataset to a folder, an object store or a Delta table."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

if TYPE_CHECKING:
    from storage import Store
    from storage.columns import Filters


class Format(StrEnum):
    """What an export is written as."""

    parquet = "parquet"
    jsonl = "jsonl"
    csv = "csv"
    delta = "delta"


def export(
    context: typer.Context,
    folder: Annotated[
        str, typer.Argument(metavar="DIR", help="An empty folder, or one that an export made; or s3://BUCKET/FOLDER")
    ],
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
    from storage import open_storage
    from storage.columns import Filters

    store = open_storage(context.obj.settings().database)
    try:
        filters = Filters(include_reserved=include_reserved, one_per_cluster=one_per_cluster)
        manifest = written(store, folder, form, since, filters)
    finally:
        store.close()
    print(
        f"{manifest['rows']} records in {folder} ({manifest['reserved_left_out']} reserved left out);"
        f" cursor {manifest['cursor']}"
    )


def written(store: Store, folder: str, form: Format, since: str | None, filters: Filters) -> dict[str, Any]:
    """Write the export to where it was asked for; return what it says of itself."""
    from storage import export as exports
    from storage.remote import export_remotely, is_remote

    if form is Format.delta:
        from storage.delta import export_delta

        return export_delta(store, folder, names=(*exports.COLUMNS, *exports.DATED), since=since, filters=filters)

    name = cast("exports.Format", form.value)

    def write(place: Path) -> dict[str, Any]:
        return exports.export(store, place, form=name, since=since, filters=filters)

    return export_remotely(folder, write) if is_remote(folder) else write(Path(folder))
