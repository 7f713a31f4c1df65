import gzip
from pathlib import Path

import pytest

from kiosque.feeds import MAX_ENTRIES, parse_feed

FEEDS = Path(__file__).parent / "feeds"


def read(name, *, url="https://phare.example/flux/rss.xml", content_type="text/xml"):
    return parse_feed((FEEDS / name).read_bytes(), url=url, content_type=content_type)


def rss(*items, head=""):
    return f'<rss version="2.0"><channel>{head}{"".join(items)}</channel></rss>'.encode()


def parse(body, *, url="https://exemple.fr/flux.xml", content_type="application/rss+xml"):
    return parse_feed(body, url=url, content_type=content_type)


def test_spip_feed_is_read():
    reading = read("spip.xml", url="https://phare.example/spip.php?page=backend")
    first, second = reading.entries
    assert (reading.kind, reading.problem, reading.title, reading.language) == ("rss", None, "Le Phare de l'Aven", "fr")
    assert first.url == "https://phare.example/spip.php?article123"
    assert first.published == "2024-10-25T05:12:00Z"
    assert first.updated is None
    assert first.authors == ("Maëlle Kerdoncuff, Yann Le Bihan",)
    assert first.summary == "Trois mois de travaux, et enfin\u00a0: les mareyeurs retrouvent le quai. - Port"
    assert second.title == "« L'école du bourg » gardera sa deuxième classe"
    assert second.guid == "124"


def test_bare_ampersand_in_a_link_is_no_entity():
    assert read("spip.xml").entries[1].url == "https://phare.example/flux/spip.php?article124&lang=fr"


def test_wordpress_feed_is_read():
    reading = read("wordpress.xml")
    (entry,) = reading.entries
    assert reading.update_period_seconds == 1_800
    assert entry.url == "https://vallee.example/2024/10/25/le-car-de-7-h-10/?utm_source=rss&utm_medium=rss"
    assert entry.guid == "https://vallee.example/?p=4312"
    assert entry.summary.startswith("Les lycéens l’attendaient. […] L’article Le car de 7 h 10")
    assert entry.tags == ("Transports", "À la une")
    assert entry.authors == ("Aïcha Lorenzi",)


def test_arc_xp_feed_is_read():
    reading = read("arcxp.xml")
    (entry,) = reading.entries
    assert (reading.ttl_minutes, reading.update_period_seconds) == (1, 3_600)
    assert entry.title == "Écluse no 7 : « On rouvre samedi »"
    assert entry.image == "https://canal.example/resizer/v2/K7T2.jpg?auth=ab&width=1200"


def test_french_date_and_html_entities_are_kept_as_they_are_meant():
    (entry,) = read("wmaker.xml").entries
    assert entry.published == "ven., 25 oct. 2024 09:12:00 CEST"
    assert entry.title == "Châtaignes à la foire : prix & records"
    assert entry.url == "https://maquis.example/Chataignes-a-la-foire_a812.html?TOKEN_PART=1&lang=fr&copy=2"
    assert entry.summary == "La récolte s'annonce belle."


def test_rdf_under_its_own_charset_is_read():
    reading = read("rss10.rdf", content_type="application/rdf+xml")
    (entry,) = reading.entries
    assert (reading.kind, reading.title) == ("rdf", "Lettres du Rhône")
    assert entry.title == "Le cœur du livre : 12 € bien placés"
    assert entry.published == "2024-10-25"


def test_atom_feed_is_read():
    reading = read("drupal.atom", url="https://meuse.example/flux.atom")
    (entry,) = reading.entries
    assert (reading.kind, reading.language, reading.title) == ("atom", "fr-BE", "Meuse & Semois")
    assert entry.url == "https://meuse.example/actualite/la-crue-ralentit"
    assert (entry.published, entry.updated) == ("2024-10-25T09:12:00+02:00", "2024-10-25T09:30:00+02:00")
    assert entry.title == "La crue ralentit"
    assert entry.summary == "Dix centimètres de moins\u00a0!"
    assert entry.authors == ("Élise Dardenne", "Belga")
    assert entry.tags == ("Météo",)
    assert entry.image == "https://meuse.example/sites/default/files/crue.jpg"


def test_news_sitemap_is_read():
    reading = read("news-sitemap.xml")
    first, second = reading.entries
    assert (reading.kind, reading.language, reading.skipped) == ("news-sitemap", "fr", 1)
    assert first.source == "sitemap"
    assert first.title == 'Écluse no 7 : "On rouvre samedi"'
    assert (first.published, first.updated) == ("2024-10-25T09:12+02:00", "2024-10-25T07:40:00.000Z")
    assert first.tags == ("canal", "écluse")
    assert first.image == "https://canal.example/K7T2.jpg"
    assert second.url == "https://canal.example/sport/regate?x=1&y=2"


