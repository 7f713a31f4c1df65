"""`kiosque outlets add URL`: explore a site, show what its records would be, write its file."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from kiosque.cli.outlets_home import crawl_with, known_outlets, own_folder, settings_of
from kiosque.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kiosque.cli.outlets_explore import Explored, Sampled, Wanted
    from kiosque.model import Article, Outlet
    from kiosque.settings import Settings

SHOWN_LINES, SHOWN_CLUTTER, WIDTH = 3, 5, 110


def add_outlet(
    ctx: typer.Context,
    url: Annotated[str, typer.Argument(help="The address of a site, or of its feed")],
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Write the file without asking")] = False,
    language: Annotated[str, typer.Option(help="The language that is taken; `any` takes every one")] = "fr",
    slug: Annotated[str | None, typer.Option(help="The outlet's short name [default: made of the address]")] = None,
    again: Annotated[bool, typer.Option("--again", help="Look for the feeds of a known outlet anew")] = False,
) -> None:
    """Find a site's feeds, read a few of its articles, show what comes of them, and write its outlet file.

    Example: kiosque outlets add https://www.example.fr
    """
    settings = settings_of(ctx)
    address = site_url(url)
    outlets = known_outlets(ctx)
    folder = own_folder(settings)
    wanted = wanted_site(settings, outlets, address, language=language, slug=checked_slug(slug, outlets), again=again)
    explored = explored_site(settings, outlets, wanted)
    for line in preview(explored):
        print(line)
    outlet = explored.outlet
    file = folder / f"{outlet.slug}.toml"
    if not yes and not agreed(f"Write {file}?"):
        print("Nothing was written.")
        return
    from kiosque.outlets import write_outlet

    print(f"Written: {write_outlet(outlet, folder)}")
    print(f"Crawl it: {crawl_with(settings, folder, outlet.slug)}")


def wanted_site(
    settings: Settings, outlets: dict[str, Outlet], url: str, *, language: str, slug: str | None, again: bool
) -> Wanted:
    """Return what is to be explored. Raises `KiosqueError` for what can be refused before anything is asked."""
    from kiosque.cli.crawl import NO_CONTACT, may_contact
    from kiosque.cli.outlets_explore import Wanted, refuse_known
    from kiosque.outlets import outlet_for

    known = outlets.get(outlet_for(url, outlets).slug) if again else None
    if again and known is None:
        raise UsageError(f"--again: no known outlet is at {url}")
    others = {each: outlet for each, outlet in outlets.items() if known is None or each != known.slug}
    refuse_known(url, others)
    if not may_contact(url, settings):
        raise UsageError(f"{url}: {NO_CONTACT}")
    folder = own_folder(settings)
    taken = {*outlets, *(path.stem for path in folder.glob("*.toml"))} if folder.is_dir() else set(outlets)
    return Wanted(
        url=url,
        outlets=others,
        language=language,
        slug=slug,
        taken=taken,
        policy=settings.rights_reserved,
        known=known,
    )


def explored_site(settings: Settings, outlets: dict[str, Outlet], wanted: Wanted) -> Explored:
    """Explore a site in this process."""
    from kiosque.cli.logs import log_to_stderr
    from kiosque.cli.outlets_explore import MOST_PER_HOST, explore
    from pipelines.pool import ReaderPool
    from spiders.scout import run_scout

    log_to_stderr(form=settings.log_format)
    pool = ReaderPool(workers=settings.worker_count, page_time=settings.page_time, page_memory=settings.page_memory)
    try:
        found: Explored = run_scout(
            settings, outlets.values(), lambda fetch: explore(wanted, fetch, pool), most_per_host=MOST_PER_HOST
        )
    finally:
        pool.close(now=True)
    return found


def site_url(given: str) -> str:
    """Return what was given as an address; https where no scheme was given. Raises `UsageError`.

    >>> site_url("www.example.fr")
    'https://www.example.fr'
    """
    from kiosque.errors import OutletError
    from kiosque.outlets.fields import a_url

    address = given.strip() if "://" in given else f"https://{given.strip()}"
    try:
        return a_url(address, "the address")
    except OutletError as error:
        raise UsageError(str(error)) from error


def checked_slug(slug: str | None, outlets: dict[str, Outlet]) -> str | None:
    """Return a slug that was given, if it can be a new outlet's. Raises `UsageError`."""
    from kiosque.outlets.fields import a_slug

    if slug is None:
        return None
    if slug in outlets:
        raise UsageError(f"--slug: {slug!r} is the slug of {outlets[slug].name}")
    return str(a_slug(slug, "--slug"))


def agreed(question: str) -> bool:
    """Ask a person. Raises `UsageError` when there is none."""
    sys.stdout.flush()
    try:
        return typer.confirm(question)
    except typer.Abort as abort:
        raise UsageError("nothing was written, since nobody answered; --yes writes without asking") from abort


def preview(explored: Explored) -> Iterator[str]:
    """Give the lines that show what was found."""
    from kiosque.outlets import outlet_toml
    from kiosque.scout.score import total

    for note in explored.notes:
        yield f"Note: {short(note)}"
    yield f"Site: {explored.outlet.site} (system: {explored.system or 'unknown'})"
    place = explored.place
    yield f"Place: {place.country}, {place.timezone} ({place.why}){f'; but {place.doubt}' if place.doubt else ''}"
    for found in explored.chosen.all:
        yield f"{found.reading.kind}: {short(found.url)} ({len(found.reading.entries)} entries)"
    for sampled in explored.sampled:
        yield ""
        yield from page_lines(sampled)
    yield ""
    if explored.learned:
        yield "Lines that repeat, and would be learned as clutter:"
        yield from (f"  {short(count.line)} ({count.articles} articles)" for count in explored.learned[:SHOWN_CLUTTER])
    yield f"Score: {total(explored.score)} of 100"
    yield from (f"  {part.name}: {part.points} of {part.most}, {short(part.why)}" for part in explored.score)
    yield ""
    yield f"# {explored.outlet.slug}.toml"
    yield outlet_toml(explored.outlet)


def page_lines(sampled: Sampled) -> Iterator[str]:
    """Give the lines of one page."""
    if sampled.article is None:
        yield f"- {short(sampled.url)}: {sampled.outcome}"
        return
    article = sampled.article
    yield f"- {short(article.title)}"
    yield f"  {short(article.url)}"
    yield f"  {dated(article)}"
    if article.authors or article.agency:
        yield f"  by {short(', '.join([*article.authors, *filter(None, [article.agency])]))}"
    yield from (f"  | {short(line)}" for line in article.text.split("\n")[:SHOWN_LINES])
    yield from (f"  removed ({rule}): {short(line)}" for line, rule in article.removed[:SHOWN_CLUTTER])


def dated(article: Article) -> str:
    """Return an article's date with where it was read.

    The raw text stands there too: what a person checks first.
    """
    date = article.published
    if date is None:
        return "no date"
    return f"{date.value} (from {date.source}: {short(date.text)!r}, confidence {date.confidence:.2f})"


def short(text: str) -> str:
    """Return one line of a stranger's text that a terminal may show: no control characters, not too long."""
    from kiosque.outlets.gather import one_line

    line = one_line(text, most=WIDTH + 1)
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…"
