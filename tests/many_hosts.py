"""A press on many hosts for tests: each has a loopback address of its own, and all requests stand in one log."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections import defaultdict
from dataclasses import dataclass

from small_site import PAGE, article, feed

MOVED = 301
PLACES = ("au marché", "à la gare", "au port", "à la mairie", "au stade", "au musée", "à l’école", "au théâtre")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request: when it came and when its answer was sent, by the steady clock."""

    host: str
    path: str
    worker: str
    """Who asked: the contact in the user agent."""
    came: float
    left: float


class ManyHosts:
    """Serves a feed and its pages on each of `hosts` addresses, 127.0.0.2 and on, at one port."""

    def __init__(self, *, hosts, pages, answer_seconds=0.01, robots=None, moved=None, links=0):
        """`robots` gives the Crawl-delay of some hosts by their number, `moved` to which host others send on.

        Each page has so many `links` around its text, as real ones do.
        """
        self._around = "".join(f'<li class="menu"><a href="/r/{n}">Rubrique {n}</a></li>' for n in range(links))
        self.names = [f"127.0.0.{n + 2}" for n in range(hosts)]
        self.pages = pages
        self.log = []
        self._seconds = answer_seconds
        self._robots = {self.names[n]: delay for n, delay in (robots or {}).items()}
        self._moved = {self.names[n]: self.names[to] for n, to in (moved or {}).items()}

    def __enter__(self):
        started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(started)))
        self._thread.start()
        started.wait()
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    @property
    def allowed(self):
        return [f"{name}:{self.port}" for name in self.names]

    def site(self, number):
        return f"http://{self.names[number]}:{self.port}"

    def urls(self):
        return {
            f"http://{self._moved.get(name, name)}:{self.port}{self._path(n, page)}"
            for n, name in enumerate(self.names)
            for page in range(self.pages)
        }

    def _path(self, number, page):
        """Return where a page ends: one that was moved has a number that is no other's."""
        return f"/{page + 10_000 * number}" if self.names[number] in self._moved else f"/{page}"

    def by_host(self):
        found = defaultdict(list)
        for one in sorted(self.log, key=lambda one: one.came):
            found[one.host].append(one)
        return found

    async def _serve(self, started):
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        self.port, servers = 0, []
        for name in self.names:
            server = await asyncio.start_server(lambda r, w, name=name: self._talk(r, w, name), name, self.port)
            self.port = server.sockets[0].getsockname()[1]
            servers.append(server)
        started.set()
        await self._end.wait()
        for server in servers:
            server.close()

    async def _talk(self, reader, writer, host):
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                came = time.monotonic()
                lines = head.decode("latin-1").split("\r\n")
                path = lines[0].split(" ")[1]
                agent = next((line for line in lines if line.lower().startswith("user-agent:")), "")
                await asyncio.sleep(self._seconds)
                status, kind, body = self._answer(host, path)
                name = "Location" if status == MOVED else "Content-Type"
                start = f"HTTP/1.1 {status} X\r\n{name}: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
                writer.write(start.encode() + body)
                await writer.drain()
                worker = agent.partition("; ")[2].rstrip(")")
                self.log.append(Asked(host=host, path=path, worker=worker, came=came, left=time.monotonic()))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _answer(self, host, path):
        if path == "/rss":
            return feed(*[f"http://{host}:{self.port}/{n}" for n in range(self.pages)])
        if path == "/robots.txt" and host in self._robots:
            return 200, "text/plain", f"User-agent: *\nCrawl-delay: {self._robots[host]}\n".encode()
        if path.strip("/").isdigit() and host in self._moved:
            number = self.names.index(host)
            return MOVED, f"http://{self._moved[host]}:{self.port}{self._path(number, int(path[1:]))}", b""
        if path.strip("/").isdigit():
            page = story(f"{host}{path}")
            return 200, PAGE, page.replace(b"<body>", f"<body><nav><ul>{self._around}</ul></nav>".encode())
        return 404, PAGE, b"rien ici"


def story(seed):
    """A page whose words no other has, so that none is another's near-duplicate."""
    dice = random.Random(seed)  # noqa: S311 - the same pages in every run
    words = [f"{dice.choice('bcdfglmnprstv')}{dice.choice('aeiou')}{dice.choice('lmnrst')}{n}" for n in range(60)]
    text = f"L’histoire {seed} commence {dice.choice(PLACES)} : {' '.join(words)}."
    return article(f"Histoire {seed}", text=text)
