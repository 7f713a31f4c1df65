"""One page an outlet, its markup around sentences of our own, read with the outlet's own rules.

`outlet_pages/SLUG.html` (or `SLUG-WHAT.html`) is the page; the TOML beside it says its address, when it was fetched,
and what the article's fields must be. Fields that it does not name may be anything; kinds of space do not count.
"""

import tomllib
from pathlib import Path

import pytest

from kiosque.model import Article, Page
from kiosque.outlets import load_outlets, outlet_for
from pipelines import read_article

PAGES = sorted((Path(__file__).parent / "outlet_pages").glob("*.html"))


def plain(value):
    if isinstance(value, str):
        return [" ".join(line.split()) for line in value.strip().splitlines()]
    return value


def fields_of(article):
    return {
        "title": article.title,
        "lead": article.lead,
        "text": article.text,
        "authors": list(article.authors),
        "agency": article.agency,
        "section": article.section,
        "published": article.published and article.published.value,
        "modified": article.modified,
        "paywalled": article.paywalled,
    }


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_of_the_outlet_is_read_whole(path):
    expected = tomllib.loads(path.with_suffix(".toml").read_text(encoding="utf-8"))
    outlet = outlet_for(expected["url"], load_outlets())
    assert path.stem.startswith(outlet.slug)
    page = Page(
        url=expected["url"],
        final_url=expected["url"],
        headers=(("content-type", "text/html; charset=utf-8"),),
        body=path.read_bytes(),
        fetched_at=expected["fetched_at"],
    )
    article = read_article(page, outlet)
    assert isinstance(article, Article), article
    read = fields_of(article)
    assert {key: plain(read[key]) for key in expected["article"]} == {
        key: plain(value) for key, value in expected["article"].items()
    }
