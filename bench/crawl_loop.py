"""The usual loop: a process fetches a page and reads it, two of them: `python crawl_loop.py READER BASE N OUT`."""

from __future__ import annotations

import json
import sys
import urllib.request
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path


def trafilatura(html: str, url: str) -> str | None:
    from trafilatura import extract

    text: str | None = extract(html, url=url, fast=True, include_comments=False)
    return text


def newspaper(html: str, url: str) -> str | None:
    from newspaper import Article

    article = Article(url, language="fr")
    article.download(input_html=html)
    article.parse()
    text: str | None = article.text
    return text


def newsplease(html: str, url: str) -> str | None:
    from newsplease import NewsPlease

    text: str | None = NewsPlease.from_html(html, url=url).maintext
    return text


READERS = {"trafilatura": trafilatura, "newspaper": newspaper, "newsplease": newsplease}


def one(reader: str, url: str) -> str:
    with urllib.request.urlopen(url) as answer:  # noqa: S310 - the bench's own server
        html = answer.read().decode("utf-8", "replace")
    try:
        text = READERS[reader](html, url)
    except Exception:  # noqa: BLE001 - a peer that fails on a page has read it all the same
        text = None
    return json.dumps({"url": url, "text": text})


if __name__ == "__main__":
    reader, base, number, out = sys.argv[1:]
    urls = (f"{base}/{n}" for n in range(int(number)))
    with ProcessPoolExecutor(2) as pool, Path(out).open("w", encoding="utf-8") as kept:
        kept.writelines(line + "\n" for line in pool.map(partial(one, reader), urls, chunksize=4))
