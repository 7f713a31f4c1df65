"""One page's way from bytes to article, step by step, for a person who asks why: pure, and small enough to show."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from kiosque.model import Article, Rejected
from pipelines import read_steps
from pipelines.steps.body import Body
from pipelines.steps.claims import Claim, claims_of
from pipelines.steps.dates import ResolvedDates, Signal
from pipelines.steps.decode import decode_how, labels
from pipelines.steps.kind import Shape
from pipelines.steps.lines import words_of
from pipelines.steps.metadata import Metadata
from pipelines.steps.parse import Document
from pipelines.steps.shown import shown_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kiosque.common_rules import CommonRules
    from kiosque.model import FeedEntry, Outlet, Page

Fate = Literal["title", "kept", "removed", "aside"]

MOST_META, MOST_HEADERS, MOST_SIGNALS, MOST_REMOVED = 60, 40, 30, 500
LONGEST_VALUE = 400
# A shorter line stands in other lines by chance.
_LONG = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line that the page shows, and what became of it."""

    text: str
    fate: Fate
    """`aside` is what extraction left on the page."""
    rule: str = ""
    """The rule that took a removed line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What each step gave, as plain values; a step that was not reached gave nothing."""

    url: str
    final_url: str
    status: int
    headers: tuple[tuple[str, str], ...]
    bytes: int
    labels: tuple[str, ...]
    """Encodings that header and page name."""
    encoding: str
    """How the bytes were read."""
    elements: int = 0
    types: tuple[str, ...] = ()
    """schema.org types of the page, lower case."""
    keys: tuple[str, ...] = ()
    """Keys of the JSON-LD node that was taken for the article's."""
    meta: tuple[tuple[str, str], ...] = ()
    claims: tuple[Claim, ...] = ()
    signals: tuple[Signal, ...] = ()
    """Dates that were weighed."""
    links: int = 0
    characters: int = 0
    """Of everything that the page shows."""
    blocks: tuple[tuple[str, int], ...] = ()
    """Blocks of the text by their kind."""
    removed: tuple[tuple[str, str], ...] = ()
    signature: str | None = None
    lines: tuple[Line, ...] = ()
    reading: Article | Rejected


def trace_article(
    page: Page,
    outlet: Outlet,
    *,
    common: CommonRules | None = None,
    entry: FeedEntry | None = None,
    learned: frozenset[str] = frozenset(),
) -> Trace:
    """Read a page as `read_article` does, and keep what each step gave. Never raises, whatever the bytes."""
    _, encoding = decode_how(page)
    trace = Trace(
        url=page.url,
        final_url=page.final_url,
        status=page.status,
        headers=tuple((name, value[:LONGEST_VALUE]) for name, value in page.headers[:MOST_HEADERS]),
        bytes=len(page.body),
        labels=tuple(dict.fromkeys(labels(page))),
        encoding=encoding,
        reading=Rejected(reason="empty", url=page.final_url),
    )
    shown: tuple[str, ...] = ()
    for step in read_steps(page, outlet, common=common, entry=entry, learned=learned):
        match step:
            case Document():
                shown = shown_lines(step)
                trace = replace(trace, elements=len(step.elements))
            case Metadata():
                trace = replace(_with_structured(trace, step), claims=claims_of(step, entry))
            case ResolvedDates():
                modified = (
                    Claim("modified", s.source, s.text[:LONGEST_VALUE]) for s in step.signals if s.role == "modified"
                )
                trace = replace(trace, signals=step.signals[:MOST_SIGNALS], claims=(*trace.claims, *modified))
            case Shape():
                trace = replace(trace, links=step.links, characters=step.length)
            case Body():
                kinds = Counter(block.kind for block in step.blocks)
                trace = replace(
                    trace,
                    blocks=tuple(kinds.most_common()),
                    removed=step.removed[:MOST_REMOVED],
                    signature=step.signature,
                )
            case Article() | Rejected():
                trace = replace(trace, reading=step)
    if isinstance(trace.reading, Article):
        kept = (trace.reading.text.split("\n"), trace.reading.title)
        trace = replace(trace, lines=fates(shown, *kept, removed=trace.removed))
    return trace


def fates(
    shown: Iterable[str], kept: Iterable[str], title: str, *, removed: Iterable[tuple[str, str]]
) -> tuple[Line, ...]:
    """Tell what became of each line that a page shows, by its words: extraction may have parted or joined lines."""
    keys = {_key(line) for line in kept}
    whole = "\n".join(keys)
    rules = {_key(line): rule for line, rule in removed}
    return tuple(_fate(line, keys, whole, _key(title), rules) for line in shown)


def _fate(line: str, keys: set[str], whole: str, title: str, rules: Mapping[str, str]) -> Line:
    key = _key(line)
    if key == title:
        return Line(text=line, fate="title")
    if key in keys or (len(key) >= _LONG and key in whole):
        return Line(text=line, fate="kept")
    if key in rules:
        return Line(text=line, fate="removed", rule=rules[key])
    if any(len(one) >= _LONG and one in key for one in keys):  # a line of the page that became several
        return Line(text=line, fate="kept")
    return Line(text=line, fate="aside")


def _key(line: str) -> str:
    return " ".join(words_of(line))


def _with_structured(trace: Trace, found: Metadata) -> Trace:
    meta = [(name, value) for name, values in found.structured.meta.items() for value in values]
    return replace(
        trace,
        types=tuple(sorted(found.structured.types)),
        keys=tuple(str(key)[:LONGEST_VALUE] for key in list(found.structured.node)[:MOST_META]),
        meta=tuple((name[:LONGEST_VALUE], value[:LONGEST_VALUE]) for name, value in meta[:MOST_META]),
    )
