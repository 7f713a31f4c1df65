"""`kiosque doctor`: what a person should do, in order."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from kiosque.errors import OutletError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kiosque.health import Finding
    from kiosque.settings import Settings
    from storage import Store

STALE = "rule-unmatched"


def doctor(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON list on standard output")] = False,
) -> int:
    """Say what a person should do, the most urgent first; exit status 1 if there is anything.

    Example: kiosque doctor || mail -s kiosque me@example.org
    """
    from kiosque.cli.outlets_home import settings_of
    from kiosque.cli.status import existing_store, looked_at
    from kiosque.health import by_urgency

    settings = settings_of(context)
    with existing_store(settings) as store:
        seen = looked_at(settings, store, datetime.now(UTC), coverage=True)
        fresh = stale_rules(settings, store)
        # What a service found at its last round is a day old at most; what is seen now counts.
        before = seen.findings if fresh is None else (one for one in seen.findings if one.kind != STALE)
        found = by_urgency([*before, *(fresh or ())])
    if as_json:
        print(json.dumps([finding_json(one) for one in found], ensure_ascii=False, indent=2))
    else:
        print_findings(found)
    return 1 if found else 0


def stale_rules(settings: Settings, store: Store | None) -> list[Finding] | None:
    """Return the rules of outlet files that match nothing on the newest archived pages; None where none can be seen."""
    from kiosque.outlets import load_outlets
    from pipelines.archivist import home_archive
    from pipelines.rule_health import unmatched_rules

    # Pages on object storage take a request each: there the service's daily round counts.
    if store is None or settings.archive_folder or not (settings.home / "archive").is_dir():
        return None
    try:
        outlets = load_outlets(settings.outlets_dir)
    except OutletError:  # it is among the findings already
        return None
    return list(unmatched_rules(store, home_archive(settings), outlets.values()))


def finding_json(finding: Finding) -> dict[str, object]:
    """Return a finding as plain values, with its sentences."""
    from kiosque.advice import advice, says

    return {
        "kind": finding.kind,
        "outlet": finding.outlet or None,
        "problem": finding.is_problem,
        "says": says(finding),
        "do": advice(finding),
        "facts": dict(finding.facts),
    }


def print_findings(found: Sequence[Finding]) -> None:
    """Print what is wrong and what to do, numbered."""
    from rich.console import Console
    from rich.text import Text

    from kiosque.advice import advice, says
    from kiosque.cli.status import one_line

    console = Console(highlight=False, soft_wrap=True)
    for number, finding in enumerate(found, start=1):
        where = f"{finding.outlet}: " if finding.outlet else ""
        style = "bold red" if finding.is_problem else "bold yellow"
        console.print(Text(f"{number}. ", style=style) + Text(one_line(f"{where}{says(finding)}")))
        console.print(Text(one_line(f"   {advice(finding)}"), style="dim"))
    if not found:
        console.print(Text("Nothing needs a person.", style="green"))
