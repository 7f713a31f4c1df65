"""What an element's name says of its text."""

from __future__ import annotations

# Elements whose text belongs to the block around them.
INLINE = frozenset(
    """a abbr acronym b bdi bdo big br cite code data del dfn em font i img ins kbd label mark q s samp small span
    strike strong sub sup time tt u var wbr amp-link""".split()  # noqa: SIM905  (a column of names reads best)
)
# Blocks that hold a paragraph; any other block with text of its own is a container whose text is bare.
PARAGRAPHS = frozenset({"p", "li", "blockquote", "dd", "h2", "h3", "h4", "pre"})
# Elements that carry no article text whatever they hold.
SILENT = frozenset({"script", "style", "noscript", "template", "svg", "head", "select", "button", "iframe", "math"})
