import gzip
import resource
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosque.feeds import MAX_SITEMAP_URLS, parse_feed
from kiosque.feeds.plain import plain_text

LAUGHS = '<!DOCTYPE x [<!ENTITY a "{}">{}<!ENTITY f SYSTEM "file:///etc/passwd">]>'.format(
    "ha" * 10, "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 20)).replace("&a0;", "&a;")
)


def parse(body):
    return parse_feed(body, url="https://exemple.fr/flux.xml", content_type="text/xml")


@pytest.mark.parametrize(
    "document",
    [
        "<rss><channel><item><title>x&a19;&f;</title><link>https://exemple.fr/a</link></item></channel></rss>",
        "<urlset><url><loc>https://exemple.fr/a</loc><news:news><news:title>x&a19;&f;</news:title></news:news></url></urlset>",
    ],
)
def test_entities_of_a_doctype_are_inert(document):
    (entry,) = parse((LAUGHS + document).encode()).entries
    assert entry.url == "https://exemple.fr/a"
    assert len(entry.title) < 20
    assert "root:" not in entry.title


@pytest.mark.slow
def test_gzip_bomb_stops_at_its_limit():
    started = time.perf_counter()
    reading = parse(gzip.compress(b"<urlset>" + b" " * 200_000_000))
    assert reading.problem == "truncated"
    assert time.perf_counter() - started < 5


@pytest.mark.slow
def test_large_sitemap_is_read_in_bounded_memory():
    one = b"<url><loc>https://exemple.fr/%06d</loc><junk>" + b"x" * 400 + b"</junk></url>"
    body = b"<urlset>" + b"".join(one % n for n in range(MAX_SITEMAP_URLS + 10)) + b"</urlset>"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    reading = parse(body)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert (len(reading.entries), reading.capped) == (MAX_SITEMAP_URLS, True)
    assert grown < 100_000  # kilobytes: the entries and one copy of the text, no tree


RSS, END = b"<rss><channel>", b"</channel></rss>"


@pytest.mark.parametrize(
    "body",
    [
        RSS + b"<" * 100_000,
        RSS + b"&" * 100_000 + END,
        RSS + b"<a>" * 10_000,
        RSS + b'<a xml:base="a/">' * 10_000,
        RSS + b"<item " + b" ".join(b'a%d="1"' % n for n in range(20_000)) + b">" + END,
        RSS + b"<item><title>" + b"<![CDATA[" * 20_000,
        RSS + b"<!--" * 50_000,
        RSS + b"<skipHours><hour>" * 5_000,
        RSS
        + b"<item><link>https://exemple.fr/a</link><description>"
        + b"&lt;script&gt;&lt;/" * 20_000
        + b"</description></item>"
        + END,
        RSS + b"<item><link>https://exemple.fr/a</link><pubDate>" + b"1 " * 100_000 + b"</pubDate></item>" + END,
        b"<!DOCTYPE rss [" + b'"' * 200_000 + RSS,
        b"<?x?>" * 40_000 + RSS,
        b"<urlset>" + b"<url>" * 40_000,
        b"<urlset>" + b"<a/>" * 50_000 + b"</urlset>",
        b"<urlset " + b'a="' * 50_000,
        b"[" * 200_000,
        b'{"items": ' + b"1" * 200_000 + b"}",
        gzip.compress(b"a", mtime=0) * 5_000,
    ],
    ids=lambda body: repr(body[:24]),
)
def test_hostile_document_is_read_in_bounded_time(body):
    started = time.perf_counter()
    parse(body)
    assert time.perf_counter() - started < 4


PIECES = st.sampled_from(
    [
        *(
            b"<rss>",
            b"<channel>",
            b"<item>",
            b"</item>",
            b"<link>",
            b"</link>",
            b"https://exemple.fr/a",
            b"<feed>",
            b"<entry>",
        ),
        *(
            b"<urlset>",
            b"<url>",
            b"<loc>",
            b"</loc>",
            b"</url>",
            b"</urlset>",
            b"<![CDATA[",
            b"]]>",
            b"&eacute;",
            b"&",
            b"&#0;",
        ),
        *(
            b"<",
            b">",
            b'"',
            b"\xe9",
            b"\x00",
            b"\x1f\x8b",
            b"{",
            b'"items":',
            b"[",
            b"]",
            b"}",
            b"<!DOCTYPE",
            b"<?xml",
            b"?>",
            b"<!--",
        ),
        *(
            b"<pubDate>",
            b"</pubDate>",
            b"<author>",
            b"a@b (c)",
            b"<title>",
            b"</title>",
            b"xmlns:a='b'",
            b"<a:b ",
            b"/>",
        ),
    ]
)


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(st.lists(PIECES, max_size=25).map(b"".join), st.binary(max_size=200)), st.none() | st.text(max_size=30)
)
def test_no_bytes_raise(body, content_type):
    reading = parse_feed(body, url="https://exemple.fr/", content_type=content_type)
    assert all(entry.url.startswith(("http://", "https://")) for entry in reading.entries)
    assert reading.kind is not None or reading.problem is not None


@given(st.text())
def test_plain_text_never_raises_and_is_on_one_line(text):
    plain = plain_text(text)
    assert plain is None or (plain and "\n" not in plain)
