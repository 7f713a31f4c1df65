"""Clean the stored records of lines that were learned after they were read: corrections, not revisions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kiosque.errors import StorageError
from kiosque.model import Article
from pipelines.correction import corrected
from pipelines.steps.lines import fold_line
from pipelines.steps.revise import count_words, text_hash
from storage import RecordQuery

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from kiosque.model import Outlet, Record
    from pipelines.pool import ReaderPool
    from storage import Store
    from storage.archive import WarcArchive


def clean_outlet(
    store: Store, outlet: Outlet, *, archive: WarcArchive | None, pool: ReaderPool, version: str, at: datetime
) -> int:
    """Correct the latest records of an outlet that still carry learned lines; returns how many.

    A record whose page was kept is read again, so that what stood behind a slogan (a signature) is found, too; of
    the others the lines are taken out. Raises `StorageError`.
    """
    learned = store.learned(outlet.slug)
    changed = []
    for record in _carriers(store, outlet.slug, learned):
        after = _reread(record, outlet, learned, archive=archive, pool=pool, version=version)
        after = after or without_lines(record, learned, keep=outlet.clean.keep_lines)
        if after != record:
            changed.append(after)
    for record in changed:  # only now: what is written must not move what is being read
        store.correct(record, at=at)
    return len(changed)


def without_lines(record: Record, learned: frozenset[str], *, keep: tuple[str, ...] = ()) -> Record:
    """Return the record without learned lines; one that has nothing else keeps its text."""
    lines = [
        line for line in record.text.split("\n") if fold_line(line) not in learned or line.startswith(keep or "\0")
    ]
    text = "\n".join(lines)
    if not text:
        return record
    return replace(record, text=text, word_count=count_words(text), text_hash=text_hash(text))


def _carriers(store: Store, slug: str, learned: frozenset[str]) -> Iterator[Record]:
    """Yield the latest records that carry one of these lines, each once."""
    seen: set[str] = set()
    for line in sorted(learned):
        words = " ".join(word for word in line.split() if word != "0")  # a folded number could be any
        for record in store.records(RecordQuery(outlet=slug, search=words or None)):
            if record.id not in seen and any(fold_line(own) == line for own in record.text.split("\n")):
                seen.add(record.id)
                yield record


def _reread(
    record: Record,
    outlet: Outlet,
    learned: frozenset[str],
    *,
    archive: WarcArchive | None,
    pool: ReaderPool,
    version: str,
) -> Record | None:
    if archive is None or record.archive is None:
        return None
    try:
        snapshot = archive.snapshot(record.archive)
    except StorageError:  # the page is no longer kept
        return None
    reading = pool.submit(snapshot.page, outlet, entry=snapshot.entry, learned=learned).result()
    return corrected(record, reading, outlet=outlet, version=version) if isinstance(reading, Article) else None
