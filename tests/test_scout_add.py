"""`kiosque outlets add`: the demo press as good sites, small sites of our own as the others."""

import json
import subprocess
import sys
import tomllib
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest
from command import Kiosque
from small_site import PAGE, Site, article, feed

from kiosque.demo import DemoPress

pytestmark = pytest.mark.slow  # crawls in processes of their own

ROOT = Path(__file__).resolve().parents[1]
ENGLISH = (
    "The bridge was opened again on Friday morning, after eighteen months of work, and the people who live there "
    "were the first to cross it with their bicycles and their children."
)


def front(head="", body="<p>Toute l’actualité de Valmont et de ses environs, chaque matin.</p>", lang="fr"):
    html = (
        f'<!DOCTYPE html><html lang="{lang}"><head><title>Accueil - La Gazette</title>{head}</head><body>{body}</body>'
    )
    return (200, PAGE, html.encode())


LINK = '<link rel="alternate" type="application/rss+xml" href="/rss">'


def fill(site, **answers):
    """A gazette with three articles of different texts, and changes to it."""
    names = {"a": "Le pont rouvre", "b": "Le marché déménage", "c": "La piscine ferme"}
    for name, title in names.items():
        text = f"{title} : la décision était attendue depuis des mois par les habitants du quartier, qui l’ont appris."
        site.answers[f"/{name}"] = (200, PAGE, article(title, text=f"{text} {name * 9} habitants y étaient, dit-on."))
    site.answers["/"] = front(LINK)
    site.answers["/rss"] = feed(*(f"{site.url}/{name}" for name in names))
    site.answers |= {path: answer(site) if callable(answer) else answer for path, answer in answers.items()}


# Each: a name, what is answered, arguments after the address, and what is said. {url} is the site's own address.
CASES = [
    ("no feed", {"/": front(), "/rss": (404, PAGE, b"")}, [], "has no feed and no news sitemap that can be found"),
    (
        "a feed of a feed directory",
        {"/rss": feed("https://a.example/1", "https://b.example/2", "https://c.example/3")},
        ["/rss"],
        "is a feed of a feed directory: its articles are those of other sites (a.example, b.example, c.example)",
    ),
    (
        "a directory's page",
        {"/": front("", "".join(f'<a href="https://{n}.example/feed.xml">{n}</a>' for n in "abcd"))},
        [],
        "is a directory of other sites' feeds",
    ),
    (
        "a parked domain",
        {"/": front("", "<h1>gazette.example</h1><p>Ce nom de domaine est à vendre ! Contactez le propriétaire.</p>")},
        [],
        "the domain is parked, for sale or not in use yet",
    ),
    (
        "a site that forbids us",
        {"/robots.txt": (200, "text/plain", b"User-agent: Kiosque\nDisallow: /\n")},
        [],
        "forbids us to crawl: its robots.txt closes",
    ),
    (
        "a site that forbids its articles",
        {"/robots.txt": (200, "text/plain", b"User-agent: *\nDisallow: /a\nDisallow: /b\nDisallow: /c\n")},
        [],
        "forbids us its articles: its robots.txt closes them",
    ),
    ("a site that refuses", {"/": (403, PAGE, b"non")}, [], "forbids us {url} (status 403)"),
    (
        "another language",
        {
            "/": front(LINK, f"<p>{ENGLISH}</p>", lang="en"),
            "/rss": lambda site: feed(
                f"{site.url}/a", more=f"<item><title>{ENGLISH}</title><link>{site.url}/b</link></item>"
            ),
        },
        [],
        "its articles are in another language (en), not fr; --language any takes it",
    ),
    ("a known outlet", {}, ["known"], "is known (Known), which Kiosque knows already"),
    (
        "a redirect to another outlet",
        {},
        ["redirect"],
        "redirects to {known}/, that is known (Known), which Kiosque knows",
    ),
    ("a picture", {"/": (200, "image/png", b"\x89PNG\r\n")}, [], "neither a web page nor a feed"),
    ("an empty feed", {"/rss": feed()}, ["/rss"], "is a feed without articles"),
    (
        "pages that are none",
        {f"/{n}": (200, PAGE, b"<p>Rien.</p>") for n in "abc"},
        [],
        "none of 3 articles could be read",
    ),
    ("a feed of another site", {"/rss": feed("https://a.example/1")}, [], "links only feeds of other sites"),
]


