"""What a person should look at: pure judgements over what the store counted, the most urgent first."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from kiosque.advice import PROBLEMS, URGENCY, spoken_age

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from kiosque.advice import Kind
    from kiosque.model import Outlet
    from kiosque.polling import FeedState

# Those of feeds (`kiosque.polling.Health`), the sound ones first.
FEED_HEALTHS = ("ok", "new", "silent", "empty", "blocked", "not-a-feed", "failing", "gone")
# A passing failure is no news: feeds are looked at after so many in a row.
FAILURES = 3
# Outcomes of so many days count, and so many pages are enough to judge.
SHARE_DAYS, SHARE_LEAST = 2, 8
FAILED_SHARE, BLOCKED_SHARE, REJECTED_SHARE = 0.3, 0.5, 0.5
REJECTED_RISE = 0.25
# Days without a new article: of an outlet that says how many it publishes, and of one that does not.
DRY_EXPECTED, DRY = timedelta(days=2), timedelta(days=7)
NOT_POLLED = timedelta(days=1)
# Complete days over which `expect_per_day` is judged; the outlet must have been crawled before them.
EXPECT_DAYS = 3
# Articles that make a share of fields worth judging, now and before, and how far it must fall.
COVERAGE_NOW, COVERAGE_BEFORE = 8, 16
COVERAGE_FALL, WORDS_FALL, DATED_LEAST = 0.3, 0.5, 0.5
WAITING = 2_000
# Lines told of one outlet, and how much of each.
MOST_LINES, LONGEST_LINE = 3, 120
COVERED = ("date", "authors", "lead")


@dataclass(frozen=True, slots=True, kw_only=True)
class Newest:
    """The article that an outlet brought last."""

    id: str
    title: str
    url: str
    first_seen_at: datetime
    published: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How many of some articles have each field, and their mean length."""

    articles: int = 0
    date: int = 0
    authors: int = 0
    lead: int = 0
    words: float = 0.0
    example: str | None = None
    """The address of the newest of them."""
    lacking: Mapping[str, str] = field(default_factory=dict)
    """By field, the address of the newest of them that does not have it."""

    def share(self, name: str) -> float:
        """Return the share of articles that have `date`, `authors` or `lead`: 0 to 1."""
        return int(getattr(self, name)) / self.articles if self.articles else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLine:
    """A line that was learned as clutter, and first met not long ago."""

    line: str
    first_seen: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OutletNumbers:
    """What the store counted of one outlet."""

    slug: str
    articles: int = 0
    revisions: int = 0
    waiting: int = 0
    newest: Newest | None = None
    feeds: tuple[FeedState, ...] = ()
    days: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Outcomes by UTC day, `2024-10-25`, some weeks back."""
    recent: Coverage = field(default_factory=Coverage)
    """Of the articles of the last days."""
    before: Coverage = field(default_factory=Coverage)
    """Of those of the weeks before."""
    new_clutter: tuple[NewLine, ...] = ()
    """Lines that began to repeat in the last days, though the outlet was read long before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that a person should look at."""

    kind: Kind
    outlet: str
    """Its slug; empty for what concerns all."""
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_problem(self) -> bool:
        """Tell whether articles are missed or read wrongly now."""
        return self.kind in PROBLEMS


def judge(numbers: Iterable[OutletNumbers], outlets: Mapping[str, Outlet], *, now: datetime) -> tuple[Finding, ...]:
    """Return what a person should look at, the most urgent first; nothing of outlets that were never crawled."""
    counted = list(numbers)
    found = [*_not_polled(counted, now), *(one for n in counted for one in judge_outlet(n, outlets.get(n.slug), now))]
    return by_urgency(found)


def by_urgency(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings in the order in which a person should look at them."""
    return tuple(sorted(found, key=lambda finding: (URGENCY[finding.kind], finding.outlet)))


def judge_outlet(numbers: OutletNumbers, outlet: Outlet | None, now: datetime) -> Iterator[Finding]:
    """Yield what is to be said of one outlet; nothing of one whose file is no longer there."""
    if outlet is None:
        return
    yield from _feeds(numbers, outlet)
    yield from _shares(numbers, now)
    yield from _dry(numbers, outlet, now)
    yield from _coverage(numbers)
    yield from _clutter(numbers)
    yield from _expected(numbers, outlet, now)
    if numbers.waiting > WAITING:
        yield Finding(kind="waiting", outlet=numbers.slug, facts={"n": str(numbers.waiting)})


def outcomes_since(numbers: OutletNumbers, day: str) -> Counter[str]:
    """Sum an outlet's outcomes of a UTC day and those after it."""
    total: Counter[str] = Counter()
    for one, outcomes in numbers.days.items():
        if one >= day:
            total.update(outcomes)
    return total


def _not_polled(counted: list[OutletNumbers], now: datetime) -> Iterator[Finding]:
    polled = [feed.last_polled for numbers in counted for feed in numbers.feeds if feed.last_polled]
    if polled and now - max(polled) > NOT_POLLED:
        yield Finding(kind="not-polled", outlet="", facts={"age": spoken_age(now - max(polled))})


