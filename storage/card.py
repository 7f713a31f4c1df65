"""What an export says of itself: the dataset card (README.md) and the data dictionary, both from the JSON Schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kiosque.records import record_schema

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Columns that columnar files have beside the record's.
ADDED = {
    "published_at": ("timestamp, UTC, or null", "The instant of `published`; null where only a day is known."),
    "published_on": ("date or null", "The day of `published` in the outlet's time zone."),
    "published_month": ("string", "Year and month of `published_on`, or `unknown`: the folder that a record is in."),
}
PATHS = {"parquet": "data/*/*.parquet", "jsonl": "records.jsonl", "csv": "records.csv"}


def dictionary(names: Sequence[str]) -> list[tuple[str, str, str]]:
    """Return name, type and meaning of each column."""
    fields: Mapping[str, Any] = record_schema()["properties"]
    rows = [(name, _type(fields[name]), str(fields[name]["description"])) for name in names if name in fields]
    return rows + [(name, *ADDED[name]) for name in names if name in ADDED]


def _type(field: Mapping[str, Any]) -> str:
    if "enum" in field:
        return " or ".join("null" if value is None else f"`{value}`" for value in field["enum"])
    kinds = field["type"] if isinstance(field["type"], list) else [field["type"]]
    return " or ".join("list of strings" if kind == "array" else kind for kind in kinds)


def card(manifest: Mapping[str, Any], names: Sequence[str]) -> str:
    """Return README.md: front matter that the Hugging Face Hub reads, then what a person should know."""
    rows = "\n".join(f"| `{name}` | {kind} | {meaning} |" for name, kind, meaning in dictionary(names))
    part = manifest["filters"]["since"] is not None
    return f"""---
language:
- fr
pretty_name: French-language press
tags:
- news
- kiosque
configs:
- config_name: default
  data_files:
  - split: train
    path: "{PATHS[manifest["format"]]}"
---

# French-language press, {"changes since an earlier export" if part else "a full export"}

Made by Kiosque {manifest["kiosque_version"]} on {manifest["made_at"]}: {manifest["rows"]:,} records.
{_left_out(manifest)}
The texts belong to their publishers. `rights` says for each record what its publisher allows, and where that was said.

`manifest.json` names every file with its SHA-256, and the cursor that the next export goes on from
(`kiosque export DIR --since CURSOR`).
{CHANGES if part else ""}
| column | type | meaning |
|---|---|---|
{rows}
"""


CHANGES = """
This folder holds only what changed. `changes` has one row an article: `new`, `revised` or `corrected` ones stand
whole in the data and replace what you have under their `id`; `deleted` ones are to be removed.
"""


def _left_out(manifest: Mapping[str, Any]) -> str:
    reserved, doubled = manifest["reserved_left_out"], manifest["duplicates_left_out"]
    said = [f"{reserved:,} records whose publishers reserve text and data mining are left out."] if reserved else []
    said += [f"{doubled:,} near-duplicates of an earlier record are left out."] if doubled else []
    return "\n".join(said) + ("\n" if said else "")
