"""How a known outlet fares: what its feeds and two articles brought, judged, with the likely mend. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

State = Literal["ok", "warning", "broken", "blocked"]
# The worst first: what an outlet is called that has several findings. A refusal explains what is broken.
WORST: tuple[State, ...] = ("blocked", "broken", "warning", "ok")
STALE = timedelta(days=30)
"""A feed whose newest entry is older says nothing new."""

# The beginning of an outcome (the longest match counts), the state that it means, and the likely mend. {place} is
# "feed" or "article".
MENDS: dict[str, tuple[State, str]] = {
    "blocked:robots": ("blocked", "robots.txt closes it: ask the publisher for leave, or take the outlet out"),
    "blocked:reserved": ("blocked", "its rights are reserved and `rights.reserved` is `refuse`: ask for leave"),
    "blocked:no-contact": ("blocked", "set KIOSQUE_CONTACT: nobody is asked without it"),
    "blocked:private-address": ("blocked", "its name leads to a private address: the domain may have been lost"),
    "blocked:host-waits": ("blocked", "it asks us to wait: give the outlet a longer `delay`"),
    "blocked": ("broken", "the address is none: correct it in the outlet's file"),
    "failed:challenge": ("blocked", "it wants to see a browser: ask the publisher to let Kiosque's user agent in"),
    "failed:status-401": ("blocked", "it wants a password now: look for a public feed"),
    "failed:status-403": ("blocked", "it refuses us: ask the publisher, or give the outlet a longer `delay`"),
    "failed:status-429": ("blocked", "it finds us too quick: give the outlet a longer `delay`"),
    "failed:status-451": ("blocked", "it may not be read from here: nothing to mend"),
    "failed:status-404": (
        "broken",
        "the {place} moved: `kiosque outlets add {site} --again` looks for its feeds",
    ),
    "failed:status-410": (
        "broken",
        "the {place} is gone: `kiosque outlets add {site} --again` looks for others",
    ),
    "failed:status-5": ("warning", "the server is out of order: check again tomorrow"),
    "failed:dns": ("broken", "the domain is gone or moved: look where the site is today"),
    "failed:timeout": ("warning", "it does not answer in time: check again tomorrow"),
    "failed:refused": ("warning", "the server takes no connection: check again tomorrow"),
    "failed:robots-unread": ("warning", "its robots.txt cannot be read, so nothing is asked: check again tomorrow"),
    "failed:redirect-loop": ("broken", "it redirects in circles: look for the {place}'s new address"),
    "failed": ("warning", "it could not be fetched: check again tomorrow"),
    "problem:html": (
        "broken",
        "a page stands where the feed was, so it moved: `kiosque outlets add {site} --again` looks for it",
    ),
    "problem:empty-feed": ("warning", "the feed has no entries: look whether another one is kept"),
    "problem:malformed": ("ok", ""),
    "problem:truncated": ("warning", "the feed stops before its end: check again tomorrow"),
    "problem": ("broken", "what answers is no feed any more: `kiosque outlets add {site} --again` looks for one"),
    "rejected:login-wall": ("blocked", "articles stand behind a login now"),
    "rejected:anti-bot": ("blocked", "it wants to see a browser: ask the publisher to let Kiosque's user agent in"),
    "rejected:not-": ("warning", "the article is in another language: look whether the feed still is the right one"),
    "rejected": ("broken", "the template changed: `kiosque read URL` shows what is read, `[read] body_css` mends it"),
    "skipped": ("ok", ""),
    "stale": ("warning", "nothing new: look whether the feed is still kept"),
    "moved": ("warning", "the feed moved: write its new address into the outlet's file"),
    "reserved": ("warning", "rights are reserved: its records are marked and left out of exports"),
    "selector": ("warning", "the template changed there: correct the selector under `[read]`, or take it out"),
    "no-date": ("warning", "no date is read: `[read] date_css` names its place"),
    "no-title": ("warning", "no title is read: `[read] title_css` names its place"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one feed or article brought."""

    place: Literal["feed", "article"]
    url: str
    outcome: str = ""
    """`failed:...`, `blocked:...`, `problem:...`, `rejected:...`, `skipped:...`; "" when all is well."""
    moved_to: str = ""
    """Where a permanent redirect leads."""
    entries: int = 0
    newest: date | None = None
    """The day of a feed's newest entry; None when no entry is dated."""
    missing: tuple[str, ...] = ()
    """`no-date`, `no-title`: what was not read on an article."""
    unmatched: tuple[str, ...] = ()
    """The outlet's selectors that find nothing on an article."""
    reserved: str = ""
    """Who reserves the rights of an article, and how; "" when nobody does."""
    day: date | None = None
    """When an earlier run saw it; None is now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to be said of an outlet."""

    state: State
    reason: str
    mend: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """An outlet's state, and what it rests on, the worst first."""

    slug: str
    name: str
    state: State
    findings: tuple[Finding, ...]
    looks: tuple[Look, ...]
    unpolled: tuple[str, ...] = ()
    """Feeds that were left for another run: a host gets a handful of requests."""


