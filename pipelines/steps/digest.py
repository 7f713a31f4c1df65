"""What the store compares of an article, counted where it was read: the one thread that writes has enough to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.steps.learn import countable_lines
from pipelines.steps.near import bands
from pipelines.steps.revise import count_words, text_hash

if TYPE_CHECKING:
    from kiosque.model import Article


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """Counts and hashes of an article's text."""

    text_hash: str
    word_count: int
    bands: tuple[int, ...]
    """Of its near-duplicates (`steps.near.bands`)."""
    lines: tuple[str, ...]
    """Folded lines that are counted over the outlet's articles (`steps.learn.countable_lines`), sorted."""


def digest_of(article: Article) -> Digest:
    """Count an article."""
    return Digest(
        text_hash=text_hash(article.text),
        word_count=count_words(article.text),
        bands=bands(article.text),
        lines=tuple(sorted(countable_lines(article))),
    )
