"""`kiosque date`: read one date and say how, or many as JSON lines."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from kiosque.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipelines.steps.dates import DateReading

DEFAULT_ZONE = "Europe/Paris"


def date_command(
    text: Annotated[str | None, typer.Argument(help="A date as a French page writes it.", show_default=False)] = None,
    now: Annotated[
        str | None, typer.Option(help="When the page was fetched (ISO 8601; without an offset, in --tz).")
    ] = None,
    tz: Annotated[str, typer.Option(help="The outlet's time zone.")] = DEFAULT_ZONE,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help='Read {"id","text","now","tz"} a line on standard input.')
    ] = False,
) -> None:
    """Read a French publication date, and say how the year and the zone were found.

    Exits with 1 where the text states no date, or where a line of --jsonl could not be read.
    """
    zone = _zone(tz, "--tz")
    fetched = _instant(now, zone, "--now") if now is not None else datetime.now(UTC)
    if jsonl:
        if text is not None:
            raise UsageError("--jsonl reads standard input: give no TEXT with it")
        raise typer.Exit(_answer_lines(sys.stdin.buffer, fetched, tz))
    if text is None:
        raise UsageError("give the TEXT of a date, or --jsonl and lines on standard input")
    raise typer.Exit(_explain(text, fetched, tz))


def _zone(name: object, where: str) -> ZoneInfo:
    if not isinstance(name, str) or not name:
        raise UsageError(f"{where}: {name!r} is no time zone (a name like Europe/Paris is expected)")
    try:
        return ZoneInfo(name)
    except (ValueError, KeyError, OSError) as error:
        raise UsageError(f"{where}: unknown time zone {name!r} (a name like Europe/Paris is expected)") from error


def _instant(text: object, zone: ZoneInfo, where: str) -> datetime:
    """Return the instant of an ISO string, on the zone's clock where it has no offset."""
    try:
        instant = datetime.fromisoformat(str(text))
        instant = instant if instant.tzinfo else instant.replace(tzinfo=zone)
        return instant.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{where}: {text!r} is no ISO 8601 date and time (like 2026-03-01T09:00)") from error


def _explain(text: str, fetched: datetime, tz: str) -> int:
    from pipelines.steps.dates import parse_date

    reading = parse_date(text, relative_to=fetched, timezone=tz)
    if reading is None:
        print(f"No publication date: {text!r} states none that an article could have.")
        return 1
    local = fetched.astimezone(ZoneInfo(tz)).isoformat(timespec="minutes")
    rows = [
        ("value", reading.value),
        ("precision", reading.precision),
        ("role", reading.role),
        ("read from", repr(reading.text)),
        ("how", reading.reason),
        ("reader", reading.reader),
        ("fetched", f"{local} ({tz})"),
    ]
    for name, value in rows:
        print(f"{name:<10} {value}")
    return 0


def _answer_lines(lines: Iterable[bytes], fetched: datetime, tz: str) -> int:
    """Answer each line; return 1 where one could not be read."""
    status = 0
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        answer = _answer(line, fetched, tz)
        if "error" in answer:
            status = 1
            print(f"line {number}: {answer['error']}", file=sys.stderr)
        print(json.dumps(answer), flush=True)
    return status


def _answer(line: bytes, fetched: datetime, tz: str) -> dict[str, Any]:
    from pipelines.steps.dates import parse_date

    try:
        asked = json.loads(line)
    except (ValueError, RecursionError) as error:
        return {"id": None, "value": None, "error": f"not JSON: {error}"}
    if not isinstance(asked, dict):
        return {"id": None, "value": None, "error": "a JSON object is expected"}
    identifier, text = asked.get("id"), asked.get("text")
    if not isinstance(text, str):
        return {"id": identifier, "value": None, "error": f"text: a string is expected, not {text!r:.60}"}
    try:
        zone = _zone(asked.get("tz") or tz, "tz")
        instant = _instant(asked["now"], zone, "now") if asked.get("now") is not None else fetched
    except UsageError as error:
        return {"id": identifier, "value": None, "error": str(error)}
    return {"id": identifier, **_fields(parse_date(text, relative_to=instant, timezone=zone.key))}


def _fields(reading: DateReading | None) -> dict[str, Any]:
    if reading is None:
        return {"value": None, "precision": None}
    return {
        "value": reading.value,
        "precision": reading.precision,
        "role": reading.role,
        "text": reading.text,
        "reason": reading.reason,
        "reader": reading.reader,
    }
