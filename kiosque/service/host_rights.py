"""What each outlet's host said of crawling and reuse at the last rounds, and which of them says something else now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from kiosque.health import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

KEY = "rights"
# A change is said for so long.
NEWS_FOR = timedelta(days=7)
UNREAD = "unread"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostRights:
    """What a host said at the last round."""

    origin: str
    outlet: str
    says: str
    """`open`, `closed`, `unread`; with `, reserved` where text and data mining is reserved."""
    before: str = ""
    """What it said before the last change."""
    changed: datetime | None = None


def compared(
    before: Mapping[str, HostRights], said: Mapping[str, tuple[str, str]], *, now: datetime
) -> tuple[HostRights, ...]:
    """Return what is known of each host after a round. One that gave no answer says what it said before."""
    after = []
    for origin, (outlet, words) in sorted(said.items()):
        old = before.get(origin)
        if old is None:
            after.append(HostRights(origin=origin, outlet=outlet, says=words))
        elif words.startswith(UNREAD) or words == old.says or old.says.startswith(UNREAD):
            says = old.says if words.startswith(UNREAD) else words
            after.append(HostRights(origin=origin, outlet=outlet, says=says, before=old.before, changed=old.changed))
        else:
            after.append(HostRights(origin=origin, outlet=outlet, says=words, before=old.says, changed=now))
    return tuple(after)


def judge_rights(known: Iterable[HostRights], *, now: datetime) -> Iterator[Finding]:
    """Yield the hosts that say something else since some days."""
    for host in known:
        if host.changed is not None and now - host.changed < NEWS_FOR:
            facts = {"host": host.origin[:200], "before": host.before, "now": host.says}
            yield Finding(
                kind="rights-changed", outlet=host.outlet, facts=facts | {"since": f"{host.changed:%Y-%m-%d}"}
            )


def encode(known: Iterable[HostRights]) -> str:
    """Return what is known as JSON."""
    return msgspec.json.encode(tuple(known)).decode()


def decode(text: str | None) -> dict[str, HostRights]:
    """Return what is known from JSON, by origin; nothing from what cannot be read."""
    try:
        known = msgspec.json.decode(text, type=tuple[HostRights, ...]) if text else ()
    except msgspec.MsgspecError:
        return {}
    return {host.origin: host for host in known}
