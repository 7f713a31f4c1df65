"""The keeper: one thread that asks and writes the store, in batches, so that the event loop never waits for a disk."""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from kiosque import __version__
from kiosque.model import Article
from pipelines.batches import Batches
from pipelines.conclude import Finding, conclude, wanted_keys
from pipelines.places import Places
from pipelines.steps.digest import Digest, digest_of
from storage import Enqueued, StoreAwayError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from kiosque.model import FeedEntry, Record
    from kiosque.polling import FeedState
    from storage import Settled, Store

# Findings written in one transaction.
BATCH = 100
# Seconds that a batch waits for company.
MOMENT = 0.15
# Findings that may wait. A page's finding holds its text and its bytes; whoever brings more waits with it,
# and Scrapy fetches nothing new meanwhile.
MOST_WAITING = 400
# Between two tries to reach a database that went away, in seconds; each wait is twice the last.
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
# Seconds between two complaints about a database that is away.
COMPLAIN_EVERY = 10.0
# An outlet's learned lines are asked for anew after so many of its new articles.
LEARNED_FOR = 25

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger("kiosque.store")


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """What a poll leaves: its feed's state, and the entries that it brought."""

    state: FeedState
    outlet: str
    entries: Sequence[tuple[str, FeedEntry]]
    at: datetime


class Keeper:
    """Settles findings in the store. What arrives while a batch is being written makes the next one."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="keeper")
        self._findings: Batches[Finding, Settled] = Batches(
            lambda some: self.ask(settle, self.store, some), size=BATCH, most=MOST_WAITING, moment=MOMENT
        )
        self._polls: Batches[Noted, Enqueued] = Batches(
            lambda some: self.ask(note_polls, self.store, some), size=BATCH, most=MOST_WAITING
        )
        self._complained = -COMPLAIN_EVERY
        self._learned: dict[str, tuple[frozenset[str], int]] = {}  # with the new articles since

    async def ask(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a method of the store in the keeper's thread; a database that went away is waited for."""
        wait = FIRST_WAIT
        loop = asyncio.get_running_loop()
        while True:
            try:
                return await loop.run_in_executor(self._thread, lambda: function(*args, **kwargs))
            except StoreAwayError as error:
                if time.monotonic() - self._complained > COMPLAIN_EVERY:  # not each of all that wait
                    self._complained = time.monotonic()
                    log.warning("%s; trying again in %.1f s", error, wait)
            await asyncio.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)

    async def keep(self, finding: Finding) -> Settled:
        """Settle a finding: returns when it is in the store. Raises StorageError when it could not be written."""
        settled = await self._findings.add(finding)
        if settled.outcome == "new" and settled.outlet in self._learned:
            lines, since = self._learned[settled.outlet]
            self._learned[settled.outlet] = (lines, since + 1)
        return settled

    async def learned(self, outlet: str) -> frozenset[str]:
        """Return the lines that are known as clutter of an outlet, for `read_article`."""
        found = self._learned.get(outlet)
        if found is None or found[1] >= LEARNED_FOR:
            found = (await self.ask(self.store.learned, outlet), 0)
            self._learned[outlet] = found
        return found[0]

    async def note_poll(
        self, state: FeedState, outlet: str, entries: Sequence[tuple[str, FeedEntry]], *, at: datetime
    ) -> Enqueued:
        """Keep a feed's state and queue its entries, together: no entry is lost between the two."""
        return await self._polls.add(Noted(state=state, outlet=outlet, entries=entries, at=at))

    def call(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function in the keeper's thread from outside the event loop, and wait for it."""
        return self._thread.submit(function, *args, **kwargs).result()

    def close(self) -> None:
        """Finish what is being written, and let go of the store."""
        self._thread.submit(self.store.close).result()
        self._thread.shutdown()


def note_polls(store: Store, notes: Sequence[Noted]) -> list[Enqueued]:
    """Keep the states of polled feeds and queue their entries, as one unit."""
    with store.transaction():
        for note in notes:
            store.save_feed(note.state)
        return [store.enqueue(note.outlet, note.entries, at=note.at) if note.entries else Enqueued() for note in notes]


def settle(store: Store, findings: Sequence[Finding]) -> list[Settled]:
    """Conclude findings and write what they come to, as one unit."""
    findings = [_counted(finding) for finding in findings]
    with store.transaction():
        known = store.known({key for finding in findings for key in wanted_keys(finding)})
        barred = _barred(store, findings)
        strange = (finding for finding in findings if known.keys().isdisjoint(wanted_keys(finding)))
        places = Places(store, (finding.digest.bands for finding in strange if finding.digest is not None))
        settled = []
        for finding in findings:
            forgotten = not barred.isdisjoint(wanted_keys(finding))
            one = conclude(finding, known, version=__version__, forgotten=forgotten)
            if finding.digest is not None:
                one = _placed(one, known, places, finding.digest)
            settled.append(one)
            if one.record is not None:  # the next finding of this batch may be the same article
                known |= dict.fromkeys((address.key for address in one.addresses), one.record)
        store.settle(settled)
        _note_lines(store, findings, settled)
    return settled


def _counted(finding: Finding) -> Finding:
    if finding.digest is not None or not isinstance(finding.reading, Article):
        return finding
    return replace(finding, digest=digest_of(finding.reading))


def _barred(store: Store, findings: Sequence[Finding]) -> set[str]:
    by_outlet: dict[str, set[str]] = {}
    for finding in findings:
        by_outlet.setdefault(finding.visit.outlet.slug, set()).update(wanted_keys(finding))
    return set().union(*(store.forgotten(keys, outlet) for outlet, keys in by_outlet.items()))


def _placed(one: Settled, known: Mapping[str, Record], places: Places, digest: Digest) -> Settled:
    """Return what is written with the article's place among its near-duplicates."""
    if one.record is None or one.corrects:
        return one
    before = next((record for record in known.values() if record.id == one.record.id), None)
    placing = places.place(one.record, before, bands=digest.bands)
    record = replace(one.record, cluster=placing.cluster)
    places.note(record)
    return replace(one, record=record, placing=placing)


def _note_lines(store: Store, findings: Sequence[Finding], settled: Sequence[Settled]) -> None:
    found: dict[str, list[tuple[str, str]]] = {}
    for finding, one in zip(findings, settled, strict=True):
        if one.outcome == "new" and one.article and finding.digest is not None:
            lines = found.setdefault(one.outlet, [])
            lines += [(line, one.article) for line in finding.digest.lines]
    for outlet, lines in found.items():
        at = max(finding.at for finding in findings)
        store.note_lines(outlet, lines, at=at)
