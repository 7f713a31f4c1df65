"""What the API answers, as its OpenAPI description says it; the tests hold every answer to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kiosque.records import record_schema

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeAlias

    Answers: TypeAlias = dict[int | str, dict[str, Any]]

JSON_TYPE, LINES_TYPE = "application/json", "application/x-ndjson"
RECORD = {key: value for key, value in record_schema().items() if not key.startswith("$")}
PAGE_OF_RECORDS = {
    "type": "object",
    "required": ["records", "next", "partial"],
    "properties": {
        "records": {"type": "array", "items": RECORD},
        "next": {"type": ["string", "null"], "description": "The `cursor` of the next page; null at the end"},
        "partial": {"type": "boolean", "description": "Newer records still wait to be indexed: search again"},
    },
}
CHANGE = {
    "type": "object",
    "required": ["number", "id", "revision", "kind", "record"],
    "properties": {
        "number": {"type": "integer"},
        "id": {"type": "string"},
        "revision": {"type": "integer"},
        "kind": {"enum": ["new", "revised", "corrected", "deleted"]},
        "record": {"anyOf": [RECORD, {"type": "null"}]},
    },
}
PAGE_OF_CHANGES = {
    "type": "object",
    "required": ["changes", "cursor", "more"],
    "properties": {
        "changes": {"type": "array", "items": CHANGE},
        "cursor": {"type": "string", "description": "The `since` of the next page"},
        "more": {"type": "boolean"},
    },
}
TEXT, MAY_LACK = {"type": "string"}, {"type": ["string", "null"]}
COUNT = {"type": "integer", "minimum": 0}
PROBLEMS = {
    "type": "array",
    "items": {"type": "object", "required": ["kind", "says"], "properties": {"kind": TEXT, "says": TEXT}},
}
FEED = {
    "type": "object",
    "required": ["url", "health", "reason", "next_due", "last_success"],
    "properties": {"url": TEXT, "health": TEXT, "reason": TEXT, "next_due": MAY_LACK, "last_success": MAY_LACK},
}
NEWEST = {
    "type": ["object", "null"],
    "required": ["id", "title", "first_seen_at"],
    "properties": {"id": TEXT, "title": TEXT, "first_seen_at": TEXT},
}
OUTLET = {
    "type": "object",
    "required": ["slug", "name", "articles", "revisions", "waiting", "newest", "feeds", "problems"],
    "properties": {
        "slug": TEXT,
        "name": MAY_LACK,
        "country": MAY_LACK,
        "site": MAY_LACK,
        "articles": COUNT,
        "revisions": COUNT,
        "waiting": COUNT,
        "newest": NEWEST,
        "feeds": {"type": "array", "items": FEED},
        "problems": PROBLEMS,
    },
}
ALL_OUTLETS = {
    "type": "object",
    "required": ["at", "outlets", "problems"],
    "properties": {"at": TEXT, "outlets": {"type": "array", "items": OUTLET}, "problems": PROBLEMS},
}
TROUBLE = {"type": "object", "required": ["detail"], "properties": {"detail": TEXT}}


def trouble(status: int, description: str) -> Answers:
    """Describe an answer that says what is wrong."""
    return {status: {"description": description, "content": {JSON_TYPE: {"schema": TROUBLE}}}}


# The guard's answer, before anything reads the address.
TOO_LONG: Answers = {
    414: {"description": "The address is too long", "content": {"text/plain": {"schema": {"type": "string"}}}}
}


def answers(schema: Mapping[str, Any], *, lines: Mapping[str, Any] | None = None) -> Answers:
    """Describe what is answered when all is well, as JSON and as JSON lines."""
    content = {JSON_TYPE: {"schema": schema}}
    if lines is not None:
        content[LINES_TYPE] = {"schema": lines}
    return {200: {"description": "What was asked for", "content": content}} | TOO_LONG


UNKNOWN = trouble(404, "There is no such article")
STRANGE_CURSOR = trouble(409, "The cursor is not of this store, or is ahead of it: begin without one")