def listed(site):
    """A gazette whose feed stands on a page of feeds, its news sitemap in robots.txt."""
    news = (
        '<urlset xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"><url>'
        f"<loc>{site.url}/a</loc><news:news><news:title>Le pont</news:title></news:news></url></urlset>"
    )
    site.answers |= {
        "/": front("", '<a href="/flux-rss">Nos flux RSS</a>'),
        "/rss": (404, PAGE, b""),
        "/flux-rss": front("", '<a href="/outbound/rss-une">À la une</a> <a href="/comments/feed/">Commentaires</a>'),
        "/outbound/rss-une": feed(f"{site.url}/b", f"{site.url}/c"),
        "/robots.txt": (200, "text/plain", f"Sitemap: {site.url}/s-news.xml".encode()),
        "/s-news.xml": (200, "application/xml", news.encode()),
    }


def closed(site):
    site.answers["/robots.txt"] = (200, "text/plain", b"User-agent: *\nDisallow: /$\n")


def english(site):
    page = article("The bridge opens again", text=ENGLISH).replace(b'lang="fr"', b'lang="en"')
    site.answers |= {f"/{n}": (200, PAGE, page) for n in "abc"}
    site.answers["/"] = front(LINK, f"<p>{ENGLISH}</p>", lang="en")
    site.answers["/rss"] = feed(f"{site.url}/a", more=f"<item><title>{ENGLISH}</title><link>{site.url}/b</link></item>")


def hostile(site):
    site.answers["/a"] = (200, PAGE, article("Le pont\x9b31m rouvre"))


# Each: a name, what is special about the site, the path that is given, the language that is taken.
GOOD = {
    "a feed itself": (lambda _: None, "/rss", "fr"),
    "a closed front page": (closed, "/rss", "fr"),
    "English, taken": (english, "", "any"),
    "a page of feeds": (listed, "", "fr"),
    "a title with commands": (hostile, "", "fr"),
}

# All sites in one process: Twisted's reactor runs once, and a process a site would take a minute.
DRIVER = """
import asyncio, json, sys
from kiosque.cli.outlets_add import preview
from kiosque.cli.outlets_explore import MOST_PER_HOST, Wanted, explore
from kiosque.errors import KiosqueError
from kiosque.outlets import load_outlets, outlet_toml
from kiosque.settings import load_settings
from pipelines.pool import ReaderPool
from spiders.scout import run_scout

settings = load_settings()
outlets = load_outlets(settings.outlets_dir)

async def one(url, language, fetch, pool):
    try:
        found = await explore(Wanted(url=url, outlets=outlets, language=language, slug="new"), fetch, pool)
    except KiosqueError as error:
        return {"refused": str(error)}
    return {"preview": "\\n".join(preview(found)), "toml": outlet_toml(found.outlet)}

async def every(fetch, pool):
    return await asyncio.gather(*(one(*wanted, fetch, pool) for wanted in json.load(sys.stdin)))

if __name__ == "__main__":
    pool = ReaderPool(workers=2, page_time=10.0, page_memory=2000)
    work = lambda fetch: every(fetch, pool)
    print(json.dumps(run_scout(settings, outlets.values(), work, most_per_host=MOST_PER_HOST)))
    pool.close(now=True)
"""


