"""What `kiosque outlets check` saw of feeds that take turns: a small file in the home, from one run to the next."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from kiosque.scout.health import Look

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from kiosque.scout.health import Health

FILE_NAME = "outlets-check.json"
_MOST_BYTES = 5_000_000
_NAMES = tuple(field.name for field in fields(Look))


def looks_seen(home: Path) -> dict[str, Look]:
    """Return what earlier runs saw, by the feed's address; nothing when there is no such file, or none to be read.

    A lost memory costs only that turns begin anew.
    """
    try:
        with (home / FILE_NAME).open("rb") as file:
            rows = json.loads(file.read(_MOST_BYTES))
        looks = [_look(row) for row in rows]
    except (OSError, ValueError, TypeError, KeyError, RecursionError, AttributeError):
        return {}
    return {look.url: look for look in looks}


def remember(home: Path, found: Iterable[Health], seen: Mapping[str, Look], *, today: date) -> str:
    """Write what was seen now beside what was seen before. Return what went wrong, "" when nothing did.

    Only outlets whose feeds take turns need a memory; the others leave none.
    """
    fresh = {
        look.url: replace(look, day=today)
        for health in found
        if health.unpolled
        for look in health.looks
        if look.place == "feed" and look.day is None and look.url not in health.unpolled
    }
    if not fresh:
        return ""
    rows = [_row(look) for look in ({**seen, **fresh}).values()]
    path = home / FILE_NAME
    try:
        home.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".tmp")
        draft.write_text(json.dumps(rows, ensure_ascii=False, indent=1), encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        return f"{path} cannot be written ({error.strerror}): the next run begins with the same feeds"
    return ""


def _row(look: Look) -> dict[str, Any]:
    return {name: _plain(value) for name in _NAMES if (value := getattr(look, name))}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _look(row: Mapping[str, Any]) -> Look:
    """Read one row. Raises as Python does for what is none: anything may stand in a file."""
    return Look(
        place="feed",
        url=str(row["url"]),
        outcome=str(row.get("outcome", "")),
        moved_to=str(row.get("moved_to", "")),
        entries=int(row.get("entries", 0)),
        newest=_day(row.get("newest")),
        day=date.fromisoformat(row["day"]),
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
