"""Where logs go: standard error, as text or JSON lines, so that standard output stays the command's answer."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from enum import StrEnum


class LogFormat(StrEnum):
    """How events are written."""

    text = "text"
    json = "json"


class JsonLines(logging.Formatter):
    """An event as one JSON object on one line; `fields` of its `extra` become its own."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        event = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        event |= {name: value for name, value in getattr(record, "fields", {}).items() if name not in event}
        if record.exc_info:
            event["exception"] = self.formatException(record.exc_info)
        # ASCII: no character of a title can break a line, in any terminal or collector.
        return json.dumps(event, default=str)


class OneLine(logging.Formatter):
    """An event as text; what a title or a server says in it adds no line and moves no cursor."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the base class names it
        """Return the event without its traceback."""
        said = super().formatMessage(record)
        return said if said.isprintable() else "".join(c if c.isprintable() else " " for c in said)


def log_to_stderr(*, own_level: int = logging.WARNING, form: str = "text") -> None:
    """Send Kiosque's events from `own_level` on, and everybody's warnings, to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form == LogFormat.json else OneLine())
    # Scrapy's own setup lets its loggers say everything; the handler decides what is seen.
    handler.addFilter(lambda event: event.levelno >= logging.WARNING or event.name.startswith("kiosque"))
    logging.basicConfig(handlers=[handler], level=logging.INFO)
    logging.getLogger("kiosque").setLevel(own_level)
