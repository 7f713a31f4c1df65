"""What `kiosque.polling` says of a feed's last poll and its next one, in French."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kiosque.dashboard.words import Language

# A whole sentence as polling writes it, without its point; `<time>` and `<said>` are put into French in their turn.
SENTENCES = (
    (r"(?P<n>\d+) entries", "{n} entrées"),
    (r"Never polled", "Jamais relevé"),
    (r"Not modified", "Rien n’a changé"),
    (r"The answer is an HTML page, not a feed", "La réponse est une page HTML, pas un flux"),
    (r"The answer has no content", "La réponse est vide"),
    (r"The answer is neither XML nor JSON", "La réponse n’est ni du XML ni du JSON"),
    (r"The answer is XML of some other kind", "La réponse est du XML d’une autre sorte"),
    (r"The same content as before", "Le même contenu qu’avant"),
    (r"The feed has no entries", "Le flux est vide"),
    (r"Nothing new for (?P<time>.+)", "Rien de neuf depuis {time}"),
    (r"Asked again after (?P<time>[^:]+): (?P<said>.+)", "Redemandé après {time} : {said}"),
    (r"Asked again after (?P<time>[^:]+)", "Redemandé après {time}"),
    (r"Not asked: (?P<said>.+)", "Non demandé : {said}"),
    (r"No answer: (?P<n>[\w-]+)", "Sans réponse : {n}"),
    (r"The server wants to see a browser", "Le serveur veut voir un navigateur"),
    (r"The server refuses: status (?P<n>\d+)", "Le serveur refuse : état {n}"),
    (r"Status 410, once: gone if it is said again", "État 410, une fois : disparu s’il le redit"),
    (
        r"Status 410 was said twice: the feed is gone and not asked again",
        "L’état 410 a été dit deux fois : le flux a disparu et n’est plus demandé",
    ),
    (r"Status (?P<n>\d+): the server asks to wait", "État {n} : le serveur demande d’attendre"),
    (r"Status (?P<n>\d+)", "État {n}"),
    (r"The answer was not understood: (?P<n>[\w-]+)", "La réponse n’a pas été comprise : {n}"),
    (r"Asked with its sitemap (?P<n>\S+): (?P<said>.+)", "Demandé avec son sitemap {n} : {said}"),
    (r"(?P<said>.+), (?P<n>\d+) times in a row", "{said}, {n} fois de suite"),
    (r"robots\.txt does not allow it", "robots.txt ne le permet pas"),
    (r"robots\.txt could not be read", "robots.txt n’a pu être lu"),
    (r"its address is private", "son adresse est privée"),
    (r"its address is neither http nor https", "son adresse n’est ni http ni https"),
    (r"its address is broken", "son adresse est mal formée"),
    (r"its rights are reserved", "ses droits sont réservés"),
    (r"its host refuses us or asks us to wait", "son hôte nous refuse ou demande d’attendre"),
    (r"another worker is at its host", "un autre programme interroge son hôte"),
    (r"its rhythm is not known yet", "son rythme n’est pas encore connu"),
    (
        r"it brings news faster than the shortest wait of (?P<time>.+)",
        "il apporte du neuf plus vite que l’attente la plus courte, {time}",
    ),
    (
        r"little is to be expected, and the longest wait is (?P<time>.+)",
        "peu de neuf est attendu, et l’attente la plus longue est de {time}",
    ),
    (r"news is to be expected by then, by its own rhythm", "du neuf est attendu d’ici là, à son propre rythme"),
    (r"the server's Cache-Control asks for it", "le Cache-Control du serveur le demande"),
    (r"the feed's ttl or update period asks for it", "le ttl ou la période du flux le demande"),
    (r"the feed asks to skip the hours before", "le flux demande de sauter les heures d’avant"),
)
_COMPILED = tuple((re.compile(pattern), french) for pattern, french in SENTENCES)
LONGEST, DEEPEST = 1_000, 4


def reason_words(reason: str, language: Language) -> tuple[str, Language]:
    r"""Return a feed's reason in the reader's language, with the language that it is in.

    A sentence that is not known, such as what a broken feed's parser says, leaves the whole in English.

    >>> reason_words("6 entries. Asked again after 9 min: its rhythm is not known yet.", "fr")[0]
    '6 entrées. Redemandé après 9 min\xa0: son rythme n’est pas encore connu.'
    """
    if language == "en" or len(reason) > LONGEST:
        return reason, "en"
    sentences = [_sentence(one.rstrip("."), DEEPEST) for one in re.split(r"(?<=\.) ", reason)]
    french = [one for one in sentences if one is not None]
    if not reason or len(french) < len(sentences):
        return reason, "en"
    return ". ".join(french).replace(" :", "\u00a0:") + ".", "fr"


def _sentence(text: str, depth: int) -> str | None:
    for pattern, french in _COMPILED:
        found = pattern.fullmatch(text)
        if found is None:
            continue
        facts = found.groupdict()
        if "time" in facts:
            facts["time"] = facts["time"].replace(" days", " jours").replace(".", ",")
        if "said" in facts:
            said = _sentence(facts["said"].rstrip("."), depth - 1) if depth else None
            if said is None:
                return None
            facts["said"] = said
        return french.format(**facts)
    return None
