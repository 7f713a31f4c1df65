"""One page an outlet, its markup around sentences of our own, read with the outlet's own rules.

`outlet_pages/SLUG.html` (or `SLUG-WHAT.html`) is the page; the TOML beside it says its address, when it was fetched,
and what the article's fields must be. Fields that it does not name may be anything; kinds of space do not count.
Every outlet with rules has a page, and the page shows what they do: without them, something else is read.
"""

import re
import tomllib
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from kiosque.model import Article, CleanRules, Page
from kiosque.outlets import load_outlets, outlet_for
from pipelines import read_article
from pipelines.steps.selectors import selectors_of, unmatched_selectors

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted((ROOT / "tests/outlet_pages").glob("*.html"))
OUTLETS = load_outlets()
RULED = [slug for slug, outlet in OUTLETS.items() if outlet.read or outlet.clean != CleanRules()]


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


@cache
def shown(path):
    """Return what is expected, the outlet, and its page."""
    expected = tomllib.loads(path.with_suffix(".toml").read_text(encoding="utf-8"))
    page = Page(
        url=expected["url"],
        final_url=expected["url"],
        headers=(("content-type", "text/html; charset=utf-8"),),
        body=path.read_bytes(),
        fetched_at=expected["fetched_at"],
    )
    return expected["article"], outlet_for(expected["url"], OUTLETS), page


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_of_the_outlet_is_read_whole(path):
    expected, outlet, page = shown(path)
    assert path.stem.startswith(outlet.slug)
    article = read_article(page, outlet)
    assert isinstance(article, Article), article
    read = fields_of(article)
    assert {key: plain(read[key]) for key in expected} == {key: plain(value) for key, value in expected.items()}


@pytest.mark.parametrize("slug", RULED)
def test_an_outlet_s_rules_do_something_on_its_own_pages(slug):
    pages = [page for path in PAGES for _, outlet, page in [shown(path)] if outlet.slug == slug]
    unmatched = [set(unmatched_selectors(page, OUTLETS[slug])) for page in pages]
    assert set.intersection(*unmatched, set(selectors_of(OUTLETS[slug]))) == set()
    bare = replace(OUTLETS[slug], clean=CleanRules(), read=())
    assert any(read_article(page, bare) != read_article(page, OUTLETS[slug]) for page in pages)


def test_the_docs_name_the_outlets_with_rules():
    docs = (ROOT / "docs/outlets.md").read_text(encoding="utf-8")
    section = docs.partition("## Outlets with rules of their own")[2].partition("\n## ")[0]
    assert re.findall(r"`([a-z0-9-]+)`", section) == RULED
