"""Rules of outlet files that match nothing any more, as the last round over the archive found them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from kiosque.health import Finding
from pipelines.archivist import home_archive
from pipelines.rule_health import unmatched_rules
from pipelines.steps.selectors import selectors_of
from storage import open_storage
from storage.notes import write_notes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kiosque.model import Outlet
    from kiosque.settings import Settings

KEY = "stale-rules"


def check_rules(settings: Settings, outlets: Iterable[Outlet]) -> tuple[Finding, ...]:
    """Hold every outlet's rules against its newest archived pages, and keep what was found.

    Takes some seconds for a hundred outlets with rules; over a connection of its own. Raises `StorageError`.
    """
    store = open_storage(settings.database)
    try:
        found = tuple(unmatched_rules(store, home_archive(settings), outlets))
        write_notes(store, {KEY: encode(found)})
    finally:
        store.close()
    return found


def encode(found: Iterable[Finding]) -> str:
    """Return findings as JSON."""
    return msgspec.json.encode([(one.outlet, dict(one.facts)) for one in found]).decode()


def decode(text: str | None, outlets: Mapping[str, Outlet]) -> tuple[Finding, ...]:
    """Return findings from JSON, without those whose rule or outlet is gone since; nothing from what cannot be read."""
    try:
        known = msgspec.json.decode(text, type=list[tuple[str, dict[str, str]]]) if text else []
    except msgspec.MsgspecError:
        return ()
    return tuple(
        Finding(kind="rule-unmatched", outlet=slug, facts=facts)
        for slug, facts in known
        if slug in outlets and any(rule.startswith(facts.get("rule", "")) for rule in selectors_of(outlets[slug]))
    )
