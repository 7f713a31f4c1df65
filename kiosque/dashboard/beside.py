"""The kept text with what was taken out beside it, each line where the page had it: pure, and bounded in time."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING, NamedTuple

from pipelines.steps.lines import words_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipelines.trace import Line

# Matching takes the product of both lengths at worst: beyond it, the text stands alone.
MOST_COMPARED = 300_000
# Lines that extraction left between two paragraphs: more of them are another part of the page.
MOST_ASIDE = 12


class Row(NamedTuple):
    """A paragraph of the text, and the lines that stood before it on the page and are not in it."""

    text: str
    """Empty for what stood after the last paragraph."""
    is_lead: bool
    taken: tuple[Line, ...]


def rows(text: str, lead: str | None, lines: Sequence[Line]) -> list[Row]:
    """Return the text's paragraphs in their order, each with what was taken out before it.

    Lines that no rule removed are told only between paragraphs: what stands around an article is the rest of
    the page.
    """
    kept = [line for line in text.split("\n") if line.strip()]
    # The chapô opens the text, a line or several.
    led = len([line for line in (lead or "").split("\n") if line.strip()])
    taken = _taken_before(kept, lines)
    found = [Row(line, i < led, taken.get(i, ())) for i, line in enumerate(kept)]
    rest = taken.get(len(kept), ())
    return [*found, Row("", is_lead=False, taken=rest)] if rest else found


def _taken_before(kept: Sequence[str], lines: Sequence[Line]) -> dict[int, tuple[Line, ...]]:
    """Return the lines that were taken out, by the place of the paragraph that follows them."""
    if len(kept) * len(lines) > MOST_COMPARED:
        removed = tuple(line for line in lines if line.fate == "removed")
        return {len(kept): removed} if removed else {}
    ours = [_key(line) for line in kept]
    # Only what can match is compared, so that the article is one run however much stands between its lines.
    known = set(ours)
    on_page = [(i, key) for i, key in enumerate(_key(line.text) for line in lines) if key in known]
    blocks = SequenceMatcher(None, [key for _, key in on_page], ours, autojunk=False).get_matching_blocks()
    place = {on_page[block.a + n][0]: block.b + n for block in blocks for n in range(block.size)}
    found: dict[int, tuple[Line, ...]] = {}
    first, last = min(place, default=0), max(place, default=-1)
    for next_place, taken in _gaps(lines, place, len(kept)):
        inside = [(i, line) for i, line in taken if line.fate == "removed" or first < i < last]
        asides = sum(line.fate == "aside" for _, line in inside)
        shown = tuple(line for _, line in inside if line.fate == "removed" or asides <= MOST_ASIDE)
        if shown:
            found[next_place] = shown
    return found


def _gaps(lines: Sequence[Line], place: dict[int, int], end: int) -> Iterator[tuple[int, list[tuple[int, Line]]]]:
    """Yield what stands between two matched lines, with the place of the paragraph that follows."""
    gap: list[tuple[int, Line]] = []
    for i, line in enumerate(lines):
        if i in place:
            yield place[i], gap
            gap = []
        elif line.fate in {"removed", "aside"}:
            gap.append((i, line))
    yield end, gap


def _key(text: str) -> str:
    return " ".join(words_of(text))
