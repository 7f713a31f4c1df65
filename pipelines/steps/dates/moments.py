"""Find a line's moments: days and times joined, each with its role, without those that belong to something else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from pipelines.steps.dates.grammar import FAMILIES

if TYPE_CHECKING:
    from pipelines.steps.dates.days import Fields
    from pipelines.steps.dates.reading import Role
    from pipelines.steps.dates.tokens import Line

_GLUE = re.compile(r"[,!:<>/;~LUCAT-]{0,4}\Z")
"""Between a day and its time, whichever comes first."""
_NAMED = re.compile(r"[xULE;&:AO0-9YK<>/-]{0,12}U\Z")
"""Between "loi" and its date: "n° 2004-575 du", "organique du"."""
_EXPECTED = re.compile(r"[ULCE&:A]{0,4}\Z")
"""Between "prévu" and its date: "pour le"."""
_JOINTS = frozenset("LU&A:eBFXQ")
"""Right before a date that belongs to a word further left: "né à Lyon le", "clôture :"."""
_BOTH = frozenset("&/,")
"""Between two labels of one date: "publié et mis à jour le"."""
_YEARLESS = frozenset(("day", "month", "joint"))
_LABELLED = re.compile(r"[LUCA&:;,!~ab<-]*\Z")
"""Between "publié" and its date."""

_CONSUMED = frozenset(("hours", "byline", "number", "programme"))
TIMES = frozenset(("time", "ago", "now"))


class Item(NamedTuple):
    """A stretch of tokens that one rule of the grammar fits."""

    kind: str
    start: int
    end: int
    fields: Fields


class Moment(NamedTuple):
    """A stretch of tokens that states a day, a time or both."""

    kind: str
    fields: Fields
    start: int
    end: int
    role: Role
    labelled: bool
    time: Fields | None = None
    zone: Fields | None = None


def items_of(line: Line) -> list[Item]:
    """Return what the grammar finds, in order."""
    words, shape = line.words, line.shape
    items = []
    place, end = 0, len(shape)
    while place < end:
        family = FAMILIES[shape[place]]
        match = family.match(shape, place) if family else None
        if family is None or match is None:
            place += 1
            continue
        kind, names = family.rules[match.lastindex or 0]
        fields = {name: words[start] for name, index in names if (start := match.start(index)) >= 0}
        items.append(Item(kind, place, match.end(), fields))
        place = match.end()
    return items


def moments_of(items: list[Item], shape: str) -> list[Moment]:
    """Return the moments among the items, joined."""
    return _joined(_in_context(items, shape), shape)


class _Context(NamedTuple):
    """What was said before a date: where the last words of each kind ended, -1 for none."""

    role: Role = "unknown"
    label: int = -1
    named: int = -1
    expected: int = -1
    staged: int = -1
    belonging: bool = False
    shown: bool = False
    said: bool = False
    """Any of the five above."""


def _in_context(items: list[Item], shape: str) -> list[Moment]:
    """Return the days and times that belong to nothing else, each with the role of the label before it."""
    found = []
    context = _Context()
    for item in items:
        match item.kind:
            case "published" | "modified" as role:
                both = context.role == "published" and shape[context.label : item.start] in _BOTH
                context = _Context(role="published" if both else role, label=item.end)
            case "separator" | "named by date" | "expected" | "staged" | "belonging" | "shown" as said:
                context = _after(context, said, item.end)
            case kind if kind not in _CONSUMED and not (context.said and _is_taken(item, context, shape)):
                if shape[item.end : item.end + 1] == "F":  # "samedi prochain"
                    continue
                label = context.label
                labelled = label >= 0 and _LABELLED.match(shape, label, item.start) is not None
                found.append(Moment(kind, item.fields, item.start, item.end, context.role, labelled))
    return found


def _after(context: _Context, said: str, end: int) -> _Context:
    match said:
        case "named by date":
            return context._replace(named=end, said=True)
        case "expected":
            return context._replace(expected=end, said=True)
        case "staged":
            return context._replace(staged=end, said=True)
        case "belonging":
            return context._replace(belonging=True, said=True)
        case "shown":
            return context._replace(shown=True, said=True)
    return context._replace(belonging=False, shown=False)


def _is_taken(item: Item, context: _Context, shape: str) -> bool:
    """Tell whether a date is something else's: a street's, a deadline's, a programme's."""
    start, first = item.start, shape[item.start]
    if context.shown and item.kind in TIMES:
        return True
    if context.belonging and (shape[start - 1] in _JOINTS or first in "UL"):
        return True
    if context.expected >= 0 and _EXPECTED.match(shape, context.expected, start):
        return True
    if context.staged >= 0 and _EXPECTED.match(shape, context.staged, start):
        return context.staged < start or "year" not in item.fields
    return context.named >= 0 and _is_named(item, context.named, shape)


def _is_named(item: Item, named: int, shape: str) -> bool:
    """Tell whether a date names the thing before it: "rue du 8 mai", "pont 8 novembre", "station Quatre-Septembre"."""
    start = item.start
    if _NAMED.match(shape, named, start + shape.startswith("U", start)):
        return True
    near = start == named or (start == named + 1 and shape[named] == "-")
    return near and item.kind == "date" and item.fields.keys() <= _YEARLESS


def _joined(found: list[Moment], shape: str) -> list[Moment]:
    """Join each time with its zone, and with the day right before or after it."""
    joined: list[Moment] = []
    for moment in found:
        last = joined[-1] if joined else None
        if moment.kind == "zone":
            if last and last.end == moment.start and (last.time or last.kind == "time"):
                joined[-1] = last._replace(zone=moment.fields, end=moment.end)
        elif last is None or not _GLUE.match(shape, last.end, moment.start):
            joined.append(moment)
        elif moment.kind == "time" and last.time is None and last.kind not in TIMES:
            joined[-1] = Moment(*last[:3], moment.end, last.role, last.labelled, moment.fields)
        elif last.kind == "time" and moment.kind not in TIMES:
            joined[-1] = last._replace(kind=moment.kind, fields=moment.fields, time=last.fields, end=moment.end)
        else:
            joined.append(moment)
    return joined
