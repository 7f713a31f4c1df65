"""Which places of a page claim which field, the surest first: for a person who asks where a field came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pipelines.steps.lines import words_of
from pipelines.steps.structured import as_list, plain
from pipelines.steps.title import element_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kiosque.model import FeedEntry
    from pipelines.steps.metadata import Metadata

LONGEST_CLAIM = 400
_MOST_NAMES = 20

# Field: keys of the JSON-LD node, names of meta tags; in the order in which `metadata` trusts them.
PLACES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "title": (("headline", "name"), ("og:title", "twitter:title")),
    "lead": (("description",), ("og:description", "description", "twitter:description")),
    "authors": (("author", "creator"), ("author", "article:author", "dc.creator", "parsely-author")),
    "section": (("articleSection",), ("article:section", "section")),
    "tags": (("keywords",), ("article:tag", "news_keywords", "keywords")),
    "image": (("image",), ("og:image", "twitter:image")),
    "language": (("inLanguage",), ("og:locale", "content-language")),
    "paywalled": (("isAccessibleForFree",), ()),
}


class Claim(NamedTuple):
    """What one place says of a field."""

    field: str
    place: str
    """`json-ld headline`, `meta og:title`, `h1`, `feed`, ..."""
    value: str


def claims_of(found: Metadata, entry: FeedEntry | None) -> tuple[Claim, ...]:
    """Return what the structured data, the page's heading and its feed entry claim; the tree is left as it was."""
    every = (*_structured(found), *_shown(found), *_of_entry(entry))
    return tuple(claim._replace(value=claim.value[:LONGEST_CLAIM]) for claim in every if claim.value)


def says_the_same(claim: str, value: str) -> bool:
    """Tell whether a claim is where a value may have come from: the same words, or nearly all of the longer one.

    >>> says_the_same("Le pont rouvre - La Voix", "Le pont rouvre"), says_the_same("Autre chose", "Le pont")
    (True, False)
    """
    one, other = words_of(claim), words_of(value)
    if not one or not other:
        return claim.strip() == value.strip()
    short, long = sorted((" ".join(one), " ".join(other)), key=len)
    return f" {short} " in f" {long} "


def _structured(found: Metadata) -> Iterator[Claim]:
    for field, (keys, names) in PLACES.items():
        for key in keys:
            yield Claim(field, f"json-ld {key}", _text_of(found.structured.node.get(key)))
        for name in names:
            yield Claim(field, f"meta {name}", ", ".join(found.structured.meta.get(name, ())[:_MOST_NAMES]))
    yield Claim("section", "json-ld breadcrumb", " › ".join(found.structured.breadcrumb))


def _text_of(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    parts = (one.get("url") or plain(one) if isinstance(one, dict) else plain(one) for one in as_list(value))
    return ", ".join(str(part) for part in list(parts)[:_MOST_NAMES] if part)


def _shown(found: Metadata) -> Iterator[Claim]:
    root = found.layout.root
    yield Claim("title", found.layout.heading.tag if found.layout.heading is not None else "h1", _heading(found))
    yield Claim("title", "title", element_text(root.find(".//title")) or "")
    yield Claim("language", "html lang", root.get("lang") or "")
    yield Claim("url", "link canonical", found.canonical or "")


def _heading(found: Metadata) -> str:
    return element_text(found.layout.heading) or ""


def _of_entry(entry: FeedEntry | None) -> Iterator[Claim]:
    if entry is None:
        return
    yield Claim("title", entry.source, entry.title or "")
    yield Claim("lead", entry.source, entry.summary or "")
    yield Claim("authors", entry.source, ", ".join(entry.authors[:_MOST_NAMES]))
    yield Claim("tags", entry.source, ", ".join(entry.tags[:_MOST_NAMES]))
    yield Claim("image", entry.source, entry.image or "")
