"""What each key of an outlet file may hold: one check a key, from TOML values to the model's.

A check takes a value and `where` it stands ("lavoix.toml: feeds"), returns what `Outlet` takes, and raises
`OutletError`, one sentence that begins with `where`.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, datetime
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from kiosque.errors import OutletError
from kiosque.model import CleanRules, ReadRules
from kiosque.outlets.countries import COUNTRIES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Check = Callable[[Any, str], Any]

SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
TOML_TYPES = (  # bool before int: in Python True is an int
    (bool, "true or false"),
    (str, "a string"),
    (int | float, "a number"),
    (list, "an array"),
    (dict, "a table"),
)
LONGEST_TEXT = 2_000  # characters; as browsers limit a URL
MOST_PER_DAY = 100_000
LONGEST_DELAY = 3_600  # seconds


def a_string(value: object, where: str) -> str:
    """A text of one line that says something."""
    if not isinstance(value, str):
        raise OutletError(f"{where} must be a string, not {_named(value)}")
    if not value.strip():
        raise OutletError(f"{where} is empty")
    if len(value) > LONGEST_TEXT:
        raise OutletError(f"{where} is longer than {LONGEST_TEXT} characters")
    if CONTROL.search(value):
        raise OutletError(f"{where} holds a line break or another control character")
    return value


def a_url(value: object, where: str) -> str:
    """An http or https address with a host, without a name or password in it."""
    url = a_string(value, where)
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:  # an unclosed bracket, a port that is no number
        usable = False
    if not usable or " " in url:
        raise OutletError(f"{where}: {url!r} is not an http or https address")
    if "@" in parts.netloc:
        raise OutletError(f"{where}: {parts.hostname} comes with a name or password, which would end up in the records")
    return url


def a_country(value: object, where: str) -> str:
    """An ISO 3166-1 code of two capital letters."""
    code = a_string(value, where)
    if code not in COUNTRIES:
        hint = f", did you mean {code.upper()!r}?" if code.upper() in COUNTRIES else " (as FR, BE, SN, RE)"
        raise OutletError(f"{where}: {code!r} is not an ISO 3166-1 country code{hint}")
    return code


def a_zone(value: object, where: str) -> str:
    """The name of a time zone that this machine knows."""
    zone = a_string(value, where)
    if not _zone_exists(zone):
        raise OutletError(f"{where}: no time zone is called {zone!r} (as Europe/Paris, Indian/Reunion)")
    return zone


def a_language(value: object, where: str) -> str:
    """A language tag: `fr`, `fr-CA`."""
    tag = a_string(value, where)
    if not LANGUAGE.fullmatch(tag):
        raise OutletError(f"{where}: {tag!r} is not a language tag (as fr, fr-CA)")
    return tag


def a_slug(value: object, where: str) -> str:
    """Small letters, digits and single hyphens."""
    slug = a_string(value, where)
    if not SLUG.fullmatch(slug):
        raise OutletError(f"{where}: {slug!r} may hold only a-z, 0-9 and hyphens between them")
    return slug


def a_selector(value: object, where: str) -> str:
    """A CSS selector; its parser is imported by the first file that has one."""
    from cssselect import HTMLTranslator, SelectorError  # noqa: PLC0415  # most files have no rules

    selector = a_string(value, where)
    try:
        HTMLTranslator().css_to_xpath(selector)
    except (SelectorError, RecursionError) as error:
        raise OutletError(f"{where}: {selector!r} is not a CSS selector that works here ({error})") from error
    return selector


def a_delay(value: object, where: str) -> float:
    """Seconds between two requests."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LONGEST_DELAY:
        raise OutletError(f"{where} must be a number of seconds from 0 to {LONGEST_DELAY}")
    return float(value)


def a_day(value: object, where: str) -> date:
    """A TOML date without a time, unquoted."""
    if isinstance(value, datetime) or not isinstance(value, date):
        raise OutletError(f"{where} must be a day without quotes (as 2024-06-01), not {_named(value)}")
    return value


def a_range(value: object, where: str) -> tuple[int, int]:
    """The fewest and the most articles of an ordinary day."""
    match value:
        case [low, high] if type(low) is type(high) is int and 0 <= low <= high <= MOST_PER_DAY:
            return low, high
    raise OutletError(f"{where} must be two whole numbers, the smaller first (as [5, 60])")


def many(check: Check) -> Check:
    """An array of what `check` takes, without repeats."""

    def checked(value: object, where: str) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise OutletError(f"{where} must be an array, not {_named(value)}")
        items = tuple(check(item, f"{where}[{number}]") for number, item in enumerate(value, 1))
        if len(set(items)) < len(items):
            [(repeated, _)] = Counter(items).most_common(1)
            raise OutletError(f"{where}: {repeated!r} stands there twice")
        return items

    return checked


def clean_rules(value: object, where: str) -> CleanRules:
    """The `[clean]` table."""
    return CleanRules(**read_table(value, CLEAN_KEYS, f"{where}."))


def read_rules(value: object, where: str) -> tuple[ReadRules, ...]:
    """The `[read]` table, or `[[read]]` tables of which all but one say `until` when."""
    tables = value if isinstance(value, list) else [value]
    rules = tuple(ReadRules(**read_table(table, READ_KEYS, f"{where}.")) for table in tables)
    days = [rule.until for rule in rules]
    if len(set(days)) < len(days):
        raise OutletError(f"{where}.until: two [[read]] tables are for the same days")
    return rules


CLEAN_KEYS: dict[str, Check] = {
    "drop_css": many(a_selector),
    "drop_lines": many(a_string),
    "keep_lines": many(a_string),
}
READ_KEYS: dict[str, Check] = {
    "body_css": a_selector,
    "title_css": a_selector,
    "lead_css": a_selector,
    "authors_css": a_selector,
    "date_css": a_selector,
    "until": a_day,
}
# In the order in which a file has them.
OUTLET_KEYS: dict[str, Check] = {
    "name": a_string,
    "site": a_url,
    "country": a_country,
    "region": a_string,
    "timezone": a_zone,
    "language": a_language,
    "tags": many(a_slug),
    "feeds": many(a_url),
    "news_sitemaps": many(a_url),
    "sections": many(a_url),
    "expect_per_day": a_range,
    "delay": a_delay,
    "clean": clean_rules,
    "read": read_rules,
}
REQUIRED = ("name", "site", "country")


def read_table(table: object, checks: Mapping[str, Check], prefix: str) -> dict[str, Any]:
    """Check every key of a table; `prefix` is the place before the key ("lavoix.toml: clean.")."""
    if not isinstance(table, dict):
        raise OutletError(f"{prefix.rstrip('.: ')} must be a table, not {_named(table)}")
    for key in table:
        if key not in checks:
            raise OutletError(_unknown_key(key, checks, prefix))
    return {key: checks[key](value, prefix + key) for key, value in table.items()}


def _unknown_key(key: str, checks: Mapping[str, Check], prefix: str) -> str:
    place, _, table = prefix.rpartition(" ")
    near = get_close_matches(key[:100], checks, n=1)
    hint = f"did you mean {table + near[0]!r}?" if near else f"the keys are {', '.join(checks)}"
    return f"{place} unknown key {table + key[:100]!r}, {hint}"


def _named(value: object) -> str:
    return next((name for kind, name in TOML_TYPES if isinstance(value, kind)), "a date or time")


@cache
def _zone_exists(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown; a path out of the zone folder; a folder
        return False
    return True
