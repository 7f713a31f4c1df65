"""What is said of reuse, and where: robots.txt, the TDM Reservation Protocol, X-Robots-Tag, meta robots.

TDM Reservation Protocol: https://www.w3.org/community/reports/tdmrep/CG-FINAL-tdmrep-20240510/. The header
supersedes the host's file, the page supersedes the header, and silence resets nothing.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from kiosque.model import Rights

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kiosque.model import RightsClaims

MAX_RULES = 1_000
_MAX_JSON = 1_000_000
_MAX_PATTERN = 2_000
_MAX_HEADER = 10_000
_MAX_POLICY = 2_000

# Directives that carry a value after a colon; before any other colon stands a crawler's name.
_VALUED = frozenset({"max-snippet", "max-image-preview", "max-video-preview", "unavailable_after"})
# A statement against the use for AI, whoever it was coined for.
_NO_AI = frozenset({"noai", "noml", "notrain"})
# Directives that speak of reuse; the others (`index`, `max-snippet`) are for search engines.
_REUSE = _NO_AI | {"noimageai", "noarchive", "noindex", "nosnippet", "none"}
_HOST_FILE = "tdmrep.json"
_HEADER = "tdm-reservation header"
# In the order in which statements are listed; of reservations the last holds.
_PLACES = ("robots.txt", _HOST_FILE, _HEADER, "html meta", "X-Robots-Tag", "meta robots")
_RESERVATION = "tdm-reservation "
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


@dataclass(frozen=True, slots=True, kw_only=True)
class TdmRule:
    """A rule of a host's `tdmrep.json`."""

    location: str
    """A path pattern as in robots.txt: `*` is any characters, a final `$` the end."""
    reserved: bool
    policy: str | None = None


class Tdm(NamedTuple):
    """What one place says: reserved or not (None: nothing), and the address of a policy."""

    reserved: bool | None = None
    policy: str | None = None


def parse_tdmrep(body: bytes) -> tuple[TdmRule, ...]:
    """Read `/.well-known/tdmrep.json`; rules that are none, and files that are none, say nothing. Never raises."""
    try:
        rules = json.loads(body[:_MAX_JSON].decode("utf-8-sig", errors="replace"))
    except (ValueError, RecursionError):
        return ()
    listed = [rules] if isinstance(rules, dict) else rules if isinstance(rules, list) else []
    read = (_rule(rule) for rule in listed[:MAX_RULES] if isinstance(rule, dict))
    return tuple(rule for rule in read if rule is not None)


def tdm_for(path: str, rules: Sequence[TdmRule]) -> Tdm:
    """Return what the first rule says whose location matches `path` (with its query).

    >>> rules = parse_tdmrep(b'[{"location": "/archives/*.html$", "tdm-reservation": 1}]')
    >>> tdm_for("/archives/2024/a.html", rules), tdm_for("/archives/", rules)
    (Tdm(reserved=True, policy=None), Tdm(reserved=None, policy=None))
    """
    written = _same_escapes(path or "/")
    for rule in rules:
        if _matches(_same_escapes(rule.location), written):
            return Tdm(reserved=rule.reserved, policy=rule.policy)
    return Tdm()


def parse_robots_header(values: Iterable[str], *, agent: str = "kiosque") -> tuple[str, ...]:
    """Return the directives of all `X-Robots-Tag` headers that hold for `agent`, in lower case.

    A header may start with a crawler's name: it then holds for that crawler alone.

    >>> parse_robots_header(["noarchive, max-snippet: 20", "otherbot: noindex", "Kiosque: noai"])
    ('noarchive', 'max-snippet:20', 'noai')
    """
    directives: list[str] = []
    for value in values:
        ours = True
        for piece in value[:_MAX_HEADER].lower().split(","):
            name, colon, rest = (part.strip() for part in piece.partition(":"))
            if colon and name in _VALUED:
                directive = f"{name}:{rest}"
            elif colon:
                ours, directive = name in {agent.lower(), "robots", "*"}, rest
            else:
                directive = name
            if ours and directive:
                directives.append(directive)
    return tuple(dict.fromkeys(directives))


def tdm_header(headers: Iterable[tuple[str, str]]) -> Tdm:
    """Return what the headers `tdm-reservation` and `tdm-policy` say; names in lower case."""
    values = {name: value for name, value in reversed(list(headers)) if name in {"tdm-reservation", "tdm-policy"}}
    return Tdm(_reserved(values.get("tdm-reservation")), _policy(values.get("tdm-policy")))


