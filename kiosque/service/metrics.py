"""What Prometheus asks: counters of the crawl, the health of each outlet, the jobs. Few labels, none from outside."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, SummaryMetricFamily

from kiosque import __version__
from kiosque.health import FEED_HEALTHS
from pipelines.tally import BOUNDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from kiosque.health import OutletNumbers
    from kiosque.service.look import Look
    from kiosque.service.note import JobRun
    from kiosque.service.vitals import Vitals
    from pipelines.tally import Tally, Timing

# A label's values are bounded: beyond so many outlets, the others are one.
MOST_OUTLETS = 1_000
OTHERS = "(others)"
STATUS = re.compile(r"^failed:status-(\d)\d\d$")


@dataclass(slots=True, kw_only=True)
class Seen:
    """What the exposition is made of: read by the thread that answers, written by the event loop."""

    tally: Tally
    vitals: Vitals
    jobs: Callable[[], Iterable[JobRun]]
    now: Callable[[], float]
    """Seconds since the epoch."""
    look: Look | None = None
    """The last look at everyone's health."""
    waiting: Callable[[], int] = field(default=lambda: 0)
    """What was claimed and is not asked yet."""


class Collector:
    """Makes the families anew for each scrape: there is one place where things are counted."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    def collect(self) -> Iterator[Any]:
        """Yield all families."""
        info = GaugeMetricFamily("kiosque_build", "1, with the version that runs.", labels=["version"])
        info.add_metric([__version__], 1)
        yield info
        yield from self._crawl()
        yield from self._timings()
        yield from self._service()
        if self._seen.look is not None:
            yield from self._outlets(self._seen.look)

    def _crawl(self) -> Iterator[Any]:
        tally = self._seen.tally
        yield _counter("kiosque_polls", "Polls of feeds and sitemaps.", "outcome", _folded(dict(tally.polls)))
        yield _counter("kiosque_pages", "Addresses that ended, by outcome.", "outcome", _folded(_outcomes(tally)))
        by_outlet = CounterMetricFamily("kiosque_outlet_pages", "Addresses that ended.", labels=["outlet", "outcome"])
        for (outlet, outcome), n in sorted(_by_outlet(tally).items()):
            by_outlet.add_metric([outlet, outcome], n)
        yield by_outlet
        yield _gauge("kiosque_pages_under_way", "Addresses taken up that have not ended.", tally.under_way)
        yield _gauge("kiosque_pool_pages", "Pages that workers read, or that wait for one.", tally.in_pool)
        yield _gauge("kiosque_inbox", "Claimed feeds and entries that wait for the spider.", self._seen.waiting())

    def _timings(self) -> Iterator[Any]:
        tally = self._seen.tally
        yield _histogram("kiosque_fetch_seconds", "Until a server's answer began.", tally.fetching)
        yield _histogram("kiosque_read_seconds", "A page's time in the worker pool.", tally.reading)
        yield _histogram("kiosque_publication_delay_seconds", "From publication to record.", tally.arriving)
        delays = SummaryMetricFamily("kiosque_outlet_delay_seconds", "From publication to record.", labels=["outlet"])
        for outlet, (n, total) in sorted(list(tally.delays.items())[:MOST_OUTLETS]):
            delays.add_metric([outlet], n, total)
        yield delays

    def _service(self) -> Iterator[Any]:
        vitals, runs = self._seen.vitals, sorted(self._seen.jobs(), key=lambda run: run.name)
        yield _gauge("kiosque_ready", "1 when the service does its work.", int(not vitals.unready()))
        held = int(vitals.hold == "held")
        yield _gauge("kiosque_scheduler_turn", "1 while this scheduler has the store's turn.", held)
        total = CounterMetricFamily("kiosque_job_runs", "Runs of each job since the start.", labels=["job"])
        failing = GaugeMetricFamily("kiosque_job_failures", "Failures in a row.", labels=["job"])
        last = GaugeMetricFamily("kiosque_job_last_run_timestamp_seconds", "When it began last.", labels=["job"])
        took = GaugeMetricFamily("kiosque_job_last_seconds", "How long its last run took.", labels=["job"])
        for run in runs:
            total.add_metric([run.name], run.runs)
            failing.add_metric([run.name], run.failures)
            if run.last_run is not None:
                last.add_metric([run.name], run.last_run.timestamp())
                took.add_metric([run.name], run.seconds or 0.0)
        yield from (total, failing, last, took)

    def _outlets(self, look: Look) -> Iterator[Any]:
        age = GaugeMetricFamily("kiosque_newest_age_seconds", "Age of the newest article.", labels=["outlet"])
        success = GaugeMetricFamily(
            "kiosque_last_success_timestamp_seconds", "When a feed answered well last.", labels=["outlet"]
        )
        waiting = GaugeMetricFamily("kiosque_waiting", "Addresses that wait to be fetched.", labels=["outlet"])
        articles = GaugeMetricFamily("kiosque_articles", "Articles in the store.", labels=["outlet"])
        for slug, one in sorted(look.numbers.items())[:MOST_OUTLETS]:
            waiting.add_metric([slug], one.waiting)
            articles.add_metric([slug], one.articles)
            if one.newest is not None:
                age.add_metric([slug], max(0.0, self._seen.now() - one.newest.first_seen_at.timestamp()))
            if (at := last_success(one)) is not None:
                success.add_metric([slug], at)
        yield from (age, success, waiting, articles)
        feeds = GaugeMetricFamily("kiosque_feeds", "Feeds by their state.", labels=["state"])
        states: Counter[str] = Counter(feed.health for one in look.numbers.values() for feed in one.feeds)
        for state in FEED_HEALTHS:
            feeds.add_metric([state], states[state])
        yield feeds
        problems = GaugeMetricFamily("kiosque_findings", "What a person should look at.", labels=["kind"])
        for kind, n in sorted(Counter(one.kind for one in look.findings).items()):
            problems.add_metric([kind], n)
        yield problems
        at = look.at.timestamp()
        yield _gauge("kiosque_health_check_timestamp_seconds", "When everyone's health was looked at last.", at)


def exposition(seen: Seen) -> bytes:
    """Return the text that Prometheus reads."""
    registry = CollectorRegistry()
    registry.register(Collector(seen))
    return generate_latest(registry)


def last_success(one: OutletNumbers) -> float | None:
    """Return when a feed of an outlet answered well last, in seconds since the epoch."""
    return max((feed.last_success.timestamp() for feed in one.feeds if feed.last_success is not None), default=None)


def folded(outcome: str) -> str:
    """Return the outcome as a label: a server may choose among 900 statuses.

    >>> folded("failed:status-503"), folded("failed:timeout"), folded("new")
    ('failed:status-5xx', 'failed:timeout', 'new')
    """
    return STATUS.sub(r"failed:status-\1xx", outcome)[:80]


def _folded(counts: dict[str, int]) -> Counter[str]:
    found: Counter[str] = Counter()
    for outcome, n in counts.items():
        found[folded(outcome)] += n
    return found


def _outcomes(tally: Tally) -> Counter[str]:
    found: Counter[str] = Counter()
    for (_, outcome), n in list(tally.ended.items()):
        found[outcome] += n
    return found


def _by_outlet(tally: Tally) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    names: set[str] = set()
    for (outlet, outcome), n in list(tally.ended.items()):
        if len(names) < MOST_OUTLETS:
            names.add(outlet)
        found[outlet if outlet in names else OTHERS, outcome.partition(":")[0]] += n
    return found


def _counter(name: str, said: str, label: str, counts: Counter[str]) -> CounterMetricFamily:
    family = CounterMetricFamily(name, said, labels=[label])
    for value, n in sorted(counts.items()):
        family.add_metric([value], n)
    return family


def _gauge(name: str, said: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, said, value=value)


def _histogram(name: str, said: str, timing: Timing) -> HistogramMetricFamily:
    sums = list(accumulate(timing.counts))
    bounds = [*map(str, BOUNDS), "+Inf"]
    return HistogramMetricFamily(name, said, buckets=list(zip(bounds, sums, strict=True)), sum_value=timing.total)
