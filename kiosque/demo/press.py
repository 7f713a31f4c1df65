"""The press itself: three outlets that serve, publish and edit while somebody crawls them."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Self

from kiosque.demo import arc, spip, wordpress
from kiosque.demo.expected import Expected, expected_of
from kiosque.demo.markup import clock
from kiosque.demo.newsroom import Newsroom, Published
from kiosque.demo.stories import Change, House, Story, change, houses
from kiosque.demo.web import LoggedRequest, OutletServer
from kiosque.model import Outlet
from kiosque.outlets.write import outlet_toml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from types import TracebackType

    from kiosque.demo.newsroom import Reply

SYSTEMS = {
    "courrier-de-valmont": wordpress.SYSTEM,
    "sentinelle-de-brevaux": spip.SYSTEM,
    "fanal-de-sainte-aurore": arc.SYSTEM,
}
TRENDING = 3  # titles in a list of most-read articles


def utc_now() -> datetime:
    """Return the time by the machine's clock."""
    return datetime.now(UTC)


class DemoPress:
    """Three fictional outlets, each on a port of its own; a context manager.

    Port 0 takes a free one. `now` gives the press its clock: stories are as old as their files say
    when it starts, and an edit happens now. Everything but `start` and `stop` may be called from any
    thread; a press serves once.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        ports: tuple[int, int, int] = (0, 0, 0),
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._host = host
        self._ports = ports
        self._now = now
        self._lock = threading.RLock()
        self._rooms: dict[str, Newsroom] = {}
        self._servers: tuple[OutletServer, ...] = ()
        self._edits = 0
        self.requests: list[LoggedRequest] = []
        """Every request that was answered, in order."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Bind the three ports and serve; raises OSError when one is taken, and then holds none."""
        try:
            for house, port in zip(houses(), self._ports, strict=True):
                server = self._server(house, port)
                self._servers += (server,)
                self._rooms[house.slug] = _open(house, site=f"http://{server.host_port}", now=self._now())
        except OSError:
            self.stop()
            raise
        for server in self._servers:
            server.start()

    def _server(self, house: House, port: int) -> OutletServer:
        def reply(path: str) -> Reply:
            return SYSTEMS[house.slug].reply(self._rooms[house.slug], path)

        return OutletServer((self._host, port), reply=reply, log=self.requests.append)

    def stop(self) -> None:
        """Close every socket and wait for the threads; again is harmless."""
        for server in self._servers:
            server.stop()
        self._servers = ()

    @property
    def hosts(self) -> tuple[str, ...]:
        """`127.0.0.1:PORT` of each outlet, as KIOSQUE_ALLOW_PRIVATE_HOSTS takes them."""
        return tuple(room.site.removeprefix("http://") for room in self._rooms.values())

    @property
    def outlets(self) -> tuple[Outlet, ...]:
        """The outlets as their files would declare them; empty before `start`."""
        return tuple(_outlet(room) for room in self._rooms.values())

    def write_outlets(self, folder: Path) -> tuple[Path, ...]:
        """Write SLUG.toml for each outlet into `folder`, made if needed; return the files."""
        folder.mkdir(parents=True, exist_ok=True)
        written = []
        for outlet in self.outlets:
            file = folder / f"{outlet.slug}.toml"
            file.write_text(outlet_toml(outlet), encoding="utf-8")
            written.append(file)
        return tuple(written)

    def publish(self) -> str | None:
        """Put the next waiting story online and return its address, None when all are out.

        The outlets take turns: the one with most stories waiting is next.
        """
        with self._lock:
            room = max(self._rooms.values(), key=lambda room: len(_waiting(room)))
            if not (waiting := _waiting(room)):
                return None
            fresh = _published(waiting[0], self._local_now(room))
            self._rooms[room.house.slug] = replace(room, online=(fresh, *room.online))
            return _address(room, fresh)

    def edit(self) -> str:
        """Change the text of a story online, with its modified date in page and feed; return its address.

        The outlets take turns, WordPress first. SPIP's feed has no modified date to change.
        """
        return self._edit(in_feed=True, turn=self._edits)

    def edit_page_only(self) -> str:
        """Change a story of the WordPress outlet, and nothing in its feed; return its address."""
        return self._edit(in_feed=False, turn=0)

    def _edit(self, *, in_feed: bool, turn: int) -> str:
        with self._lock:
            slugs = tuple(self._rooms)
            # WordPress, Arc XP, SPIP: those whose feeds can tell of an edit come first.
            room = self._rooms[slugs[-turn % len(slugs)]]
            self._edits += 1
            old = _next_to_edit(room)
            new = _edited(old, self._local_now(room), number=self._edits, in_feed=in_feed)
            online = tuple(new if piece is old else piece for piece in room.online)
            self._rooms[room.house.slug] = replace(room, online=online)
            return _address(room, new)

    def _local_now(self, room: Newsroom) -> datetime:
        return self._now().astimezone(room.zone).replace(microsecond=0)

    def expected(self) -> list[Expected]:
        """What a crawl should find of each story online now, outlet by outlet, newest first."""
        with self._lock:
            rooms = tuple(self._rooms.values())
        return list(chain.from_iterable(_expected(room) for room in rooms))


def _open(house: House, *, site: str, now: datetime) -> Newsroom:
    room = Newsroom(house=house, site=site, online=(), trending=())
    start = now.astimezone(room.zone).replace(microsecond=0)
    old = sorted(
        (story for story in house.stories if story.hours_old is not None), key=lambda story: story.hours_old or 0
    )
    online = tuple(_published(story, start - timedelta(hours=story.hours_old or 0)) for story in old)
    return replace(room, online=online, trending=tuple(old[-TRENDING:]))


def _published(story: Story, when: datetime) -> Published:
    return Published(story=story, published=when, modified=when, in_feed=when)


def _waiting(room: Newsroom) -> tuple[Story, ...]:
    online = {piece.story.number for piece in room.online}
    return tuple(story for story in room.house.stories if story.number not in online)


def _next_to_edit(room: Newsroom) -> Published:
    """Return a story with a written edit left if there is one, else the one edited longest ago."""
    return min(room.online, key=lambda piece: (not piece.story.changes, piece.modified))


def _edited(piece: Published, now: datetime, *, number: int, in_feed: bool) -> Published:
    # Two edits within a second still move the date on.
    when = max(now, piece.modified + timedelta(seconds=1))
    how = piece.story.changes[0] if piece.story.changes else _update(when, number)
    story = change(piece.story, how)
    return replace(piece, story=story, modified=when, in_feed=when if in_feed else piece.in_feed)


def _update(when: datetime, number: int) -> Change:
    return Change(
        add=f"Précision apportée à {clock(when)} (complément n° {number}) : la rédaction a recueilli de nouvelles "
        "réactions dans la journée, sans que les faits rapportés plus haut en soient changés."
    )


def _address(room: Newsroom, piece: Published) -> str:
    return SYSTEMS[room.house.slug].address(room, piece)


def _outlet(room: Newsroom) -> Outlet:
    system = SYSTEMS[room.house.slug]
    return Outlet(
        slug=room.house.slug,
        name=room.house.name,
        site=room.site,
        country=room.house.country,
        timezone=room.house.timezone,
        feeds=tuple(room.site + path for path in system.feeds),
        news_sitemaps=tuple(room.site + path for path in system.news_sitemaps),
        delay=0.0,  # our own machine: nobody is to be spared
    )


def _expected(room: Newsroom) -> Iterable[Expected]:
    system = SYSTEMS[room.house.slug]
    return (expected_of(piece, room=room, system=system) for piece in room.online)
