"""How good an outlet's records will be, judged by a few of its articles: parts that add up to 100."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.steps.lines import fold_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kiosque.model import Article, Rights

# What each part is worth: without articles or their dates a dataset is nothing, authors and leads are extras.
WORTH = {"articles": 30, "fields": 30, "clean text": 25, "rights": 15}
# Within "fields".
FIELDS: dict[str, tuple[int, Callable[[Article], bool]]] = {
    "date": (4, lambda article: article.published is not None),
    "time": (2, lambda article: article.published is not None and article.published.precision != "day"),
    "authors": (2, lambda article: bool(article.authors or article.agency)),
    "lead": (1, lambda article: bool(article.lead)),
    "section": (1, lambda article: bool(article.section)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of the score, and why it is what it is."""

    name: str
    points: int
    most: int
    why: str


def weigh(
    articles: Sequence[Article], *, tried: int, rights: Sequence[Rights], refused: Sequence[str]
) -> tuple[Part, ...]:
    """Score an outlet by the articles read of those that were tried; `refused` says why the others were not."""
    readable = len(articles) / tried if tried else 0.0
    reasons = f" ({', '.join(sorted(set(refused)))})" if refused else ""
    share, missing = _fields(articles)
    clean = cleanness(articles)
    repeated = f"{1 - clean:.0%} of the lines stand in more than one article" if clean < 1 else "no line repeats"
    open_share, said = _open(rights)
    return (
        _part("articles", readable, f"{len(articles)} of {tried} pages read{reasons}"),
        _part("fields", share, missing or "date, time, authors, lead and section on every page"),
        _part("clean text", clean if articles else 0.0, repeated if articles else "no text"),
        _part("rights", open_share, said),
    )


def total(parts: Sequence[Part]) -> int:
    """Return the sum, 0 to 100."""
    return sum(part.points for part in parts)


def cleanness(articles: Sequence[Article]) -> float:
    """Return the mean share of an article's lines that no other article has: what pages agree on is furniture."""
    lines = [{fold_line(line) for line in article.text.split("\n")} for article in articles]
    counts = Counter(line for each in lines for line in each)
    shares = [sum(counts[line] == 1 for line in each) / len(each) for each in lines if each]
    return sum(shares) / len(shares) if shares else 1.0


def _fields(articles: Sequence[Article]) -> tuple[float, str]:
    if not articles:
        return 0.0, "no article to look at"
    found = {name: sum(has(article) for article in articles) for name, (_, has) in FIELDS.items()}
    weights = sum(weight for weight, _ in FIELDS.values())
    share = sum(weight * found[name] / len(articles) for name, (weight, _) in FIELDS.items()) / weights
    missing = [f"{name} on {count} of {len(articles)}" for name, count in found.items() if count < len(articles)]
    return share, ", ".join(missing)


def _open(rights: Sequence[Rights]) -> tuple[float, str]:
    closed = [each for each in rights if each.tdm_reserved or each.noai]
    if not closed:
        return 1.0, "nothing is reserved"
    said = sorted({f"{place}: {statement}" for each in closed for place, statement in each.said})
    return 1 - len(closed) / len(rights), f"reserved on {len(closed)} of {len(rights)} pages ({'; '.join(said)})"


def _part(name: str, share: float, why: str) -> Part:
    return Part(name=name, points=round(WORTH[name] * share), most=WORTH[name], why=why)
