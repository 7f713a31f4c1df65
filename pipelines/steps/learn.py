"""Learned clutter: which lines repeat over an outlet's articles and so belong to none of them.

Counting is by article, never by occurrence, and the bar depends on where a line stands: a line that opens or closes
texts is cheap to learn, one that looks like an intertitre or a paragraph of background is dear. `line_uses` gives one
article's lines, `LineCount` is what a store keeps of each, `is_learned` decides, `learn` does it all for a batch.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Literal

from pipelines.steps.authors import find_agency, is_signature
from pipelines.steps.lines import fold_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kiosque.model import Article

Place = Literal["edge", "inner", "intertitre", "prose"]

# How many articles, and what share of the outlet's, must carry a line before it is learned. On real pages, four to
# thirty an outlet, lines on three or more of them were furniture and never the article's.
THRESHOLDS: dict[Place, tuple[int, float]] = {
    "edge": (3, 0.02),  # the first or last lines of the text: slogans, invitations, the outlet's own name
    "inner": (4, 0.04),  # short lines between paragraphs: offers, players, "see also" without a title
    "intertitre": (20, 0.5),  # "Ce que l’on sait" recurs in good articles; on half of all pages it is the template
    "prose": (10, 0.2),  # whole sentences: background is copied from article to article and is theirs
}
_EDGE = 2
"""Lines at either end of a text that count as its edge."""
_PARAGRAPH = 80
_LONG_WORDS = 18
_HEADING_WORDS = 9
_MAX_LENGTH = 400
_NUMBERS = 0.34
_SAME = 0.5
_QUOTED = ("«", '"', "“", "—", "–", "- ")
_SENTENCE = re.compile(r"[.!?…][»”\"’')\s]*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class LineUse:
    """One line of one article that could be clutter."""

    folded: str
    line: str
    """As the article has it."""
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class LineCount:
    """How many of an outlet's articles carry a line, and where it stands in most of them."""

    folded: str
    line: str
    """As one article has it."""
    articles: int
    place: Place


def line_uses(article: Article) -> tuple[LineUse, ...]:
    """Return an article's lines that can be counted, each once; what was already learned is counted on.

    Never counted: agency sign-offs and signatures, quotations, tables and scores, and lines too long to be furniture.
    """
    lines = article.text.split("\n")
    learned = [line for line, rule in article.removed if rule == "learned"]
    uses: dict[str, LineUse] = {}
    for i, line in enumerate(lines):
        if _can_be_clutter(line):
            uses.setdefault(fold_line(line), LineUse(folded=fold_line(line), line=line, place=_place(i, lines)))
    for line in learned:
        uses.setdefault(fold_line(line), LineUse(folded=fold_line(line), line=line, place="edge"))
    return tuple(uses.values())


def countable_lines(article: Article) -> frozenset[str]:
    """Return the folded lines that a store may count with one bar for all: no intertitre, no paragraph."""
    return frozenset(use.folded for use in line_uses(article) if use.place in {"edge", "inner"})


def learn(articles: Sequence[Article]) -> tuple[LineCount, ...]:
    """Return the lines to learn from a batch of one outlet's articles, the most repeated first.

    Versions of one article (a live blog fetched twice, an agency text printed twice) count as one.
    """
    apart = [line_uses(article) for article in _distinct(articles)]
    counts = count_uses(apart)
    return tuple(count for count in counts if is_learned(count, articles=len(apart)))


def count_uses(uses: Iterable[Iterable[LineUse]]) -> tuple[LineCount, ...]:
    """Count lines over articles, the most repeated first; a line's place is its most frequent one."""
    places: dict[str, Counter[Place]] = defaultdict(Counter)
    shown: dict[str, str] = {}
    for article in uses:
        for use in article:
            places[use.folded][use.place] += 1
            shown.setdefault(use.folded, use.line)
    counts = (
        LineCount(folded=folded, line=shown[folded], articles=counter.total(), place=counter.most_common(1)[0][0])
        for folded, counter in places.items()
    )
    return tuple(sorted(counts, key=lambda count: (-count.articles, count.folded)))


def is_learned(count: LineCount, *, articles: int) -> bool:
    """Tell whether a line is clutter when `articles` of its outlet were counted.

    >>> slogan = LineCount(folded="x", line="Le Courrier, votre quotidien depuis 1887", articles=3, place="edge")
    >>> is_learned(slogan, articles=30), is_learned(slogan, articles=500)
    (True, False)
    """
    least, share = THRESHOLDS[count.place]
    return count.articles >= max(least, ceil(share * articles))


def _can_be_clutter(line: str) -> bool:
    bare = line.strip()
    if not bare or len(bare) > _MAX_LENGTH or bare.startswith(_QUOTED):
        return False
    if is_signature(bare.strip("()")) or (len(bare) < _PARAGRAPH and find_agency(bare)):
        return False
    words = fold_line(bare).split()
    numbers = sum(word == "0" for word in words)
    return bool(words) and any(len(word) > 1 for word in words) and numbers <= _NUMBERS * len(words)


def _place(i: int, lines: list[str]) -> Place:
    line = lines[i]
    words = line.split()
    if len(words) >= _LONG_WORDS and _SENTENCE.search(line):
        return "prose"
    before_prose = i + 1 < len(lines) and len(lines[i + 1]) >= _PARAGRAPH
    if i > 0 and before_prose and len(words) <= _HEADING_WORDS and not re.search(r"[.!…]$", line):
        return "intertitre"
    return "edge" if i < _EDGE or i >= len(lines) - _EDGE else "inner"


def _distinct(articles: Sequence[Article]) -> Iterator[Article]:
    """Yield articles that share less than half of their paragraphs with every one before them."""
    seen: dict[str, list[int]] = defaultdict(list)
    for i, article in enumerate(articles):
        paragraphs = {fold_line(line) for line in article.text.split("\n") if len(line) >= _PARAGRAPH}
        shared = Counter(j for paragraph in paragraphs for j in seen[paragraph])
        if not paragraphs or not shared or max(shared.values()) < _SAME * len(paragraphs):
            yield article
            for paragraph in paragraphs:
                seen[paragraph].append(i)
