"""Where logs go: standard error, so that standard output stays the command's answer."""

from __future__ import annotations

import logging
import sys


def log_to_stderr(*, own_level: int = logging.WARNING) -> None:
    """Send Kiosque's events from `own_level` on, and everybody's warnings, to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    # Scrapy's own setup lets its loggers say everything; the handler decides what is seen.
    handler.addFilter(lambda event: event.levelno >= logging.WARNING or event.name.startswith("kiosque"))
    logging.basicConfig(handlers=[handler], level=logging.INFO)
    logging.getLogger("kiosque").setLevel(own_level)
