"""Explore a site for `kiosque outlets add`: from its address to an outlet, its articles, and a score."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kiosque import scout
from kiosque.cli.outlets_seek import look_for_feeds, parsed
from kiosque.errors import KiosqueError
from kiosque.model import Article, Outlet, Rejected, Visit
from kiosque.outlets.gather import same_address
from kiosque.outlets.match import finder, is_shared
from kiosque.scout.declare import site_address
from kiosque.scout.parked import is_parked
from kiosque.scout.refusals import NO_FEED, said_of
from kiosque.urls import canonical_url, same_site
from pipelines.rights import rights_of
from pipelines.steps.language import detect_language
from pipelines.steps.learn import learn
from pipelines.steps.selectors import unmatched_selectors

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from kiosque.feeds import FeedReading
    from kiosque.model import FeedEntry, Page, Rights
    from kiosque.settings import ReservedPolicy
    from pipelines.pool import ReaderPool
    from pipelines.steps.learn import LineCount
    from spiders.scout import Fetched, Fetcher

MOST_PER_HOST = 30
"""Requests that one site gets at most, robots.txt and redirects included; most need ten."""
SAMPLE = 4
"""Articles that are read."""
_DIRECTORY = 3  # sites that a page must link feeds of to be a directory
# While nobody knows where a site is: its pages are read before that, and say it better than its address.
ANYWHERE = scout.Place(country="FR", timezone="Europe/Paris", why="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked for, and what is known already."""

    url: str
    outlets: Mapping[str, Outlet]
    language: str = "fr"
    """The language that is taken; "any" takes all."""
    slug: str | None = None
    taken: Collection[str] = ()
    """Slugs that the new outlet must not have."""
    policy: ReservedPolicy = "store"
    seconds: float = 600.0
    """For all of it: a slow site could take half a minute for each request."""
    known: Outlet | None = None
    """The outlet whose feeds are looked for anew; it is none of `outlets`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """A page of the sample: an article, or why it is none."""

    url: str
    article: Article | None = None
    outcome: str = ""
    rights: Rights | None = None
    front: scout.Front | None = None
    """What the page says as any page does: its system, its locale."""
    unmatched: tuple[str, ...] = ()
    """The outlet's own selectors that find nothing on the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explored:
    """What was found."""

    outlet: Outlet
    system: str
    """The name of the content management system; "" when nothing tells it."""
    place: scout.Place
    chosen: scout.ChosenFeeds
    sampled: tuple[Sampled, ...]
    learned: tuple[LineCount, ...]
    score: tuple[scout.Part, ...]
    notes: tuple[str, ...] = ()

    @property
    def articles(self) -> tuple[Article, ...]:
        """The articles that were read."""
        return tuple(each.article for each in self.sampled if each.article is not None)


async def explore(wanted: Wanted, fetch: Fetcher, pool: ReaderPool) -> Explored:
    """Look at a site. Raises `KiosqueError`, one sentence, for what cannot become an outlet."""
    try:
        async with asyncio.timeout(wanted.seconds):
            return await explored(wanted, fetch, pool)
    except TimeoutError as error:
        raise KiosqueError(
            f"{wanted.url}: looking at it took longer than {wanted.seconds:.0f} seconds; it answers slowly, "
            f"or its robots.txt asks for long waits"
        ) from error


async def explored(wanted: Wanted, fetch: Fetcher, pool: ReaderPool) -> Explored:
    """Look at a site, however long it takes."""
    refuse_known(wanted.url, wanted.outlets)
    front, given, notes = await front_of(wanted, fetch, pool)
    if is_parked(front):
        raise KiosqueError(f"{wanted.url}: the domain is parked, for sale or not in use yet; there is no outlet to add")
    chosen, tried = await look_for_feeds(front, fetch, pool, given=given)
    if not chosen.all:
        raise KiosqueError(no_feed(front, chosen, tried))
    entries = chosen.entries(front.url)
    language = language_of(front, entries)
    if wanted.language not in {"any", language}:
        raise KiosqueError(
            f"{wanted.url}: its articles are in another language ({language}), not {wanted.language}; "
            f"--language any takes it"
        )
    draft = drafted(wanted, front, chosen, language)
    sampled = await sample(draft, entries, fetch, pool, policy=wanted.policy)
    articles = [each.article for each in sampled if each.article is not None]
    if not articles:
        raise KiosqueError(nothing_read(draft, sampled))
    fronts = (front, *(each.front for each in sampled if each.front))
    place = place_of(fronts, chosen, entries, wanted)
    refused = [each.outcome for each in sampled if each.article is None]
    rights = [each.rights for each in sampled if each.rights is not None]
    return Explored(
        outlet=replace(draft, country=place.country, timezone=place.timezone),
        system=next((each.system.name for each in fronts if each.system), ""),
        place=place,
        chosen=chosen,
        sampled=tuple(sampled),
        learned=learn(articles),
        score=scout.weigh(articles, tried=len(sampled), rights=rights, refused=refused),
        notes=tuple(notes),
    )


