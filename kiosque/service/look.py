"""A look at everything: each outlet's numbers, the service's note, and all that a person should see to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kiosque.health import by_urgency, judge
from kiosque.service import host_rights, note
from kiosque.service.findings import judge_service
from storage.notes import read_note
from storage.overview import numbers

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from kiosque.health import Finding, OutletNumbers
    from kiosque.model import Outlet
    from kiosque.service.note import ServiceNote
    from storage import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was seen at one look."""

    at: datetime
    numbers: Mapping[str, OutletNumbers]
    findings: tuple[Finding, ...]
    service: ServiceNote | None = None


def look_at(store: Store, outlets: Mapping[str, Outlet], *, now: datetime, coverage: bool = True) -> Look:
    """Return the numbers of each crawled outlet, and all that a person should look at, the most urgent first."""
    counted = numbers(store, now=now, coverage=coverage)
    service = note.decode(read_note(store, note.KEY))
    known = host_rights.decode(read_note(store, host_rights.KEY)).values()
    found = [
        *judge(counted.values(), outlets, now=now),
        *judge_service(service, now=now),
        *host_rights.judge_rights(known, now=now),
    ]
    return Look(at=now, numbers=counted, findings=by_urgency(found), service=service)
