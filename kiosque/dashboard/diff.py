"""What changed between two texts, word by word: pure, and bounded in time whatever the texts."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Op = Literal["same", "del", "ins"]

# Matching is quadratic at worst: more lines than this are not matched, and words while their products sum to less.
MOST_LINES = 1_500
WORDS_BUDGET = 400_000
# Unchanged paragraphs beside a change that are shown.
CONTEXT = 1

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")


class Piece(NamedTuple):
    """Some text of a line, kept, taken out or put in."""

    op: Op
    text: str


Line = tuple[Piece, ...]


def text_diff(old: str, new: str) -> list[Line]:
    """Return every line of both texts in order, changed lines word by word.

    >>> text_diff("Le pont ferme.", "Le pont rouvre.")
    [(Piece(op='same', text='Le pont '), Piece(op='del', text='ferme'), Piece(op='ins', text='rouvre'), \
Piece(op='same', text='.'))]
    """
    before, after = old.split("\n"), new.split("\n")
    if len(before) > MOST_LINES or len(after) > MOST_LINES:
        return [*_whole(before, "del"), *_whole(after, "ins")]
    found: list[Line] = []
    budget = WORDS_BUDGET
    for tag, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            found += _whole(before[i:j], "same")
            continue
        paired = min(j - i, m - k)
        for one, other in zip(before[i : i + paired], after[k : k + paired], strict=True):
            line, cost = _line_diff(one, other, budget)
            budget -= cost
            found.append(line)
        found += [*_whole(before[i + paired : j], "del"), *_whole(after[k + paired : m], "ins")]
    return found


def only_changes(lines: Sequence[Line]) -> Iterator[Line | None]:
    """Yield changed lines with a little around them; None stands for lines that are left out."""
    changed = [i for i, line in enumerate(lines) if any(piece.op != "same" for piece in line)]
    near = {k for i in changed for k in range(i - CONTEXT, i + CONTEXT + 1)}
    hidden = False
    for i, line in enumerate(lines):
        if i in near:
            yield line
        elif not hidden:
            yield None
        hidden = i not in near


def _whole(lines: Sequence[str], op: Op) -> list[Line]:
    return [(Piece(op, line),) for line in lines]


def _line_diff(old: str, new: str, budget: int) -> tuple[Line, int]:
    """Compare two lines by words, and return what it cost; too long ones are replaced whole."""
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    cost = len(before) * len(after)
    if cost > budget:
        return (Piece("del", old), Piece("ins", new)), 0
    pieces: list[Piece] = []
    for tag, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            pieces.append(Piece("same", "".join(before[i:j])))
            continue
        if i < j:
            pieces.append(Piece("del", "".join(before[i:j])))
        if k < m:
            pieces.append(Piece("ins", "".join(after[k:m])))
    return tuple(pieces), cost