def refuse_known(url: str, outlets: Mapping[str, Outlet], *, from_url: str = "") -> None:
    """Raise `KiosqueError` when an address is that of a known outlet; `from_url` redirected to it."""
    polled = {same_address(feed): o for o in outlets.values() for feed in (*o.feeds, *o.news_sitemaps)}
    known = polled.get(same_address(url)) or outlets.get(finder(outlets)(url).slug)
    if known is None:
        return
    # Several outlets may share a host, each in a folder: another folder is another outlet.
    folder = urlsplit(known.site).path.rstrip("/")
    if folder and not f"{urlsplit(url).path}/".startswith(f"{folder}/") and same_address(url) not in polled:
        return
    there = f"{known.slug} ({known.name}), which Kiosque knows already; `kiosque outlets show {known.slug}` shows it"
    raise KiosqueError(f"{from_url} redirects to {url}, that is {there}" if from_url else f"{url} is {there}")


async def front_of(
    wanted: Wanted, fetch: Fetcher, pool: ReaderPool
) -> tuple[scout.Front, scout.FoundFeed | None, list[str]]:
    """Return the front page, the feed when the address was one, and what is to be said of the way."""
    fetched = await fetch(wanted.url)
    page = usable(fetched, wanted, asked=wanted.url)
    reading = await parsed(page, pool)
    if reading.kind is None:
        return front_or_refusal(page, wanted), None, moved(page, wanted.url)
    home = home_of(wanted.url, reading)
    refuse_known(home, wanted.outlets)
    note = f"{wanted.url} is a feed itself; its articles stand on {home}, which is looked at"
    given = scout.FoundFeed(url=page.final_url, reading=reading)
    fetched = await fetch(home)
    if fetched.page is None and not fetched.final_url:  # the feed is there: a front page is not needed for more
        return scout.Front(url=home), given, [note, f"its front page was not read: {said_of(fetched.outcome, home)}"]
    page = usable(fetched, wanted, asked=home)
    return front_or_refusal(page, wanted), given, [note, *moved(page, home)]


def usable(fetched: Fetched, wanted: Wanted, *, asked: str) -> Page:
    """Return the page of a fetch; raise a sentence for one that brought none, or that of a known outlet."""
    if fetched.final_url and not same_site(fetched.final_url, asked):
        refuse_known(fetched.final_url, wanted.outlets, from_url=asked)
    if fetched.page is None:
        raise KiosqueError(said_of(fetched.outcome, asked))
    return fetched.page


def moved(page: Page, asked: str) -> list[str]:
    """Say that another site answered."""
    return [] if same_site(page.final_url, asked) else [f"{asked} redirects to {page.final_url}"]


def front_or_refusal(page: Page, wanted: Wanted) -> scout.Front:
    """Return what a front page says. Raises a sentence for what is no page, or one of many sites' feeds."""
    front = scout.read_front(page)
    if front is None:
        raise KiosqueError(f"{wanted.url}: what answers is neither a web page nor a feed")
    strangers = {urlsplit(url).netloc for url in (*front.feeds, *front.feeds_listed) if not same_site(url, front.url)}
    if len(strangers) >= _DIRECTORY and not any(same_site(url, front.url) for url in front.feeds):
        shown = ", ".join(sorted(strangers)[:3])
        raise KiosqueError(
            f"{wanted.url} is a directory of other sites' feeds ({shown}, ...): add those sites themselves"
        )
    return front


def home_of(url: str, reading: FeedReading) -> str:
    """Return the site of a feed's articles. Raises a sentence when they belong to many sites, or to none."""
    hosts = scout.hosts_of_entries(reading)
    if not hosts:
        raise KiosqueError(f"{url} is a feed without articles: give the address of the outlet's site")
    (host, count), total = hosts[0], sum(number for _, number in hosts)
    home = f"{urlsplit(reading.entries[0].url).scheme}://{host}"
    if is_shared(home) or count * 2 < total or (not same_site(home, url) and len(hosts) >= _DIRECTORY):
        shown = ", ".join(host for host, _ in hosts[:3])
        raise KiosqueError(
            f"{url} is a feed of a feed directory: its articles are those of other sites ({shown}); add those sites"
        )
    return home


