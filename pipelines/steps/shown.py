"""Every line that a page shows, in page order: what a reader of the page sees, article or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.steps.layout import INLINE, SILENT
from pipelines.steps.parse import whole_tree
from pipelines.steps.typography import mend

if TYPE_CHECKING:
    from lxml.html import HtmlElement

    from pipelines.steps.parse import Document

MOST_LINES, LONGEST_LINE = 2_000, 5_000
_HIDDEN = SILENT | {"head", "noscript", "template"}


def shown_lines(document: Document) -> tuple[str, ...]:
    """Return the page's lines, a line a block, its navigation's and footer's among them. At most `MOST_LINES`."""
    root = whole_tree(document.html)
    if root is None:
        return ()
    lines: list[str] = []
    line: list[str] = []

    def end() -> None:
        text = " ".join("".join(line).split())
        line.clear()
        if text and len(lines) < MOST_LINES:
            lines.append(mend(text[:LONGEST_LINE]))

    # Not recursive: a page may be nested 256 deep. None after an element closes it.
    waiting: list[tuple[HtmlElement, bool]] = [(root, False)]
    while waiting and len(lines) < MOST_LINES:
        element, is_end = waiting.pop()
        is_block = element.tag not in INLINE or element.tag == "br"
        if is_block:
            end()
        if is_end:
            line.append(element.tail or "")
            continue
        waiting.append((element, True))
        if element.tag in _HIDDEN:
            continue
        line.append(element.text or "")
        waiting.extend((child, False) for child in reversed(element))
    end()
    return tuple(lines)
