"""`kiosque archive`: look after the page archive."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from kiosque.errors import StorageError, UsageError

archive_app = typer.Typer(no_args_is_help=True, help="Look after the page archive: send its files to object storage.")


@archive_app.callback()
def archive() -> None:
    """Look after the page archive."""


@archive_app.command("send")
def send(
    context: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output")] = False,
) -> None:
    """Move finished files of the archive to object storage (`archive.folder`) now.

    Crawls do so by themselves. A file goes from this machine once it has arrived whole.

    Example: kiosque archive send
    """
    from kiosque.service.sending import send_home
    from pipelines.archivist import home_archive

    settings = context.obj.settings()
    away = home_archive(settings).away
    if away is None:
        raise UsageError("archive.folder is not set: the archive stays in the home; set it to s3://BUCKET/FOLDER")
    away.check()
    sent = send_home(settings)
    if as_json:
        print(json.dumps({"sent": sent and asdict(sent), "folder": str(away)}))
    elif sent is None:
        print("another process of this home is sending already")
    else:
        print(f"{sent.files} files ({sent.bytes / 1e6:.1f} MB) sent to {away}")
    if sent is not None and sent.problem is not None:
        raise StorageError(sent.problem)
    if sent is not None and sent.undeleted is not None:
        raise StorageError(f"old files of the archive could not be deleted: {sent.undeleted}")
