"""What the pages say, in English and French."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from kiosque.advice import ADVICE, advice, says, spoken_age
from kiosque.dashboard.words_way import WAY

if TYPE_CHECKING:
    from datetime import timedelta

    from kiosque.advice import Kind
    from kiosque.health import Finding

Language = Literal["en", "fr"]
LANGUAGES: tuple[Language, ...] = ("en", "fr")

# Key: English, French.
WORDS: dict[str, tuple[str, str]] = {
    "skip": ("Skip to the content", "Aller au contenu"),
    "colon": (":", "\u00a0:"),
    "sections": ("Sections", "Rubriques"),
    "overview": ("Overview", "Vue d’ensemble"),
    "outlets": ("Outlets", "Titres"),
    "outlet": ("Outlet", "Titre"),
    "articles": ("Articles", "Articles"),
    "article": ("Article", "Article"),
    "other_language": ("Français", "English"),
    "hour": ("Hour (UTC)", "Heure (UTC)"),
    "week": ("Week from", "Semaine du"),
    "as_table": ("As a table", "En tableau"),
    "by_month": ("Articles per day, last thirty days", "Articles par jour, trente derniers jours"),
    "by_week": (
        "Share of articles with each field, week by week",
        "Part des articles qui ont chaque champ, semaine après semaine",
    ),
    "pause": ("Pause the refresh", "Suspendre l’actualisation"),
    "refreshes": ("This page refreshes itself every {n} s.", "Cette page s’actualise toutes les {n} s."),
    "stale": (
        "No answer from Kiosque: what you see may be old.",
        "Kiosque ne répond pas : ce que vous voyez date peut-être.",
    ),
    "found_n": ("{n} articles shown", "{n} articles affichés"),
    "at_once": ("at once", "tout de suite"),
    "in_time": ("in {age}", "dans {age}"),
    "last_polled": ("Last poll", "Dernière relève"),
    "last_success": ("Last success", "Dernier succès"),
    "last_changed": ("Newest entry", "Entrée la plus récente"),
    "interval": ("Interval", "Intervalle"),
    "per_day": ("Entries a day", "Entrées par jour"),
    "failures_row": ("Failures in a row", "Échecs de suite"),
    "moved_to": ("Moved for good to", "A déménagé vers"),
    "freshness": ("Freshness: each outlet’s newest article", "Fraîcheur : le dernier article de chaque titre"),
    "look": ("What needs a look", "À regarder"),
    "fine": ("Nothing needs a person.", "Rien à signaler."),
    "problem": ("problem", "problème"),
    "notice": ("notice", "remarque"),
    "do": ("What to do:", "Que faire :"),
    "revisions": ("Revisions", "Versions"),
    "waiting": ("Waiting", "En attente"),
    "waiting_long": ("addresses waiting", "adresses en attente"),
    "feeds": ("Feeds", "Flux"),
    "feed": ("Feed", "Flux"),
    "by_hour": ("Articles per hour, last two days", "Articles par heure, deux derniers jours"),
    "by_day": ("Articles per day, last two weeks", "Articles par jour, deux dernières semaines"),
    "bars": (
        "{total} articles; most at once {most}; last {last}",
        "{total} articles ; maximum {most} ; dernier {last}",
    ),
    "outcomes": ("How pages ended", "Issue des pages"),
    "since_yesterday": ("How pages ended since yesterday (UTC)", "Issue des pages depuis hier (UTC)"),
    "outcome": ("Outcome", "Issue"),
    "number": ("Number", "Nombre"),
    "day": ("Day", "Jour"),
    "newest": ("Newest", "Dernier"),
    "newest_articles": ("Newest articles", "Derniers articles"),
    "state": ("State", "État"),
    "nothing_yet": ("Nothing was crawled yet.", "Rien n’a encore été collecté."),
    "none": ("None.", "Aucun."),
    "ago": ("{age} ago", "il y a {age}"),
    "never": ("never", "jamais"),
    "search": ("Search", "Chercher"),
    "words": ("Words in title or text", "Mots du titre ou du texte"),
    "all_outlets": ("All outlets", "Tous les titres"),
    "since": ("Fetched since", "Collectés depuis le"),
    "no_match": ("No article matches.", "Aucun article ne correspond."),
    "partial": (
        "The newest articles are still being indexed: search again for more.",
        "Les articles les plus récents restent à indexer : cherchez encore une fois.",
    ),
    "next": ("Older articles", "Articles plus anciens"),
    "first": ("Newest articles", "Articles les plus récents"),
    "published": ("Published", "Publié"),
    "modified": ("Modified", "Modifié"),
    "authors": ("Authors", "Auteurs"),
    "agency": ("Agency", "Agence"),
    "section": ("Section", "Rubrique"),
    "tags": ("Tags", "Mots-clés"),
    "language": ("Language", "Langue"),
    "image": ("Image", "Image"),
    "length": ("Length", "Longueur"),
    "words_n": ("{n} words", "{n} mots"),
    "first_seen": ("First seen", "Vu d’abord"),
    "fetched": ("Fetched", "Collecté"),
    "addresses": ("Addresses", "Adresses"),
    "archive": ("Page in the archive", "Page archivée"),
    "cluster": ("Near-duplicates", "Quasi-doublons"),
    "rights": ("Rights", "Droits"),
    "reserved": ("text and data mining reserved", "fouille de textes réservée"),
    "paywalled": ("paywalled", "payant"),
    "precision": ("precision: {precision}", "précision : {precision}"),
    "confidence": ("confidence {n} %", "confiance {n} %"),
    "where_from": ("Where each field came from", "D’où vient chaque champ"),
    "field": ("Field", "Champ"),
    "value": ("Value", "Valeur"),
    "from": ("Read from", "Lu dans"),
    "the_page": ("the page", "la page"),
    "kiosque": ("Kiosque", "Kiosque"),
    "said_in": ("said in {place}", "dit dans {place}"),
    "original": ("Read at the outlet", "Lire chez l’éditeur"),
    "as_json": ("As JSON", "En JSON"),
    "revision_n": ("Revision {n}", "Version {n}"),
    "latest": ("latest", "dernière"),
    "compare": ("What changed from {old} to {new}", "Ce qui change de {old} à {new}"),
    "title": ("Title", "Titre"),
    "text": ("Text", "Texte"),
    "same_text": ("The text is the same.", "Le texte est le même."),
    "left_out": ("Unchanged paragraphs are left out.", "Les paragraphes inchangés sont omis."),
    "removed": ("removed", "supprimé"),
    "added": ("added", "ajouté"),
    "back": ("Back to the article", "Retour à l’article"),
    "site": ("Site", "Site"),
    "country": ("Country", "Pays"),
    "expected": ("Expected a day", "Attendus par jour"),
    "range": ("{least} to {most}", "de {least} à {most}"),
    "learned": ("Learned clutter", "Lignes répétées apprises"),
    "learned_long": (
        "These lines repeat over its articles and are taken out of the texts.",
        "Ces lignes reviennent d’article en article et sont retirées des textes.",
    ),
    "line": ("Line", "Ligne"),
    "taken_out": ("taken out", "retirée"),
    "kept": ("kept", "gardée"),
    "coverage": ("Fields over time", "Champs au fil du temps"),
    "last_week": ("Last week", "Dernière semaine"),
    "month_before": ("The four weeks before", "Quatre semaines d’avant"),
    "date": ("date", "date"),
    "lead": ("lead", "chapô"),
    "mean_words": ("words, mean", "mots, moyenne"),
    "why_next": ("Why the next poll is when it is", "Pourquoi la prochaine relève est à cette heure"),
    "next_poll": ("Next poll", "Prochaine relève"),
    "not_declared": ("Its file is no longer there.", "Son fichier n’existe plus."),
    "scroll": ("{what}, scrolls sideways", "{what}, défile de côté"),
    "error": ("This cannot be shown", "Impossible à afficher"),
    "not_found": ("There is nothing at this address.", "Il n’y a rien à cette adresse."),
    "read_only": ("Read-only", "Lecture seule"),
    "new": ("new", "nouveaux"),
    "revised": ("revised", "révisés"),
    "unchanged": ("unchanged", "inchangés"),
    "duplicate": ("duplicate", "doublons"),
    "rejected": ("rejected", "rejetés"),
    "blocked": ("blocked", "bloqués"),
    "failed": ("failed", "échoués"),
    "health-new": ("new", "nouveau"),
    "health-ok": ("ok", "en ordre"),
    "health-failing": ("failing", "en échec"),
    "health-not-a-feed": ("not a feed", "pas un flux"),
    "health-empty": ("empty", "vide"),
    "health-silent": ("silent", "muet"),
    "health-blocked": ("blocked", "bloqué"),
    "health-gone": ("gone", "disparu"),
    **WAY,
}

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


def finding_words(finding: Finding, language: Language) -> tuple[str, str]:
    """Return what is wrong and what to do."""
    if language == "en":
        return says(finding), advice(finding)
    facts = {"outlet": finding.outlet, **finding.facts}
    facts |= {key: _age_in_french(facts[key]) for key in ("age",) if key in facts}
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
