"""What an article says of itself in microdata (`itemscope`, `itemprop`), in the shape of a JSON-LD node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.html import HtmlElement

# The text is read as text, and dates by their own step, which knows `<time>` and tells where a date was found.
_LEFT_OUT = frozenset({"articlebody", "datepublished", "datemodified", "datecreated", "text", "review", "comment"})
_LINKS = {
    "a": "href",
    "link": "href",
    "img": "src",
    "source": "src",
    "audio": "src",
    "video": "src",
    "time": "datetime",
}
_DEEPEST = 3
_MOST = 60
_LONGEST = 2000


def read_microdata(root: HtmlElement) -> list[dict[str, Any]]:
    """Return a node for each item of the page's top level that names its type, in page order.

    >>> from lxml.html import fromstring
    >>> read_microdata(fromstring('<div itemscope itemtype="https://schema.org/NewsArticle">'
    ...     '<h1 itemprop="headline">Le pont rouvre</h1></div>'))
    [{'@type': 'https://schema.org/NewsArticle', 'headline': 'Le pont rouvre'}]
    """
    return [_node(item, depth=1) for item in root.xpath("//*[@itemscope and @itemtype and not(@itemprop)]")[:_MOST]]


def _node(item: HtmlElement, *, depth: int) -> dict[str, Any]:
    node: dict[str, Any] = {"@type": (item.get("itemtype") or "").split(" ")[0]}
    if item.get("itemid"):
        node["@id"] = item.get("itemid")
    found: dict[str, list[Any]] = {}
    for element in _properties(item):
        for name in (element.get("itemprop") or "").split()[:4]:
            if name.lower() not in _LEFT_OUT and (value := _value(element, depth=depth)):
                found.setdefault(name, []).append(value)
    return node | {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _properties(item: HtmlElement) -> Iterator[HtmlElement]:
    """Yield the elements that carry a property of this item and of none inside it."""
    waiting = list(reversed(item))
    seen = 0
    while waiting and seen < _MOST:
        element = waiting.pop()
        if element.get("itemprop") is not None:
            seen += 1
            yield element
        if element.get("itemscope") is None:
            waiting.extend(reversed(element))


def _value(element: HtmlElement, *, depth: int) -> Any:
    if element.get("itemscope") is not None:
        return _node(element, depth=depth + 1) if depth < _DEEPEST else None
    said = element.get("content") or element.get(_LINKS.get(str(element.tag), "content"))
    return (said if said is not None else " ".join("".join(element.itertext()).split()))[:_LONGEST].strip()
