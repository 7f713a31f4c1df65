"""The command line: one module a command, imported when it runs."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kiosque.cli.archive import archive_app
from kiosque.cli.crawl import crawl
from kiosque.cli.dashboard import dashboard
from kiosque.cli.date import date_command
from kiosque.cli.db import db_app
from kiosque.cli.demo import demo
from kiosque.cli.doctor import doctor
from kiosque.cli.export import export
from kiosque.cli.forget import forget
from kiosque.cli.logs import LogFormat
from kiosque.cli.outlets import outlets_app
from kiosque.cli.read import read
from kiosque.cli.records import records
from kiosque.cli.reread import reread
from kiosque.cli.schedule import schedule
from kiosque.cli.status import status
from kiosque.cli.worker import worker
from kiosque.errors import KiosqueError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kiosque.settings import Settings

FAILED, USAGE, INTERRUPTED = 1, 2, 130
# Options of the whole program: people write them before or after the command.
GLOBAL_OPTIONS = ("--home", "--outlets", "--db", "--log-format")

app = typer.Typer(
    name="kiosque",
    help="The French-language press on the web as a clean, dated, deduplicated dataset.",
    epilog="Example: kiosque demo --once",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Globals:
    """The options of the whole program."""

    home: Path | None
    outlets_dir: Path | None
    db: str | None
    log_format: str | None = None

    def settings(self) -> Settings:
        """Read the settings. Raises `UsageError`."""
        from kiosque.settings import load_settings

        return load_settings(home=self.home, outlets_dir=self.outlets_dir, db=self.db, log_format=self.log_format)


def _version(wanted: bool) -> None:
    if wanted:
        from kiosque import __version__

        print(f"kiosque {__version__}")
        raise typer.Exit


@app.callback()
def options(  # noqa: PLR0917 - typer reads them by name
    context: typer.Context,
    home: Annotated[
        Path | None, typer.Option(help="Where database, archive and kiosque.toml live [default: ./kiosque-data]")
    ] = None,
    outlets: Annotated[
        Path | None, typer.Option(help="A folder of more outlet files; a slug there wins over the shipped one")
    ] = None,
    db: Annotated[
        str | None, typer.Option(help="Database URL, postgresql://... or sqlite:///... [default: SQLite in the home]")
    ] = None,
    log_format: Annotated[
        LogFormat | None, typer.Option(help="Events on standard error as text or as JSON lines [default: text]")
    ] = None,
    version: Annotated[  # noqa: ARG001 - the callback acts on it
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit")
    ] = False,
) -> None:
    """Read the options of the whole program."""
    chosen = log_format.value if log_format is not None else None
    context.obj = Globals(home=home, outlets_dir=outlets, db=db, log_format=chosen)


for command in (crawl, dashboard, demo, doctor, export, forget, read, records, reread, schedule, status, worker):
    app.command()(command)
app.command("date")(date_command)
app.add_typer(outlets_app, name="outlets")
app.add_typer(db_app, name="db")
app.add_typer(archive_app, name="archive")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; what a person can mend is one sentence on standard error."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = app(globals_first(given), standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except UsageError as error:
        complain(str(error), USAGE)
    except KiosqueError as error:
        complain(str(error), FAILED)
    except typer.Exit as end:
        sys.exit(end.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        complain("interrupted", INTERRUPTED)
    except BrokenPipeError:  # whoever read our output has had enough
        sys.stderr.close()
        sys.exit(0)
    except Exception as error:
        # click's own errors know how to show themselves
        if hasattr(error, "show") and hasattr(error, "exit_code"):
            error.show()
            sys.exit(error.exit_code)
        raise


def complain(sentence: str, code: int) -> None:
    """Say what is wrong, and end."""
    print(f"kiosque: {sentence}", file=sys.stderr)
    sys.exit(code)


def globals_first(arguments: list[str]) -> list[str]:
    """Move the options of the whole program before the command.

    >>> globals_first(["crawl", "lemonde", "--home", "h", "--json"])
    ['--home', 'h', 'crawl', 'lemonde', '--json']
    """
    first: list[str] = []
    rest: list[str] = []
    left = iter(arguments)
    for argument in left:
        if argument == "--":
            rest += [argument, *left]
        elif argument in GLOBAL_OPTIONS:
            first += [argument, *[value for value in [next(left, None)] if value is not None]]
        elif argument.startswith(tuple(f"{option}=" for option in GLOBAL_OPTIONS)):
            first.append(argument)
        else:
            rest.append(argument)
    return first + rest
