"""What reading archived pages again came to: counted, and written once somebody agrees."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec

from kiosque.model import Article, Record, Rights, Visit
from pipelines.conclude import Finding
from pipelines.correction import changed_fields
from pipelines.keeper import BATCH, settle
from pipelines.tally import Tally
from storage.memory import MemoryStore

if TYPE_CHECKING:
    from storage import Store

# Outcomes that write a record.
WRITTEN = {"corrected", "new", "revised"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What reading a page again came to."""

    outlet: str
    outcome: str
    """`corrected`, or one of a crawl's outcomes."""
    before: Record | None = None
    after: Record | None = None
    """The correction."""
    finding: Finding | None = None
    """A page that the store does not know: it is settled as a crawl's."""


@dataclass(slots=True, kw_only=True)
class Report:
    """The counts of a rereading, as it goes."""

    tally: Tally = field(default_factory=Tally)
    fields: Counter[str] = field(default_factory=Counter)
    """Corrected revisions by the field that changes."""
    by_outlet: dict[str, Counter[str]] = field(default_factory=dict)
    """The same for each outlet."""
    lost: int = 0
    """Stored revisions whose page is no article by today's rules. They stay."""
    unarchived: int = 0
    """Stored revisions whose page was not kept, or is no longer."""
    written: int = 0
    problems: list[str] = field(default_factory=list)

    def count(self, verdict: Verdict) -> None:
        """Count a page."""
        self.tally.begin(verdict.outlet)
        self.tally.end(verdict.outlet, verdict.outcome)
        self.lost += verdict.before is not None and verdict.outcome.startswith("rejected:")
        if verdict.before is not None and verdict.after is not None:
            names = changed_fields(verdict.before, verdict.after)
            self.fields.update(names)
            self.by_outlet.setdefault(verdict.outlet, Counter()).update(names)

    def summary(self, *, seconds: float) -> dict[str, Any]:
        """Return the counts; `seen` is the sum of `outcomes`."""
        return {
            "seen": self.tally.ended.total(),
            "outcomes": self.tally.outcomes(),
            "outlets": self.tally.by_outlet(),
            "fields": dict(self.fields.most_common()),
            "fields_by_outlet": {slug: dict(names.most_common()) for slug, names in sorted(self.by_outlet.items())},
            "lost": self.lost,
            "unarchived": self.unarchived,
            "written": self.written,
            "problems": self.problems,
            "seconds": round(seconds, 3),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """A verdict as it waits in a file for somebody's consent: a correction, or a page that gave an article."""

    after: Record | None = None
    visit: Visit | None = None
    article: Article | None = None
    rights: Rights = Rights()
    at: datetime | None = None
    archive: str | None = None

    def finding(self) -> Finding | None:
        """Return what is to be settled as a crawl's page."""
        if self.visit is None or self.at is None:
            return None
        return Finding(visit=self.visit, rights=self.rights, reading=self.article, at=self.at, archive=self.archive)


def aside_of(verdict: Verdict) -> Aside:
    """Return what is kept of a verdict that writes a record."""
    found = verdict.finding
    if verdict.after is not None or found is None:
        return Aside(after=verdict.after)
    article = found.reading if isinstance(found.reading, Article) else None
    return Aside(visit=found.visit, article=article, rights=found.rights, at=found.at, archive=found.archive)


class Changes:
    """Takes verdicts and writes what they change, in batches; or keeps it aside until somebody agrees."""

    def __init__(self, store: Store, report: Report, *, write: bool) -> None:
        self._store = store
        self._report = report
        # Without leave to write, a store in memory stands before the real one, as in a dry run of a crawl.
        self._rehearsal = None if write else MemoryStore(behind=store)
        self._batch: list[Verdict] = []
        self._aside: Any = None if write else tempfile.TemporaryFile()  # noqa: SIM115 - closed with the rest

    def add(self, verdict: Verdict) -> None:
        """Take a verdict; it is counted once its batch is settled."""
        self._batch.append(verdict)
        if len(self._batch) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Settle what waits."""
        batch, self._batch = self._batch, []
        findings = [verdict.finding for verdict in batch if verdict.finding is not None]
        outcomes = iter(one.outcome for one in settle(self._rehearsal or self._store, findings))
        if self._rehearsal is None:
            self._correct([verdict.after for verdict in batch if verdict.after is not None])
        for verdict in batch:
            outcome = next(outcomes) if verdict.finding is not None else verdict.outcome
            self._report.count(replace(verdict, outcome=outcome))
            if outcome not in WRITTEN:
                continue
            if self._rehearsal is None:
                self._report.written += 1
            else:
                self._aside.write(msgspec.json.encode(aside_of(verdict)) + b"\n")

    def _correct(self, records: list[Record]) -> None:
        with self._store.transaction():
            for record in records:
                # The cluster is the neighbours' affair: it may have changed since.
                self._store.correct(replace(record, cluster=None), at=datetime.now(UTC))

    def write_aside(self) -> None:
        """Write what was kept aside."""
        self.flush()
        self._aside.seek(0)
        while chunk := self._next_aside():
            self._correct([one.after for one in chunk if one.after is not None])
            settle(self._store, [finding for one in chunk if (finding := one.finding()) is not None])
            self._report.written += len(chunk)

    def _next_aside(self) -> list[Aside]:
        return [msgspec.json.decode(line, type=Aside) for line in islice(self._aside, BATCH)]

    def close(self) -> None:
        """Let go of the store."""
        self._store.close()
        if self._aside is not None:
            self._aside.close()
