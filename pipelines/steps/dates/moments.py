"""Find a line's moments: days and times joined, each with its role, without those that belong to something else."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from pipelines.steps.dates.grammar import FAMILIES

if TYPE_CHECKING:
    from pipelines.steps.dates.days import Fields
    from pipelines.steps.dates.reading import Role
    from pipelines.steps.dates.tokens import Line

_GLUE = re.compile(r"[,!:<>/;~LUCAT-]{0,4}\Z")
"""Between a day and its time, whichever comes first."""
_GOVERNED = re.compile(r"[ULCE&;:AO0-9YK/-]*\Z")
"""Between "loi" and its date: "n° 2004-575 du"."""
_LABELLED = re.compile(r"[LUCA&:;,!~ab<-]*\Z")
"""Between "publié" and its date."""

TIMES = frozenset(("time", "ago", "now"))


class Item(NamedTuple):
    """A stretch of tokens that one rule of the grammar fits."""

    kind: str
    start: int
    end: int
    fields: Fields


@dataclass(frozen=True, slots=True)
class Moment:
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
        family = FAMILIES.get(shape[place])
        match = family.pattern.match(shape, place) if family else None
        if family is None or match is None:
            place += 1
            continue
        group = match.lastindex or 0
        fields = {name: words[match.start(index)] for name, index in family.fields[group] if match[index]}
        items.append(Item(family.kinds[group], place, match.end(), fields))
        place = match.end()
    return items


def moments_of(items: list[Item], shape: str) -> list[Moment]:
    """Return the moments among the items, joined."""
    return _joined(_in_context(items, shape), shape)


def _in_context(items: list[Item], shape: str) -> list[Moment]:
    """Return the days and times that belong to nothing else, each with the role of the label before it."""
    found = []
    role: Role = "unknown"
    label = near = -1  # where the last label, the last noun that governs a date, ended
    clause = show = False
    for item in items:
        match item.kind:
            case "separator":
                clause = show = False
            case "published" | "modified" as told:
                role, label, near, clause, show = told, item.end, -1, False, False
            case "near":
                near = item.end
            case "clause":
                clause = True
            case "show":
                show = True
            case "hours" | "byline" | "number" | "programme":
                pass
            case kind:
                governed = near >= 0 and _GOVERNED.match(shape, near, item.start)
                to_come = shape[item.end : item.end + 1] == "F"
                if not (clause or governed or to_come or (show and kind in TIMES)):
                    labelled = label >= 0 and _LABELLED.match(shape, label, item.start) is not None
                    found.append(Moment(kind, item.fields, item.start, item.end, role, labelled))
    return found


def _joined(found: list[Moment], shape: str) -> list[Moment]:
    """Join each time with its zone, and with the day right before or after it."""
    joined: list[Moment] = []
    for moment in found:
        last = joined[-1] if joined else None
        if moment.kind == "zone":
            if last and last.end == moment.start and (last.time or last.kind == "time"):
                joined[-1] = replace(last, zone=moment.fields, end=moment.end)
        elif last is None or not _GLUE.match(shape, last.end, moment.start):
            joined.append(moment)
        elif moment.kind == "time" and last.time is None and last.kind not in TIMES:
            joined[-1] = replace(last, time=moment.fields, end=moment.end)
        elif last.kind == "time" and moment.kind not in TIMES:
            joined[-1] = replace(last, kind=moment.kind, fields=moment.fields, time=last.fields, end=moment.end)
        else:
            joined.append(moment)
    return joined
