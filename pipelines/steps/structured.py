"""What the page says of itself for machines: the JSON-LD node of this article and the meta tags."""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pipelines.steps.microdata import read_microdata

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lxml.html import HtmlElement

Node = dict[str, Any]

# schema.org types that stand for an article, the surest first; a WebPage still carries dates and a description.
_RANKED_TYPES = (
    ("newsarticle", 4),  # NewsArticle, AnalysisNewsArticle, OpinionNewsArticle, ReportageNewsArticle, ...
    ("liveblogposting", 4),
    ("article", 3),  # Article, TechArticle, ScholarlyArticle, SatiricalArticle
    ("blogposting", 3),
    ("review", 3),
    ("report", 3),
    ("recipe", 2),
    ("radioepisode", 2),
    ("podcastepisode", 2),
    ("videoobject", 1),
    ("webpage", 1),
)
# Where a page's own article can stand below the top; lists of other articles hang elsewhere.
_CONTAINERS = ("@graph", "mainEntity", "mainEntityOfPage")
_MAX_NODES = 500
_SAME = 0.5
_MAX_SCRIPT = 2_000_000
_WRAPPER = re.compile(r"^\s*(?://\s*)?(?:<!\[CDATA\[|<!--)|(?://\s*)?(?:\]\]>|-->)\s*;?\s*$")
_TRAILING_COMMA = re.compile(r",(\s*[}\]])")
_DECODER = json.JSONDecoder(strict=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Structured:
    """A page's machine-readable claims."""

    node: Node
    """The JSON-LD node of this page's article, `@id` references resolved one level deep; its microdata where it has
    no such node; empty when there is neither."""
    meta: Mapping[str, tuple[str, ...]]
    """Contents of meta tags by lower-case name or property, in page order."""
    types: frozenset[str]
    """Every schema.org type of the page's top nodes, lower case."""
    breadcrumb: tuple[str, ...]
    """The names of the JSON-LD breadcrumb, outermost first."""
    live: bool = False
    """A node of this page, the chosen one or one beside it, says that it is a live blog."""

    def first(self, *names: str) -> str | None:
        """Return the first non-empty content among these meta names, in their order."""
        return next((value for name in names for value in self.meta.get(name, ()) if value), None)


def read_structured(root: HtmlElement, *, urls: tuple[str, ...], title: str | None) -> Structured:
    """Collect JSON-LD and meta tags; `urls` and `title` tell which of several articles is this page's."""
    nodes = list(_nodes(root))
    index = {node["@id"]: node for node in nodes if isinstance(node.get("@id"), str)}
    chosen = _choose(nodes, urls=urls, title=title)
    if not _is_article(chosen):
        # Teasers carry microdata too: only what bears the title is this page's.
        items = [item for item in read_microdata(root) if _is_article(item) and _alike(item, _words(title)) > _SAME]
        chosen = _choose(items, urls=urls, title=title) or chosen
    return Structured(
        node={key: _resolve(value, index) for key, value in chosen.items()},
        meta=_meta(root),
        types=frozenset(kind for node in nodes for kind in node_types(node)),
        breadcrumb=_breadcrumb(nodes),
        live=any(_is_live(node) and (node is chosen or _is_at(node, urls)) for node in nodes),
    )


def node_types(node: Node) -> list[str]:
    """Return a node's types, lower case, without a namespace.

    >>> node_types({"@type": ["http://schema.org/NewsArticle"]})
    ['newsarticle']
    """
    kinds = as_list(node.get("@type"))
    return [kind.rsplit("/", 1)[-1].rsplit(":", 1)[-1].lower() for kind in kinds if isinstance(kind, str)]


def as_list(value: object) -> list[Any]:
    """Return a list as it is, None as nothing, anything else as a list of one."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def plain(value: object) -> str | None:
    """Return a text value with entities and tags undone and spaces collapsed; None for what is not text.

    >>> plain("  L&#039;&eacute;t&eacute; <i>indien</i> ")
    "L'été indien"
    """
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict):
        value = value.get("@value") or value.get("name")
    if not isinstance(value, str):
        return None
    text = html.unescape(html.unescape(value)) if "&" in value else value
    if "<" in text:
        text = re.sub(r"</?[a-zA-Z][^<>]{0,300}>", " ", text)
    return " ".join(text.split()) or None


def _meta(root: HtmlElement) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for tag in root.iter("meta"):
        name = tag.get("property") or tag.get("name") or tag.get("itemprop") or tag.get("http-equiv")
        content = plain(tag.get("content"))
        if name and content:
            found.setdefault(name.strip().lower(), []).append(content)
    return {name: tuple(values) for name, values in found.items()}


def _nodes(root: HtmlElement) -> Iterator[Node]:
    """Yield the top nodes of every JSON-LD script, those inside lists and containers included."""
    waiting: list[Any] = []
    for script in root.iter("script"):
        if "ld+json" in (script.get("type") or "").lower() and script.text:
            waiting.extend(_load(script.text[:_MAX_SCRIPT]))
    for _ in range(_MAX_NODES):
        if not waiting:
            return
        value = waiting.pop(0)
        if isinstance(value, list):
            waiting[:0] = value[:_MAX_NODES]
        elif isinstance(value, dict):
            yield value
            waiting.extend(value[key] for key in _CONTAINERS if isinstance(value.get(key), (list, dict)))


def _load(script: str) -> list[Any]:
    """Parse one script, mending what is safe to mend: wrappers, raw newlines, trailing commas, entities."""
    text = _WRAPPER.sub("", script).strip().rstrip(";")
    for attempt in (text, _TRAILING_COMMA.sub(r"\1", text), html.unescape(text)):
        values = _load_several(attempt)
        if values:
            return values
    return []


def _load_several(text: str) -> list[Any]:
    """Parse the JSON values that follow each other in a text, up to the first that is broken."""
    values: list[Any] = []
    position = 0
    while position < len(text) and len(values) < _MAX_NODES:
        try:
            value, position = _DECODER.raw_decode(text, position)
        except (ValueError, RecursionError):
            return values
        values.append(value)
        while position < len(text) and text[position] in " \t\r\n,;":
            position += 1
    return values


def _choose(nodes: list[Node], *, urls: tuple[str, ...], title: str | None) -> Node:
    """Take the node that is this page: by its address, then its headline, then its type, then its place."""
    words = _words(title)

    def score(node: Node) -> tuple[int, float, int]:
        rank = max((_rank(kind) for kind in node_types(node)), default=0)
        return (int(rank > 1), rank + (2 * _is_at(node, urls)) + (4 * _alike(node, words)), -nodes.index(node))

    ranked = [node for node in nodes if any(_rank(kind) for kind in node_types(node))]
    return max(ranked, key=score, default={})


def _alike(node: Node, words: set[str]) -> float:
    """Return how much of a node's headline is in some words: 0 to 1."""
    headline = _words(plain(node.get("headline")) or plain(node.get("name")))
    return len(words & headline) / len(words | headline) if words and headline else 0.0


def _is_article(node: Node) -> bool:
    return any(_rank(kind) > 1 for kind in node_types(node))


def _rank(kind: str) -> int:
    return next((rank for name, rank in _RANKED_TYPES if kind.endswith(name)), 0)


def _is_live(node: Node) -> bool:
    return "liveblogposting" in node_types(node) or bool(node.get("liveBlogUpdate"))


def _is_at(node: Node, urls: tuple[str, ...]) -> bool:
    paths = {_path(url) for url in urls}
    return any(_path(url) in paths for url in _addresses(node))


def _addresses(node: Node) -> Iterator[str]:
    page = node.get("mainEntityOfPage")
    for value in (node.get("url"), node.get("@id"), page.get("@id") if isinstance(page, dict) else page):
        if isinstance(value, str) and value:
            yield value


def _path(url: str) -> str:
    try:
        return urlsplit(url).path.rstrip("/")
    except ValueError:
        return url


def _words(text: str | None) -> set[str]:
    return set(re.findall(r"\w+", text.lower())) if text else set()


def _resolve(value: object, index: Mapping[str, Node]) -> object:
    """Replace `{"@id": ...}` by the node of that id."""
    if isinstance(value, list):
        return [_resolve(one, index) for one in value[:_MAX_NODES]]
    if isinstance(value, dict) and isinstance(value.get("@id"), str) and value["@id"] in index:
        return {**index[value["@id"]], **value}
    return value


def _breadcrumb(nodes: list[Node]) -> tuple[str, ...]:
    for node in nodes:
        if "breadcrumblist" in node_types(node):
            items = [item for item in as_list(node.get("itemListElement")) if isinstance(item, dict)]
            names = [plain(item.get("name")) or plain(item.get("item")) for item in items]
            return tuple(name for name in names if name)
    return ()