def test_sitemap_index_names_the_newest_first():
    reading = read("sitemap-index.xml")
    assert reading.kind == "sitemap-index"
    assert reading.sitemaps == (
        "https://canal.example/sitemap/news.xml",
        "https://canal.example/sitemap/2023.xml.gz",
        "https://canal.example/sitemap/pages.xml",
    )


def test_json_feed_is_read():
    reading = read("feed.json", url="https://oleron.example/feed.json")
    (entry,) = reading.entries
    assert (reading.kind, reading.title, reading.language, reading.skipped) == ("json", "Carnets d'Oléron", "fr", 1)
    assert (entry.url, entry.guid) == ("https://oleron.example/2024/10/huitres", "41")
    assert entry.title == "Les huîtres & l'hiver"
    assert entry.summary == "Le parc ouest attend."
    assert entry.published == "2024-10-25T09:12:00+02:00"
    assert entry.authors == ("Inès Caillé",)
    assert entry.tags == ("Mer", "Ostréiculture")


@pytest.mark.parametrize("name", ["spip.xml", "wordpress.xml", "news-sitemap.xml"])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "utf-32"])
def test_byte_order_mark_wins(name, encoding):
    text = (FEEDS / name).read_text(encoding="utf-8")
    recoded = parse(
        text.encode(encoding), url="https://phare.example/flux/rss.xml", content_type="text/xml; charset=us-ascii"
    )
    assert recoded == read(name)


@pytest.mark.parametrize("name", ["wordpress.xml", "news-sitemap.xml"])
def test_windows_1252_under_a_utf8_label_reads_right(name):
    body = (FEEDS / name).read_text(encoding="utf-8").encode("cp1252", errors="xmlcharrefreplace")
    reading = parse(body, content_type="text/xml; charset=utf-8")
    assert reading.entries == read(name).entries


def test_one_stray_byte_does_not_spoil_the_others():
    body = rss("<item><link>https://exemple.fr/a</link><title>d’été à No\xebl</title></item>").replace(
        b"\xc3\xab", b"\xeb"
    )
    assert parse(body).entries[0].title == "d’été à Noël"


def test_utf8_under_a_latin1_label_reads_right():
    body = b'<?xml version="1.0" encoding="ISO-8859-1"?>' + rss(
        "<item><link>https://exemple.fr/a</link><title>été</title></item>"
    )
    assert parse(body).entries[0].title == "été"


def test_latin1_label_means_windows_1252():
    body = '<?xml version="1.0" encoding="ISO-8859-1"?><rss><channel><item><link>https://exemple.fr/a</link><title>l’œuf</title></item></channel></rss>'
    assert parse(body.encode("cp1252")).entries[0].title == "l’œuf"


def test_label_that_is_no_charset_is_ignored():
    body = rss("<item><link>https://exemple.fr/a</link><title>\xe9t\xe9</title></item>").decode().encode("cp1252")
    for name in ("rot13", "unicode_escape", "hex", "undefined", "idna", "n-importe-quoi"):
        assert parse(body, content_type=f"text/xml; charset={name}").entries[0].title == "été"


def test_gzip_body_is_opened():
    body = (FEEDS / "news-sitemap.xml").read_bytes()
    assert parse(gzip.compress(body[:300]) + gzip.compress(body[300:])).entries == read("news-sitemap.xml").entries


def test_gzip_body_cut_short_is_read_so_far_and_said():
    body = gzip.compress(rss(*(f"<item><link>https://exemple.fr/{n}</link></item>" for n in range(5_000))))
    reading = parse(body[: len(body) // 2])
    assert reading.problem == "truncated"
    assert 100 < len(reading.entries) < 5_000
    assert not reading.parsed


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "empty"),
        (b" \r\n\xef\xbb\xbf ", "empty"),
        (b"<!DOCTYPE html><html><body>Page introuvable</body></html>", "html"),
        (b"<!-- cache --><HTML><head><title>Connexion</title>", "html"),
        (b'<?xml version="1.0"?><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0//EN" "x"><html xmlns="x"/>', "html"),
        (b"<script>location='/verification'</script>", "html"),
        (b"Erreur de connexion", "not-xml"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not-xml"),
        (b"%PDF-1.7", "not-xml"),
        (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "not-a-feed"),
        (b"<opml><body/></opml>", "not-a-feed"),
        (b'{"error": "maintenance"}', "not-a-feed"),
        (b"{pas du json", "bad-json"),
        (b'{"a":' * 100_000, "bad-json"),
    ],
)
def test_what_is_no_feed_says_so(body, problem):
    reading = parse(body)
    assert (reading.kind, reading.problem, reading.entries, reading.parsed) == (None, problem, (), False)
    assert reading.detail.endswith(".") or problem == "bad-json"


