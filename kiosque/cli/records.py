"""`kiosque records`: look at what is in the store."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from kiosque.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.text import Text

    from kiosque.model import Record
    from storage import Store

# Rows of a table when nobody asks for more: a screenful.
TABLE_ROWS = 50
# Fields whose change is shown by the words that differ, and the changes of one text that are shown.
PROSE = {"title", "lead", "text"}
MOST_CHANGES = 10


class Format(StrEnum):
    """How records are printed."""

    table = "table"
    jsonl = "jsonl"


def records(
    context: typer.Context,
    *,
    outlet: Annotated[str | None, typer.Option(help="Only this outlet's")] = None,
    since: Annotated[str | None, typer.Option(metavar="ISO", help="Fetched on or after this day or instant")] = None,
    search: Annotated[str | None, typer.Option(metavar="WORDS", help="All these words in title or text")] = None,
    revisions: Annotated[
        bool, typer.Option("--revisions", help="Every revision, not only the latest; in a table, with what changed")
    ] = False,
    form: Annotated[Format, typer.Option("--format", help="A table, or all fields as JSON lines")] = Format.table,
    limit: Annotated[
        int | None, typer.Option(min=1, help=f"The most records [default: {TABLE_ROWS} in a table, else all]")
    ] = None,
) -> None:
    """Show records, newest first.

    Example: kiosque records --search "pont Valmont" --revisions
    """
    from storage import RecordQuery, open_storage

    settings = context.obj.settings()
    store = open_storage(settings.database)
    try:
        wanted = limit if limit is not None or form is Format.jsonl else TABLE_ROWS
        query = RecordQuery(outlet=outlet, since=instant(since), search=search, revisions=revisions, limit=wanted)
        found = store.records(query)
        if form is Format.jsonl:
            print_lines(found)
        elif revisions:
            print_revisions(islice(found, wanted), store)
        else:
            print_table(islice(found, wanted))
    finally:
        store.close()


def instant(text: str | None) -> datetime | None:
    """Read an ISO day or instant; without an offset it is local time. Raises `UsageError`."""
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        raise UsageError(f"--since {text!r} is no date: write 2024-10-25 or 2024-10-25T07:12+02:00") from None


def print_lines(found: Iterable[Record]) -> None:
    """Print records as JSON, one a line."""
    from kiosque.records import record_to_json

    for record in found:
        print(record_to_json(record))


def print_revisions(found: Iterable[Record], store: Store) -> None:
    """Print each revision with the words that it changed."""
    from rich.console import Console
    from rich.text import Text

    from pipelines.correction import changed_fields, word_diff

    console = Console(highlight=False, soft_wrap=True)
    count = 0
    for record in found:
        count += 1
        when = record.fetched_at.astimezone().strftime("%Y-%m-%d %H:%M")
        console.print(Text(f"{when}  {record.outlet}  revision {record.revision}  {record.title}", style="bold"))
        console.print(Text(f"  {record.url}", style="dim"))
        before = {one.revision: one for one in store.history(record.url)}.get(record.revision - 1)
        for name in changed_fields(before, record) if before is not None else ():
            old, new = getattr(before, name), getattr(record, name)
            if name in PROSE:
                for line in islice(word_diff(old or "", new or ""), MOST_CHANGES):
                    console.print(Text(f"  {name}: ") + coloured(line))
            else:
                console.print(Text(f"  {name}: {old!r} -> {new!r}"[:500]))
    if not count:
        console.print("no records")


def coloured(line: str) -> Text:
    """Colour what a word diff takes out (red) and puts in (green)."""
    from rich.text import Text

    shown = Text(line)
    shown.highlight_regex(r"\[-.*?-\]", "red")
    shown.highlight_regex(r"\{\+.*?\+\}", "green")
    return shown


def print_table(found: Iterable[Record]) -> None:
    """Print a table of records."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table()
    for name in ("published", "outlet", "title", "rev.", "words"):
        table.add_column(name, justify="right" if name in {"rev.", "words"} else "left", no_wrap=name == "published")
    for record in found:
        when = (record.published or "")[:16].replace("T", " ")
        row = (when, record.outlet, record.title, str(record.revision), str(record.word_count))
        table.add_row(*map(Text, row))  # Text: a title's [brackets] are no markup
    console = Console()
    console.print(table if table.row_count else "no records")
