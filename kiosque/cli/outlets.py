"""`kiosque outlets`: the registry on the command line."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from kiosque.cli.outlets_add import add_outlet
from kiosque.cli.outlets_check import check_outlets
from kiosque.cli.outlets_clutter import clutter
from kiosque.cli.outlets_home import known_outlets
from kiosque.cli.outlets_lists import export_list, import_list

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kiosque.model import Outlet

outlets_app = typer.Typer(
    no_args_is_help=True, help="The outlets that Kiosque knows: list, show, add, check, import and export them."
)
outlets_app.command("add")(add_outlet)
outlets_app.command("check")(check_outlets)
outlets_app.command("clutter")(clutter)
outlets_app.command("import")(import_list)
outlets_app.command("export")(export_list)


class ListFormat(StrEnum):
    """How `outlets list` prints."""

    TABLE = "table"
    JSON = "json"
    MARKDOWN = "markdown"


class ShowFormat(StrEnum):
    """How `outlets show` prints."""

    TOML = "toml"
    JSON = "json"


@outlets_app.command("list")
def list_outlets(
    ctx: typer.Context,
    country: Annotated[list[str] | None, typer.Option(help="ISO code; may be given again for one more.")] = None,
    region: Annotated[list[str] | None, typer.Option(help="A part of a region's name; may be given again.")] = None,
    tag: Annotated[
        list[str] | None, typer.Option("--tag", "--kind", help="As regional, daily, economy; given again, both hold.")
    ] = None,
    output: Annotated[ListFormat, typer.Option("--format")] = ListFormat.TABLE,
) -> None:
    """List the outlets, sorted by slug, all or those that the filters leave."""
    from kiosque.outlets import choose, markdown_table

    outlets = choose(known_outlets(ctx), countries=country or (), regions=region or (), tags=tag or ()).values()
    match output:
        case ListFormat.JSON:
            _print_json([_declaration(outlet) for outlet in outlets])
        case ListFormat.MARKDOWN:
            print(markdown_table(outlets), end="")
        case ListFormat.TABLE:
            _print_table(outlets)


@outlets_app.command("show")
def show_outlet(
    ctx: typer.Context,
    slug: Annotated[str, typer.Argument(help="The outlet's file name without .toml.")],
    output: Annotated[ShowFormat, typer.Option("--format")] = ShowFormat.TOML,
) -> None:
    """Show one outlet's declaration, and what is known of its feeds."""
    from kiosque.cli.feeds_state import known_feed_lines
    from kiosque.outlets import named, outlet_toml

    outlet = named(known_outlets(ctx), slug)
    if output is ShowFormat.JSON:
        _print_json(_declaration(outlet))
        return
    print(f"# {outlet.slug}.toml\n{outlet_toml(outlet)}", end="")
    for line in known_feed_lines(ctx.find_root().obj.settings(), outlet):
        print(f"# {line}")


def _declaration(outlet: Outlet) -> dict[str, object]:
    from dataclasses import asdict

    return asdict(outlet)


def _print_json(value: object) -> None:
    import json

    print(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def _print_table(outlets: Iterable[Outlet]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("Outlet", "Name", "Country", "Region", "Tags", "Feeds", box=None, pad_edge=False)
    for outlet in outlets:
        feeds = str(len(outlet.feeds) + len(outlet.news_sitemaps))
        row = (outlet.slug, outlet.name, outlet.country, outlet.region or "", ", ".join(outlet.tags), feeds)
        table.add_row(*map(Text, row))  # Text: brackets in a name are no markup
    console = Console()
    # A pipe has no width: let no line wrap there.
    wide = console if console.is_terminal else Console(width=1_000)
    wide.print(table if table.row_count else "No outlet matches.")
