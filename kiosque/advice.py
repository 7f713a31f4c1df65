"""What a person is told of each finding, and what to do: English sentences, the most urgent first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import timedelta

    from kiosque.health import Finding

Kind = Literal[
    "service-silent",
    "not-polled",
    "reload-failed",
    "job-failing",
    "archive-unsent",
    "feed-gone",
    "feed-not-a-feed",
    "feed-failing",
    "feed-blocked",
    "failed-share",
    "blocked-share",
    "no-articles",
    "rejected-share",
    "coverage-fell",
    "text-shrank",
    "rule-unmatched",
    "undated",
    "too-few",
    "too-many",
    "feed-silent",
    "feed-empty",
    "rights-changed",
    "clutter-new",
    "waiting",
]

# What is said of each and what to do, in the order of urgency; `{...}` are the finding's facts.
ADVICE: dict[Kind, tuple[str, str]] = {
    "service-silent": (
        "The service has not been heard for {age}: it was process {pid} on {host}.",
        "Look into its log why it ended or hangs, and start `kiosque schedule` again.",
    ),
    "not-polled": (
        "No feed was asked for {age}.",
        "Start `kiosque schedule` (or run `kiosque crawl`), and look why it ended.",
    ),
    "reload-failed": (
        "A changed file cannot be used, and what ran before goes on: {reason}",
        "Mend the file; it is read again when it changes.",
    ),
    "job-failing": (
        "The job {job} failed, {n} times in a row: {reason}",
        "See to what it says; the job runs again by itself.",
    ),
    "archive-unsent": (
        "{n} files of the archive ({size}) on {machine} have waited for {age} to be sent: {reason}",
        "See to what it says; they are sent by the next crawl, or now by `kiosque archive send` on that machine.",
    ),
    "feed-gone": (
        "The feed {feed} is gone for good: its server said so twice.",
        "Find the new one with `kiosque outlets add SITE`, and change the outlet's file.",
    ),
    "feed-not-a-feed": (
        "The feed {feed} answers with something else: {reason}",
        "Open it in a browser; if it moved, change the outlet's file.",
    ),
    "feed-failing": (
        "The feed {feed} failed {failures} times in a row: {reason}",
        "Open it in a browser; if it works there, the server may refuse crawlers: write to the outlet.",
    ),
    "feed-blocked": (
        "The feed {feed} is not asked or refused: {reason}",
        "Respect it: take the feed out of the outlet's file, or ask the outlet for leave.",
    ),
    "failed-share": (
        "{percent} % of its pages could not be fetched ({n} of {seen}), most often {reason}.",
        "See whether the site is down or refuses crawlers; a larger `delay` in the outlet's file may help.",
    ),
    "blocked-share": (
        "{percent} % of its pages may not be fetched ({n} of {seen}), most often {reason}.",
        "Respect it: leave the outlet out, or ask it for leave.",
    ),
    "no-articles": (
        "No new article for {age}.",
        "Try one page with `kiosque crawl {outlet} --limit 1`; the feed may list other pages than articles now.",
    ),
    "rejected-share": (
        "{percent} % of its pages are no article to us ({n} of {seen}; {before} % before), most often {reason}.",
        "Read one with `kiosque read URL --outlet {outlet}`; the template may have changed.",
    ),
    "coverage-fell": (
        "{percent} % of its new articles have {field}, {before} % before: {example}",
        "The template may have changed: read that page with `kiosque read URL --outlet {outlet}` and mend `[read]`.",
    ),
    "text-shrank": (
        "Its new articles have {words} words, {before} before: {example}",
        "The template may have changed, or a paywall came: read that page with `kiosque read URL --outlet {outlet}`.",
    ),
    "rule-unmatched": (
        "The rule `{rule}` of its file matches none of its last {n} pages (last match: {matched}): {example}",
        "The template may have changed: mend the rule, or end it with `until` in the outlet's file.",
    ),
    "undated": (
        "Only {percent} % of its articles have a date: {example}",
        "Read that page with `kiosque read URL --outlet {outlet}`, and name the date's place in `[read] date_css`.",
    ),
    "too-few": (
        "{n} new articles a day, where {expected} are expected.",
        "See whether a feed is missing or lists less; else correct `expect_per_day`.",
    ),
    "too-many": (
        "{n} new articles a day, where {expected} are expected.",
        "See whether a feed brings other pages than articles; else correct `expect_per_day`.",
    ),
    "feed-silent": (
        "The feed {feed} answers but has nothing new since {since}.",
        "Look at the site: it may have another feed now, or have ended.",
    ),
    "feed-empty": ("The feed {feed} has no entries.", "Look at the site: it may have another feed now."),
    "rights-changed": (
        "{host} says something else of reuse since {since}: {now} (before: {before}).",
        "Read its robots.txt and tdmrep.json; records keep what was said when they were fetched.",
    ),
    "clutter-new": (
        "A line repeats over its articles since {since} and is taken out of them: {line}",
        "If it is no clutter, put it into `keep_lines` of the outlet's file: `kiosque outlets clutter {outlet}`.",
    ),
    "waiting": (
        "{n} addresses wait to be fetched.",
        "If they grow from day to day, raise `crawl.concurrency`, or crawl fewer outlets.",
    ),
}
URGENCY = {kind: place for place, kind in enumerate(ADVICE)}
# What keeps articles away now; the others are worth a look.
PROBLEMS = frozenset(
    {
        "service-silent",
        "not-polled",
        "feed-gone",
        "feed-not-a-feed",
        "feed-failing",
        "failed-share",
        "no-articles",
        "coverage-fell",
    }
)


def says(finding: Finding) -> str:
    """Return what is wrong, in one sentence."""
    return ADVICE[finding.kind][0].format(outlet=finding.outlet, **finding.facts)


def advice(finding: Finding) -> str:
    """Return what a person should do, in one sentence."""
    return ADVICE[finding.kind][1].format(outlet=finding.outlet, **finding.facts)


def spoken_age(age: timedelta) -> str:
    """Say how long ago something was.

    >>> from datetime import timedelta
    >>> spoken_age(timedelta(minutes=7)), spoken_age(timedelta(hours=30)), spoken_age(timedelta(days=9))
    ('7 min', '30 h', '9 days')
    """
    minutes = max(0, int(age.total_seconds() // 60))
    if minutes < 120:  # noqa: PLR2004 - where minutes stop being easy to read
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"
