"""The change feed: what became of each article, and the files that an export makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ChangeKind = Literal["new", "revised", "corrected", "deleted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What became of one article since some change: a row of the change feed."""

    number: int
    """Of its last change."""
    id: str
    revision: int
    """The latest; 0 when it was deleted."""
    kind: ChangeKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Changed articles in the order of their last change, as columns: the way exports take them."""

    changes: tuple[Change, ...]
    columns: Mapping[str, Sequence[Any]]
    """By the record's field, as a database gives them: texts are `str` or UTF-8, lists and `rights` are JSON texts,
    `urls` those besides `url`, in any order (`storage.columns.plain` gives what JSON has). Deleted articles have no
    row here; the others stand in the order of `changes`. Arrow's arrays, where they were asked for, hold the same as
    UTF-8, numbers in decimal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Where a reader of a change feed stopped before its end."""

    cursor: int
    """The feed's."""
    position: int
    """The last change that was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeFeed:
    """What became of each article that changed since some change; each article stands in it once."""

    cursor: int
    """The newest change that it holds: where the next feed goes on."""
    batches: Iterator[Batch]
    goes_on: bool = False
    """It begins where an earlier reader stopped, and what that one read is still so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFile:
    """A file of an export."""

    name: str
    """Its path in the export's folder, with `/`."""
    rows: int
    bytes: int
    sha256: str
