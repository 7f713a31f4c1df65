"""What today's rules change on a stored revision, and how that looks. Pure."""

from __future__ import annotations

import re
from dataclasses import replace
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from pipelines.steps.revise import first_record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kiosque.model import Article, Outlet, Record

# What is read on the page. The rest is identity, rights of the host or history, and no rule changes it.
PUBLISHED = ("published", "published_precision", "published_from", "published_text", "published_confidence")
READ = (
    *("title", "lead", "text", "authors", "agency", "section", "tags", "image", "language"),
    *PUBLISHED,
    *("modified", "paywalled", "word_count", "text_hash"),
)
# They follow from the text, which is named instead.
DERIVED = {"word_count", "text_hash"}
# Words that stand before and after a change; words of one change, and of both texts together, that are compared.
AROUND, MOST_SHOWN, MOST_COMPARED = 4, 30, 4000


def corrected(before: Record, article: Article, *, outlet: Outlet, version: str) -> Record:
    """Return the revision as today's rules read it; the same object when they change nothing."""
    fresh = first_record(article, outlet=outlet, rights=before.rights, version=version)
    claimed_elsewhere = before.published_from in {"feed", "sitemap"} or before.revision > 1
    if fresh.published is None and claimed_elsewhere:  # as in a crawl: what the feed once said stays
        fresh = replace(fresh, **{name: getattr(before, name) for name in PUBLISHED})
    after = replace(before, **{name: getattr(fresh, name) for name in READ})
    return before if after == before else replace(after, kiosque_version=version)


def changed_fields(before: Record, after: Record) -> tuple[str, ...]:
    """Return the names of the fields that differ, in the order of the schema."""
    return tuple(name for name in READ if name not in DERIVED and getattr(before, name) != getattr(after, name))


def word_diff(before: str, after: str) -> Iterator[str]:
    """Yield each change of a text on a line, with some words around it.

    >>> list(word_diff("Le pont rouvre lundi. Lire aussi", "Le pont rouvre lundi."))
    ['Le pont rouvre lundi. [-Lire aussi-]']
    """
    old, new = before.split(), after.split()
    start = _shared(old, new)
    end = _shared(old[start:][::-1], new[start:][::-1])
    head, tail = old[:start], old[len(old) - end :]
    old, new = old[start : len(old) - end], new[start : len(new) - end]
    if len(old) + len(new) > MOST_COMPARED:  # comparing is quadratic
        yield _shown(head, old, new, tail)
        return
    for kind, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal":
            yield _shown(head + old[max(0, i - AROUND) : i], old[i:j], new[k:m], old[j : j + AROUND] + tail)


def _shared(old: list[str], new: list[str]) -> int:
    pairs = zip(old, new, strict=False)
    return next((n for n, (one, other) in enumerate(pairs) if one != other), min(len(old), len(new)))


def _shown(head: list[str], old: list[str], new: list[str], tail: list[str]) -> str:
    parts = [" ".join(head[-AROUND:]), _marked("[-", old, "-]"), _marked("{+", new, "+}"), " ".join(tail[:AROUND])]
    return re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", " ".join(part for part in parts if part))


def _marked(opening: str, words: list[str], closing: str) -> str:
    more = f" … ({len(words)} words)" if len(words) > MOST_SHOWN else ""
    return f"{opening}{' '.join(words[:MOST_SHOWN])}{more}{closing}" if words else ""
