"""Tell an article's date from a date in other words: how much must be known of what stands around it."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.steps.dates.moments import Item, Moment
    from pipelines.steps.dates.tokens import Line

MAX_NAMES = 4
"""More words with capitals are a headline, not an author, an outlet or a section."""
SHORT_MONTH = 4
"""Letters of a month that is cut short: "25-oct" is a date, "le 13-Novembre" a name."""

_NEAR_DAYS = frozenset(("relative", "day/month"))
_AGES = frozenset(("ago", "days ago"))
_DATES = frozenset(("date", "range"))
_CERTAIN = frozenset(("year", "short_year", "weekday"))
_EXPLAINED = frozenset("LUA&baO!;:,<>%~/TZ-")
_CONTEXT = frozenset(("named by date", "expected", "staged", "belonging", "shown", "separator"))


def believable(found: list[Moment], items: list[Item], line: Line) -> list[Moment]:
    """Return the moments that the words around leave an article's.

    A full date stands anywhere; a day without a year, where nothing says it is a name; a weekday, an
    age or a time only where all else is known.
    """
    if all(map(_is_certain, found)):
        return found
    unknown = _unknown_places(items, line.shape)
    return [moment for moment in found if _is_certain(moment) or _is_believable(moment, line, unknown)]


def _is_certain(moment: Moment) -> bool:
    return moment.labelled or (moment.kind in _DATES and not _CERTAIN.isdisjoint(moment.fields))


def _unknown_places(items: list[Item], shape: str) -> list[int]:
    """Return the tokens, in order, that neither the grammar nor the glue between its items explains."""
    places = []
    end = 0
    for item in items:
        if item.kind not in _CONTEXT:
            places += [place for place in range(end, item.start) if shape[place] not in _EXPLAINED]
            end = item.end
    return places + [place for place in range(end, len(shape)) if shape[place] not in _EXPLAINED]


def _is_believable(moment: Moment, line: Line, unknown: list[int]) -> bool:
    fields, words = moment.fields, line.shape[moment.start : moment.end]
    match moment.kind:
        case "range" | "date" if "month_first" not in fields:
            return not (_names_an_event(moment, line.shape) or _is_in_a_sentence(moment, line))
        case "day/month" if "weekday" not in fields and _is_a_score(moment):
            believable = False
        case "time":
            believable = "m" not in words  # "2 h 12 min" lasts
        case _:
            believable = True
    return believable and line.shape[moment.start - 1 : moment.start] != "U" and _is_alone(moment, line, unknown)


def _names_an_event(moment: Moment, shape: str) -> bool:
    """Tell "la manifestation du 25 octobre" and "le 11-Septembre"."""
    if moment.fields.get("joint") == "-" and len(moment.fields["month"]) > SHORT_MONTH:
        return True
    return "xU" in shape[max(0, moment.start - 2) : moment.start + 1]


def _is_in_a_sentence(moment: Moment, line: Line) -> bool:
    """Tell "le chantier débute le 26 avril": an article of grammar, and before it a word without a capital."""
    before = moment.start - 2
    if before < 0 or line.shape[before] != "x" or line.shape[before + 1] not in "LC":
        return False
    return line.words[before].isalpha() and not line.is_name(before)


def _is_a_score(moment: Moment) -> bool:
    """Tell "7-9", "7/9" and "8/10" (a score, a programme, a mark) from "24/10" and "08/03"."""
    fields = moment.fields
    return fields["joint"] == "-" or (moment.time is None and min(len(fields["day"]), len(fields["month"])) == 1)


def _is_alone(moment: Moment, line: Line, unknown: list[int]) -> bool:
    """Tell whether nothing unknown stands in the same part of the line (anywhere, for a bare time).

    Names may stand beside an age, and beside a relative day with a time: "Le Courrier, il y a 2 heures".
    """
    shape = line.shape
    left, right = 0, len(shape)
    if moment.kind != "time":
        left = shape.rfind("!", 0, moment.start) + 1
        right = max(shape.find("!", moment.end), moment.end) if "!" in shape[moment.end :] else right
    beside = unknown[bisect_left(unknown, left) : bisect_left(unknown, right)]
    if not beside:
        return True
    named = moment.kind in _AGES or (moment.kind in _NEAR_DAYS and moment.time is not None)
    return named and len(beside) <= MAX_NAMES and all(shape[place] == "x" and line.is_name(place) for place in beside)
