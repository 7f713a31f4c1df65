"""The shapes of dates, times and their company: patterns over token classes (see `lexicon`).

A rule is a kind and a pattern; the pattern's named groups are its fields, each one token. Where two
rules fit at one place the first listed wins, and the leftmost place wins over all.
"""

from __future__ import annotations

import re
from typing import NamedTuple

NUMBER = "[0-9YK]"
DAY = "[1234]"
MONTH = "[12]"
HOUR = "[01237]"
MINUTE = "[23457]"
SHORT_YEAR = "[234567]"
AMOUNT = f"(?:{NUMBER}|Q)"

# Not the middle of a longer number: a phone number, an ISBN, an IP address, a version.
APART = f"(?<!{NUMBER}[=/:-])"
DONE = f"(?![=/]{NUMBER}|-{NUMBER}(?![h:]))"

WEEKDAY = "(?:(?P<weekday>[WwR])[;,]*[LC]?)?"
TEXT_YEAR = f"(?:(?P<year>Y)(?!h)|(?P<short_year>{SHORT_YEAR})(?=$|[,;!<>A]|{HOUR}[h:]))?"
NUMERIC_YEAR = f"(?:(?P<year>Y)|(?P<short_year>{SHORT_YEAR}))"
OFFSET = f"(?P<sign>[%~-])(?:(?P<clock_offset>[KY])|(?P<hours>[0-37])(?::(?P<minutes>{MINUTE}))?)(?!h)"
ZONE = f"(?:[<,]?(?:(?P<zone>[Zr])(?:{OFFSET})?|(?P<bare>){OFFSET})(?:<?Z)*>?)?"
NAMED_ZONE = "(?:[<,]?(?P<zone>[Zr])>?)?"  # "7h12 -9h" is no offset


class Rule(NamedTuple):
    """What a stretch of tokens is, and how it looks."""

    kind: str
    pattern: str


def _numeric(sign: str) -> Rule:
    return Rule("date", f"{WEEKDAY}{APART}(?P<day>{DAY}){sign}(?P<month>{DAY}){sign}{NUMERIC_YEAR}{DONE}")


def _year_first(sign: str) -> Rule:
    return Rule("date", f"{WEEKDAY}{APART}(?P<year>Y){sign}(?P<month>{MONTH}){sign}(?P<day>{DAY})(?![=/-]{NUMBER})")