def drafted(wanted: Wanted, front: scout.Front, chosen: scout.ChosenFeeds, language: str) -> Outlet:
    """Return the outlet, its place still open; of a known one all but the feeds stays."""
    if wanted.known is None:
        return scout.declare(front, chosen, ANYWHERE, language=language, taken=wanted.taken, slug=wanted.slug)
    feeds, sitemaps = ([found.url for found in each] for each in (chosen.feeds, chosen.news_sitemaps))
    return replace(wanted.known, feeds=tuple(feeds), news_sitemaps=tuple(sitemaps))


def place_of(
    fronts: Iterable[scout.Front], chosen: scout.ChosenFeeds, entries: Iterable[FeedEntry], wanted: Wanted
) -> scout.Place:
    """Guess the place by the front page first, then by the articles' pages and the feeds."""
    if wanted.known is not None:
        return scout.Place(country=wanted.known.country, timezone=wanted.known.timezone, why="as its file says")
    pages = list(fronts)
    said = [locale for page in pages for locale in (page.language, page.locale)]
    return scout.guess_place(
        pages[0].url,
        locales=(*said, chosen.all[0].reading.language),
        dates=[text for entry in entries for text in (entry.published, entry.updated) if text],
        outlets=tuple(wanted.outlets.values()),
    )


def language_of(front: scout.Front, entries: Iterable[FeedEntry]) -> str:
    """Return the language of an outlet: its titles and summaries decide, its pages' own word is a hint."""
    text = " ".join(f"{entry.title or ''}. {entry.summary or ''}" for entry, _ in zip(entries, range(40), strict=False))
    return detect_language(text, label=front.language) or detect_language(front.words, label=front.language) or "fr"


async def sample(
    outlet: Outlet, entries: Iterable[FeedEntry], fetch: Fetcher, pool: ReaderPool, *, policy: ReservedPolicy
) -> list[Sampled]:
    """Fetch and read the first few articles of the feeds."""
    chosen = [entry for entry, _ in zip(entries, range(SAMPLE), strict=False)]
    return list(await asyncio.gather(*(one(outlet, entry, fetch, pool, policy=policy) for entry in chosen)))


async def one(outlet: Outlet, entry: FeedEntry, fetch: Fetcher, pool: ReaderPool, *, policy: ReservedPolicy) -> Sampled:
    """Fetch and read one article."""
    fetched = await fetch(entry.url, article=True)
    if fetched.page is None:
        return Sampled(url=entry.url, outcome=fetched.outcome)
    reading, _ = await pool.read(fetched.page, outlet, entry=entry)
    visit = Visit(
        outlet=outlet,
        key=canonical_url(entry.url),
        url=entry.url,
        entry=entry,
        page=fetched.page,
        host_claims=fetched.claims,
    )
    rights = rights_of(visit, reading, policy=policy)
    return Sampled(
        url=entry.url,
        article=None if isinstance(reading, Rejected) else reading,
        outcome=f"rejected:{reading.reason}" if isinstance(reading, Rejected) else "",
        rights=rights,
        front=scout.read_front(fetched.page),
        unmatched=unmatched_selectors(fetched.page, outlet),
    )


def no_feed(front: scout.Front, chosen: scout.ChosenFeeds, tried: tuple[str, ...]) -> str:
    """Say that a site has no feed."""
    system = f", a {front.system.name} site" if front.system else ""
    if chosen.strangers:
        return f"{front.url}{system}, links only feeds of other sites ({chosen.strangers[0]}): it has none of its own"
    return NO_FEED.format(site=f"{site_address(front.url)}{system}", tried=len(tried))


def nothing_read(outlet: Outlet, sampled: list[Sampled]) -> str:
    """Say that no article could be read."""
    outcomes = [each.outcome for each in sampled]
    if set(outcomes) == {"blocked:robots"}:
        return f"{outlet.site} forbids us its articles: its robots.txt closes them to crawlers"
    if set(outcomes) == {"blocked:reserved"}:
        return f"{outlet.site} reserves its articles, and `rights.reserved` is set to refuse such pages"
    reasons = ", ".join(f"{each.url}: {each.outcome}" for each in sampled)
    return f"{outlet.site} has feeds, but none of {len(sampled)} articles could be read ({reasons})"
