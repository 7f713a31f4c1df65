"""What a finished URL comes to: its outcome and all that is written for it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from kiosque.model import Article, Page, Rejected, Rights, Visit
from kiosque.rights import renewed
from kiosque.urls import canonical_url
from pipelines.steps.revise import revise
from storage import FORGOTTEN, Address, Revisit, Settled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kiosque.model import Record
    from pipelines.steps.digest import Digest

# An address that failed is tried again after 5 minutes, then three times as long each time, up to a day.
FIRST_RETRY = timedelta(minutes=5)
LONGEST_RETRY = timedelta(days=1)
# Whoever refuses us is left alone for longer.
REFUSED_RETRY = timedelta(hours=6)
REFUSED = {"failed:challenge", "failed:status-401", "failed:status-403", "blocked:host-waits"}
MOST_ATTEMPTS = 10
# A page that says it is gone is believed at once (410) or the third time (404: some caches lag behind the feed).
GONE_AFTER = {"failed:status-410": 1, "failed:status-404": 3}
# A page that took too long or too much may have met a busy machine; one that does so again and again is to blame.
UNSURE = {"rejected:too-slow": 3, "rejected:too-heavy": 3, "rejected:interrupted": MOST_ATTEMPTS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A visit, what reading its page gave, and what the crawl knows besides."""

    visit: Visit
    rights: Rights
    reading: Article | Rejected | None
    at: datetime
    archive: str | None = None
    """Where the archive keeps the page."""
    digest: Digest | None = None
    """Of the article that was read; None where nobody counted it yet."""
    revisit_after: tuple[timedelta, ...] = ()
    """How long after its first sight an article is asked again, each."""


def wanted_keys(finding: Finding) -> set[str]:
    """Return the address keys under which an article of this finding may be known."""
    urls = [finding.visit.url, *finding.visit.via]
    if isinstance(finding.reading, Article):
        urls += finding.reading.urls
    return {finding.visit.key, *map(canonical_url, urls)} - {""}


def conclude(finding: Finding, known: Mapping[str, Record], *, version: str, forgotten: bool = False) -> Settled:
    """Decide the outcome of a finding, given the latest records of its keys; what was `forgotten` is not kept."""
    if forgotten:
        return _settled(finding, FORGOTTEN)
    settled = _concluded(finding, known, version=version)
    return replace(settled, revisit=_revisit(finding, settled, known))


def _concluded(finding: Finding, known: Mapping[str, Record], *, version: str) -> Settled:
    visit = finding.visit
    if isinstance(finding.reading, Article) and visit.page is not None:
        return _article(finding, finding.reading, visit.page, known, version=version)
    outcome = visit.outcome or f"rejected:{finding.reading.reason if isinstance(finding.reading, Rejected) else 'none'}"
    if outcome == "unchanged" and visit.key not in known and not visit.via:
        return _settled(finding, outcome)
    if (outcome.startswith("failed:") or visit.passing or outcome in UNSURE) and visit.key not in known:
        return _failed(finding, outcome)
    before = next((known[key] for key in sorted(wanted_keys(finding)) if key in known), None)
    if before is None or outcome not in {"unchanged", "duplicate"}:
        return _settled(finding, outcome)
    settled = _settled(finding, outcome, article=before.id)
    rights = renewed(before.rights, finding.rights) if outcome == "unchanged" else before.rights
    if _said(rights) == _said(before.rights):
        return settled
    # The server sent no page, since it is the same; what its host or headers reserve may be new.
    return replace(settled, record=replace(before, rights=rights), corrects=True)


def _article(finding: Finding, article: Article, page: Page, known: Mapping[str, Record], *, version: str) -> Settled:
    revised = revise(
        article,
        known,
        answered=page.final_url,
        outlet=finding.visit.outlet,
        rights=finding.rights,
        version=version,
        archive=finding.archive,
        digest=finding.digest,
    )
    settled = _settled(finding, revised.outcome, article=revised.id, record=revised.record)
    if revised.outcome != "unchanged":
        return settled
    before = next(record for record in known.values() if record.id == revised.id)
    if _said(before.rights) == _said(finding.rights):
        return settled
    # What may be done with a text can change while the text stays: exports must follow at once.
    return replace(settled, record=replace(before, rights=finding.rights), corrects=True)


def _revisit(finding: Finding, settled: Settled, known: Mapping[str, Record]) -> Revisit | None:
    """Return when the article is asked again, after a look at its own address; None after any other."""
    record = settled.record or next(
        (r for r in known.values() if r.id == settled.article), known.get(finding.visit.key)
    )
    if settled.outcome == "duplicate" or record is None or canonical_url(record.url) not in wanted_keys(finding):
        return None
    times = (record.first_seen_at + after for after in finding.revisit_after)
    answered = settled.outcome in {"new", "revised", "unchanged"}
    return Revisit(
        article=record.id,
        next_due=min((time for time in times if time > finding.at), default=None),
        removed=True if settled.outcome in GONE_AFTER else False if answered else None,
    )


def _said(rights: Rights) -> tuple[object, ...]:
    return rights.robots, rights.tdm_reserved, rights.tdm_policy, rights.noai


def _failed(finding: Finding, outcome: str) -> Settled:
    attempts = finding.visit.attempts + 1
    if attempts >= (GONE_AFTER | UNSURE).get(outcome, MOST_ATTEMPTS):
        return _settled(finding, outcome, state="gone")
    first = REFUSED_RETRY if outcome in REFUSED else FIRST_RETRY
    wait = min(first * 3 ** (attempts - 1), LONGEST_RETRY)
    return _settled(finding, outcome, state="pending", next_try=finding.at + wait)


def _settled(
    finding: Finding,
    outcome: str,
    *,
    state: str = "done",
    next_try: datetime | None = None,
    article: str | None = None,
    record: Record | None = None,
) -> Settled:
    visit = finding.visit
    return Settled(
        key=visit.key,
        outlet=visit.outlet.slug,
        url=visit.url,
        outcome=outcome,
        at=finding.at,
        state="gone" if state == "gone" else "pending" if state == "pending" else "done",
        next_try=next_try,
        article=article,
        record=record,
        addresses=_addresses(finding) if article else (),
    )


def _addresses(finding: Finding) -> tuple[Address, ...]:
    """Return every address the article was met under; validators belong to the one that answered."""
    visit, page = finding.visit, finding.visit.page
    urls = [visit.url, *visit.via]
    if isinstance(finding.reading, Article):
        urls = [finding.reading.url, *finding.reading.urls, *urls]
    answered = {page.final_url} if page else set()
    if page and urls and canonical_url(page.final_url) == canonical_url(urls[0]):
        answered.add(urls[0])  # the article's own address, up to a trailing slash: it will be asked next time
    return tuple(
        Address(
            key=canonical_url(url),
            url=url,
            etag=page.header("etag") if page and url in answered else None,
            last_modified=page.header("last-modified") if page and url in answered else None,
        )
        for url in dict.fromkeys(urls)
        if canonical_url(url)
    )
