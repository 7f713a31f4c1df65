"""Small bar charts as SVG, without a library: for eyes as shapes, for screen readers as one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Sequence

BAR, GAP, HEIGHT = 6, 2, 28
# A bar of something is never so low that it cannot be seen.
LOWEST = 2


def bars(values: Sequence[int], *, label: str) -> Markup:
    """Draw one bar a value, scaled to the largest; `label` is what a screen reader says."""
    most = max(values, default=0) or 1
    width = max(1, len(values) * (BAR + GAP) - GAP)
    drawn = Markup("").join(
        Markup('<rect x="{}" y="{}" width="{}" height="{}"/>').format(i * (BAR + GAP), HEIGHT - high, BAR, high)
        for i, value in enumerate(values)
        if (high := max(LOWEST, round(HEIGHT * value / most)) if value > 0 else 0)
    )
    frame = Markup('<svg class="bars" role="img" aria-label="{}" viewBox="0 0 {} {}" width="{}" height="{}">{}</svg>')
    return frame.format(label, width, HEIGHT, width, HEIGHT, drawn)