@pytest.fixture(scope="module")
def explored(tmp_path_factory):
    """What came of each site, by name, with the site; `press` is the demo press, its outlets by their slugs."""
    with ExitStack() as stack:
        known, press = stack.enter_context(Site()), stack.enter_context(DemoPress())
        fill(known)
        wanted, sites = {outlet.slug: (outlet.site, "fr") for outlet in press.outlets}, {"known": known}
        for name, answers, arguments, _ in CASES:
            sites[name] = site = stack.enter_context(Site())
            fill(site, **answers)
            if arguments == ["redirect"]:
                site.answers["/"] = (301, PAGE, b"", ("Location", f"{known.url}/"))
            path = "".join(argument for argument in arguments if argument[0] == "/")
            wanted[name] = (known.url if arguments == ["known"] else site.url + path), "fr"
        for name, (change, path, language) in GOOD.items():
            sites[name] = site = stack.enter_context(Site())
            fill(site)
            change(site)
            wanted[name] = site.url + path, language
        hosts = [*press.hosts, *(site.host for site in sites.values())]
        kiosque = Kiosque(tmp_path_factory.mktemp("home"), hosts=hosts)
        kiosque.outlet("known", site=known.url, feeds=[f"{known.url}/rss"])
        (kiosque.home / "driver.py").write_text(DRIVER)
        done = subprocess.run(
            [sys.executable, kiosque.home / "driver.py"],
            env=kiosque.environment | {"KIOSQUE_OUTLETS": str(kiosque.outlets), "PYTHONPATH": str(ROOT)},
            input=json.dumps(list(wanted.values())),
            capture_output=True,
            text=True,
            timeout=100,
            check=True,
        )
        found = dict(zip(wanted, json.loads(done.stdout), strict=True))
        yield SimpleNamespace(
            found=found, sites=sites, press=press, urls={name: url for name, (url, _) in wanted.items()}
        )


def declared(explored, name):
    return tomllib.loads(explored.found[name]["toml"])


def test_what_is_declared_polls_what_the_outlet_offers(explored):
    for outlet in explored.press.outlets:
        written = declared(explored, outlet.slug)
        assert written["name"] == outlet.name
        assert bool(written.get("feeds")) == bool(outlet.feeds)
        assert {*written.get("feeds", ())} <= {*outlet.feeds, f"{outlet.site}/feed/"}  # RSS and Atom are one feed
        assert tuple(written.get("news_sitemaps", ())) == outlet.news_sitemaps
        assert written["timezone"] in {outlet.timezone, "Europe/Paris"}


def test_the_system_is_named(explored):
    shown = [explored.found[outlet.slug]["preview"] for outlet in explored.press.outlets]
    assert [text.partition("(system: ")[2].partition(")")[0] for text in shown] == ["WordPress", "SPIP", "Arc XP"]


def test_the_preview_shows_dates_with_their_origin_clutter_and_score(explored):
    shown = explored.found["fanal-de-sainte-aurore"]["preview"]
    assert "(from json-ld: '" in shown
    assert "Lines that repeat, and would be learned as clutter:\n  Le Fanal, la lumière" in shown
    assert "Score: 9" in shown
    assert "rights: 15 of 15, nothing is reserved" in shown


def test_no_site_gets_more_than_a_few_requests(explored):
    for host in explored.press.hosts:
        assert sum(request.host == host for request in explored.press.requests) <= 20


@pytest.mark.parametrize("name", [name for name, *_ in CASES])
def test_what_is_no_new_outlet_is_one_sentence(explored, name):
    sentence = explored.found[name]["refused"]
    [expected] = [expected for case, _, _, expected in CASES if case == name]
    assert expected.format(url=explored.urls[name], known=explored.sites["known"].url) in sentence
    assert "\n" not in sentence


def test_a_feed_itself_leads_to_its_site(explored):
    url = explored.sites["a feed itself"].url
    shown = explored.found["a feed itself"]["preview"]
    assert f"Note: {url}/rss is a feed itself; its articles stand on {url}" in shown
    assert declared(explored, "a feed itself")["feeds"] == [f"{url}/rss"]


def test_a_feed_is_enough_where_the_front_page_is_closed(explored):
    shown = explored.found["a closed front page"]["preview"]
    assert "Note: its front page was not read: 127.0.0.1 forbids us to crawl" in shown
    assert declared(explored, "a closed front page")["name"] == "Essai"


def test_another_language_is_taken_when_asked_for(explored):
    assert declared(explored, "English, taken")["language"] == "en"


