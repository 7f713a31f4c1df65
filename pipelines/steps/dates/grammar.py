"""The shapes of dates, times and their company: patterns over token classes (see `lexicon`).

A rule is a kind, the classes it may start with, and a pattern whose named groups are its fields,
each one token. Where two rules fit at one place the first listed wins; the leftmost place wins
over all. Every pattern is bounded, so a line costs time in proportion to its length.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

NUMBERS = "0123456789YK"
NUMBER = f"[{NUMBERS}]"
DAYS = "1234d"
DAY = f"[{DAYS}]"
SPELLED_DAY = f"[{DAYS}Q]"
MONTH = "[12]"
HOURS = "01237"
HOUR = f"[{HOURS}]"
MINUTE = "[23457]"
SHORT_YEAR = "[234567]"
AMOUNT = f"(?:{NUMBER}|Q)"
WEEKDAYS = "WwR"

# Not the middle of a longer number: a phone number, an ISBN, an IP address, a version.
APART = f"(?<!{NUMBER}[=/:-])"
DONE = f"(?![=/]{NUMBER}|-{NUMBER}(?![h:]))"

DATED = "C" + WEEKDAYS + DAYS  # "ce jeudi 24 octobre" starts like "24 octobre"
WEEKDAY = f"(?:C?(?P<weekday>[{WEEKDAYS}])[;,]*[LC]?)?"
TEXT_YEAR = f"(?:[;,=/-]*(?:(?P<year>Y)(?!h)|(?P<short_year>{SHORT_YEAR})(?=$|[,;!<>A]|{HOUR}[h:]))|(?![~-]?[K9]))"
NUMERIC_YEAR = f"(?:(?P<year>Y)|(?P<short_year>{SHORT_YEAR}))"
OFFSET = f"(?P<sign>[%~-])(?:(?P<clock>[KY])|(?P<hours>[0-37])(?::(?P<minutes>{MINUTE}))?)(?!h)"


class Rule(NamedTuple):
    """What a stretch of tokens is, what it may start with, and how it looks."""

    kind: str
    starts: str
    pattern: str


def _numeric(sign: str) -> Rule:
    pattern = f"{WEEKDAY}{APART}(?P<day>{DAY}){sign}(?P<month>{DAY}){sign}{NUMERIC_YEAR}{DONE}"
    return Rule("date", DATED, pattern)


def _spaced(sign: str) -> Rule:
    pattern = f"{WEEKDAY}{APART}(?P<day>{DAY}){sign}(?P<month>{MONTH}){sign}(?P<year>Y)"
    return Rule("date", DATED, pattern)


def _year_first(sign: str) -> Rule:
    pattern = f"{WEEKDAY}{APART}(?P<year>Y){sign}(?P<month>{MONTH}){sign}(?P<day>{DAY})(?![=/-]{NUMBER})"
    return Rule("date", "C" + WEEKDAYS + "Y", pattern)


RULES = (
    Rule("separator", "!", "!"),
    # Labels, and what a date belongs to.
    Rule("published", "P", "P"),
    Rule("modified", "V", "V"),
    Rule("named by date", "X", "X"),
    Rule("expected", "e", "e"),
    Rule("staged", "i", "i"),
    Rule("belonging", "BF", "[BF]"),
    Rule("shown", "S", "S"),
    Rule(
        "shown", "L" + WEEKDAYS, f"L?[WwR];?[&A/!-]L?[WwR];?(?!,|{DAY}(?![h:]))"
    ),  # "du lundi au vendredi", "mardi et jeudi"
    Rule("number", "O", f"O[;:]*(?!{DAY}/{MONTH}/Y){NUMBER}(?:[=/:-]?{NUMBER})*(?!M)"),
    Rule("programme", "L", f"(?<![PV])L{HOUR}[h:]{MINUTE}?"),
    Rule("byline", "b", "b(?:[xULaBeOS-];?){1,10}"),
    # Relative to the fetch.
    Rule("now", "I", "I"),
    Rule(
        "ago",
        "G",
        f"G(?:(?P<about>v)v*)?(?P<count>{AMOUNT})(?P<unit>[hms])(?:[&,]?(?P<more>{AMOUNT})(?P<more_unit>[hms])?|&Q?(?P<fraction>f))?",
    ),
    Rule("ago", "G", "Gv*(?P<quarters>Q)?-?(?P<fraction>f)-?U?(?P<unit>h)"),
    Rule("ago", NUMBERS + "Qv", f"v?(?P<count>{AMOUNT})(?P<unit>[hms])(?:(?P<more>{AMOUNT})(?P<more_unit>[hms]))?g"),
    Rule("days ago", "G", f"Gv*(?P<count>{AMOUNT})(?P<unit>[jkoy])(?:[&,]?{AMOUNT}[hms])?"),
    Rule("days ago", NUMBERS + "Qv", f"v?(?P<count>{AMOUNT})(?P<unit>[jkoy]);?g"),
    Rule("days ago", "-~", f"(?:^|(?<=!))[~-](?P<count>{NUMBER})(?P<unit>[jkoy]);?$"),
    Rule("ago", "-~", f"(?:^|(?<=!))[~-](?P<count>{NUMBER})(?P<unit>[hm]);?$"),
    # Times of the day: before the days, for no day starts like one.
    Rule("hours", "H", "H[&,A]H"),  # "d'hier à aujourd'hui"
    Rule("hours", "U" + HOURS, f"U?(?<!T){HOUR}[h:]{MINUTE}?[/&A!-]{HOUR}[h:]{MINUTE}?"),
    Rule(
        "time",
        HOURS,
        f"(?P<hour>{HOUR})h(?:(?P<minute>{MINUTE}|1(?=m))(?![;E]?[MR]|/)m?(?:(?P<second>{MINUTE})s)?h?|&(?P<half>f))?"
        "(?:U?L?(?P<part>q))?",
    ),
    Rule(
        "time",
        HOURS,
        f"(?P<hour>{HOUR}):(?P<minute>{MINUTE})(?::(?P<second>{MINUTE})(?:[=,]{NUMBER})?)?(?:(?P<half_day>p)|h)?",
    ),
    Rule("time", "12", f"(?P<hour>{MONTH})(?P<half_day>p)"),
    Rule("time", "T", f"(?<={NUMBER})T(?:(?P<clock>[KY])|(?P<long_clock>9))"),
    Rule("time", "N", "(?<![UL])(?P<noon>N)(?:&(?P<half>f))?(?!x)"),  # "La Dépêche du Midi", "Midi libre"
    # Several days: the first is read.
    Rule(
        "range",
        "UL" + DATED,
        f"U?L?{WEEKDAY}{APART}(?P<day>{DAY})E?(?:(?P<month>M);?(?P<year>Y)?)?[&/!A-]"
        f"U?L?(?:[WwR];?L?)?(?P<end_day>{DAY})E?-?(?P<end_month>M)[;,]?(?P<end_year>Y)?",
    ),
    Rule(
        "range",
        "U",
        f"UL?{WEEKDAY}(?P<day>{DAY})/(?P<month>{MONTH})(?:/(?P<year>Y))?&"
        f"(?P<end_day>{DAY})/(?P<end_month>{MONTH})(?:/(?P<end_year>Y))?",
    ),
    # A day with its month in words.
    Rule(
        "date",
        DATED + "Q",
        f"{WEEKDAY}(?P<day>{SPELLED_DAY})E?(?P<joint>[;,/-]?)U?(?P<month>[MR]);?{TEXT_YEAR}(?!-{NUMBER}{{2}})",
    ),
    Rule(
        "date",
        "C" + WEEKDAYS + "M",
        f"{WEEKDAY}(?P<month_first>M)[;,]*(?P<day>{DAY})(?![h:/=]|E?M)E?{TEXT_YEAR}",
    ),
    Rule("date", WEEKDAYS, f"{WEEKDAY}(?P<month_first>R);?(?P<day>{DAY}),?(?P<year>Y)"),
    Rule("month", "M", f"(?P<month>M);?(?:[/&-]M;?)?(?P<year>Y)(?!/{NUMBER})"),
    # In numbers.
    *map(_year_first, "-/="),
    *map(_numeric, "/-="),
    *map(_spaced, ";!"),
    Rule("compact", "8", "(?P<compact>8)"),
    Rule("time", HOURS, f"(?:(?<=Y)|(?<=Y[,!A]))(?P<hour>{HOUR})=(?P<minute>{MINUTE})(?!=)"),
    Rule(
        "day/month",
        DATED,
        f"{WEEKDAY}{APART}(?P<day>{DAY})(?P<joint>[/=-])(?P<month>{MONTH})(?![=/:-]{NUMBER}|/-|%|h)",
    ),
    Rule("month", "2", f"{APART}(?P<month>2)[=/-](?P<year>Y)(?![=/-]{NUMBER})"),
    Rule("month", "Y", f"{APART}(?P<year>Y)[/-](?P<month>2)(?![=/-]{NUMBER})"),
    Rule("epoch", "u", "^(?P<epoch>u)$"),
    # Right after a time: its zone.
    Rule("zone", "Zr<,", f"[<,]?(?P<zone>[Zr])(?:{OFFSET})?(?:<?Z)*>?"),
    Rule("zone", "%~-<,", f"[<,]?{OFFSET}(?:<?Z)*>?"),
    # Days by name.
    Rule("relative", "C", "Cq"),
    Rule("relative", "C", "C(?P<noon>N)"),
    Rule("relative", "H", "(?P<days>H)(?:(?:e?L|[A&])?q)?"),
    Rule("this", "C", "C(?P<unit>[koy])"),
    Rule("weekday", "W", "(?P<weekday>W)UL?(?P<week>k)D"),  # "lundi de la semaine dernière"
    Rule("last", "Lkoy", "L?(?P<unit>[koy])D"),
    Rule(
        "weekday day",
        "C" + WEEKDAYS,
        f"C?(?P<weekday>[{WEEKDAYS}])[;,]*L?(?P<day>{DAY})E?(?![h:/=msE-]|{NUMBER}(?![h:])|M)",
    ),
    Rule("day of month", "L", f"L(?P<day>{DAY})E?(?![h:/=msjkoy%E-]|{NUMBER}(?![h:])|[MNR])"),
    Rule(
        "weekday", "C" + WEEKDAYS, f"(?P<demonstrative>C)?(?P<weekday>W|[wR](?=[;,A]*{HOUR}[h:]));?q?(?P<last>D)?(?!F)"
    ),
)

_FIELD = re.compile(r"\(\?P<(\w+)>")


class Family(NamedTuple):
    """The rules that may start at one token class, as one pattern."""

    match: Callable[[str, int], re.Match[str] | None]
    rules: dict[int, tuple[str, tuple[tuple[str, int], ...]]]
    """By a match's outer group: the rule's kind, and the group of each field."""


class _Families(dict[str, Family | None]):
    """The family of each token class, None where no rule starts with it; compiled when first asked for."""

    def __missing__(self, start: str) -> Family | None:
        numbers = tuple(number for number, rule in enumerate(RULES) if start in rule.starts)
        self[start] = _compiled(numbers) if numbers else None
        return self[start]


FAMILIES = _Families()


@cache
def _compiled(numbers: tuple[int, ...]) -> Family:
    rules = {}
    parts = []
    group = 1
    for number in numbers:
        rule = RULES[number]
        names = _FIELD.findall(rule.pattern)
        rules[group] = (rule.kind, tuple((name, group + place) for place, name in enumerate(names, start=1)))
        parts.append(f"({_FIELD.sub('(', rule.pattern)})")
        group += 1 + len(names)
    return Family(re.compile("|".join(parts)).match, rules)
