"""What kind of page is it? Walls, challenges, listings and video pages are told apart from articles."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from pipelines.steps.layout import SILENT, text_of
from pipelines.steps.structured import as_list

if TYPE_CHECKING:
    from lxml.html import HtmlElement

    from kiosque.model import Outlet
    from pipelines.steps.body import Body
    from pipelines.steps.layout import Layout
    from pipelines.steps.metadata import Metadata
    from pipelines.steps.structured import Structured

_SHORT = 1200
_PARAGRAPH = 120
_MANY_LINKS = 60
_MIN_WORDS = 20
_BRIEF = 60
_FRONT = 0.7
_ARTICLES = frozenset(
    {
        "newsarticle",
        "article",
        "blogposting",
        "reportagenewsarticle",
        "analysisnewsarticle",
        "opinionnewsarticle",
        "liveblogposting",
        "review",
        "reviewnewsarticle",
        "backgroundnewsarticle",
        "askpublicnewsarticle",
    }
)
_LISTS = frozenset({"collectionpage", "itemlist", "searchresultspage"})
_LANGUAGES = {"fr": "french", "en": "english", "nl": "dutch", "de": "german", "it": "italian", "es": "spanish"}
# What an answer of a guard says in its title or few lines; it only counts on a page with next to no text.
_CHALLENGE = re.compile(
    r"just a moment|checking your browser|un instant\s*(?:\.\.\.|…)|vérification (?:de sécurité|que vous)"
    r"|attention required|access denied|accès (?:refusé|interdit|bloqué)|êtes-vous un (?:humain|robot)"
    r"|you have been blocked|pardon our interruption|please enable js|activer javascript et|captcha"
    r"|cf-browser-verification|datadome|enable javascript and cookies",
    re.IGNORECASE,
)
_CONSENT = re.compile(
    r"(?:paramétrer|gérer|gestion de(?:s| mes)|accepter tous les|refuser tous les) cookies"
    r"|vos choix en matière de cookies|votre vie privée|nos partenaires|nous (?:utilisons|déposons) des cookies"
    r"|continuer sans accepter"
    r"|(?:vous pouvez|pour) (?:accepter|refuser) (?:les|ces|tous les) cookies|tout (?:accepter|refuser)",
    re.IGNORECASE,
)
_LOGIN = re.compile(
    r"connectez-vous|identifiez-vous|se connecter|mot de passe|créez? (?:un|votre) compte|espace abonné", re.IGNORECASE
)
_PAYWALL_NAMES = re.compile(
    r"paywall|piano-?(?:inline|container|offer)|poool|article[_-]?(?:is-)?(?:premium|restricted|locked|payant|abonne)"
    r"|(?:is|has)[_-]?(?:premium|paywall|restricted|locked)|premium-?(?:content|article|paywall)"
    r"|reserve-?(?:aux-)?abonn|paid-?content|qiota|subscriber-?only|abo-?inciter"
)
_PAYWALL_LINES = re.compile(
    r"il vous reste [\d,.]+ ?% de (?:cet article|ce contenu)|(?:cet )?article (?:est )?réservé (?:aux|à nos) abonné"
    r"|la suite (?:de cet article )?est réservée|contenu réservé aux abonné|abonnez-vous pour lire"
    r"|pour lire la suite (?:de cet article)?,? ?(?:abonnez|connectez)|(?:envie de|vous souhaitez) lire la suite",
    re.IGNORECASE,
)
_BOXES = frozenset({"div", "section", "aside", "article", "p"})
_FALSE = {"false", "0", "no", "non"}
_TRUE = {"true", "1", "yes", "oui"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a page looks like before its text is taken out."""

    title: str
    shown: str
    """The beginning of everything that the page shows; empty on a page with prose enough for an article."""
    length: int
    """Characters of everything that it shows."""
    links: int
    titles: frozenset[str]
    """What its links read; empty on a page with prose enough for an article."""
    password: bool
    detail: str = ""


def read_shape(layout: Layout, structured: Structured) -> Shape:
    """Measure a page; cheap, and done before extraction consumes the tree."""
    root = layout.root
    body = root.find(".//body")
    has_prose = sum(layout.prose.values()) > 2 * _SHORT
    title = next(root.iter("title"), None)
    return Shape(
        title="" if title is None else text_of(title),
        shown="" if body is None or has_prose else _beginning(body),
        length=0 if body is None else layout.length[body],
        links=sum(1 for _ in root.iter("a")),
        titles=frozenset() if has_prose else frozenset(text_of(one) for one in root.iter("a")),
        password=root.find(".//input[@type='password']") is not None,
        detail=", ".join(sorted(structured.types))[:80],
    )


