"""How a key, a finding and an age are said in the reader's language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from kiosque.advice import ADVICE, advice, says, spoken_age
from kiosque.dashboard.reasons import reason_words
from kiosque.dashboard.words_pages import WORDS

if TYPE_CHECKING:
    from datetime import timedelta

    from kiosque.advice import Kind
    from kiosque.health import Finding

__all__ = [
    "FRENCH_ADVICE",
    "LANGUAGES",
    "WORDS",
    "Language",
    "age_words",
    "choose_language",
    "finding_words",
    "rule_words",
    "word",
]

Language = Literal["en", "fr"]
LANGUAGES: tuple[Language, ...] = ("en", "fr")

# As `kiosque.health.ADVICE`, in French.
FRENCH_ADVICE: dict[Kind, tuple[str, str]] = {
    "service-silent": (
        "Le service ne donne plus signe de vie depuis {age} : c’était le processus {pid} sur {host}.",
        "Cherchez dans son journal pourquoi il s’est arrêté ou bloqué, puis relancez `kiosque schedule`.",
    ),
    "reload-failed": (
        "Un fichier modifié est inutilisable, l’ancienne version reste en vigueur : {reason}",
        "Corrigez le fichier ; il est relu dès qu’il change.",
    ),
    "job-failing": (
        "La tâche {job} a échoué, {n} fois de suite : {reason}",
        "Réglez ce qu’elle signale ; elle repart d’elle-même.",
    ),
    "archive-unsent": (
        "{n} fichiers de l’archive ({size}) attendent d’être envoyés depuis {machine}, depuis {age} : {reason}",
        "Réglez ce qui est signalé ; la prochaine collecte les envoie, ou `kiosque archive send` sur cette machine.",
    ),
    "rights-changed": (
        "{host} dit autre chose de la réutilisation depuis le {since} : {now} (avant : {before}).",
        "Lisez son robots.txt et son tdmrep.json ; les articles gardent ce qui était dit lors de leur lecture.",
    ),
    "clutter-new": (
        "Une ligne se répète dans ses articles depuis le {since} et en est retirée : {line}",
        "Si elle n’est pas parasite, mettez-la dans `keep_lines` du fichier : `kiosque outlets clutter {outlet}`.",
    ),
    "not-polled": (
        "Aucun flux n’a été relevé depuis {age}.",
        "Lancez `kiosque schedule` (ou `kiosque crawl`), et voyez pourquoi il s’est arrêté.",
    ),
    "feed-gone": (
        "Le flux {feed} a disparu : son serveur l’a dit deux fois.",
        "Trouvez le nouveau avec `kiosque outlets add SITE`, puis corrigez le fichier du titre.",
    ),
    "feed-not-a-feed": (
        "Le flux {feed} répond autre chose : {reason}",
        "Ouvrez-le dans un navigateur ; s’il a déménagé, corrigez le fichier du titre.",
    ),
    "feed-failing": (
        "Le flux {feed} a échoué {failures} fois de suite : {reason}",
        "Ouvrez-le dans un navigateur ; s’il y marche, le serveur refuse peut-être les robots : écrivez au titre.",
    ),
    "feed-blocked": (
        "Le flux {feed} n’est pas relevé ou nous refuse : {reason}",
        "Respectez-le : retirez ce flux du fichier, ou demandez l’accord du titre.",
    ),
    "failed-share": (
        "{percent} % de ses pages n’ont pu être lues ({n} sur {seen}), le plus souvent {reason}.",
        "Voyez si le site est en panne ou refuse les robots ; un `delay` plus grand peut aider.",
    ),
    "blocked-share": (
        "{percent} % de ses pages sont interdites ({n} sur {seen}), le plus souvent {reason}.",
        "Respectez-le : laissez ce titre, ou demandez son accord.",
    ),
    "no-articles": (
        "Aucun nouvel article depuis {age}.",
        "Essayez une page avec `kiosque crawl {outlet} --limit 1` ; le flux annonce peut-être autre chose.",
    ),
    "rejected-share": (
        "{percent} % de ses pages ne sont pas des articles ({n} sur {seen} ; {before} % avant), surtout {reason}.",
        "Lisez-en une avec `kiosque read URL --outlet {outlet}` ; le gabarit a peut-être changé.",
    ),
    "coverage-fell": (
        "{percent} % de ses nouveaux articles ont le champ {field}, {before} % avant : {example}",
        "Le gabarit a peut-être changé : lisez cette page avec `kiosque read URL --outlet {outlet}`.",
    ),
    "text-shrank": (
        "Ses nouveaux articles ont {words} mots, {before} avant : {example}",
        "Le gabarit a changé, ou un péage est apparu : lisez cette page avec `kiosque read URL --outlet {outlet}`.",
    ),
    "rule-unmatched": (
        "La règle `{rule}` ne trouve rien sur ses {n} dernières pages (dernier succès : {matched}) : {example}",
        "Le gabarit a peut-être changé : corrigez la règle, ou bornez-la par `until` dans le fichier du titre.",
    ),
    "undated": (
        "Seuls {percent} % de ses articles ont une date : {example}",
        "Lisez cette page avec `kiosque read URL --outlet {outlet}`, et nommez sa place dans `[read] date_css`.",
    ),
    "too-few": (
        "{n} nouveaux articles par jour, pour {expected} attendus.",
        "Voyez s’il manque un flux ou s’il en annonce moins ; sinon corrigez `expect_per_day`.",
    ),
    "too-many": (
        "{n} nouveaux articles par jour, pour {expected} attendus.",
        "Voyez si un flux apporte autre chose que des articles ; sinon corrigez `expect_per_day`.",
    ),
    "feed-silent": (
        "Le flux {feed} répond, mais n’a rien de neuf depuis {since}.",
        "Regardez le site : il a peut-être un autre flux, ou s’est arrêté.",
    ),
    "feed-empty": ("Le flux {feed} est vide.", "Regardez le site : il a peut-être un autre flux."),
    "waiting": (
        "{n} adresses attendent d’être lues.",
        "Si elles croissent de jour en jour, augmentez `crawl.concurrency`, ou suivez moins de titres.",
    ),
}


def word(key: str, language: Language, **facts: object) -> str:
    """Return what is said of a key; `facts` fill its braces."""
    text = WORDS[key][LANGUAGES.index(language)]
    return text.format(**facts) if facts else text


def rule_words(rule: str, language: Language) -> str:
    r"""Say which rule took a line out; `rule` as `pipelines.steps.clean` names it.

    >>> rule_words("outlet: Lire aussi", "fr"), rule_words("common: byline", "en"), rule_words("learned", "en")
    ('fichier du titre\xa0: Lire aussi', 'common rule: byline', 'learned: it repeats over the articles')
    """
    kind, _, what = rule.partition(": ")
    key = f"rule-{kind.replace(' ', '-')}"
    return word(key, language, what=what) if key in WORDS else rule


def finding_words(finding: Finding, language: Language) -> tuple[str, str]:
    """Return what is wrong and what to do."""
    if language == "en":
        return says(finding), advice(finding)
    facts = {"outlet": finding.outlet, **finding.facts}
    facts |= {key: _age_in_french(facts[key]) for key in ("age",) if key in facts}
    facts |= {key: reason_words(facts[key], language)[0] for key in ("reason",) if key in facts}
    said, do = FRENCH_ADVICE.get(finding.kind, ADVICE[finding.kind])
    return said.format(**facts), do.format(**facts)


def age_words(age: timedelta, language: Language) -> str:
    """Say a stretch of time.

    >>> from datetime import timedelta
    >>> age_words(timedelta(days=9), "fr"), age_words(timedelta(days=9), "en")
    ('9 jours', '9 days')
    """
    spoken = spoken_age(age)
    return _age_in_french(spoken) if language == "fr" else spoken


def _age_in_french(spoken: str) -> str:
    return spoken.replace(" days", " jours")


def choose_language(asked: str | None, accept: str) -> Language:
    """Return the language of `?lang=`, else the one that an `Accept-Language` header likes best, else English.

    >>> choose_language(None, "de, fr-CH;q=0.9, en;q=0.8"), choose_language("en", "fr"), choose_language(None, "")
    ('fr', 'en', 'en')
    """
    for language in LANGUAGES:
        if asked == language:
            return language
    best: tuple[float, Language] = (0.0, "en")
    for part in accept[:500].split(","):
        tag, _, quality = part.strip().partition(";q=")
        for language in LANGUAGES:
            if tag.lower().partition("-")[0] == language and _quality(quality) > best[0]:
                best = (_quality(quality), language)
    return best[1]


def _quality(text: str) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 0.0
