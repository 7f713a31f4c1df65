"""`kiosque read --jsonl --learn`: read a batch, learn which lines repeat over an outlet's pages, read it again."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from kiosque.cli.read import BadLineError, parse_line, read_lines
from kiosque.model import Article
from pipelines.steps.learn import learn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from kiosque.cli.read import Choose
    from pipelines.pool import ReaderPool

# A batch that is larger than this waits on disk for its second reading.
IN_MEMORY = 64_000_000


def read_and_learn(lines: Iterable[bytes], pool: ReaderPool, choose: Choose, *, ahead: int) -> Iterator[dict[str, Any]]:
    """Yield the answers of a batch in its order, without the lines that it taught."""
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as kept:
        learned = learned_lines(copied(lines, kept), pool, choose, ahead=ahead)
        kept.seek(0)
        yield from read_lines(kept, pool, choose, ahead=ahead, learned=learned)


def copied(lines: Iterable[bytes], kept: Any) -> Iterator[bytes]:
    """Pass lines on, and keep them for the second reading."""
    for line in lines:
        kept.write(line if line.endswith(b"\n") else line + b"\n")
        yield line


def learned_lines(lines: Iterable[bytes], pool: ReaderPool, choose: Choose, *, ahead: int) -> dict[str, frozenset[str]]:
    """Return the folded lines that each outlet's pages of this batch repeat."""
    articles: dict[str, list[Article]] = defaultdict(list)

    def note(reading: object, slug: str) -> None:
        if isinstance(reading, Article):
            articles[slug].append(reading)

    under_way: list[Callable[[], None]] = []
    for line in lines:
        try:
            _, page, outlet = parse_line(line, choose)
        except BadLineError:
            continue  # the second reading says what is wrong with it
        future = pool.submit(page, outlet)
        under_way.append(lambda future=future, slug=outlet.slug: note(future.result(), slug))  # type: ignore[misc]
        if len(under_way) >= ahead:
            under_way.pop(0)()
    for wait in under_way:
        wait()
    return {slug: frozenset(count.folded for count in learn(of_outlet)) for slug, of_outlet in articles.items()}