def _beginning(body: HtmlElement) -> str:
    """Return the first few thousand characters that a page shows, its scripts left out."""
    texts: list[str] = []
    size = 0
    for element in body.iter():
        if size > 4 * _SHORT:
            break
        for text in ("" if element.tag in SILENT else element.text, element.tail):
            if text and text.strip():
                texts.append(text.strip())
                size += len(text)
    return " ".join(" ".join(texts).split())[: 4 * _SHORT]


def refuse(shape: Shape, body: Body, found: Metadata, *, outlet: Outlet) -> str | None:
    """Return the reason slug for a page that is no article, None for one that is."""
    text = body.text
    return _wall(shape, text) or _listing(shape, body, found) or _thin(body, found) or _foreign(body, outlet)


def _wall(shape: Shape, text: str) -> str | None:
    """Name the wall that stands where an article should: an answer with next to no prose of its own."""
    if len(text) > _SHORT:
        return None
    if shape.length < 2 * _SHORT and _CHALLENGE.search(f"{shape.title}\n{shape.shown}"):
        return "anti-bot"
    if len({found.lower() for found in _CONSENT.findall(text or shape.shown)}) > 1:
        return "consent-wall"
    if shape.password and _LOGIN.search(shape.shown) and len(text) < _SHORT // 4:
        return "login-wall"
    return None


def _listing(shape: Shape, body: Body, found: Metadata) -> str | None:
    """Tell a section front from an article: no article type, many links, no paragraphs."""
    types = found.structured.types
    prose = sum(len(block.text) for block in body.blocks if len(block.text) > _PARAGRAPH)
    if types & _ARTICLES or (found.structured.first("og:type") or "").lower() == "article":
        return None
    if types & _LISTS and prose < _SHORT:
        return "listing-page"
    is_brief = len(body.text.split()) < _BRIEF and prose < _PARAGRAPH
    is_front = shape.links > _MANY_LINKS and (is_brief or _is_made_of(shape.titles, body.text))
    return "listing-page" if is_front else None


def _is_made_of(titles: frozenset[str], text: str) -> bool:
    """Tell whether a text is the page's links one after the other: what extraction makes of a front in a hurry."""
    plain = " ".join(text.split())
    return sum(len(title) for title in titles if title in plain) > _FRONT * len(plain)


def _thin(body: Body, found: Metadata) -> str | None:
    """Refuse what is too short to be an article, a player's page by its own name."""
    if len(body.text.split()) >= _MIN_WORDS and found.title:
        return None
    if not body.text:
        return "video-only" if "videoobject" in found.structured.types else "no-text"
    if not found.title:
        return "no-title"
    return "video-only" if "videoobject" in found.structured.types else "too-short"


def _foreign(body: Body, outlet: Outlet) -> str | None:
    return (
        None if outlet.language in {"any", body.language} else f"not-{_LANGUAGES.get(outlet.language, outlet.language)}"
    )


def is_paywalled(layout: Layout, structured: Structured) -> bool:
    """Tell whether the page keeps part of its article for subscribers.

    `isAccessibleForFree` decides when the page says it; else elements and lines that only a closed article carries.
    """
    said = _free(structured)
    if said is not None:
        return not said
    tier = (structured.first("article:content_tier") or "").lower()
    if tier in {"free", "locked", "metered"}:
        return tier == "locked"
    return _has_paywall_element(layout)


def _free(structured: Structured) -> bool | None:
    parts = [structured.node, *(one for one in as_list(structured.node.get("hasPart")) if isinstance(one, dict))]
    values = [str(part["isAccessibleForFree"]).lower() for part in parts if part.get("isAccessibleForFree") is not None]
    if any(value in _FALSE for value in values):
        return False
    return True if any(value in _TRUE for value in values) else None


def _has_paywall_element(layout: Layout) -> bool:
    named = (one for one, names in layout.names.items() if names != " " and _is_named_paywall(names))
    return any(one.tag in _BOXES and _PAYWALL_LINES.search("".join(one.itertext())[:3000]) for one in named)


@lru_cache(maxsize=8192)
def _is_named_paywall(names: str) -> bool:
    return _PAYWALL_NAMES.search(names) is not None