def judge(
    slug: str,
    name: str,
    site: str,
    looks: Sequence[Look],
    *,
    today: date,
    unpolled: Sequence[str] = (),
    earlier: Sequence[Look] = (),
    fields: Sequence[str] = (),
) -> Health:
    """Judge an outlet. One feed or article of several that fails is a warning: the others still bring what there is.

    `unpolled` feeds wait for another run; what `earlier` runs saw of them is a warning at most, since it is old.
    `fields` are the selectors of its `[read]` table: one that matches on no article has seen its template go.
    """
    findings: list[Finding] = []
    for place in ("feed", "article"):
        of_place = [look for look in looks if look.place == place]
        found = [finding for look in of_place for finding in _findings(look, site, today)]
        lost = sum(finding.state in {"broken", "blocked"} for finding in found)
        findings += found if lost >= len(of_place) else map(_softened, found)
    feeds = [look for look in looks if look.place == "feed"]
    if not feeds:
        findings.append(Finding(state="broken", reason="no-feed", mend="the outlet declares no feed", url=site))
    elif all(look.outcome.startswith("skipped:") for look in feeds):
        mend = (
            f"its host had its handful of requests for other outlets: `kiosque outlets check {slug}` asks for it alone"
        )
        findings.append(Finding(state="warning", reason="not-looked-at", mend=mend, url=site))
    findings += [_softened(finding) for look in earlier for finding in _findings(look, site, today)]
    pages = [look for look in looks if look.place == "article" and not look.outcome]
    for css in fields:
        if pages and all(css in look.unmatched for look in pages):
            findings.append(_finding("selector", f"{css} matches nothing", pages[0], site))
    findings.sort(key=lambda finding: WORST.index(finding.state))
    state = findings[0].state if findings else "ok"
    return Health(
        slug=slug,
        name=name,
        state=state,
        findings=tuple(findings),
        looks=(*looks, *earlier),
        unpolled=tuple(unpolled),
    )


def in_turn(feeds: Sequence[str], *, most: int, polled: Mapping[str, date]) -> tuple[str, ...]:
    """Return the feeds to poll now: the first always, of the others those that have waited longest since `polled`.

    So each feed is polled once before any but the first is polled twice, whenever and however often one runs it.

    >>> in_turn(["a", "b", "c", "d"], most=3, polled={"b": date(2026, 3, 2)})
    ('a', 'c', 'd')
    """
    others = sorted(feeds[1:], key=lambda url: polled.get(url, date.min))  # stable: in file order among equals
    return (*feeds[:1], *others[: most - 1])


def _findings(look: Look, site: str, today: date) -> list[Finding]:
    said: list[tuple[str, str]] = []  # the key of MENDS, and the reason as it is shown
    if look.outcome:
        said.append((look.outcome, look.outcome))
    if look.moved_to:
        said.append(("moved", f"moved to {look.moved_to}"))
    if look.newest is not None and (look.day or today) - look.newest > STALE:
        said.append(("stale", f"newest entry of {look.newest}"))
    if look.reserved:
        said.append(("reserved", f"reserved by {look.reserved}"))
    said += [(missing, missing) for missing in look.missing]
    return [finding for key, reason in said if (finding := _finding(key, reason, look, site)).state != "ok"]


def _finding(key: str, reason: str, look: Look, site: str) -> Finding:
    state, mend = MENDS[max((beginning for beginning in MENDS if key.startswith(beginning)), key=len)]
    reason = f"{reason} on {look.day}" if look.day else reason
    return Finding(state=state, reason=reason, mend=mend.format(place=look.place, site=site), url=look.url)


def _softened(finding: Finding) -> Finding:
    state: State = "warning" if finding.state in {"broken", "blocked"} else finding.state
    return Finding(state=state, reason=finding.reason, mend=finding.mend, url=finding.url)
