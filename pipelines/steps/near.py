"""Near-duplicates: MinHash bands find who may share a text, shared word triples decide it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from pipelines.steps.lines import words_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kiosque.model import Record

# Words that make a shingle: three survive an edit nearby, and are seldom shared by chance.
SHINGLE = 3
# A shorter text ("Le direct est terminé.") has no copies worth naming.
FEWEST_WORDS = 25
# A text is compared by this many words at most: a copy shows within them.
MOST_WORDS = 5_000
# The probability that two texts with the Jaccard index j meet in a band is 1 - (1 - j**ROWS)**BANDS:
# .98 at j = .54 (each has 30% of its own), 1 in 40,000 at j = .01 (two reports of one match).
BANDS, ROWS = 24, 3
# Changing these, the shingles or rensa's algorithm makes the bands in a store useless: it needs a migration.
SEED = 20_241_025
# Two texts are near-duplicates when this share of the shorter one's shingles stands in the other ...
SHARED = 0.55
# ... and this share of all shingles of both: a brief of three lines is no copy of a long report.
JACCARD = 0.35
# Near-duplicates that are looked at closely.
MOST_NEIGHBOURS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The cluster of an article: the id of its earliest member."""

    cluster: str
    renamed: str | None = None
    """The name that the cluster had, when this article is earlier than all of it."""


def shingles(text: str) -> frozenset[str]:
    """Return the word triples of a text; none when it is too short to be a copy."""
    words = words_of(text)[:MOST_WORDS]
    if len(words) < FEWEST_WORDS:
        return frozenset()
    return frozenset(map(" ".join, zip(*(words[start:] for start in range(SHINGLE)), strict=False)))


def bands(text: str) -> tuple[int, ...]:
    """Return the signed 64-bit numbers of a text's bands, () for a short one; near-duplicates have one in common."""
    found = shingles(text)
    if not found:
        return ()
    sketch = _sketches()(num_perm=BANDS * ROWS, seed=SEED)
    sketch.update(sorted(found))
    digest = sketch.digest()
    return tuple(_band(number, digest[number * ROWS : (number + 1) * ROWS]) for number in range(BANDS))


@cache
def _sketches() -> Any:
    from rensa import RMinHash  # noqa: PLC0415 - `kiosque date` does without

    return RMinHash


def _band(number: int, rows: Sequence[int]) -> int:
    raw = b"".join(value.to_bytes(8, "big") for value in (number, *rows))
    return int.from_bytes(hashlib.blake2b(raw, digest_size=8).digest(), "big", signed=True)


def are_near(one: frozenset[str], other: frozenset[str]) -> float:
    """Return the share of the shorter text's shingles that the other has; 0 when they are no near-duplicates."""
    both = len(one & other)
    if not both:
        return 0.0
    shared = both / min(len(one), len(other))
    jaccard = both / (len(one) + len(other) - both)
    return shared if shared >= SHARED and jaccard >= JACCARD else 0.0


def nearest(record: Record, neighbours: Iterable[Record]) -> Record | None:
    """Return the neighbour whose text is nearest to a record's, one with the same words at once; None: none is near."""
    own: frozenset[str] | None = None
    best: tuple[float, Record | None] = (0.0, None)
    for one in neighbours:
        if one.text_hash == record.text_hash and record.word_count >= FEWEST_WORDS:
            return one
        own = shingles(record.text) if own is None else own
        score = are_near(own, shingles(one.text)) if own else 0.0
        best = (score, one) if score > best[0] else best
    return best[1]


def place(record: Record, head: Record | None) -> Place:
    """Return the place of an article in the cluster that `head` is the earliest of; None: it stands alone."""
    if head is None:
        return Place(cluster=record.id)
    if appeared(record) < appeared(head):
        return Place(cluster=record.id, renamed=head.id)
    return Place(cluster=head.id)


def appeared(record: Record) -> tuple[datetime, str]:
    """Return when an article appeared, for the order in its cluster: its claim, but never after we saw it.

    A plain day counts with its last second: it does not win over an instant of that day.
    """
    claimed = record.first_seen_at
    if record.published:
        claimed = datetime.fromisoformat(record.published)
        if len(record.published) == len("2024-10-25"):
            claimed = claimed.replace(hour=23, minute=59, second=59)
        if claimed.tzinfo is None:
            claimed = claimed.replace(tzinfo=UTC)
    return min(claimed, record.first_seen_at), record.id
