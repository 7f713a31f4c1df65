"""Cursors: where in a store's change feed an export ended. `NAME:NUMBER`, good for that store alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kiosque.errors import UsageError

if TYPE_CHECKING:
    from storage import Store

CURSOR = re.compile(r"([a-z0-9]{1,32}):(\d{1,18})")


def cursor_text(store: Store, number: int) -> str:
    """Return the cursor that stands after a change."""
    return f"{store.name()}:{number}"


def read_cursor(text: str, store: Store) -> int:
    """Return the change after which a feed is to go on. Raises `UsageError` for a cursor of another store."""
    match = CURSOR.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"--since {text[:80]!r} is no cursor; take the one in the manifest.json of an export")
    if match[1] != store.name():
        raise UsageError(f"--since {text[:80]!r} comes from another store ({match[1]}); make a full export of this one")
    if int(match[2]) > store.last_change():
        raise UsageError(
            f"--since {text[:80]!r} is ahead of this store; was it restored from a backup? Make a full export"
        )
    return int(match[2])
