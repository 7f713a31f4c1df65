"""Tell a live blog, whose text goes on growing under one address, from an article."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.steps.body import Body
    from pipelines.steps.metadata import Metadata

LIVE_TAG = "live-blog"
"""The tag that every live blog carries, whatever its outlet calls it: a reader of the dataset filters by it."""

# "EN DIRECT.", "Guerre en Ukraine EN DIRECT :", "DIRECT - ": written large; "en direct" in a sentence is no sign.
_TITLE = re.compile(r"\bEN DIRECT\b|^(?:DIRECT|LIVE)\b|^(?:\[|\()?(?:En direct|Direct|Live)(?:\s*[.:\])–—-]|\s*\|)")
_CLOCK = re.compile(r"^(?:à\s+)?(?:[01]?\d|2[0-3])\s?(?:[h:]|heures?)\s?[0-5]\d\b", re.IGNORECASE)
_ENTRIES = 3


def is_live(found: Metadata, body: Body) -> bool:
    """Tell whether the page says that it is a live blog, or its title does and its entries bear clock times.

    An article about a broadcast ("Le match en direct sur France 2") is none: its text has no entries.
    """
    if found.structured.live:
        return True
    if not _TITLE.search(found.title or ""):
        return False
    texts = [*(block.text for block in body.blocks), *(line for line, _ in body.removed)]
    return sum(_CLOCK.match(text) is not None for text in texts) >= _ENTRIES
