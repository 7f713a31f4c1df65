"""Compare what was read with what is known: a new article, a revision, nothing new, or a second address."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from kiosque.model import Record, Rights
from kiosque.urls import canonical_url
from pipelines.steps.lines import fold_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kiosque.model import Article, Outlet
    from pipelines.steps.digest import Digest

WORD = re.compile(r"\w+")
# A page that shares less than this of its words with the article that its canonical link names is
# another article: some sites name one canonical link on every page.
SAME_PIECE = 0.35


@dataclass(frozen=True, slots=True, kw_only=True)
class Revised:
    """What an article is to the store; `record` is set when there is a revision to keep."""

    outcome: Literal["new", "revised", "unchanged", "duplicate"]
    id: str
    record: Record | None = None


def revise(
    article: Article,
    known: Mapping[str, Record],
    *,
    answered: str,
    outlet: Outlet,
    rights: Rights,
    version: str,
    archive: str | None = None,
    digest: Digest | None = None,
) -> Revised:
    """Decide what an article is to the store.

    `known` holds the latest record of each address key that has one (`Store.known`), `answered` is
    the address that sent the page, `digest` the article's, where
    it was counted already. A revision is a change of the words of title, lead or text, seen
    at the article's own address; a page that stands at a second one (AMP, a copy) never revises it.
    """
    own_key = canonical_url(article.url)
    before = _believed(article, known)
    if before is None:
        record = first_record(article, outlet=outlet, rights=rights, version=version, archive=archive, digest=digest)
        if own_key in known:  # its canonical link belongs to another piece: it stands under its own address
            own = canonical_url(article.urls[0])
            record = replace(record, id=article_id(own), url=article.urls[0])
        return Revised(outcome="new", id=record.id, record=record)
    if canonical_url(before.url) not in {canonical_url(article.urls[0]), canonical_url(answered)}:
        return Revised(outcome="duplicate", id=before.id)
    if _same_words(before, article, digest.text_hash if digest else text_hash(article.text)):
        return Revised(outcome="unchanged", id=before.id)
    fresh = first_record(article, outlet=outlet, rights=rights, version=version, archive=archive, digest=digest)
    record = replace(
        fresh,
        id=before.id,
        revision=before.revision + 1,
        urls=tuple(dict.fromkeys((*before.urls, *fresh.urls))),
        first_seen_at=before.first_seen_at,
    )
    if record.published is None:
        record = with_date_of(before, record)
    return Revised(outcome="revised", id=before.id, record=record)


def article_id(key: str) -> str:
    """Return the stable identifier of the article with this canonical URL.

    >>> article_id("https://exemple.fr/a")
    'cabb31ccb6d1e3dd8c0ed6ac'
    """
    return hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def fold_words(text: str) -> str:
    """Fold a text to its words: what typography, case and spacing cannot change.

    >>> fold_words("L’été : « enfin » !")
    'l été enfin'
    """
    return " ".join(WORD.findall(unicodedata.normalize("NFKC", text).casefold()))


def text_hash(text: str) -> str:
    """Return the SHA-256 of the text's folded words, in hexadecimal."""
    return hashlib.sha256(fold_words(text).encode("utf-8", "surrogatepass")).hexdigest()


def count_words(text: str) -> int:
    """Count the words: what stands between spaces and holds a letter or digit.

    >>> count_words("L’été arrive : enfin !")
    3
    """
    return sum(1 for token in text.split() if token.isalnum() or any(c.isalnum() for c in token))


def _believed(article: Article, known: Mapping[str, Record]) -> Record | None:
    """Return the known record of this article, by the address asked for first, then by its canonical link."""
    asked = known.get(canonical_url(article.urls[0]))
    if asked is not None:
        return asked
    others = (known.get(canonical_url(url)) for url in (article.url, *article.urls[1:]))
    return next((record for record in others if record is not None and _same_piece(record, article)), None)


def _same_piece(record: Record, article: Article) -> bool:
    before, now = set(fold_words(record.text).split()), set(fold_words(article.text).split())
    shared = len(before & now) / max(1, min(len(before), len(now)))
    return shared >= SAME_PIECE or fold_words(record.title) == fold_words(article.title)


def _same_words(record: Record, article: Article, now: str) -> bool:
    return (
        _same_text(record, article, now)
        and fold_words(record.title) == fold_words(article.title)
        and fold_words(record.lead or "") == fold_words(article.lead or "")
    )


def _same_text(record: Record, article: Article, now: str) -> bool:
    learned = {fold_line(line) for line, rule in article.removed if rule == "learned"}
    if record.text_hash == now or not learned:
        return record.text_hash == now
    # What was learned since is no edit of the outlet's.
    return text_hash("\n".join(line for line in record.text.split("\n") if fold_line(line) not in learned)) == now


def first_record(
    article: Article,
    *,
    outlet: Outlet,
    rights: Rights,
    version: str,
    archive: str | None = None,
    digest: Digest | None = None,
) -> Record:
    """Return revision 1 of an article."""
    published = article.published
    return Record(
        id=article_id(canonical_url(article.url)),
        revision=1,
        outlet=outlet.slug,
        outlet_name=outlet.name,
        country=outlet.country,
        url=article.url,
        urls=article.urls,
        title=article.title,
        lead=article.lead,
        text=article.text,
        authors=article.authors,
        agency=article.agency,
        section=article.section,
        tags=article.tags,
        image=article.image,
        language=article.language,
        published=published.value if published else None,
        published_precision=published.precision if published else None,
        published_from=published.source if published else None,
        published_text=published.text if published else None,
        published_confidence=published.confidence if published else None,
        modified=article.modified,
        fetched_at=article.fetched_at,
        first_seen_at=article.fetched_at,
        paywalled=article.paywalled,
        word_count=digest.word_count if digest else count_words(article.text),
        text_hash=digest.text_hash if digest else text_hash(article.text),
        cluster=None,
        rights=rights,
        archive=archive,
        kiosque_version=version,
    )


def with_date_of(before: Record, record: Record) -> Record:
    """Return the record with the date that was known: a feed that has moved on no longer claims it."""
    return replace(
        record,
        published=before.published,
        published_precision=before.published_precision,
        published_from=before.published_from,
        published_text=before.published_text,
        published_confidence=before.published_confidence,
    )
