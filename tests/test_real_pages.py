"""Real French pages, read and crawled for real. They belong to their publishers and are not in this repository."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from command import Kiosque
from small_site import PAGE, Site, feed

PAGES = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "pages"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PAGES.is_dir(), reason=f"no real pages in {PAGES}"),
]


@pytest.fixture(scope="module")
def gold():
    rows = map(json.loads, (PAGES / "gold.jsonl").read_text(encoding="utf-8").splitlines())
    return [row for row in rows if row["genre"] == "news"]


def test_real_pages_under_a_feed_are_crawled_into_records(tmp_path, gold):
    with Site() as site:
        urls = [f"{site.url}/{row['id']}.html" for row in gold]
        site.answers = {
            f"/{row['id']}.html": (200, PAGE, gzip.decompress((PAGES / "pages" / f"{row['id']}.html.gz").read_bytes()))
            for row in gold
        }
        site.answers["/rss"] = feed(*urls)
        kiosque = Kiosque(tmp_path, hosts=[site.host])
        found = kiosque.crawl("--feed", f"{site.url}/rss", KIOSQUE_WORKERS="2")
    assert found["seen"] == len(gold) == sum(found["outcomes"].values())
    assert found["outcomes"]["new"] == len(gold)
    titles = {record.url: record.title for record in kiosque.records()}
    assert len(titles) == len(gold)
