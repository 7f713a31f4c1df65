"""`kiosque outlets add`: the demo press as good sites, small sites of our own as the others."""

import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from command import Kiosque
from small_site import PAGE, Site, article, feed

from kiosque.demo import DemoPress
from kiosque.outlets import load_outlet

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


@pytest.fixture(scope="module")
def press(tmp_path_factory):
    """The demo press, each outlet added by a process of its own; the texts printed and the requests made."""
    with DemoPress() as press:
        kiosque = Kiosque(tmp_path_factory.mktemp("home"), hosts=press.hosts)
        running = [
            (outlet, kiosque.start("outlets", "add", outlet.site, "--yes", "--slug", outlet.slug))
            for outlet in press.outlets
        ]
        printed = {}
        for outlet, process in running:
            with process:
                out, err = process.communicate(timeout=60)
            assert process.returncode == 0, err
            printed[outlet.slug] = out
        yield press, kiosque, printed


def test_what_is_written_polls_what_the_outlet_offers(press):
    press, kiosque, _ = press
    for outlet in press.outlets:
        written = load_outlet(kiosque.outlets / f"{outlet.slug}.toml")
        assert written.name == outlet.name
        assert bool(written.feeds) == bool(outlet.feeds)
        assert set(written.feeds) <= {*outlet.feeds, f"{outlet.site}/feed/"}  # RSS and Atom are one feed
        assert written.news_sitemaps == outlet.news_sitemaps
        assert written.timezone in {outlet.timezone, "Europe/Paris"}


def test_the_system_is_named(press):
    _, _, printed = press
    systems = [out.partition("(system: ")[2].partition(")")[0] for out in printed.values()]
    assert systems == ["WordPress", "SPIP", "Arc XP"]


def test_the_preview_shows_dates_with_their_origin_clutter_and_score(press):
    _, _, printed = press
    out = printed["fanal-de-sainte-aurore"]
    assert "(from json-ld: '" in out
    assert "Lines that repeat, and would be learned as clutter:\n  Le Fanal, la lumière" in out
    assert "Score: 9" in out
    assert "rights: 15 of 15, nothing is reserved" in out


def test_no_site_gets_more_than_a_few_requests(press):
    press, _, _ = press
    for host in press.hosts:
        assert sum(request.host == host for request in press.requests) <= 20


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


# All bad sites in one process: Twisted's reactor runs once, and a process a site would take a minute.
DRIVER = """
import asyncio, json, sys
from kiosque.cli.outlets_explore import MOST_PER_HOST, Wanted, explore
from kiosque.errors import KiosqueError
from kiosque.outlets import load_outlets
from kiosque.settings import load_settings
from pipelines.pool import ReaderPool
from spiders.scout import run_scout

settings = load_settings()
outlets = load_outlets(settings.outlets_dir)
pool = ReaderPool(workers=1, page_time=10.0, page_memory=2000)

async def one(url, fetch):
    try:
        return str(await explore(Wanted(url=url, outlets=outlets), fetch, pool))
    except KiosqueError as error:
        return f"refused: {error}"

async def every(fetch):
    return await asyncio.gather(*(one(url, fetch) for url in json.load(sys.stdin)))

if __name__ == "__main__":
    print(json.dumps(run_scout(settings, outlets.values(), every, most_per_host=MOST_PER_HOST)))
    pool.close(now=True)
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What each bad site is answered with, and the addresses that stand in the sentence."""
    with ExitStack() as stack:
        known = stack.enter_context(Site())
        fill(known)
        sites = [stack.enter_context(Site()) for _ in CASES]
        addresses = []
        for site, (_, answers, arguments, _) in zip(sites, CASES, strict=True):
            fill(site, **answers)
            if arguments == ["redirect"]:
                site.answers["/"] = (301, PAGE, b"", ("Location", f"{known.url}/"))
            path = "".join(argument for argument in arguments if argument[0] == "/")
            addresses.append(known.url if arguments == ["known"] else site.url + path)
        kiosque = Kiosque(tmp_path_factory.mktemp("home"), hosts=[site.host for site in (*sites, known)])
        kiosque.outlet("known", site=known.url, feeds=[f"{known.url}/rss"])
        (kiosque.home / "driver.py").write_text(DRIVER)
        done = subprocess.run(
            [sys.executable, kiosque.home / "driver.py"],
            env=kiosque.environment | {"KIOSQUE_OUTLETS": str(kiosque.outlets), "PYTHONPATH": str(ROOT)},
            input=json.dumps(addresses),
            capture_output=True,
            text=True,
            timeout=100,
            check=True,
        )
        names = [name for name, *_ in CASES]
        found = zip(json.loads(done.stdout), addresses, strict=True)
        yield {
            name: (sentence, {"url": url, "known": known.url})
            for name, (sentence, url) in zip(names, found, strict=True)
        }


