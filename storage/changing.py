"""The change feed: what became of each article, and the files that an export makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, overload

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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


class AllNew(Sequence[Change]):
    """Changes of articles that are new to the reader, made when they are looked at: a full export hardly does."""

    def __init__(self, ids: Sequence[Any], numbers: Sequence[Any], revisions: Sequence[Any]) -> None:
        self._columns = (ids, numbers, revisions)

    def __len__(self) -> int:
        return len(self._columns[0])

    @overload
    def __getitem__(self, place: int) -> Change: ...
    @overload
    def __getitem__(self, place: slice) -> list[Change]: ...
    def __getitem__(self, place: int | slice) -> Change | list[Change]:
        if isinstance(place, slice):
            return [self[one] for one in range(len(self))[place]]
        values = (column[place] for column in self._columns)
        id_, number, revision = (value.as_py() if hasattr(value, "as_py") else value for value in values)
        id_ = id_.decode() if isinstance(id_, bytes) else id_
        return Change(number=int(number), id=id_, revision=int(revision), kind="new")


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Changed articles in the order of their last change, as columns: the way exports take them."""

    changes: Sequence[Change]
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
