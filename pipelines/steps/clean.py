"""Drop clutter lines whole, by the outlet's rules, what was learned, and the common rules; never touch a sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.steps.authors import is_signature, read_byline
from pipelines.steps.lines import fold_line, opening_group, plain_line

if TYPE_CHECKING:
    from kiosque.common_rules import CommonRules
    from kiosque.model import CleanRules
    from pipelines.steps.extract import Block

# A longer line is a paragraph: no list of phrases condemns it.
_MAX_CLUTTER = 300
_SIGNED_LENGTH = 60
_AGENCY_LENGTH = 30
_QUOTED = ("«", '"', "“", "—", "–", "- ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """Blocks that are the article, and the lines that were taken out with the rule that took each."""

    blocks: tuple[Block, ...]
    removed: tuple[tuple[str, str], ...]


def clean_blocks(
    blocks: tuple[Block, ...], *, rules: CleanRules, common: CommonRules, learned: frozenset[str] = frozenset()
) -> Cleaned:
    """Split blocks into the article and its clutter; every block goes whole to one side."""
    kept: list[Block] = []
    removed: list[tuple[str, str]] = []
    for block in blocks:
        rule = clutter_rule(block.text, rules=rules, common=common, learned=learned)
        if rule is None:
            kept.append(block)
        else:
            removed.append((block.text, rule))
    return Cleaned(blocks=tuple(kept), removed=tuple(removed))


def clutter_rule(line: str, *, rules: CleanRules, common: CommonRules, learned: frozenset[str]) -> str | None:
    """Return the rule that says a line is clutter, None when it is the article's."""
    is_long = len(line) > _MAX_CLUTTER
    if is_long and not (rules.drop_lines or learned):
        return None
    plain = plain_line(line)
    if any(plain.startswith(plain_line(keep)) for keep in rules.keep_lines):
        return None
    start = next((start for start in rules.drop_lines if plain.startswith(plain_line(start))), None)
    if start is not None:
        return f"outlet: {start}"
    if learned and fold_line(line) in learned:
        return "learned"
    return None if is_long else _common_rule(line.strip(), plain, common)


def _common_rule(line: str, plain: str, common: CommonRules) -> str | None:
    if not plain:
        return "symbols alone"
    group = _whole_group(plain, common)
    if group is None and not line.startswith(_QUOTED):
        group = opening_group(line, plain, common)
    return group and f"common: {group}"


def _whole_group(plain: str, common: CommonRules) -> str | None:
    bare = plain.rstrip(" .!?…:>»")
    for group, pattern in common.lines.whole:
        if pattern.fullmatch(bare) or (bare != plain and pattern.fullmatch(plain)):
            return group
    return None


def take_signature(blocks: tuple[Block, ...]) -> tuple[tuple[Block, ...], str | None]:
    """Take a signature ("A. Lo.", "M.B. avec AFP") off the end of the text; return the rest and the signature."""
    if blocks and len(blocks[-1].text) <= _SIGNED_LENGTH:
        last = blocks[-1].text.strip().strip("()")
        bare = re.sub(r"\s*(?:,|\bavec\b|/|\bet\b|\()\s*(?:l[’'])?(?:AFP|Reuters|Belga|AP|ATS|agences?)\W*$", "", last)
        if is_signature(bare) or (
            read_byline([last]).agency and not read_byline([last]).authors and len(last) < _AGENCY_LENGTH
        ):
            return blocks[:-1], last
    return blocks, None
