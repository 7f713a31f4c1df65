"""The demo press serves, publishes and edits like a real one, and stops without a trace."""

import gzip
import json
import threading
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection

import pytest
from lxml import etree

from kiosque.demo import DemoPress, plain_spaces
from kiosque.demo.stories import houses
from kiosque.feeds import parse_feed
from kiosque.model import Article, Page
from kiosque.outlets import load_outlet
from pipelines import read_article
from pipelines.steps.lines import fold_line

NOON = datetime(2024, 10, 25, 12, 0, tzinfo=UTC)
ATOM = {"a": "http://www.w3.org/2005/Atom"}
NEWS = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9", "n": "http://www.google.com/schemas/sitemap-news/0.9"}
DC_DATE = "{http://purl.org/dc/elements/1.1/}date"


class Clock:
    def __init__(self):
        self.time = NOON

    def __call__(self):
        self.time += timedelta(minutes=1)
        return self.time


@pytest.fixture
def press():
    with DemoPress(now=Clock()) as running:
        yield running


def ask(url, *, method="GET", **headers):
    host, _, path = url.removeprefix("http://").partition("/")
    connection = HTTPConnection(host, timeout=5)
    try:
        connection.request(
            method,
            f"/{path}",
            headers={name.replace("_", "-"): text for name, text in headers.items()},
        )
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def page(url):
    return ask(url)[2].decode()


def feeds(press):
    return [url for outlet in press.outlets for url in outlet.feeds + outlet.news_sitemaps]


def feed_links(press):
    atom, rss, sitemap = (etree.fromstring(ask(url)[2]) for url in feeds(press))
    return [
        *(link.get("href") for link in atom.findall("a:entry/a:link[@rel='alternate']", ATOM)),
        *(link.text for link in rss.findall("channel/item/link")),
        *(loc.text for loc in sitemap.findall("s:url/s:loc", NEWS)),
    ]


def test_it_opens_with_fifteen_stories_of_three_outlets_in_the_last_days(press):
    stories = press.expected()
    assert len(stories) == 15
    assert {story.outlet for story in stories} == {outlet.slug for outlet in press.outlets}
    assert all(timedelta(0) < NOON + timedelta(hours=1) - story.published < timedelta(days=4) for story in stories)


def test_feeds_name_every_story_some_by_their_amp_address(press):
    links = feed_links(press)
    assert {link.removesuffix("amp/") for link in links} == {story.url for story in press.expected()}
    assert sum(link.endswith("/amp/") for link in links) == 2


def test_every_page_carries_its_text_its_canonical_address_and_clutter(press):
    for story in press.expected():
        html = page(story.url)
        assert f'<link rel="canonical" href="{story.url}"' in html
        assert sum(line in html for line in story.clutter) >= 6


def test_an_amp_page_has_no_year_and_says_how_to_leave(press):
    story = next(story for story in press.expected() if "fonderie" in story.url)
    html = page(story.url + "amp/")
    assert "<time>vendredi, octobre 25</time>" in html
    assert "2024" not in html.replace("/2024/", "")
    assert html.rstrip().endswith("Exit mobile version</a></div>\n</body>\n</html>")
    assert f'<link rel="canonical" href="{story.url}">' in html


def test_the_day_is_that_of_the_outlets_zone():
    # Two in the morning in Paris is still the evening before in Sainte-Aurore.
    with DemoPress(now=lambda: datetime(2024, 10, 25, 3, 0, tzinfo=UTC)) as press:
        newest = {story.outlet: story for story in reversed(press.expected())}
    assert newest["fanal-de-sainte-aurore"].day == "2024-10-24"
    assert newest["fanal-de-sainte-aurore"].published.isoformat() == "2024-10-24T20:42:00-04:00"


def test_publish_adds_one_story_to_its_feed_until_all_are_out(press):
    before = feed_links(press)
    url = press.publish()
    assert [link for link in feed_links(press) if link not in before] in ([url], [url + "amp/"])
    assert url in {story.url for story in press.expected()}
    assert [press.publish() is not None for _ in range(6)] == [True] * 5 + [False]
    assert len(press.expected()) == sum(len(house.stories) for house in houses())


def test_an_edit_changes_the_text_and_the_modified_date_of_page_and_feed(press):
    atom = feeds(press)[0]
    before = {story.url: story for story in press.expected()}
    old_feed = page(atom)
    url = press.edit()
    after = {story.url: story for story in press.expected()}
    assert after[url].paragraphs != before[url].paragraphs
    assert after[url].modified > before[url].published
    assert "Mis à jour le 25 octobre 2024 à 14h" in page(url)
    assert page(atom) != old_feed
    assert [story for story in after if after[story] != before[story]] == [url]


