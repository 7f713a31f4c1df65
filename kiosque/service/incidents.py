"""Incidents: a problem from its first sight to its end, told once when it opens and once when it is over."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime  # noqa: TC003 - decoders read the types when they run
from typing import TYPE_CHECKING

import msgspec

from kiosque.advice import advice, says

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kiosque.health import Finding

KEY = "incidents"
# What comes and goes from one look to the next is one incident: it is over when so many looks did not find it.
CALM = 3
# Of the facts, those that tell two findings of a kind and an outlet apart.
PARTS = ("feed", "field", "job", "rule", "line", "machine")
# Problems of the service itself, told besides those of the outlets.
OWN_KINDS = frozenset({"job-failing", "reload-failed", "archive-unsent"})
MOST, LONGEST = 500, 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One problem, as long as it lasts."""

    kind: str
    outlet: str
    part: str
    says: str
    do: str
    since: datetime
    told: bool = False
    """Somebody was told that it began."""
    calm: int = 0
    """Looks in a row that did not find it."""

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes two findings the same problem."""
        return self.kind, self.outlet, self.part

    @property
    def is_over(self) -> bool:
        """Tell whether it is over."""
        return self.calm >= CALM


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What is to be told."""

    opened: tuple[Incident, ...] = ()
    over: tuple[Incident, ...] = ()
    lasting: int = 0
    """Incidents that were told before and go on."""

    def __bool__(self) -> bool:
        return bool(self.opened or self.over)


def follow(before: Sequence[Incident], findings: Iterable[Finding], *, now: datetime) -> tuple[Incident, ...]:
    """Return the incidents after a look: new ones, those that go on, those that end."""
    found = {one.key: one for finding in findings if _is_alarming(finding) for one in [_incident(finding, now)]}
    after = []
    for old in before:
        fresh = found.pop(old.key, None)
        if fresh is not None:
            after.append(replace(old, says=fresh.says, do=fresh.do, calm=0))
        elif old.told or old.calm + 1 < CALM:
            after.append(replace(old, calm=min(old.calm + 1, CALM)))
    return tuple([*after, *found.values()][:MOST])


def news(incidents: Sequence[Incident]) -> News:
    """Return what is to be told of these: what nobody was told yet, and what is over."""
    return News(
        opened=tuple(one for one in incidents if not one.told and not one.calm),
        over=tuple(one for one in incidents if one.told and one.is_over),
        lasting=sum(one.told and not one.is_over for one in incidents),
    )


def told(incidents: Sequence[Incident], said: News) -> tuple[Incident, ...]:
    """Return the incidents after somebody was told: each is told once."""
    opened = {one.key for one in said.opened}
    over = {one.key for one in said.over}
    return tuple(replace(one, told=one.told or one.key in opened) for one in incidents if one.key not in over)


def _is_alarming(finding: Finding) -> bool:
    return finding.is_problem or finding.kind in OWN_KINDS


def _incident(finding: Finding, now: datetime) -> Incident:
    part = next((finding.facts[name] for name in PARTS if name in finding.facts), "")
    return Incident(
        kind=finding.kind,
        outlet=finding.outlet,
        part=part[:LONGEST],
        says=one_line(says(finding)),
        do=one_line(advice(finding)),
        since=now,
    )


def one_line(text: str) -> str:
    """Return a text that cannot add lines to a message: what a feed says stands in it."""
    return "".join(character if character.isprintable() else " " for character in text)[:1000]


def encode(incidents: Sequence[Incident]) -> str:
    """Return incidents as JSON."""
    return msgspec.json.encode(incidents).decode()


def decode(text: str | None) -> tuple[Incident, ...]:
    """Return incidents from JSON; none from what cannot be read."""
    try:
        return msgspec.json.decode(text, type=tuple[Incident, ...]) if text else ()
    except msgspec.MsgspecError:
        return ()