@pytest.mark.parametrize("body", [rss(), b"<feed/>", b"<urlset></urlset>", b"<sitemapindex/>", b'{"items": []}'])
def test_feed_without_entries_is_a_sound_answer(body):
    reading = parse(body)
    assert (reading.problem, reading.parsed) == ("empty-feed", True)


def test_feed_cut_short_is_read_so_far_and_said():
    body = rss("<item><link>https://exemple.fr/a</link></item>", "<item><link>https://exemple.fr/b</link></item>")
    reading = parse(body[:-50])
    assert reading.entries[0].url == "https://exemple.fr/a"
    assert (reading.problem, reading.parsed) == ("truncated", False)


def test_sitemap_cut_short_is_read_so_far_and_said():
    reading = parse(b"<urlset><url><loc>https://exemple.fr/a</loc></url><url><loc>https://exemp")
    assert [entry.url for entry in reading.entries] == ["https://exemple.fr/a"]
    assert reading.problem == "truncated"


def test_broken_markup_is_mended_and_said():
    reading = parse(rss("<item><title>Un <b>mot</title><link>https://exemple.fr/a</link></item>"))
    assert (reading.problem, reading.parsed) == ("malformed", True)
    assert reading.entries[0].url == "https://exemple.fr/a"


def test_warning_before_the_feed_is_passed_over():
    reading = parse(b"Warning: mysql_connect() in /srv/x.php\n" + rss("<item><link>https://exemple.fr/a</link></item>"))
    assert len(reading.entries) == 1


def test_control_characters_and_nul_are_dropped():
    (entry,) = parse(
        rss("<item><title>\x00a\x0bb&#0;c&#x1F;</title><link>https://exemple.fr/a\x00</link></item>")
    ).entries
    assert (entry.title, entry.url) == ("abc", "https://exemple.fr/a")


@pytest.mark.parametrize(
    "link",
    ["javascript:alert(1)", "file:///etc/passwd", "mailto:a@b.fr", "http://[::1/", "", "https://e.fr/" + "a" * 100_000],
)
def test_entry_without_a_usable_address_is_counted(link):
    reading = parse(
        rss(f"<item><title>a</title><link>{link}</link></item>", "<item><link>https://exemple.fr/b</link></item>")
    )
    assert [entry.url for entry in reading.entries] == ["https://exemple.fr/b"]
    assert reading.skipped == 1
    assert reading.detail == "1 without a usable address."


def test_permalink_guid_stands_for_a_missing_link():
    assert parse(rss("<item><guid>https://exemple.fr/a</guid></item>")).entries[0].url == "https://exemple.fr/a"
    assert parse(rss('<item><guid isPermaLink="false">https://exemple.fr/a</guid></item>')).entries == ()


def test_hours_and_days_to_skip_are_read():
    head = "<ttl> 90 </ttl><skipHours><hour>24</hour> <hour>3</hour><hour>99</hour></skipHours>"
    head += "<skipDays><day>Sunday</day><day>Férié</day></skipDays>"
    reading = parse(rss("<item><link>https://exemple.fr/a</link></item>", head=head))
    assert (reading.ttl_minutes, reading.skip_hours, reading.skip_days) == (90, (0, 3), (6,))


def test_markup_of_a_title_goes_and_its_less_than_stays():
    (entry,) = parse(
        rss(
            "<item><title>&lt;i&gt;Le Monde&lt;/i&gt; &amp;agrave; 3 &lt; 5</title><link>https://exemple.fr/a</link></item>"
        )
    ).entries
    assert entry.title == "Le Monde à 3 < 5"


def test_entries_past_the_limit_are_left_and_said():
    items = (f"<item><link>https://exemple.fr/{n}</link></item>" for n in range(MAX_ENTRIES + 5))
    reading = parse(rss(*items))
    assert (len(reading.entries), reading.capped, reading.problem) == (MAX_ENTRIES, True, None)
    assert reading.detail == "The first 10000 entries were kept, the rest left."
