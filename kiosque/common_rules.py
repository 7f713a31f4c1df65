"""`outlets/_common.toml`: the clutter vocabulary that holds on every outlet, loaded and made ready to match."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from kiosque.errors import OutletError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_NAME = "_common.toml"
_ELEMENT_KEYS = ("tags", "words", "parts", "css", "sure")
_NEVER = re.compile(r"(?!)")
_LINE_KEYS = ("labels", "starts", "whole")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ElementRules:
    """Which elements are clutter by their markup alone."""

    tags: frozenset[str]
    """Element names."""
    words: frozenset[str]
    """Whole words of a class or id attribute, lower case."""
    parts: re.Pattern[str] | None
    """Found anywhere in a class or id attribute, lower case."""
    sure_words: frozenset[str]
    """As `words`, of groups that are clutter however much text they hold."""
    sure_parts: re.Pattern[str] | None
    """As `parts`, of groups that are clutter however much text they hold."""
    body: re.Pattern[str]
    """Found in a class, id or itemprop of an article's body, lower case."""
    css: tuple[str, ...]
    """CSS selectors, for what a name alone does not tell."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LineRules:
    """Which text lines are clutter; every pattern works on a line folded by `pipelines.steps.lines.plain_line`."""

    starts: tuple[tuple[str, re.Pattern[str]], ...]
    """`(group, pattern)`: how a clutter line begins, unmistakably."""
    labels: tuple[tuple[str, re.Pattern[str]], ...]
    """`(group, pattern)`: what stands before another article's title; a sentence that merely begins so is kept."""
    whole: tuple[tuple[str, re.Pattern[str]], ...]
    """`(group, pattern)`: the whole of a clutter line."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CommonRules:
    """What holds everywhere, whatever the outlet."""

    elements: ElementRules
    lines: LineRules
    headings: tuple[tuple[str, re.Pattern[str]], ...]
    """`(group, pattern)`: headings of boxes that are no part of the article, matched as whole lines are."""


@cache
def load_common() -> CommonRules:
    """Read the shipped `outlets/_common.toml`, once a process; raises `OutletError` naming the key that is wrong."""
    return parse_common(files("outlets").joinpath(_NAME).read_text(encoding="utf-8"))


def parse_common(text: str) -> CommonRules:
    r"""Make the rules of one `_common.toml` text ready to match.

    >>> rules = parse_common('[lines.share]\nwhole = ["partager( sur .{1,20})?"]')
    >>> bool(rules.lines.whole[0][1].fullmatch("partager sur le réseau"))
    True
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise OutletError(f"{_NAME}: {error}") from error
    _refuse_unknown(data, ("article", "elements", "headings", "lines"), "")
    return CommonRules(
        elements=_element_rules(data.get("elements", {}), data.get("article", {})),
        lines=_line_rules(data.get("lines", {})),
        headings=_headings(data.get("headings", {})),
    )


def _element_rules(groups: Mapping[str, Any], article: Mapping[str, Any]) -> ElementRules:
    _refuse_unknown(article, ("body",), "article.")
    for name, group in groups.items():
        _refuse_unknown(group, _ELEMENT_KEYS, f"elements.{name}.")
    sure = {name: group for name, group in groups.items() if group.get("sure")}
    other = {name: group for name, group in groups.items() if not group.get("sure")}
    return ElementRules(
        tags=frozenset(_strings(groups, "tags")),
        words=frozenset(_strings(other, "words")),
        parts=_any_of(_strings(other, "parts")),
        sure_words=frozenset(_strings(sure, "words")),
        sure_parts=_any_of(_strings(sure, "parts")),
        body=_any_of(article.get("body", [])) or _NEVER,
        css=tuple(_strings(groups, "css")),
    )


def _any_of(parts: list[str]) -> re.Pattern[str] | None:
    return _compile("|".join(f"(?:{part})" for part in parts), "elements.parts") if parts else None


def _line_rules(groups: Mapping[str, Any]) -> LineRules:
    for name, group in groups.items():
        _refuse_unknown(group, _LINE_KEYS, f"lines.{name}.")
    return LineRules(
        starts=_grouped(groups, "starts"), labels=_grouped(groups, "labels"), whole=_grouped(groups, "whole")
    )


def _headings(groups: Mapping[str, Any]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    for name, group in groups.items():
        _refuse_unknown(group, ("whole",), f"headings.{name}.")
    return _grouped(groups, "whole", table="headings")


def _grouped(groups: Mapping[str, Any], key: str, *, table: str = "lines") -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple(
        (name, _compile("|".join(f"(?:{one})" for one in group[key]), f"{table}.{name}.{key}"))
        for name, group in groups.items()
        if group.get(key)
    )


def _strings(groups: Mapping[str, Any], key: str) -> list[str]:
    return [one for group in groups.values() for one in group.get(key, ())]


def _compile(pattern: str, where: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise OutletError(f"{_NAME}: {where}: {error}") from error


def _refuse_unknown(table: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    for key in table:
        if key not in known:
            raise OutletError(f"{_NAME}: unknown key {where + key!r}")
