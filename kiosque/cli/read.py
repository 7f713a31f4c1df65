"""`kiosque read`: one page, or a stream of pages, read with today's rules; nothing is stored."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kiosque.cli.logs import log_to_stderr
from kiosque.errors import KiosqueError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import TypeAlias

    from kiosque.model import Outlet, Page
    from kiosque.settings import Settings
    from pipelines.pool import ReaderPool

    Choose: TypeAlias = Callable[[str, str | None], Outlet]
    """Finds the outlet of a page by its address, or by a slug where one is given."""

FAILED = 1
# Pages handed to the pool ahead of the one whose answer is printed next.
AHEAD = 8


class Format(StrEnum):
    """How one page is printed."""

    text = "text"
    json = "json"


def read(
    context: typer.Context,
    source: Annotated[str | None, typer.Argument(metavar="FILE|URL|-", help="A page; - is standard input")] = None,
    *,
    url: Annotated[str | None, typer.Option(help="The address that a file came from")] = None,
    outlet: Annotated[str | None, typer.Option(metavar="SLUG", help="Read with this outlet's rules")] = None,
    fetched_at: Annotated[
        str | None, typer.Option(metavar="ISO", help="When the page was fetched [default: now]")
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="The text, or all fields")] = Format.text,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help='Read {"id","url","html"} lines, print {"id","outcome",...} lines')
    ] = False,
    learn: Annotated[
        bool, typer.Option("--learn", help="With --jsonl: first find the lines that repeat over an outlet's pages")
    ] = False,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes for --jsonl [default: one per core]")] = None,
) -> None:
    """Read a page and print the article.

    Example: kiosque read page.html --url https://exemple.fr/article --format json
    """
    settings: Settings = context.obj.settings()
    if learn and not jsonl:
        raise UsageError("--learn goes with --jsonl: it needs several pages of an outlet")
    if jsonl:
        read_stream(settings, source, learn=learn, jobs=jobs)
    elif source is None:
        raise UsageError("nothing to read: name a FILE, a URL or - (or give --jsonl)")
    elif source.startswith(("http://", "https://")):
        read_url(settings, source, outlet=outlet, form=form)
    else:
        read_file(settings, source, url=url, outlet=outlet, form=form, fetched_at=moment(fetched_at))


def moment(text: str | None) -> datetime:
    """Read an instant; None is now. Raises `UsageError`."""
    if text is None:
        return datetime.now(UTC)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--fetched-at {text!r} is no instant: write 2024-10-26T09:00+02:00") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def read_file(
    settings: Settings, source: str, *, url: str | None, outlet: str | None, form: Format, fetched_at: datetime
) -> None:
    """Read a file or standard input."""
    from kiosque.embed import answer
    from kiosque.model import Page
    from pipelines.pool import ReaderPool

    body = standard_input() if source == "-" else file_bytes(Path(source))
    address = url or ("file:///dev/stdin" if source == "-" else Path(source).resolve().as_uri())
    choose = chooser(settings)
    page = Page(url=address, final_url=address, body=body, fetched_at=fetched_at)
    pool = ReaderPool(workers=1, page_time=settings.page_time, page_memory=settings.page_memory)
    try:
        chosen = choose(address, outlet)
        reading = pool.submit(page, chosen).result()
    finally:
        pool.close(now=True)
    show(answer(reading, chosen), form)


def file_bytes(path: Path) -> bytes:
    """Return a file's bytes. Raises `UsageError`."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error


def standard_input() -> bytes:
    """Return what stands on standard input."""
    return sys.stdin.buffer.read()


def read_url(settings: Settings, url: str, *, outlet: str | None, form: Format) -> None:
    """Fetch a page as a crawl would, robots.txt and all, and read it."""
    from dataclasses import replace

    from kiosque.cli.crawl import plan_of
    from kiosque.records import record_to_dict
    from pipelines.newsroom import Newsroom
    from spiders.run import Run

    log_to_stderr(form=settings.log_format)
    newsroom = Newsroom.open(replace(settings, db="memory:", workers=1))
    try:
        plan = plan_of(newsroom, [], every=False, feeds=[], pages=[url])
        if outlet is not None:
            chosen = chooser(settings)("", outlet)
            newsroom.outlet_of = lambda _: chosen
    except KiosqueError:
        newsroom.close(now=True)
        raise
    ends: list[dict[str, Any]] = []
    newsroom.watchers.append(
        lambda visit, settled: ends.append(
            {"outcome": settled.outcome, "url": visit.url} | (record_to_dict(settled.record) if settled.record else {})
        )
    )
    run = Run(newsroom=newsroom, plan=plan)
    run()
    if run.stopped_by is not None:
        raise KeyboardInterrupt
    show(ends[0] if ends else {"outcome": "failed:error", "url": url}, form)


def chooser(settings: Settings) -> Choose:
    """Return the function that finds the outlet of a page: by slug where one is given, else by host."""
    from kiosque.outlets import finder, load_outlets
    from spiders.plan import named

    outlets = load_outlets(settings.outlets_dir)
    by_host = finder(outlets)
    return lambda url, slug: named(slug, outlets) if slug else by_host(url)


