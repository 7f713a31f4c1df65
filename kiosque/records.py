"""A record as JSON: the shape that `record.schema.json` describes."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from kiosque.model import Record, Rights

# Fields that JSON has as lists.
LISTS = ("urls", "authors", "tags")


def record_schema() -> dict[str, Any]:
    """Return the JSON Schema of a record, version 1."""
    return dict(msgspec.json.decode(_schema_bytes()))


@cache
def _schema_bytes() -> bytes:
    return files("kiosque").joinpath("record.schema.json").read_bytes()


def record_to_dict(record: Record) -> dict[str, Any]:
    """Return the record's fields in the schema's order, ready for JSON."""
    plain: dict[str, Any] = msgspec.to_builtins(record)
    for name in LISTS:
        plain[name] = list(plain[name])
    plain["fetched_at"] = instant(record.fetched_at)
    plain["first_seen_at"] = instant(record.first_seen_at)
    plain["rights"] = rights_to_dict(record.rights)
    return plain


def record_to_json(record: Record) -> str:
    """Return the record as one line of JSON."""
    return msgspec.json.encode(record_to_dict(record)).decode()


def instant(moment: datetime) -> str:
    """Write our own clock's instants: UTC, whole seconds.

    >>> instant(datetime(2024, 10, 25, 5, 12, 7, 250000, tzinfo=UTC))
    '2024-10-25T05:12:07Z'
    """
    return moment.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def rights_to_dict(rights: Rights) -> dict[str, Any]:
    """Return the rights as the schema has them: where each was said stands under `from`."""
    return {
        "robots": rights.robots,
        "tdm_reserved": rights.tdm_reserved,
        "tdm_policy": rights.tdm_policy,
        "noai": rights.noai,
        "from": _by_place(rights.said),
    }


def _by_place(said: tuple[tuple[str, str], ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for place, statement in said:
        found[place] = f"{found[place]}, {statement}" if place in found else statement
    return found


def rights_from_dict(plain: dict[str, Any]) -> Rights:
    """Return the rights that `rights_to_dict` wrote."""
    said = tuple((str(key), str(value)) for key, value in (plain.get("from") or {}).items())
    return Rights(
        robots=plain.get("robots") or "allowed",
        tdm_reserved=plain.get("tdm_reserved"),
        tdm_policy=plain.get("tdm_policy"),
        noai=plain.get("noai"),
        said=said,
    )