def test_edits_take_turns_and_never_run_out(press):
    edited = [press.edit() for _ in range(30)]
    assert {url.split("/")[2] for url in edited} == set(press.hosts)
    assert len({story.paragraphs for story in press.expected()}) == 15
    assert all(story.modified for story in press.expected())


def test_an_edit_of_the_page_only_leaves_the_feed_as_it_was(press):
    before = [ask(url)[1]["ETag"] for url in feeds(press)]
    pages = {story.url: page(story.url) for story in press.expected()}
    url = press.edit_page_only()
    assert [ask(url)[1]["ETag"] for url in feeds(press)] == before
    assert [address for address, html in pages.items() if page(address) != html] == [url]


def test_two_outlets_print_the_same_agency_copy_with_small_edits(press):
    french, canadian = (story for story in press.expected() if story.agency)
    shared = set(french.paragraphs) & set(canadian.paragraphs)
    assert len(shared) >= 4
    assert french.paragraphs != canadian.paragraphs
    assert "avec AFP" in page(french.url)


def test_one_story_is_a_teaser_in_the_reserved_path(press):
    (teaser,) = (story for story in press.expected() if story.paywalled)
    assert teaser.reserved
    assert '"isAccessibleForFree": false' in page(teaser.url)
    assert [story.url for story in press.expected() if story.reserved] == [teaser.url]


def test_only_one_outlet_has_a_reservation_file(press):
    answers = [ask(f"http://{host}/.well-known/tdmrep.json") for host in press.hosts]
    assert [status for status, _, _ in answers] == [404, 404, 200]
    (rule,) = json.loads(answers[2][2])
    assert (rule["location"], rule["tdm-reservation"]) == ("/abonnes/", 1)


@pytest.mark.parametrize("validator", ["ETag", "Last-Modified"])
def test_an_unchanged_page_or_feed_is_not_sent_again(press, validator):
    asked_by = {"ETag": "If_None_Match", "Last-Modified": "If_Modified_Since"}[validator]
    for url in (*feeds(press), press.expected()[0].url):
        status, headers, body = ask(url, **{asked_by: ask(url)[1][validator]})
        assert (status, body) == (304, b"")
        assert headers["ETag"]


def test_an_edit_outdates_both_validators(press):
    urls = {story.url: ask(story.url)[1] for story in press.expected()}
    url = press.edit()
    assert ask(url, If_None_Match=urls[url]["ETag"])[0] == 200
    assert ask(url, If_Modified_Since=urls[url]["Last-Modified"])[0] == 200


def test_publishing_does_not_change_the_pages_that_are_out(press):
    tags = {story.url: ask(story.url)[1]["ETag"] for story in press.expected()}
    press.publish()
    assert {url: ask(url)[1]["ETag"] for url in tags} == tags


def test_gzip_comes_only_when_asked_and_has_a_tag_of_its_own(press):
    url = press.expected()[0].url
    _, plain, body = ask(url)
    _, packed, packed_body = ask(url, Accept_Encoding="gzip, br")
    assert "Content-Encoding" not in plain
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed_body) == body
    assert packed["ETag"] != plain["ETag"]


def test_head_has_the_headers_of_get_and_no_body(press):
    url = press.expected()[0].url
    status, headers, body = ask(url, method="HEAD")
    assert (status, body) == (200, b"")
    assert headers["Content-Length"] == ask(url)[1]["Content-Length"]


def test_robots_txt_allows_articles_and_names_a_sitemap_that_is_there(press):
    for host in press.hosts:
        _, headers, body = ask(f"http://{host}/robots.txt")
        assert headers["Content-Type"].startswith("text/plain")
        sitemaps = [line.split(": ")[1] for line in body.decode().splitlines() if line.startswith("Sitemap")]
        assert [ask(url)[0] for url in sitemaps] == [200] * len(sitemaps)
        assert sitemaps


@pytest.mark.parametrize("path", ["/nulle-part", "/spip.php?article99999", "/?p=99999", "/../..", "/%00", "/?p=a&p=b"])
def test_what_is_not_there_is_a_404_page(press, path):
    answers = [ask(f"http://{host}{path}") for host in press.hosts]
    assert all(status in {404, 200} for status, _, _ in answers)
    assert any(status == 404 and b"Page introuvable" in body for status, _, body in answers)


def test_a_request_target_that_is_no_address_is_a_404(press):
    for host in press.hosts:
        connection = HTTPConnection(host, timeout=5)
        connection.putrequest("GET", "http://[/", skip_host=True)
        connection.endheaders()
        assert connection.getresponse().status == 404
        connection.close()


def test_other_addresses_of_a_story_redirect_to_the_canonical_one(press):
    courrier, sentinelle, _ = press.hosts
    story = next(story for story in press.expected() if "fonderie" in story.url)
    for url in (story.url.rstrip("/"), f"http://{courrier}/?p=4121"):
        status, headers, _ = ask(url)
        assert (status, headers["Location"]) == (301, story.url)
    assert ask(f"http://{sentinelle}/spip.php?page=article&id_article=809")[0] == 301