def show(found: dict[str, Any], form: Format) -> None:
    """Print one page's answer; a page that is no article ends with exit status 1."""
    if form is Format.json:
        print(json.dumps(found, ensure_ascii=False))
    elif "text" in found:
        print_article(found)
    if "text" not in found:
        detail = f": {found['detail']}" if found.get("detail") else ""
        print(f"kiosque: {found['url']}: no article here ({found['outcome']}{detail})", file=sys.stderr)
        raise typer.Exit(FAILED)


def print_article(found: dict[str, Any]) -> None:
    """Print title, date and authors, then the text."""
    facts = [found["published"], ", ".join(found["authors"]), found["agency"], found["section"]]
    print(found["title"])
    print(" · ".join(fact for fact in facts if fact))
    print()
    print(found["text"].replace("\n", "\n\n"))


def read_stream(settings: Settings, source: str | None, *, learn: bool, jobs: int | None) -> None:
    """Read a stream of pages, print an answer a line in the order of the input."""
    from pipelines.pool import ReaderPool

    choose = chooser(settings)
    workers = jobs or settings.worker_count
    pool = ReaderPool(workers=workers, page_time=settings.page_time, page_memory=settings.page_memory)
    try:
        lines = sys.stdin.buffer if source in {None, "-"} else open_lines(Path(str(source)))
        if learn:
            from kiosque.cli.learn import read_and_learn

            answers = read_and_learn(lines, pool, choose, ahead=AHEAD * workers)
        else:
            answers = read_lines(lines, pool, choose, ahead=AHEAD * workers)
        bad = print_answers(answers)
        pool.close()
    except BaseException:
        pool.close(now=True)
        raise
    if bad:
        print(f"kiosque: {bad} lines of the input could not be used; their answers say why", file=sys.stderr)
        raise typer.Exit(FAILED)


def open_lines(path: Path) -> Iterable[bytes]:
    """Open a file of lines. Raises `UsageError`."""
    try:
        return path.open("rb")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error


def print_answers(answers: Iterable[dict[str, Any]]) -> int:
    """Print answers as they come; return how many lines of the input were no good."""
    bad = 0
    for found in answers:
        bad += found["outcome"] == "failed:bad-line"
        print(json.dumps(found, ensure_ascii=False), flush=True)
    return bad


def read_lines(
    lines: Iterable[bytes],
    pool: ReaderPool,
    choose: Choose,
    *,
    ahead: int,
    learned: Mapping[str, frozenset[str]] = MappingProxyType({}),
) -> Iterator[dict[str, Any]]:
    """Read pages in the pool, at most `ahead` at once, and yield answers in the order of the input.

    `learned` holds the folded lines that are clutter, by the slug of the outlet.
    """
    from collections import deque

    under_way: deque[Callable[[], dict[str, Any]]] = deque()
    for line in lines:
        if line.strip():
            under_way.append(submitted(line, pool, choose, learned))
        if len(under_way) >= ahead:
            yield under_way.popleft()()
    while under_way:
        yield under_way.popleft()()


def submitted(
    line: bytes, pool: ReaderPool, choose: Choose, learned: Mapping[str, frozenset[str]]
) -> Callable[[], dict[str, Any]]:
    """Hand a line's page to the pool; the returned function waits for the answer."""
    from kiosque.embed import answer

    try:
        identifier, page, outlet = parse_line(line, choose)
    except BadLineError as error:
        found = {"id": error.identifier, "outcome": "failed:bad-line", "error": str(error)}
        return lambda: found
    future = pool.submit(page, outlet, learned=learned.get(outlet.slug, frozenset()))

    def wait() -> dict[str, Any]:
        found = answer(future.result(), outlet)
        if "id" in found:  # the record's own identifier gives way to the caller's
            found["article_id"] = found.pop("id")
        return {"id": identifier} | found

    return wait


class BadLineError(ValueError):
    """A line of the input that holds no page."""

    def __init__(self, sentence: str, identifier: Any = None) -> None:
        super().__init__(sentence)
        self.identifier = identifier


def parse_line(line: bytes, choose: Choose) -> tuple[Any, Page, Outlet]:
    """Return the id, the page and the outlet of an input line. Raises `BadLineError`."""
    from kiosque.model import Page

    try:
        given = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadLineError(f"not JSON: {error}") from error
    if not isinstance(given, dict):
        raise BadLineError("not a JSON object")
    identifier, url, html = given.get("id"), given.get("url") or "about:blank", given.get("html")
    if not isinstance(html, str) or not isinstance(url, str):
        raise BadLineError("`html` and `url` must be texts", identifier)
    try:
        fetched_at = moment(given.get("fetched_at") or None)
        outlet = choose(url, given.get("outlet"))
    except (KiosqueError, TypeError) as error:
        raise BadLineError(str(error), identifier) from error
    page = Page(
        url=url,
        final_url=url,
        headers=(("content-type", "text/html; charset=utf-8"),),
        body=html.encode("utf-8", "surrogatepass"),
        fetched_at=fetched_at,
    )
    return identifier, page, outlet
