"""Bylines -> a clean list of people, and the news agency behind the text."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# News agencies as bylines name them, each with the name that a record carries.
AGENCIES = {
    "afp": "AFP",
    "agence france-presse": "AFP",
    "agence france presse": "AFP",
    "relaxnews": "Relaxnews",
    "afp relaxnews": "AFP",
    "belga": "Belga",
    "agence belga": "Belga",
    "reuters": "Reuters",
    "ap": "AP",
    "associated press": "AP",
    "ats": "ATS",  # Switzerland, Keystone-ATS
    "keystone-ats": "ATS",
    "keystone ats": "ATS",
    "la presse canadienne": "La Presse canadienne",
    "presse canadienne": "La Presse canadienne",
    "aps": "APS",  # Algeria and Senegal
    "map": "MAP",  # Morocco
    "tap": "TAP",  # Tunisia
    "aib": "AIB",  # Burkina Faso
    "aip": "AIP",  # Côte d'Ivoire
    "agence ecofin": "Ecofin",
    "xinhua": "Xinhua",
    "efe": "EFE",
    "dpa": "DPA",
    "ansa": "ANSA",
    "bloomberg": "Bloomberg",
    "agences": "agences",
    "agence": "agences",
}
# Words that never stand in a person's name: desks, houses, roles that sign for a newsroom.
_NOT_NAMES = frozenset(
    """rédaction redaction rédactions journal magazine agence agences équipe equipe service services desk admin
    administrator administrateur webmaster éditeur editeur editor staff news info infos télévision télévisions tv radio
    presse newsroom collectif tribune auteur author user utilisateur invité contributeur contributeurs lecteurs
    abonnés abonnement newsletter copyright partager commentaires facebook twitter publié mis contact
    web internet site média médias media studio brand partenaire partenaires communiqué correspondance rubrique
    conversation inconnu anonyme anonymous unknown null undefined none n/a""".split()  # noqa: SIM905  (a column of words reads best)
)
# Small words inside a name: "Charles de Gaulle", "Jean van den Berg".
_PARTICLES = frozenset(
    [
        "de",
        "du",
        "des",
        "d",
        "la",
        "le",
        "les",
        "van",
        "von",
        "der",
        "den",
        "ten",
        "ter",
        "da",
        "di",
        "del",
        "dos",
        "el",
        "al",
        "ben",
        "bin",
        "ibn",
        "y",
        "e",
        "o’",
        "o",
    ]
)
_ARTICLES = frozenset({"le", "la", "les", "l'", "the", "un", "une"})
# How a byline begins.
_OPENING = re.compile(
    r"""^\W*(?:(?:un\ |une\ )?(?:source|article|texte|enquête|reportage|récit|entretien|analyse|chronique|interview|
    vidéo|photos?|infographies?|illustrations?)?\s*(?:(?:rédigée?|écrite?|réalisée?|signée?|publiée?|préparée?)\s+)?par\b\s*:?
    |(?:source|reportage|texte|enquête|dessin|photos?|vidéo|entretien|récit)\s+(?=[A-ZÉ])
    |propos\ recueillis\ (?:par|à\ [\w-]+\ par)|de\ notre\ (?:envoyée?\ spéciale?|correspondante?)[^,:]{0,40}[,:]?
    |textes?\s*:|by\b|auteure?s?\s*:|signé\b|from\b|with\b)\s*""",
    re.IGNORECASE | re.VERBOSE,
)
_TITLES = re.compile(r"^(?:mmes?|mm?\.|melle|mlle|me|m|dr|pr|maître|professeur)\s+(?=[A-ZÉÈÀÎÔ])", re.IGNORECASE)
_SPLIT = re.compile(r"\s*(?:,|;|/|\||•|·|\n|\s[-–—]\s|\bet\b|\band\b|&|\bavec\b|\bpour\b|\+)\s*", re.IGNORECASE)
_AGENCY = re.compile(
    r"(?<![\w-])(?:" + "|".join(re.escape(name) for name in sorted(AGENCIES, key=len, reverse=True)) + r")(?![\w-])",
    re.IGNORECASE,
)
_PARENTHESES = re.compile(r"\(([^()]{0,80})\)|\[([^\[\]]{0,80})\]")
_INITIALS = re.compile(r"^(?:[A-ZÉÈ][a-zéè]{0,2}\.[ -]?){1,3}(?:[A-ZÉÈ][a-zéèô]{0,3}\.?)?$")
_MAX_WORDS = 6
_MAX_LENGTH = 60
_MAX_PEOPLE = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Byline:
    """Who wrote it."""

    authors: tuple[str, ...] = ()
    agency: str | None = None


def read_byline(claims: Iterable[str], *, houses: Iterable[str] = ()) -> Byline:
    """Make a clean list of people from raw author claims; `houses` are names of the outlet itself.

    >>> read_byline(["Par Mme Ève Durand (avec AFP)"])
    Byline(authors=('Ève Durand',), agency='AFP')
    >>> read_byline(["La rédaction"])
    Byline(authors=(), agency=None)
    >>> read_byline(["Jean Petit, correspondant à Rome et Anne de La Tour"]).authors
    ('Jean Petit', 'Anne de La Tour')
    """
    ours = {_squash(house) for house in houses}
    people: dict[str, str] = {}
    agency: str | None = None
    for claim in claims:
        text = " ".join(claim.replace("\u00a0", " ").split())[:500]
        agency = agency or find_agency(text)
        for name in _names(text):
            if _squash(name) not in ours:
                people.setdefault(_key(name), name)
    return Byline(authors=tuple(_without_parts(people))[:_MAX_PEOPLE], agency=agency)


def find_agency(text: str) -> str | None:
    """Return the agency that a byline names in capitals or as a known name, None when there is none."""
    for match in _AGENCY.finditer(text):
        found = match.group()
        if found.isupper() or not AGENCIES[found.lower()].isupper() or found.lower() not in {"ap", "map", "tap"}:
            return AGENCIES[found.lower()]
    return None


def is_signature(line: str) -> bool:
    """Tell whether a line is initials alone, as short news is signed.

    >>> [is_signature(one) for one in ("A. Lo.", "J.-P. D.", "M.B.", "Fin.", "U.E.")]
    [True, True, True, False, False]
    """
    return bool(_INITIALS.match(line)) and line.count(".") > 1 and line not in {"U.E.", "U.S.", "J.O.", "L.A."}


def _names(text: str) -> list[str]:
    # "(avec Jean Petit)" names one more author; any other parenthesis is a place, a role or an agency.
    bare = _PARENTHESES.sub(lambda found: f", {found[1][5:]}, " if (found[1] or "").startswith("avec ") else " ", text)
    for _ in range(2):
        bare = _OPENING.sub("", bare).strip()
    parts = [_bare_name(part) for part in _SPLIT.split(bare)]
    return [part for part in parts if is_person(part)]


def _bare_name(part: str) -> str:
    if _INITIALS.match(part):  # "M. Té." is no Mister
        return part
    return _TITLES.sub("", _OPENING.sub("", part).strip(" \t.:,;-–—*|@\"'«»"))


def is_person(name: str) -> bool:
    """Tell whether a text can be a person's name: a few words, most of them capitalised, no newsroom's word."""
    words = name.replace("’", "'").split()
    if not words or len(words) > _MAX_WORDS or len(name) > _MAX_LENGTH or _AGENCY.fullmatch(name):
        return False
    folded = {word.lower().strip(".,'") for word in words}
    if folded & _NOT_NAMES or re.search(r"[\d@/<>{}=_?!]|\.\w{2,3}$|https?:|www\.", name):
        return False
    if words[0].lower() in _ARTICLES:  # "La Centrale des SCPI", "Le Monde"
        return False
    big = [word for word in words if word.split("'")[-1].strip("-.").lower() not in _PARTICLES]
    return bool(big) and all(_is_capitalised(word) for word in big)


def _is_capitalised(word: str) -> bool:
    bare = re.sub(r"^(?:d|l|o)'", "", word, flags=re.IGNORECASE)
    return bool(bare) and bare[0].isupper()


def _without_parts(people: dict[str, str]) -> list[str]:
    """Drop a name whose words all stand in another: "Durand" beside "Ève Durand"."""
    keys = {key: set(key.split()) for key in people}
    return [name for key, name in people.items() if not any(keys[key] < other for other in keys.values())]


def _key(name: str) -> str:
    return " ".join(sorted(re.findall(r"\w+", _fold(name))))


def _squash(text: str) -> str:
    return re.sub(r"\W", "", _fold(text))


def _fold(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return " ".join(plain.lower().split())
