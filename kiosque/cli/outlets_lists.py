"""`kiosque outlets import` and `export`: OPML, in which people keep their feeds, and CSV."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kiosque.cli.outlets_home import crawl_with, known_outlets, own_folder, settings_of
from kiosque.errors import OutletError, UsageError

if TYPE_CHECKING:
    from kiosque.outlets.gather import Gathered, ListedFeed

SHOWN = 100  # characters of an address in a sentence


def import_list(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="An OPML file, or a CSV one with a column of feeds")],
    *,
    to: Annotated[
        Path | None, typer.Option(help="The folder for the outlet files [default: that of --outlets, else in the home]")
    ] = None,
) -> None:
    """Make outlets of a list of feeds, without asking the internet; those that are known are named.

    Example: kiosque outlets import feeds.opml
    """
    from kiosque.outlets.gather import gather
    from kiosque.outlets.write import write_outlet

    settings = settings_of(ctx)
    folder = to or own_folder(settings)
    feeds = listed_feeds(file)
    if not feeds:
        raise UsageError(f"{file}: holds no feed")
    taken = {path.stem for path in folder.glob("*.toml")} if folder.is_dir() else set()
    gathered = gather(feeds, known_outlets(ctx), taken=taken)
    for outlet in gathered.new:
        path = write_outlet(outlet, folder)
        count = len(outlet.feeds) + len(outlet.news_sitemaps)
        print(f"new      {outlet.slug}: {outlet.name} ({outlet.country}, {outlet.timezone}), feeds: {count}, in {path}")
    say_the_rest(gathered)
    if gathered.new:
        print("Country, zone and language that the list does not say are guessed: look the files over.")
        print(f"Then: {crawl_with(settings, folder, gathered.new[0].slug)} --dry-run --limit 5")


def export_list(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="FILE.opml or FILE.csv")],
    *,
    country: Annotated[list[str] | None, typer.Option(help="ISO code; may be given again for one more")] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", "--group", help="Given again, both hold")] = None,
) -> None:
    """Write the outlets as OPML, for a feed reader, or as CSV, for a spreadsheet.

    Example: kiosque outlets export belgium.opml --country BE
    """
    from kiosque.outlets import chosen_strictly
    from kiosque.outlets.opml import write_opml
    from kiosque.outlets.sheet import write_csv

    outlets = list(chosen_strictly(known_outlets(ctx), countries=country or (), tags=tag or ()).values())
    match file.suffix.lower():
        case ".opml" | ".xml":
            body = write_opml(outlets)
        case ".csv":
            body = write_csv(outlets).encode()
        case other:
            raise UsageError(f"{file}: the name must end in .opml or .csv, not {other or 'nothing'!r}")
    try:
        file.write_bytes(body)
    except OSError as error:
        raise UsageError(f"{file}: cannot be written ({error.strerror})") from error
    print(f"{len(outlets)} outlets written to {file}")


def listed_feeds(file: Path) -> tuple[ListedFeed, ...]:
    """Read a list of feeds, bounded. Raises `OutletError`."""
    from kiosque.outlets import opml, sheet

    if not file.is_file():
        raise OutletError(f"{file}: there is no such file")
    try:
        with file.open("rb") as opened:
            body = opened.read(opml.MOST_BYTES + 1)
    except OSError as error:
        raise OutletError(f"{file}: cannot be read ({error.strerror})") from error
    read = sheet.read_csv if file.suffix.lower() in {".csv", ".tsv"} else opml.read_opml
    return read(body, name=str(file))


def say_the_rest(gathered: Gathered) -> None:
    """Say what was not written, and why."""
    for feed, slug, declared in gathered.known:
        reason = "is polled already" if declared else "is of an outlet that is known, with other feeds"
        print(f"known    {slug}: {feed[:SHOWN]} {reason}")
    for _, why in gathered.refused:
        print(f"refused  {why}")