def merge_rights(
    *,
    robots: str = "allowed",
    host: Tdm | None = None,
    headers: Sequence[tuple[str, str]] = (),
    claims: RightsClaims | None = None,
    agent: str = "kiosque",
) -> Rights:
    """Put together what is said of a page, each statement with its place, in the order in which it counts.

    `robots` is robots.txt's word (`allowed`, `disallowed`); `host` what `tdm_for` found; `headers` the page's, names
    in lower case; `claims` what its HTML says. Of reservations the last said holds; `noai` holds wherever it is said.
    """
    said = [("robots.txt", robots)] if robots != "allowed" else []
    places = [(_HOST_FILE, host or Tdm()), (_HEADER, tdm_header(headers))]
    if claims is not None:
        places.append(("html meta", Tdm(claims.tdm_reserved, _policy(claims.tdm_policy))))
    reserved, policy = None, None
    for place, tdm in places:
        if tdm.reserved is not None:
            reserved, policy = tdm.reserved, tdm.policy or (policy if tdm.reserved else None)
            said.append((place, f"{_RESERVATION}{int(tdm.reserved)}"))
        elif tdm.policy is not None:
            policy = tdm.policy
    tag = parse_robots_header((value for name, value in headers if name == "x-robots-tag"), agent=agent)
    said += [("X-Robots-Tag", directive) for directive in tag if directive in _REUSE]
    said += [("meta robots", directive) for directive in (claims.robots if claims else ()) if directive in _REUSE]
    return Rights(
        robots=robots,
        tdm_reserved=reserved,
        tdm_policy=policy,
        noai=True if _refuses_ai(said) else None,
        said=tuple(said),
    )


def renewed(before: Rights, now: Rights) -> Rights:
    """Return the rights of a page that was read before, after an answer that brought no page and says `now`.

    Each place that speaks replaces what it said before; the silence of a place resets nothing. Whose reservation
    holds is decided as in `merge_rights`.
    """
    spoke = {place for place, _ in now.said}
    said = sorted(
        (*now.said, *((place, statement) for place, statement in before.said if place not in spoke)),
        key=lambda one: _PLACES.index(one[0]) if one[0] in _PLACES else len(_PLACES),
    )
    reserving = [(place, statement) for place, statement in said if statement.startswith(_RESERVATION)]
    reserved, policy = before.tdm_reserved, before.tdm_policy
    if reserving and reserving[-1][0] in spoke:
        reserved, policy = reserving[-1][1] == f"{_RESERVATION}1", now.tdm_policy
    return replace(
        before, tdm_reserved=reserved, tdm_policy=policy, noai=True if _refuses_ai(said) else None, said=tuple(said)
    )


def _refuses_ai(said: Iterable[tuple[str, str]]) -> bool:
    return any(directive in _NO_AI for place, directive in said if place in {"X-Robots-Tag", "meta robots"})


def _rule(rule: dict[str, Any]) -> TdmRule | None:
    location, reserved = rule.get("location"), _reserved(rule.get("tdm-reservation"))
    if not isinstance(location, str) or not location or len(location) > _MAX_PATTERN or reserved is None:
        return None
    return TdmRule(location=location, reserved=reserved, policy=_policy(rule.get("tdm-policy")))


def _reserved(value: object) -> bool | None:
    """Read 1 or 0, as a number or text; any other value says nothing, as the protocol wants."""
    if isinstance(value, bool):
        return value
    return {"1": True, "0": False}.get(str(value).strip()) if isinstance(value, str | int) else None


def _policy(value: object) -> str | None:
    text = value.strip() if isinstance(value, str) else ""
    return text if text.startswith(("https://", "http://")) and len(text) <= _MAX_POLICY else None


def _matches(pattern: str, path: str) -> bool:
    """Match as robots.txt does, from the start of the path; without backtracking, so in bounded time."""
    anchored = pattern.endswith("$")
    first, *others = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    if not others:
        return not anchored or path == first
    position = len(first)
    for piece in others[:-1]:
        found = path.find(piece, position)
        if found < 0:
            return False
        position = found + len(piece)
    last = others[-1]
    if anchored:
        return len(path) - len(last) >= position and path.endswith(last)
    return path.find(last, position) >= 0


def _same_escapes(path: str) -> str:
    """Write escapes one way, so that `/%7Eanne` matches `/~anne`; reserved characters keep theirs."""
    return _ESCAPE.sub(_same_escape, quote(path, safe="/%:@!$&'()*+,;=?#[]~", errors="replace"))


def _same_escape(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    return character if character in _UNRESERVED else match[0].upper()
