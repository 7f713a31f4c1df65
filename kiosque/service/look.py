"""A look at everything: each outlet's numbers, the service's note, and all that a person should see to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from kiosque.health import Finding, by_urgency, judge
from kiosque.service import host_rights, note, stale_rules
from kiosque.service.findings import LONGEST, judge_service, judge_unsent
from storage.notes import read_note
from storage.outlet_numbers import numbers
from storage.queue_look import look_at_queue
from storage.unsent import noted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kiosque.health import OutletNumbers
    from kiosque.model import Outlet
    from kiosque.service.note import ServiceNote
    from storage import Store
    from storage.queue_look import QueueLook
    from storage.unsent import Unsent

# So long a count of coverage is good: what falls, falls over days.
COVERED_FOR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was seen at one look."""

    at: datetime
    numbers: Mapping[str, OutletNumbers]
    findings: tuple[Finding, ...]
    service: ServiceNote | None = None
    queue: QueueLook | None = None
    """The queue of many machines; None where no worker ever was."""
    unsent: tuple[Unsent, ...] = ()
    """Files of the archive that wait to be sent, by machine."""
    covered: datetime | None = None
    """When the coverage of fields was counted; None when it was not."""


def look_at(
    store: Store,
    outlets: Mapping[str, Outlet],
    *,
    now: datetime,
    coverage: bool = True,
    last: Look | None = None,
    archive: Path | None = None,
) -> Look:
    """Return the numbers of each crawled outlet, and all that a person should look at, the most urgent first.

    `archive` is this machine's folder when its files go to object storage: what lies there is looked at.

    Coverage reads the articles of five weeks: it is taken from the `last` look while that is fresh enough.
    """
    fresh = last is not None and last.covered is not None and timedelta(0) <= now - last.covered < COVERED_FOR
    counted = numbers(store, now=now, coverage=coverage and not fresh)
    if last is not None and fresh:
        counted = {slug: _with_coverage(one, last.numbers.get(slug)) for slug, one in counted.items()}
    service = note.decode(read_note(store, note.KEY))
    known = host_rights.decode(read_note(store, host_rights.KEY)).values()
    waiting = noted(store, now=now, folder=archive)
    found = [
        *judge_unsent(waiting, now=now),
        *judge(counted.values(), outlets, now=now),
        *judge_service(service, now=now),
        *host_rights.judge_rights(known, now=now),
        *stale_rules.decode(read_note(store, stale_rules.KEY), outlets),
    ]
    covered = last.covered if last is not None and fresh else now if coverage else None
    return Look(
        at=now,
        numbers=counted,
        findings=by_urgency(found),
        service=service,
        queue=look_at_queue(store),
        unsent=waiting,
        covered=covered,
    )


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
