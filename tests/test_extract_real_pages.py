"""The goals on real pages, where they lie beside the checkout; skipped elsewhere, for their texts are not ours."""

import gzip
import importlib.util
import json
import statistics
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from kiosque.model import Article, Outlet, Page
from pipelines import read_article

SHARED = Path(__file__).resolve().parents[1].parent / "shared"
PAGES = SHARED / "data" / "pages"
SCORER = SHARED / "tools" / "score_pages.py"
NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)

pytestmark = pytest.mark.skipif(
    not (PAGES.is_dir() and SCORER.is_file()), reason="the real pages lie in ../shared/data/pages, which is not here"
)


def load(name):
    lines = [json.loads(line) for line in (PAGES / name).read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line.get("genre", "news") == "news" and line["gold_text"]]


def read(gold):
    url = gold.get("url") or "https://exemple.fr/a"
    host = urlsplit(url).hostname
    # No outlet file: the common rules must do.
    outlet = Outlet(slug=host.replace(".", "-"), name=host, site=f"https://{host}/", country="FR")
    body = gzip.decompress((PAGES / "pages" / f"{gold['id']}.html.gz").read_bytes())
    return read_article(Page(url=url, final_url=url, body=body, fetched_at=NOW), outlet)


@pytest.fixture(scope="module")
def scorer():
    spec = importlib.util.spec_from_file_location("score_pages", SCORER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize(("name", "least"), [("gold.jsonl", 0.985), ("silver.jsonl", 0.985)])
def test_real_pages_are_read_without_outlet_files(scorer, name, least):
    precisions, recalls, clutter, titles, authors = [], [], [], [], []
    for gold in load(name):
        article = read(gold)
        text = article.text if isinstance(article, Article) else ""
        precision, recall = scorer.precision_recall(gold["gold_text"], text)
        assert 2 * precision * recall >= 0.6 * (precision + recall), gold["id"]
        precisions.append(precision)
        recalls.append(recall)
        allowed = " ".join([gold["gold_text"], *(gold["gold_optional"] or []), gold.get("gold_title") or ""])
        clutter += scorer.clutter_lines(text, allowed)
        if gold.get("gold_title"):
            titles.append(scorer.fold(gold["gold_title"]) == scorer.fold(article.title))
        if gold.get("gold_authors"):
            authors.append(scorer.names(gold["gold_authors"]) <= scorer.names(article.authors))
    precision, recall = statistics.mean(precisions), statistics.mean(recalls)
    assert 2 * precision * recall / (precision + recall) >= least
    assert len(clutter) <= 4, clutter
    assert titles.count(False) <= 4
    assert authors.count(False) <= 2
