"""Compare the text of `read_article` with other extractors on pages with gold text: F1 and CPU per page.

    python bench/extraction.py GOLD.jsonl PAGES_DIR [--limit N] [--only NAME]

GOLD.jsonl has one object a line (`id`, `url`, `gold_text`, perhaps `genre`), PAGES_DIR holds `ID.html.gz`. Peers
that are not installed are left out. F1 is the mean over pages of 4-gram precision and recall, as in scrapinghub's
article-extraction-benchmark. CPU includes parsing, and for kiosque metadata, dates and cleaning too.
"""

from __future__ import annotations

import argparse
import gzip
import importlib
import importlib.util
import json
import re
import statistics
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kiosque.model import Article, Outlet, Page
from pipelines import read_article

if TYPE_CHECKING:
    from collections.abc import Callable

    Extractor = Callable[[str, str], str | None]


def kiosque(html: str, url: str) -> str | None:
    host = urlsplit(url).hostname or "exemple.fr"
    outlet = Outlet(slug=host.replace(".", "-"), name=host, site=f"https://{host}/", country="FR")
    page = Page(url=url, final_url=url, body=html.encode(), fetched_at=datetime.now(UTC))
    found = read_article(page, outlet)
    return found.text if isinstance(found, Article) else None


def trafilatura_default(html: str, url: str) -> str | None:
    text: str | None = importlib.import_module("trafilatura").extract(
        html, url=url, with_metadata=True, include_comments=False
    )
    return text


def trafilatura_fast(html: str, url: str) -> str | None:
    text: str | None = importlib.import_module("trafilatura").extract(html, url=url, fast=True, include_comments=False)
    return text


def newspaper4k(html: str, url: str) -> str | None:
    article = importlib.import_module("newspaper").Article(url, language="fr")
    article.download(input_html=html)
    article.parse()
    text: str | None = article.text
    return text


def news_please(html: str, url: str) -> str | None:
    text: str | None = importlib.import_module("newsplease").NewsPlease.from_html(html, url=url).maintext
    return text


def goose3(html: str, url: str) -> str | None:
    del url
    text: str | None = (
        importlib.import_module("goose3").Goose({"target_language": "fr"}).extract(raw_html=html).cleaned_text
    )
    return text


def readability(html: str, url: str) -> str | None:
    summary = importlib.import_module("readability").Document(html, url=url).summary()
    return " ".join(importlib.import_module("lxml.html").fromstring(summary).itertext())


# Name, the module that must be installed, and what reads a page.
PEERS: tuple[tuple[str, str, Extractor], ...] = (
    ("kiosque", "pipelines", kiosque),
    ("trafilatura, with metadata", "trafilatura", trafilatura_default),
    ("trafilatura, fast", "trafilatura", trafilatura_fast),
    ("newspaper4k", "newspaper", newspaper4k),
    ("news-please", "newsplease", news_please),
    ("goose3", "goose3", goose3),
    ("readability-lxml", "readability", readability),
)


def shingles(text: str | None) -> Counter[tuple[str, ...]]:
    words = re.findall(r"\w+", (text or "").replace("\xad", "").replace("\u200b", ""))
    return Counter(tuple(words[i : i + 4]) for i in range(max(1, len(words) - 3)) if words[i : i + 4])


def score(gold: str, text: str | None) -> tuple[float, float]:
    """Return precision and recall of one page."""
    want, have = shingles(gold), shingles(text)
    both = sum((want & have).values())
    return both / max(1, sum(have.values())), both / max(1, sum(want.values()))


def measure(extract: Extractor, pages: list[tuple[str, str, str]]) -> tuple[float, float, float, float]:
    """Return precision, recall, F1 and CPU milliseconds a page."""
    scores, cpu = [], 0.0
    for url, html, gold in pages:
        start = time.process_time()
        try:
            text = extract(html, url)
        except Exception:  # noqa: BLE001  (a peer that fails on a page scores nothing for it)
            text = None
        cpu += time.process_time() - start
        scores.append(score(gold, text))
    precision = statistics.mean(one for one, _ in scores)
    recall = statistics.mean(one for _, one in scores)
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return precision, recall, f1, 1000 * cpu / len(pages)


def load(gold: Path, folder: Path, limit: int | None) -> list[tuple[str, str, str]]:
    lines = [json.loads(line) for line in gold.read_text(encoding="utf-8").splitlines()]
    wanted = [line for line in lines if line.get("genre", "news") == "news" and line.get("gold_text")]
    return [
        (
            line.get("url") or "https://exemple.fr/a",
            gzip.decompress((folder / f"{line['id']}.html.gz").read_bytes()).decode("utf-8", "replace"),
            line["gold_text"],
        )
        for line in wanted[:limit]
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gold", type=Path)
    parser.add_argument("pages", type=Path)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--only", action="append", metavar="NAME", help="a row of the table; may be repeated")
    asked = parser.parse_args()
    pages = load(asked.gold, asked.pages, asked.limit)
    print(f"{'':28} {'P':>6} {'R':>6} {'F1':>6} {'ms/page':>8}   ({len(pages)} pages)")
    for name, module, extract in PEERS:
        if asked.only and name not in asked.only:
            continue
        if importlib.util.find_spec(module) is None:
            print(f"{name:28} not installed")
            continue
        extract(pages[0][1], pages[0][0])  # imports and caches do not count
        precision, recall, f1, cpu = measure(extract, pages)
        print(f"{name:28} {precision:6.4f} {recall:6.4f} {f1:6.4f} {cpu:8.1f}", flush=True)


if __name__ == "__main__":
    main()
