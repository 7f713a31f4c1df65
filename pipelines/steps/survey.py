"""Where does the article stand on the page? Prose votes for the element that carries it, clutter does not vote."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from lxml.etree import XPath

from pipelines.steps.boxes import PAYWALL, find_boxes, is_offer
from pipelines.steps.layout import INLINE, PARAGRAPHS, PROSE, SILENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lxml.html import HtmlElement

    from kiosque.common_rules import CommonRules, ElementRules
    from pipelines.steps.layout import Layout

# A link around one of these is a card of another article.
_CARDS: Any = XPath(
    "descendant-or-self::a[@href][.//p or .//div or .//h2 or .//h3 or .//h4 or .//h5 or .//li or .//section"
    " or .//article or .//time]"
)
# Inside one of these that the title does not stand in, text belongs to another article.
_OTHERS = frozenset({"article", "li"})
# Their names never condemn these.
_FRAME = frozenset({"html", "body", "main", "h1"})
_WEIGHTS = {"li": 0.5, "dd": 0.3, "td": 0.7, "h2": 0.5, "h3": 0.5, "h4": 0.5}
"""What a character counts in a block that is seldom a paragraph."""
_ABOVE = 0.3
"""What a character counts above the title."""
_ASIDE = 0.4
"""What a character counts in an article or list item that the title does not stand in."""
_APART = 0.6
"""What a character counts that shares nothing but the body with the title."""
_PRAISED = 1.6
"""How much more a body's name makes its votes count."""
_LONG = 80
"""Characters of a block that is a paragraph beyond doubt."""
_MORE = 0.2
"""A wider element is taken when it adds this share of prose."""
_MAYBE_HIDDEN: Any = XPath("descendant-or-self::*[@hidden or @style]")
Evidence = Literal["name", "tag", "hint", "offer"]
_ACQUITTED = {"name": 1.0, "tag": 0.8, "hint": 0.4, "title": 0.4}
"""By what makes an element clutter, the share of the page's prose beyond which it is the page after all.

A consent text can be longer than the teaser beside it, so a sure name stays guilty; a navigation that nobody closed
holds the whole page; what stands around the title is judged least.
"""
_LINKED = 0.8
"""A heading with this share of its text in a link is another article's title."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """Where the article is, and what beside and inside it is not."""

    core: HtmlElement | None
    """The element that carries the article, None on a page without prose."""
    clutter: frozenset[HtmlElement]
    """Elements whose tag, name or heading make them clutter, those that carry the page acquitted."""


def survey(
    layout: Layout, common: CommonRules, *, dropped: Iterable[HtmlElement] = (), lead: HtmlElement | None = None
) -> Survey:
    """Find the article on a page that was measured; the tree is left as it was.

    `dropped` are clutter on an outlet's word. The chapô's element votes for nothing: it often stands apart.
    """
    suspects = _suspects(layout, common)
    total = sum(layout.prose.values())
    inside = dict.fromkeys(suspects, 0)
    for block, size in layout.prose.items():
        for up in _upwards(block):
            if up in inside:
                inside[up] += size
    guilty = (
        element
        for element, evidence in suspects.items()
        if inside[element] <= total * (_ACQUITTED["title"] if element in layout.page else _ACQUITTED[evidence])
    )
    clutter = frozenset([*guilty, *dropped])
    apart = clutter if lead is None else clutter | {lead}
    prose = {block: size for block, size in layout.prose.items() if apart.isdisjoint(_upwards(block))}
    return Survey(core=_core(prose, layout, common), clutter=clutter)


def _upwards(element: HtmlElement) -> Iterator[HtmlElement]:
    yield element
    yield from element.iterancestors()


def _suspects(layout: Layout, common: CommonRules) -> dict[HtmlElement, Evidence]:
    """Return the elements that may be clutter, with what speaks against them."""
    found: dict[HtmlElement, Evidence] = {}
    rules, cards = common.elements, frozenset(_CARDS(layout.root))
    for element, names in layout.names.items():
        tag = element.tag
        if tag in SILENT:
            continue
        verdict = None if names == " " and tag not in rules.tags else _verdict(tag, names, rules)
        if verdict == "offer":
            if is_offer(element, layout.length[element]):
                found[element] = "hint"
        elif verdict is not None and not _runs_on(element):
            found[element] = verdict
        elif tag == "a" and element in cards:
            found[element] = "hint"
    for box in (*filter(_is_hidden, _MAYBE_HIDDEN(layout.root)), *find_boxes(layout, common)):
        found.setdefault(box, "hint")
    return found


def _is_hidden(element: HtmlElement) -> bool:
    style = element.get("style")
    return element.get("hidden") is not None or (style is not None and "display:none" in style.replace(" ", "").lower())


def _runs_on(element: HtmlElement) -> bool:
    """Tell whether an inline element stands within a sentence, with words before or after it in its parent."""
    parent = element.getparent()
    if element.tag not in INLINE or parent is None or parent.tag not in PARAGRAPHS:
        return False
    before = element.getprevious()
    beside = (before.tail if before is not None else parent.text) or ""
    return len(beside.strip()) + len((element.tail or "").strip()) >= PROSE / 2


def _verdict(tag: str, names: str, rules: ElementRules) -> Evidence | None:
    if tag in rules.tags:
        return "tag"
    if tag in _FRAME or names == " ":
        return None
    return _name_verdict(names, rules)


@lru_cache(maxsize=8192)
def _name_verdict(names: str, rules: ElementRules) -> Evidence | None:
    words = names.split()
    if not rules.sure_words.isdisjoint(words) or (rules.sure_parts is not None and rules.sure_parts.search(names)):
        return "name"
    if not rules.words.isdisjoint(words) or (rules.parts is not None and rules.parts.search(names)):
        return "hint"
    return "offer" if PAYWALL.search(names) else None


def _core(prose: dict[HtmlElement, int], layout: Layout, common: CommonRules) -> HtmlElement | None:
    """Return the element that paragraphs point to: a full vote for their parent, half a vote for its parent.

    A name such as "article-body" counts for more; text before the title, lists and definitions for less.
    """
    votes: dict[HtmlElement, float] = {}
    below = frozenset(layout.below) or frozenset(prose)
    shared = frozenset(up for up in layout.page if up.tag not in {"html", "body"})
    others = _OTHERS if sum(element.tag == "article" for element in layout.elements) > 1 else _OTHERS - {"article"}
    for block, size in prose.items():
        parent = block.getparent() if block.tag in PARAGRAPHS else block
        weight = size * _WEIGHTS.get(str(block.tag), 1.0) * (1.0 if block in below else _ABOVE)
        if layout.page and any(up.tag in others and up not in layout.page for up in block.iterancestors()):
            weight *= _ASIDE
        if shared and not any(up in shared for up in block.iterancestors()):
            weight *= _APART
        for share in (1.0, 0.5):
            if parent is not None:
                votes[parent] = votes.get(parent, 0) + weight * share
                parent = parent.getparent()
    if not votes:
        return None
    best = max(votes, key=lambda one: votes[one] * (_PRAISED if _is_praised(one, layout, common) else 1.0))
    return _widen(best, prose)


def _is_praised(element: HtmlElement, layout: Layout, common: CommonRules) -> bool:
    names = f"{layout.names[element]} {(element.get('itemprop') or '').lower()}"
    return element.tag == "article" or common.elements.body.search(names) is not None


def _widen(core: HtmlElement, prose: dict[HtmlElement, int]) -> HtmlElement:
    """Climb to a wider element while it adds paragraphs of the same make."""
    makes = {(block.tag, block.get("class")) for block in prose if core in _upwards(block)}
    alike = {block: size for block, size in prose.items() if (block.tag, block.get("class")) in makes and size >= _LONG}
    inside = _inside(core, alike)
    for up in core.iterancestors():
        if up.tag in {"body", "html"}:
            break
        more = _inside(up, alike)
        if more - inside >= _MORE * inside and _is_one_article(up):
            core, inside = up, more
    return core


def _inside(element: HtmlElement, prose: dict[HtmlElement, int]) -> int:
    return sum(size for block, size in prose.items() if element in _upwards(block))


def _is_one_article(element: HtmlElement) -> bool:
    """Tell whether an element holds one article and no list of them."""
    return sum(1 for _ in _headlines(element)) <= 1 and len(element.findall(".//article")) <= 1


def _headlines(element: HtmlElement) -> Iterator[HtmlElement]:
    """Yield headings that are links to elsewhere: the titles of other articles."""
    for heading in element.iter("h2", "h3", "h4"):
        links = sum(len("".join(link.itertext())) for link in heading.iter("a"))
        if links > len("".join(heading.itertext())) * _LINKED:
            yield heading
