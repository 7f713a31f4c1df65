"""Errands: what one job of the queue asks of a worker: the due work of one kind at one site."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

Kind = Literal["poll", "read", "revisit", "backfill"]
KINDS: tuple[Kind, ...] = get_args(Kind)
# Higher goes first: what is new before what was seen, and what has waited for days last of all.
PRIORITIES: dict[Kind, int] = {"poll": 40, "read": 30, "revisit": 20, "backfill": 10}
# Of a job that waits until its site may be asked again. The queue gives out no other job of that site before it.
RESTING = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What is to be done at a site. Which addresses is asked of the store when it is done: a job may be given twice."""

    kind: Kind
    site: str
    """As `kiosque.urls.site_of` gives it: nobody else works at it meanwhile."""
    outlets: tuple[str, ...]
    """Slugs of the outlets that live there."""
    pause: float = 0.0
    """Seconds between two requests that are known when it is given: so long is waited after a worker that died."""

    @property
    def name(self) -> str:
        """What stands in the queue once at most."""
        return f"{self.kind}:{self.site}"


def arguments(errand: Errand) -> dict[str, Any]:
    """Return an errand as a job has it."""
    return {"kind": errand.kind, "site": errand.site, "outlets": list(errand.outlets), "pause": errand.pause}


def errand_of(given: dict[str, Any]) -> Errand | None:
    """Return the errand of a job; None for what another version wrote there."""
    match given:
        case {"kind": kind, "site": str(site), "outlets": list(outlets), **rest} if kind in KINDS:
            pause = rest.get("pause", 0.0)
            known = float(pause) if isinstance(pause, (int, float)) else 0.0
            return Errand(kind=kind, site=site, outlets=tuple(map(str, outlets)), pause=known)
    return None
