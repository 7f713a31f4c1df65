"""Verdicts of a rereading as records in a Parquet part, where nothing is written to a store."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from kiosque import __version__
from kiosque.model import Article
from pipelines.conclude import wanted_keys
from pipelines.keeper import BATCH
from pipelines.steps.revise import first_record
from storage import FORGOTTEN
from storage.parts import Part

if TYPE_CHECKING:
    from collections.abc import Collection

    from kiosque.model import Record
    from pipelines.conclude import Finding
    from pipelines.verdicts import Report, Verdict
    from storage import Store


class Bystander:
    """A store that lends what it learned and what it was told to forget, and has no articles."""

    def __init__(self, store: Store) -> None:
        self.learned = store.learned
        self.forgotten = store.forgotten

    def known(self, _keys: Collection[str]) -> dict[str, Record]:
        """Know nothing: every page is read for itself."""
        return {}


class Rows:
    """Takes verdicts; each page that is an article is a row, as it would stand in the store."""

    def __init__(self, store: Store | Bystander, report: Report, *, include_reserved: bool) -> None:
        self.part = Part()
        self._store, self._report = store, report
        self._include_reserved = include_reserved
        self._batch: list[Verdict] = []

    def add(self, verdict: Verdict) -> None:
        """Take a verdict."""
        self._batch.append(verdict)
        if len(self._batch) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        batch, self._batch = self._batch, []
        barred = self._barred([verdict.finding for verdict in batch if verdict.finding is not None])
        rows = []
        for verdict in batch:
            found = verdict.finding
            gone = found is not None and not barred.isdisjoint(wanted_keys(found))
            self._report.count(replace(verdict, outcome=FORGOTTEN) if gone else verdict)
            record = None if gone else record_of(verdict)
            if record is not None and (self._include_reserved or record.rights.tdm_reserved is not True):
                rows.append(record)
        self.part.write(rows)

    def _barred(self, findings: list[Finding]) -> set[str]:
        by_outlet: dict[str, set[str]] = {}
        for finding in findings:
            by_outlet.setdefault(finding.visit.outlet.slug, set()).update(wanted_keys(finding))
        return set().union(*(self._store.forgotten(keys, outlet) for outlet, keys in by_outlet.items()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with closing(self.part):
            pass


def record_of(verdict: Verdict) -> Record | None:
    """Return the record that a page gives: a stored revision as today's rules read it, or a first one."""
    if verdict.outcome in {"corrected", "unchanged"}:
        return verdict.after or verdict.before
    found = verdict.finding
    if found is None or not isinstance(found.reading, Article):
        return None
    outlet = found.visit.outlet
    return first_record(found.reading, outlet=outlet, rights=found.rights, version=__version__, archive=found.archive)
