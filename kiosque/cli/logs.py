"""Where logs go: standard error, so that standard output stays the command's answer."""

from __future__ import annotations

import logging
import sys


def log_to_stderr() -> None:
    """Send warnings and errors of every part to standard error."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
