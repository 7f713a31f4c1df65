"""What the fork server imports once, so that a new worker starts in milliseconds."""

import feedparser
import rensa
import trafilatura

import kiosque.feeds
from kiosque.common_rules import load_common
from pipelines.steps import assemble, body, digest, kind, metadata, parse, signals

__all__ = [
    "assemble",
    "body",
    "digest",
    "feedparser",
    "kind",
    "kiosque",
    "metadata",
    "parse",
    "rensa",
    "signals",
    "trafilatura",
]

load_common()
