"""What the fork server imports once, so that a new worker starts in milliseconds."""

import feedparser
import trafilatura

import kiosque.feeds
from kiosque.common_rules import load_common
from pipelines.steps import assemble, body, kind, metadata, parse, signals

__all__ = ["assemble", "body", "feedparser", "kind", "kiosque", "metadata", "parse", "signals", "trafilatura"]

load_common()
