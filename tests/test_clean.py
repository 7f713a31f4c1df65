"""Clutter lines go whole, article lines stay whole."""

import pytest

from kiosque.common_rules import load_common, parse_common
from kiosque.errors import OutletError
from kiosque.model import CleanRules
from pipelines.steps.clean import clutter_rule


def rule(line, *, rules=None, learned=frozenset()):
    return clutter_rule(line, rules=rules or CleanRules(), common=load_common(), learned=learned)


@pytest.mark.parametrize(
    "line",
    [
        "Partager",
        "PARTAGER",
        "Partager sur Facebook",
        "Partagez cet article",
        "Copier le lien",
        "Lire aussi",
        "Lire aussi : Le port cherche un président",
        "À lire aussi Le port cherche un président",
        "A LIRE AUSSI >> Le port cherche un président",
        "→ Lire aussi | « Le port ne mourra pas »",
        "Lire également Le port cherche un président.",
        "Voir aussi : notre carte des travaux",
        "Lire notre enquête : Le port cherche un président",
        "Sur le même sujet",
        "Suivez la couverture complète",
        "La suite après cette publicité",
        "Publicité",
        "Abonnez-vous",
        "Abonnez-vous pour lire la suite",
        "Il vous reste 61.84% de cet article à lire. La suite est réservée aux abonnés.",
        "Cet article est réservé aux abonnés.",
        "Déjà abonné ? Connectez-vous",
        "Inscrivez-vous gratuitement à notre lettre",
        "Recevez chaque matin l’essentiel de l’actualité.",
        "Publié le 12 octobre 2024 à 10h30",
        "Mis à jour le 12/10/2024 à 10:30",
        "Temps de lecture : 3 min",
        "Lecture 3 min",
        "3 min de lecture",
        "Écouter l’article",
        "12 commentaires",
        "Réagir",
        "Voir les 8 commentaires",
        "Suivez-nous sur les réseaux sociaux",
        "Crédit photo : Agence du Nord",
        "© Jeanne Martin / Agence du Nord",
        "Photo : Jeanne Martin",
        "Exit mobile version",
        "La rédaction",
        "Rédaction en ligne",
        "Avec AFP",
        "Tous droits réservés",
        "* * *",
        "—",
    ],
)
def test_a_clutter_line_is_known(line):
    assert rule(line) is not None


@pytest.mark.parametrize(
    "line",
    [
        "Partager le pouvoir est difficile.",
        "Partager, c’est déjà choisir, disait-elle.",
        "« Publicité mensongère », a tranché le tribunal.",
        "« Publicité »",
        "La publicité comparative reste permise.",
        "Lire aussi des romans lui a permis de tenir.",
        "Voir aussi loin demande de bons yeux.",
        "Publier ce rapport serait une erreur, juge le ministre.",
        "Écouter les élèves reste la priorité du recteur.",
        "Suivre ce sentier demande deux heures.",
        "Réagir vite, tel est le mot d’ordre.",
        "Commenter l’actualité ne suffit plus, dit-il.",
        "Ce que l’on sait",
        "Le contexte",
        "S’abonner ou non, telle est la question que se posent les bibliothèques municipales.",
        "Recevoir un prix littéraire change une vie.",
        "Photographe au long cours, il a vu la ville changer.",
        "Abonnés absents : la salle était vide vendredi.",
        "Tags et fresques couvrent désormais la halle.",
        "Vidéosurveillance : la mairie recule",
        "Facebook a fermé son centre de données mardi.",
        "Annonce surprise au conseil municipal",
        "12 morts et 30 blessés",
        "Source de discorde, le péage sera débattu en décembre.",
    ],
)
def test_an_article_line_stays(line):
    assert rule(line) is None


def test_a_paragraph_is_never_dropped_by_its_opening():
    assert rule("Abonnez-vous à la prudence, disait-il à ses élèves. " * 8) is None


def test_the_outlet_s_own_lines_come_first():
    rules = CleanRules(drop_lines=("Nos lecteurs",), keep_lines=("Lire aussi",))
    assert rule("NOS LECTEURS écrivent", rules=rules) == "outlet: Nos lecteurs"
    assert rule("Lire aussi : le programme", rules=rules) is None


def test_learned_lines_forget_numbers_case_and_punctuation():
    learned = frozenset({"le courrier vendu a 0 exemplaires"})
    assert rule("Le Courrier, vendu a 1254 exemplaires !", learned=learned) == "learned"
    assert rule("Le Courrier, vendu à la criée", learned=learned) is None


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[lines.share]\nwhol = []", "lines.share."),
        ("[element.x]\ntags = []", "element"),
        ("[elements.x]\nwords = []\ncolour = 1", "elements.x."),
        ("[lines.share]\nwhole = ['(']", "lines.share.whole"),
        ("[lines", "_common.toml"),
    ],
)
def test_a_mistake_in_the_common_rules_is_named(text, place):
    with pytest.raises(OutletError, match=place):
        parse_common(text)
