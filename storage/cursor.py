"""Cursors: where in a store's change feed an export ended. `NAME:NUMBER:SIGN`, good for that store alone.

The sign stands for the change itself. A store that was restored from a backup gives its numbers out a second time;
the sign tells that the cursor is about another change, even when the store has outgrown it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kiosque.errors import UsageError

if TYPE_CHECKING:
    from storage import Store

# Cursors of before had no sign.
CURSOR = re.compile(r"([a-z0-9]{1,32}):(\d{1,18})(?::([0-9a-f]{8}))?")


def cursor_text(store: Store, number: int) -> str:
    """Return the cursor that stands after a change."""
    sign = store.sign(number)
    return f"{store.name()}:{number}:{sign}" if sign else f"{store.name()}:{number}"


def read_cursor(text: str, store: Store) -> int:
    """Return the change after which a feed is to go on. Raises `UsageError` for a cursor of another store."""
    match = CURSOR.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"--since {text[:80]!r} is no cursor; take the one in the manifest.json of an export")
    fault = fault_of(match, store)
    if fault is not None:
        raise UsageError(f"--since {text[:80]!r} {fault}; make a full export of this one")
    return int(match[2])


def fault_of(match: re.Match[str], store: Store) -> str | None:
    """Return what is wrong with a cursor, matched by `CURSOR`; None when the store can go on from there."""
    name, number, sign = match[1], int(match[2]), match[3]
    if name != store.name():
        return f"comes from another store ({name})"
    if number > store.last_change():
        return "is ahead of this store, which was perhaps restored from a backup"
    if sign is not None and sign != store.sign(number):
        return "names a change that this store no longer has: it was restored from a backup"
    return None
