"""`kiosque db`: look after the database."""

from __future__ import annotations

from typing import Annotated

import typer

db_app = typer.Typer(no_args_is_help=True, help="Look after the database: copy it from one engine to another.")


@db_app.command("copy")
def copy(
    source: Annotated[
        str, typer.Argument(metavar="FROM", help="A database URL, as sqlite:///kiosque-data/kiosque.sqlite")
    ],
    target: Annotated[
        str, typer.Argument(metavar="TO", help="The URL of an empty one, as postgresql://user@host/press")
    ],
) -> None:
    """Copy a whole store into an empty one, all of it or nothing; cursors stay good.

    Example: kiosque db copy sqlite:///kiosque-data/kiosque.sqlite postgresql://press@db.example/press
    """
    import sys

    from storage.copy import copy_store

    def note(table: str, rows: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{table}: {rows:,} rows\033[K", end="", file=sys.stderr, flush=True)

    counts = copy_store(source, target, note=note)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    print(f"{counts['articles']:,} articles, {counts['revisions']:,} revisions, {counts['feeds']:,} feeds copied")