def _feeds(numbers: OutletNumbers, outlet: Outlet) -> Iterator[Finding]:
    """Judge the feeds that the outlet's file names today, and the sitemaps that these name."""
    declared = {*outlet.feeds, *outlet.news_sitemaps}
    declared |= {child for feed in numbers.feeds if feed.url in declared for child in feed.children}
    for feed in numbers.feeds:
        if feed.url not in declared:
            continue
        facts = {"feed": feed.url[:300], "reason": feed.reason[:300], "failures": str(feed.failures)}
        match feed.health:
            case "gone":
                yield Finding(kind="feed-gone", outlet=numbers.slug, facts=facts)
            case "not-a-feed" if feed.failures >= FAILURES:
                yield Finding(kind="feed-not-a-feed", outlet=numbers.slug, facts=facts)
            case "failing" if feed.failures >= FAILURES:
                yield Finding(kind="feed-failing", outlet=numbers.slug, facts=facts)
            case "blocked":
                yield Finding(kind="feed-blocked", outlet=numbers.slug, facts=facts)
            case "empty":
                yield Finding(kind="feed-empty", outlet=numbers.slug, facts=facts)
            case "silent":
                since = f"{feed.last_changed:%Y-%m-%d}" if feed.last_changed else "its first poll"
                yield Finding(kind="feed-silent", outlet=numbers.slug, facts=facts | {"since": since})


def _shares(numbers: OutletNumbers, now: datetime) -> Iterator[Finding]:
    """Compare how the pages of the last days ended with the bars, and rejections with the outlet's own history."""
    first = f"{now - timedelta(days=SHARE_DAYS - 1):%Y-%m-%d}"
    recent = outcomes_since(numbers, first)
    older = outcomes_since(numbers, "") - recent
    usual = _count(older, "rejected") / older.total() if older.total() >= SHARE_LEAST else 0.0
    bars: tuple[tuple[Kind, float], ...] = (
        ("failed-share", FAILED_SHARE),
        ("blocked-share", BLOCKED_SHARE),
        ("rejected-share", max(REJECTED_SHARE, usual + REJECTED_RISE)),
    )
    for kind, bar in bars:
        prefix = kind.removesuffix("-share")
        n, seen = _count(recent, prefix), recent.total()
        if n >= SHARE_LEAST and n > bar * seen:
            reasons = Counter({name: k for name, k in recent.items() if name.startswith(f"{prefix}:")})
            facts = {"n": str(n), "seen": str(seen), "percent": _percent(n / seen), "before": _percent(usual)}
            worst = reasons.most_common(1)[0][0]
            yield Finding(kind=kind, outlet=numbers.slug, facts=facts | {"reason": worst})


def _dry(numbers: OutletNumbers, outlet: Outlet, now: datetime) -> Iterator[Finding]:
    if numbers.newest is None:
        return
    expects = outlet.expect_per_day is not None and outlet.expect_per_day[0] > 0
    age = now - numbers.newest.first_seen_at
    polled = [feed.last_success for feed in numbers.feeds if feed.last_success]
    asked = bool(polled) and max(polled) - numbers.newest.first_seen_at > (DRY_EXPECTED if expects else DRY)
    if asked and age > (DRY_EXPECTED if expects else DRY):
        yield Finding(kind="no-articles", outlet=numbers.slug, facts={"age": spoken_age(age)})


def _coverage(numbers: OutletNumbers) -> Iterator[Finding]:
    """Compare fields and length of the new articles with the outlet's own history."""
    now, before = numbers.recent, numbers.before
    if now.articles < COVERAGE_NOW:
        return
    example = {"example": (now.example or "")[:300]}
    known = before.articles >= COVERAGE_BEFORE
    for name in COVERED if known else ():
        if before.share(name) - now.share(name) > COVERAGE_FALL:
            shares = {"field": name, "percent": _percent(now.share(name)), "before": _percent(before.share(name))}
            page = {"example": now.lacking[name][:300]} if name in now.lacking else example
            yield Finding(kind="coverage-fell", outlet=numbers.slug, facts=shares | page)
    if known and now.words < WORDS_FALL * before.words:
        lengths = {"words": f"{now.words:.0f}", "before": f"{before.words:.0f}"}
        yield Finding(kind="text-shrank", outlet=numbers.slug, facts=lengths | example)
    if now.share("date") < DATED_LEAST and before.share("date") - now.share("date") <= COVERAGE_FALL:
        page = {"example": now.lacking["date"][:300]} if "date" in now.lacking else example
        yield Finding(kind="undated", outlet=numbers.slug, facts={"percent": _percent(now.share("date"))} | page)


def _clutter(numbers: OutletNumbers) -> Iterator[Finding]:
    for one in numbers.new_clutter[:MOST_LINES]:
        facts = {"line": one.line[:LONGEST_LINE], "since": f"{one.first_seen:%Y-%m-%d}"}
        yield Finding(kind="clutter-new", outlet=numbers.slug, facts=facts)


def _expected(numbers: OutletNumbers, outlet: Outlet, now: datetime) -> Iterator[Finding]:
    """Compare new articles a day with `expect_per_day`, over complete days that follow the first one."""
    if outlet.expect_per_day is None or not numbers.days:
        return
    days = [f"{now - timedelta(days=back):%Y-%m-%d}" for back in range(1, EXPECT_DAYS + 1)]
    if min(numbers.days) >= min(days):  # a first crawl brings all that the feeds list
        return
    mean = sum(numbers.days.get(day, {}).get("new", 0) for day in days) / EXPECT_DAYS
    least, most = outlet.expect_per_day
    facts = {"n": f"{mean:.1f}", "expected": f"{least}–{most}"}
    if mean < least:
        yield Finding(kind="too-few", outlet=numbers.slug, facts=facts)
    elif mean > most:
        yield Finding(kind="too-many", outlet=numbers.slug, facts=facts)


def _count(outcomes: Counter[str], prefix: str) -> int:
    return sum(n for name, n in outcomes.items() if name.startswith(f"{prefix}:"))


def _percent(share: float) -> str:
    return f"{100 * share:.0f}"
