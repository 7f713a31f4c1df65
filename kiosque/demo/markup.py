"""Filling templates with escaped text, and writing a story's blocks and dates as HTML in French."""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import UTC
from functools import cache
from html import escape
from string import Template
from typing import TYPE_CHECKING, Any

from kiosque.demo.stories import DATA, LINK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from kiosque.demo.stories import Block

DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
MONTHS = (
    *("janvier", "février", "mars", "avril", "mai", "juin"),
    *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
)
# SPIP binds the double signs to their word when it prints a text.
LOOSE_SPACES = re.compile(r" (?=[;:!?»])|(?<=«) ")
NO_BREAK_SPACE = "\u00a0"


def fill(template: str, html: Mapping[str, str] | None = None, /, **text: str) -> str:
    """Fill a template of the data folder: `html` is markup already, `text` is escaped here.

    A name that is missing raises KeyError: a page with a hole is a bug of ours.
    """
    escaped = {name: escape(value) for name, value in text.items()}
    return _template(template).substitute(escaped | dict(html or {}))


@cache
def _template(name: str) -> Template:
    return Template((DATA / name).read_text(encoding="utf-8"))


def json_script(facts: Mapping[str, Any]) -> str:
    """Return JSON that may stand inside a script element: no `<` can end it."""
    return json.dumps(facts, ensure_ascii=False, indent=None).replace("<", "\\u003c")


def inline(text: str, *, href: str) -> str:
    """Return a line as HTML, its links pointing to `href`.

    >>> inline("le maire & [[le conseil]]", href="/c/")
    'le maire &amp; <a href="/c/">le conseil</a>'
    """
    return LINK.sub(lambda link: f'<a href="{escape(href)}">{link[1]}</a>', escape(text, quote=False))


def bound(text: str) -> str:
    """Return a line with no-break spaces where French typography wants them."""
    return LOOSE_SPACES.sub(NO_BREAK_SPACE, text)


def blocks(
    body: Iterable[Block],
    *,
    tags: Mapping[str, tuple[str, str]],
    write: Callable[[str], str],
    between: Mapping[int, str] | None = None,
) -> str:
    """Return a body as HTML; `tags` gives the opening and closing markup of each kind of block.

    `between` holds markup to put after the block of that number (from 1): where clutter stands.
    """
    printed = []
    for number, block in enumerate(body, start=1):
        printed.append(_block(block, tags=tags, write=write))
        printed.append((between or {}).get(number, ""))
    return "\n".join(part for part in printed if part)


def _block(block: Block, *, tags: Mapping[str, tuple[str, str]], write: Callable[[str], str]) -> str:
    opening, closing = tags[block.kind]
    item_opening, item_closing = tags["item"] if block.kind == "list" else ("", "")
    return opening + "".join(item_opening + write(line) + item_closing for line in block.lines) + closing


def slug(text: str) -> str:
    """Return a name as it stands in an address.

    >>> slug("Vie locale & métiers")
    'vie-locale-metiers'
    """
    folded = unicodedata.normalize("NFD", text.casefold()).encode("ascii", "ignore").decode()
    return "-".join(re.findall(r"[a-z0-9]+", folded))


def long_day(when: datetime) -> str:
    """Return a day as French pages print it: `25 octobre 2024`, `1er mars 2026`."""
    return f"{'1er' if when.day == 1 else when.day} {MONTHS[when.month - 1]} {when.year}"


def weekday_day(when: datetime) -> str:
    """Return a day with its name: `vendredi 25 octobre 2024`."""
    return f"{DAYS[when.weekday()]} {long_day(when)}"


def amp_day(when: datetime) -> str:
    """Return a day as an English pattern gives it in French: `vendredi, octobre 25`, no year."""
    return f"{DAYS[when.weekday()]}, {MONTHS[when.month - 1]} {when.day}"


def clock(when: datetime) -> str:
    """Return a time of day: `7h05`."""
    return f"{when.hour}h{when.minute:02}"


def zulu(when: datetime) -> str:
    """Return an instant as UTC with the letter that SPIP and WordPress's Atom use."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
