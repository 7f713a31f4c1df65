"""Is it French?"""

# ruff: noqa: E501  (one sentence a line)

import pytest

from pipelines.steps.language import detect_language

SENTENCES = {
    "fr": "Le maire a annoncé que les travaux de la place commenceront au printemps et dureront plus d’un an, selon ses services.",
    "en": "The mayor said that the works on the square would start in the spring and last for more than a year, according to his staff.",
    "es": "El alcalde anunció que las obras de la plaza comenzarán en la primavera y durarán más de un año, según sus servicios.",
    "it": "Il sindaco ha annunciato che i lavori della piazza cominceranno in primavera e dureranno più di un anno, secondo gli uffici.",
    "nl": "De burgemeester heeft gezegd dat de werken op het plein in de lente zullen beginnen en meer dan een jaar zullen duren.",
    "de": "Der Bürgermeister hat gesagt, dass die Arbeiten auf dem Platz im Frühjahr beginnen und mehr als ein Jahr dauern werden.",
    "pt": "O prefeito anunciou que as obras da praça vão começar na primavera e durar mais de um ano, segundo os seus serviços.",
}


@pytest.mark.parametrize(("language", "text"), SENTENCES.items(), ids=list(SENTENCES))
def test_a_sentence_is_told(language, text):
    assert detect_language(text) == language


@pytest.mark.parametrize("language", ["en", "es", "nl"])
def test_a_wrong_label_does_not_make_it_french(language):
    assert detect_language(SENTENCES[language], label="fr-FR") == language


def test_french_under_an_english_template_is_french():
    assert detect_language(SENTENCES["fr"], label="en") == "fr"


def test_a_list_of_names_is_what_its_label_says():
    names = (
        "Valmont : Petit, Durand, Le Goff, Martin. Bréville : Noël, Grand, Dubois. Arbitre : M. Leroy. Blessés : " * 3
    )
    assert detect_language(names + "le la", label="fr") == "fr"


def test_a_few_words_are_what_their_label_says():
    assert detect_language("Trois mots seulement", label="fr-BE") == "fr"
    assert detect_language("Trois mots seulement") is None


def test_another_script_is_nothing_we_know():
    assert (
        detect_language("Мэр объявил о начале работ на площади весной этого года и сказал, что они продлятся " * 2)
        is None
    )