RULES = (
    Rule("separator", "!"),
    # Labels and what a date belongs to.
    Rule("published", "P"),
    Rule("modified", "V"),
    Rule("near", "X"),
    Rule("clause", "B"),
    Rule("show", "S"),
    # Relative to the fetch.
    Rule("now", "I"),
    Rule(
        "ago",
        f"Gv*(?P<count>{AMOUNT})(?P<unit>[hmsjkoy])(?:[&,]?(?P<more>{AMOUNT})(?P<more_unit>[hms])?|&Q?(?P<fraction>f))?",
    ),
    Rule("ago", "Gv*(?P<quarters>Q)?-?(?P<fraction>f)-?U?(?P<unit>h)"),
    Rule("ago", f"(?P<count>{AMOUNT})(?P<unit>[hmsjkoy])(?:(?P<more>{AMOUNT})(?P<more_unit>[hms]))?g"),
    Rule("ago", f"(?:^|(?<=!))[~-](?P<count>{NUMBER})(?P<unit>[hmj])$"),
    # Several days: the first is read.
    Rule(
        "range",
        f"U?L?{WEEKDAY}{APART}(?P<day>{DAY})E?(?:(?P<month>M);?(?P<year>Y)?)?(?:[&/!-]|A)"
        f"U?L?(?:[WwR];?L?)?(?P<end_day>{DAY})E?-?(?P<end_month>M)[;,]?(?P<end_year>Y)?",
    ),
    Rule(
        "range",
        f"UL?{WEEKDAY}(?P<day>{DAY})/(?P<month>{MONTH})(?:/(?P<year>Y))?&(?P<end_day>{DAY})/(?P<end_month>{MONTH})(?:/(?P<end_year>Y))?",
    ),
    # A day with its month in words.
    Rule(
        "date",
        f"{WEEKDAY}(?P<day>{DAY})E?(?P<joint>[;,/-]?)U?(?P<month>[MR])(?:[;,=-]*|/){TEXT_YEAR}(?!-{NUMBER}{{2}})",
    ),
    Rule("date", f"{WEEKDAY}(?P<month_first>M)[;,]*(?P<day>{DAY})(?![h:/=]|E?M)E?[,;]*{TEXT_YEAR}"),
    Rule("date", f"{WEEKDAY}(?P<month_first>R);?(?P<day>{DAY}),?(?P<year>Y)"),
    Rule("month", f"(?P<month>M);?(?P<year>Y)(?!/{NUMBER})"),
    # In numbers.
    *map(_year_first, "-/="),
    *map(_numeric, "/-="),
    Rule("date", "(?P<compact>8)"),
    Rule("time", f"(?:(?<=Y)|(?<=Y[,!A]))(?P<hour>{HOUR})=(?P<minute>{MINUTE})(?!=)"),
    Rule("day/month", f"{WEEKDAY}{APART}(?P<day>{DAY})(?P<joint>[/=-])(?P<month>{MONTH})(?![=/:-]{NUMBER}|%|h)"),
    Rule("month", f"{APART}(?P<month>2)/(?P<year>Y)(?![=/-]{NUMBER})"),
    # Times of the day.
    Rule("hours", f"U?{HOUR}[h:]{MINUTE}?(?:[/&A-]|!){HOUR}[h:]{MINUTE}?"),
    Rule(
        "time",
        f"(?P<hour>{HOUR})h(?:(?P<minute>{MINUTE}|1(?=m))(?![;E]?[MR]|/)m?(?:(?P<second>{MINUTE})s)?h?|&(?P<half>f))?(?:U?L?(?P<part>q))?{NAMED_ZONE}",
    ),
    Rule(
        "time",
        f"(?P<hour>{HOUR}):(?P<minute>{MINUTE})(?::(?P<second>{MINUTE})(?:[=,]{NUMBER})?)?(?:(?P<half_day>p)|h)?{ZONE}",
    ),
    Rule("time", f"(?P<hour>{MONTH})(?P<half_day>p){NAMED_ZONE}"),
    Rule("time", f"(?<={NUMBER})T(?:(?P<clock>[KY])|(?P<long_clock>9)){ZONE}"),
    Rule("time", f"(?P<noon>N){NAMED_ZONE}"),
    # Days by name.
    Rule("relative", "Cq"),
    Rule("relative", "(?P<noon>(?<=C)N)"),
    Rule("relative", "(?P<days>H)q?"),
    Rule("last", "L?(?P<unit>[koy])D"),
    Rule("weekday day", f"(?P<weekday>[WwR])[;,]*L?(?P<day>{DAY})E?(?![h:/=msE-]|{NUMBER}|M)"),
    Rule("day of month", f"L(?P<day>{DAY})E?(?![h:/=msjkoy%E-]|{NUMBER}|[MNR])"),
    Rule("weekday", "(?P<demonstrative>C)?(?P<weekday>[WwR]);?q?(?P<last>D)?(?!F)"),
    Rule("byline", "b(?:[xULa-];?){1,10}"),
)

_FIELD = re.compile(r"\(\?P<(\w+)>")


class Grammar(NamedTuple):
    """All rules as one pattern: `kinds` and `fields` tell a match's outer group what it is."""

    pattern: re.Pattern[str]
    kinds: dict[int, str]
    fields: dict[int, tuple[tuple[str, int], ...]]


def _compile(rules: tuple[Rule, ...]) -> Grammar:
    kinds: dict[int, str] = {}
    fields: dict[int, tuple[tuple[str, int], ...]] = {}
    parts = []
    group = 1
    for rule in rules:
        names = _FIELD.findall(rule.pattern)
        kinds[group] = rule.kind
        fields[group] = tuple((name, group + place) for place, name in enumerate(names, start=1))
        parts.append(f"({_FIELD.sub('(', rule.pattern)})")
        group += 1 + len(names)
    return Grammar(re.compile("|".join(parts)), kinds, fields)


GRAMMAR = _compile(RULES)
