"""Outlets to text: the TOML of an outlet file, and the table of a registry."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields, is_dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from kiosque.errors import OutletError
from kiosque.outlets.fields import OUTLET_KEYS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from kiosque.model import CleanRules, Outlet, ReadRules

TABLES = ("clean", "read")  # TOML wants them last
ALWAYS = ("timezone",)  # written though it be the default: files are copied to make others
WIDEST_LINE = 110  # characters of an array on one line


def outlet_toml(outlet: Outlet) -> str:
    """Write the file that `load_outlet` reads back as this outlet: fixed order of keys, defaults left out."""
    told = {*ALWAYS, *_told(outlet)}
    lines = [_line(key, getattr(outlet, key)) for key in OUTLET_KEYS if key in told and key not in TABLES]
    if _told(outlet.clean):
        lines += ["", "[clean]", *_rules(outlet.clean)]
    for rules in outlet.read:
        lines += ["", "[read]" if len(outlet.read) == 1 else "[[read]]", *_rules(rules)]
    return "\n".join(lines) + "\n"


def write_outlet(outlet: Outlet, folder: Path) -> Path:
    """Write an outlet's file into a folder, made if needed, and return it.

    Raises `OutletError` when there is such a file already, or when it cannot be written.
    """
    file = folder / f"{outlet.slug}.toml"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as opened:
            opened.write(outlet_toml(outlet))
    except FileExistsError as error:
        raise OutletError(f"{file}: exists already and is not written over") from error
    except OSError as error:
        raise OutletError(f"{file}: cannot be written ({error.strerror})") from error
    return file


def markdown_table(outlets: Iterable[Outlet]) -> str:
    """Write a table of outlets with their links, as `docs/outlets.md` has it."""
    head = "| Outlet | Name | Country | Region | Tags | Feeds | News sitemaps |\n|---|---|---|---|---|--:|--:|\n"
    return head + "".join(f"| {' | '.join(_cells(outlet))} |\n" for outlet in outlets)


def _cells(outlet: Outlet) -> Iterator[str]:
    name = outlet.name.replace("|", r"\|")
    yield from (f"`{outlet.slug}`", f"[{name}]({outlet.site})", outlet.country, outlet.region or "")
    yield from (", ".join(outlet.tags), str(len(outlet.feeds)), str(len(outlet.news_sitemaps)))


def _rules(rules: CleanRules | ReadRules) -> list[str]:
    return [_line(key, value) for key, value in _told(rules).items()]


def _told(declared: Outlet | CleanRules | ReadRules) -> dict[str, Any]:
    """Return the fields that say more than their default, in the order of the class."""
    values = ((field, getattr(declared, field.name)) for field in fields(declared))
    return {
        field.name: value
        for field, value in values
        if field.default is MISSING or value != field.default
        if not is_dataclass(value)
    }


def _line(key: str, value: object) -> str:
    return f"{key} = {_value(value)}"


def _value(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    if not isinstance(value, tuple):
        return json.dumps(value, ensure_ascii=False)  # JSON's strings and numbers are TOML's
    items = [_value(item) for item in value]
    line = f"[{', '.join(items)}]"
    return line if len(line) <= WIDEST_LINE else "[\n" + "".join(f"  {item},\n" for item in items) + "]"
