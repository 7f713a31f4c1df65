"""`kiosque outlets clutter SLUG`: the lines that repeat over an outlet's articles, and which were learned."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kiosque.cli.outlets_add import short
from kiosque.cli.outlets_home import known_outlets, settings_of
from kiosque.errors import UsageError

if TYPE_CHECKING:
    from storage import LineCount

SHOWN = 50


def clutter(
    ctx: typer.Context,
    slug: Annotated[str, typer.Argument(help="An outlet, or another that has records")],
    *,
    limit: Annotated[int, typer.Option(min=1, help="The most lines that are shown")] = SHOWN,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output")] = False,
) -> None:
    """Show an outlet's repeated lines with counts and dates; those that are learned are left out of its texts.

    A learned line that belongs to the articles goes under `keep_lines` in the outlet's file.

    Example: kiosque outlets clutter lemonde
    """
    from storage import RecordQuery, open_storage

    settings = settings_of(ctx)
    outlet = known_outlets(ctx).get(slug)
    store = open_storage(settings.database)
    try:
        counts, learned = store.line_counts(slug, limit=limit), store.learned(slug)
        if outlet is None and not counts and next(store.records(RecordQuery(outlet=slug, limit=1)), None) is None:
            raise UsageError(
                f"no outlet is called {slug!r}, and there are no records of one; see `kiosque outlets list`"
            )
    finally:
        store.close()
    lines = [line_of(count, learned) for count in counts]
    if as_json:
        rules = {"drop_lines": outlet.clean.drop_lines, "keep_lines": outlet.clean.keep_lines} if outlet else {}
        print(json.dumps({"outlet": slug, "lines": lines, **rules}, ensure_ascii=False))
        return
    if not lines:
        print(f"{slug}: no line stands in more than one article that is stored.")
        return
    print("articles  first seen  last seen   learned  line (figures are shown as 0)")
    for line in lines:
        first, last = line["first_seen"][:10], line["last_seen"][:10]
        print(f"{line['articles']:8}  {first}  {last}  {'yes' if line['learned'] else 'no':7}  {short(line['line'])}")


def line_of(count: LineCount, learned: frozenset[str]) -> dict[str, Any]:
    """Return a line's count as JSON has it."""
    return {
        "line": count.line,
        "articles": count.articles,
        "first_seen": count.first_seen.isoformat(),
        "last_seen": count.last_seen.isoformat(),
        "learned": count.line in learned,
    }
