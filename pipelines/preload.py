"""What the fork server imports once, so that a new worker starts in milliseconds."""

import feedparser
import lxml.html
import trafilatura

import kiosque.feeds
import pipelines

__all__ = ["feedparser", "kiosque", "lxml", "pipelines", "trafilatura"]
