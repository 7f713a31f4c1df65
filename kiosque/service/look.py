"""A look at everything: each outlet's numbers, the service's note, and all that a person should see to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from kiosque.health import Finding, by_urgency, judge
from kiosque.service import host_rights, note
from kiosque.service.findings import LONGEST, judge_service
from storage.notes import read_note
from storage.outlet_numbers import numbers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kiosque.health import OutletNumbers
    from kiosque.model import Outlet
    from kiosque.service.note import ServiceNote
    from storage import Store

# So long a count of coverage is good: what falls, falls over days.
COVERED_FOR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was seen at one look."""

    at: datetime
    numbers: Mapping[str, OutletNumbers]
    findings: tuple[Finding, ...]
    service: ServiceNote | None = None
    covered: datetime | None = None
    """When the coverage of fields was counted; None when it was not."""


def look_at(
    store: Store, outlets: Mapping[str, Outlet], *, now: datetime, coverage: bool = True, last: Look | None = None
) -> Look:
    """Return the numbers of each crawled outlet, and all that a person should look at, the most urgent first.

    Coverage reads the articles of five weeks: it is taken from the `last` look while that is fresh enough.
    """
    fresh = last is not None and last.covered is not None and timedelta(0) <= now - last.covered < COVERED_FOR
    counted = numbers(store, now=now, coverage=coverage and not fresh)
    if last is not None and fresh:
        counted = {slug: _with_coverage(one, last.numbers.get(slug)) for slug, one in counted.items()}
    service = note.decode(read_note(store, note.KEY))
    known = host_rights.decode(read_note(store, host_rights.KEY)).values()
    found = [
        *judge(counted.values(), outlets, now=now),
        *judge_service(service, now=now),
        *host_rights.judge_rights(known, now=now),
    ]
    covered = last.covered if last is not None and fresh else now if coverage else None
    return Look(at=now, numbers=counted, findings=by_urgency(found), service=service, covered=covered)


def _with_coverage(one: OutletNumbers, before: OutletNumbers | None) -> OutletNumbers:
    if before is None:
        return one
    return replace(one, recent=before.recent, before=before.before, new_clutter=before.new_clutter)


def with_broken_file(look: Look, error: str) -> Look:
    """Return the look with the finding that a file cannot be used, unless the service has said so already."""
    if any(finding.kind == "reload-failed" for finding in look.findings):
        return look
    broken = Finding(kind="reload-failed", outlet="", facts={"reason": error[:LONGEST]})
    return replace(look, findings=by_urgency([*look.findings, broken]))