def test_feeds_are_found_on_the_page_that_lists_them_and_in_robots(explored):
    site = explored.sites["a page of feeds"]
    written = declared(explored, "a page of feeds")
    assert written["feeds"] == [f"{site.url}/outbound/rss-une"]
    assert written["news_sitemaps"] == [f"{site.url}/s-news.xml"]
    assert not site.asked("/comments/feed/")


def test_a_strangers_title_does_not_reach_the_terminal_as_commands(explored):
    shown = explored.found["a title with commands"]["preview"]
    assert "rouvre" in shown
    assert "\x9b" not in shown


def test_a_refusal_is_one_line_on_standard_error_and_nothing_is_written(tmp_path):
    with Site({"/": front()}) as site:
        kiosque = Kiosque(tmp_path, hosts=[site.host])
        out, err = kiosque.run("outlets", "add", site.url, "--yes", code=1)
        assert out == ""
        assert err.startswith(f"kiosque: {site.url} has no feed and no news sitemap that can be found")
        assert err.count("\n") == 1
        assert list(kiosque.outlets.iterdir()) == []


def test_the_feeds_of_a_known_outlet_are_looked_for_anew(tmp_path):
    with Site() as site:
        fill(site)
        kiosque = Kiosque(tmp_path / "shipped", hosts=[site.host])
        kiosque.outlet("gazette", site=site.url, feeds=[f"{site.url}/old"], country="BE", tags=["local"])
        _, err = kiosque.run("outlets", "add", site.url, "--again", "--yes", code=2)
        assert f"{kiosque.outlets / 'gazette.toml'}: exists already and is not written over" in err
        out, _ = kiosque.run("outlets", "add", site.url, "--again", given="n\n")
        assert f'feeds = ["{site.url}/rss"]' in out
        assert 'country = "BE"' in out
        assert 'tags = ["local"]' in out
        _, err = kiosque.run("outlets", "add", "https://nowhere.example", "--again", code=2)
        assert err == "kiosque: --again: no known outlet is at https://nowhere.example\n"


def test_it_asks_before_it_writes(tmp_path):
    with Site() as site:
        fill(site)
        kiosque = Kiosque(tmp_path, hosts=[site.host])
        out, _ = kiosque.run("outlets", "add", site.url, given="n\n")
        assert out.endswith("[y/N]: Nothing was written.\n")
        _, err = kiosque.run("outlets", "add", site.url, given="", code=2)
        assert err.strip().endswith("nothing was written, since nobody answered; --yes writes without asking")
        assert list(kiosque.outlets.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("ftp://gazette.example",), "is not an http or https address"),
        (("https://gazette.example",), "KIOSQUE_CONTACT"),
        (("https://me:secret@gazette.example",), "comes with a name or password"),
        (("https://gazette.example", "--slug", "lemonde"), "'lemonde' is the slug of Le Monde"),
        (("https://gazette.example", "--slug", "../x"), "may hold only a-z, 0-9 and hyphens"),
    ],
)
def test_bad_calls_are_said_before_anything_is_asked(tmp_path, arguments, sentence):
    _, err = Kiosque(tmp_path).run("outlets", "add", *arguments, code=2)
    assert sentence in err


def test_a_shipped_outlet_is_known_without_asking_it(tmp_path):
    _, err = Kiosque(tmp_path).run("outlets", "add", "lemonde.fr", code=1)
    assert err == (
        "kiosque: https://lemonde.fr is lemonde (Le Monde), which Kiosque knows already; "
        "`kiosque outlets show lemonde` shows it\n"
    )


def test_it_can_be_interrupted(tmp_path):
    def slow(handler):
        import time  # noqa: PLC0415

        time.sleep(3)
        handler.send_error(500)

    with Site({"/": slow}) as site, Kiosque(tmp_path, hosts=[site.host]).start("outlets", "add", site.url) as process:
        for _ in range(100):
            if site.asked("/"):
                break
            try:
                process.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
        process.send_signal(2)
        _, err = process.communicate(timeout=30)
        assert process.returncode == 130
        assert "Traceback" not in err