def test_front_and_section_pages_link_to_stories(press):
    for outlet, host in zip(press.outlets, press.hosts, strict=True):
        urls = [story.url for story in press.expected() if story.outlet == outlet.slug]
        assert all(url in page(f"http://{host}/") for url in urls)
    assert press.expected()[0].url in page(f"http://{press.hosts[0]}/category/valmont/")


def test_spip_tells_dates_in_words_and_its_feed_in_utc(press):
    url = feeds(press)[1]
    first = etree.fromstring(ask(url)[2]).find("channel/item")
    assert first.findtext(DC_DATE).endswith("Z")
    assert "vendredi 25 octobre 2024" in page(first.findtext("link"))


def test_requests_are_logged_with_their_headers(press):
    ask(press.expected()[0].url + "?utm_source=essai", User_Agent="essai/1")
    (logged,) = press.requests
    assert (logged.method, logged.host, logged.status) == ("GET", press.hosts[0], 200)
    assert logged.path.endswith("/?utm_source=essai")
    assert logged.headers["user-agent"] == "essai/1"


def test_outlet_files_read_back_as_the_outlets(press, tmp_path):
    written = press.write_outlets(tmp_path / "outlets")
    assert tuple(load_outlet(path) for path in written) == press.outlets


def test_our_feed_reader_finds_what_the_feeds_say(press):
    kinds = []
    for url in feeds(press):
        _, headers, body = ask(url)
        reading = parse_feed(body, url=url, content_type=headers["Content-Type"])
        kinds.append((reading.kind, reading.problem))
        stories = {story.url: story for story in press.expected()}
        for entry in reading.entries:
            story = stories[entry.url.removesuffix("amp/")]
            assert " ".join(entry.title.split()) == story.title
            assert datetime.fromisoformat(entry.published) == story.published
    assert kinds == [("atom", None), ("rss", None), ("news-sitemap", None)]


def read(press, story, url):
    _, headers, body = ask(url)
    named = tuple((name.lower(), value) for name, value in headers.items())
    page = Page(url=url, final_url=url, headers=named, body=body, fetched_at=NOON + timedelta(hours=2))
    outlet = next(outlet for outlet in press.outlets if outlet.slug == story.outlet)
    article = read_article(page, outlet, learned=frozenset(fold_line(line) for line in story.repeated))
    assert isinstance(article, Article), article
    return article


def test_each_page_reads_as_the_story_it_prints(press):
    for _ in range(3):
        press.edit()
    for story in press.expected():
        article = read(press, story, story.url)
        assert (article.url, plain_spaces(article.title), article.paywalled) == (
            story.url,
            story.title,
            story.paywalled,
        )
        assert (article.authors, article.agency) == (story.authors, story.agency)
        assert article.published.value.startswith(story.day)
        if story.modified and story.outlet != "sentinelle-de-brevaux":  # SPIP says it in words only
            assert article.modified == story.modified.isoformat()
        assert story.missing_from(article.text) == ()
        assert story.clutter_in(article.text) + story.repeated_in(article.text) == ()


def test_each_amp_page_reads_as_its_full_page(press):
    for story in press.expected():
        if story.outlet == "courrier-de-valmont":
            amp, full = read(press, story, story.url + "amp/"), read(press, story, story.url)
            assert (amp.url, amp.title, amp.authors, amp.text) == (full.url, full.title, full.authors, full.text)
            assert amp.published.value == story.day


def test_stopping_cuts_idle_connections_and_leaves_no_thread():
    before = threading.active_count()
    with DemoPress() as press:
        idle = HTTPConnection(press.hosts[0], timeout=5)
        idle.request("GET", "/robots.txt")
        idle.getresponse().read()
        assert threading.active_count() > before
    idle.close()
    assert threading.active_count() == before


def test_a_taken_port_is_an_error_and_nothing_stays_bound(press):
    taken = int(press.hosts[0].rpartition(":")[2])
    before = threading.active_count()
    with pytest.raises(OSError, match="in use"):
        DemoPress(ports=(0, 0, taken)).start()
    assert threading.active_count() == before


def test_the_press_invents_everything_but_has_enough_of_it():
    stories = [story for house in houses() for story in house.stories]
    assert len(stories) == 21
    assert len({story.title for story in stories}) == 21
    assert all(len(story.body) >= 5 for story in stories if not story.paywalled)


def test_every_written_edit_really_changes_its_story():
    for house in houses():
        for story in house.stories:
            lines = "\n".join(line for block in story.body for line in block.lines)
            assert all(how.add or how.old in lines for how in story.changes), story.slug