@pytest.mark.parametrize("name", [name for name, *_ in CASES])
def test_what_is_no_new_outlet_is_one_sentence(said, name):
    sentence, addresses = said[name]
    [expected] = [expected for case, _, _, expected in CASES if case == name]
    assert sentence.startswith("refused: ")
    assert expected.format(**addresses) in sentence
    assert "\n" not in sentence


def test_a_refusal_is_one_line_on_standard_error_and_nothing_is_written(tmp_path):
    with Site({"/": front()}) as site:
        kiosque = Kiosque(tmp_path, hosts=[site.host])
        out, err = kiosque.run("outlets", "add", site.url, "--yes", code=1)
        assert out == ""
        assert err.startswith(f"kiosque: {site.url} has no feed and no news sitemap that can be found")
        assert err.count("\n") == 1
        assert list(kiosque.outlets.iterdir()) == []


def test_a_feed_itself_leads_to_its_site(tmp_path):
    with Site() as site:
        fill(site)
        kiosque = Kiosque(tmp_path, hosts=[site.host])
        out, _ = kiosque.run("outlets", "add", f"{site.url}/rss", "--yes", "--slug", "gazette")
        assert f"Note: {site.url}/rss is a feed itself; its articles stand on {site.url}" in out
        assert load_outlet(kiosque.outlets / "gazette.toml").feeds == (f"{site.url}/rss",)


def test_a_feed_is_enough_where_the_front_page_is_closed(tmp_path):
    with Site() as site:
        fill(site)
        site.answers["/robots.txt"] = (200, "text/plain", b"User-agent: *\nDisallow: /$\n")
        kiosque = Kiosque(tmp_path, hosts=[site.host])
        out, _ = kiosque.run("outlets", "add", f"{site.url}/rss", "--yes", "--slug", "gazette")
        assert "Note: its front page was not read: 127.0.0.1 forbids us to crawl" in out
        written = load_outlet(kiosque.outlets / "gazette.toml")
        assert (written.name, written.feeds) == ("Essai", (f"{site.url}/rss",))


def test_another_language_is_taken_when_asked_for(tmp_path):
    with Site() as site:
        english = article("The bridge opens again", text=ENGLISH).replace(b'lang="fr"', b'lang="en"')
        fill(site, **{f"/{n}": (200, PAGE, english) for n in "abc"})
        site.answers["/"] = front(LINK, f"<p>{ENGLISH}</p>", lang="en")
        site.answers["/rss"] = feed(
            f"{site.url}/a", more=f"<item><title>{ENGLISH}</title><link>{site.url}/b</link></item>"
        )
        kiosque = Kiosque(tmp_path, hosts=[site.host])
        kiosque.run("outlets", "add", site.url, "--yes", "--slug", "gazette", "--language", "any")
        assert load_outlet(kiosque.outlets / "gazette.toml").language == "en"


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


def test_feeds_are_found_on_the_page_that_lists_them_and_in_robots(tmp_path):
    with Site() as site:
        page = front("", '<a href="/flux-rss">Nos flux RSS</a>')
        listing = front("", '<a href="/outbound/rss-une">À la une</a> <a href="/comments/feed/">Commentaires</a>')
        news = (
            '<urlset xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"><url>'
            f"<loc>{site.url}/a</loc><news:news><news:title>Le pont</news:title></news:news></url></urlset>"
        )
        fill(site, **{"/": page, "/flux-rss": listing, "/rss": (404, PAGE, b"")})
        site.answers["/outbound/rss-une"] = feed(f"{site.url}/b", f"{site.url}/c")
        site.answers["/robots.txt"] = (200, "text/plain", f"Sitemap: {site.url}/s-news.xml".encode())
        site.answers["/s-news.xml"] = (200, "application/xml", news.encode())
        kiosque = Kiosque(tmp_path, hosts=[site.host])
        kiosque.run("outlets", "add", site.url, "--yes", "--slug", "gazette")
        written = load_outlet(kiosque.outlets / "gazette.toml")
        assert written.feeds == (f"{site.url}/outbound/rss-une",)
        assert written.news_sitemaps == (f"{site.url}/s-news.xml",)
        assert not site.asked("/comments/feed/")


def test_a_strangers_title_does_not_reach_the_terminal_as_commands(tmp_path):
    with Site() as site:
        fill(site)
        site.answers["/a"] = (200, PAGE, article("Le pont\x1b]0;pris\x07 rouvre"))
        out, _ = Kiosque(tmp_path, hosts=[site.host]).run("outlets", "add", site.url, given="n\n")
        assert "\x1b" not in out


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
