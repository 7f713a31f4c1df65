"""French typography, one line at a time."""

import pytest

from pipelines.steps.typography import mend

NB = "\u00a0"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Vraiment ?", f"Vraiment{NB}?"),
        ("Oui ! Non ; peut-être : voilà.", f"Oui{NB}! Non{NB}; peut-être{NB}: voilà."),
        ("Il dit « oui » et part", f"Il dit «{NB}oui{NB}» et part"),
        ("Il demande « pourquoi ? »", f"Il demande «{NB}pourquoi{NB}?{NB}»"),
        ("Quoi ?!", f"Quoi{NB}?!"),
        ("avec Xi Jinping . Puis", "avec Xi Jinping. Puis"),
        ("en 2022 , dit-il", "en 2022, dit-il"),
        ("( Morbihan ) et ailleurs", "(Morbihan) et ailleurs"),
        ("à 14:30 et à 8 h 05", "à 14:30 et à 8 h 05"),
        ("un prix de 3 ,5 euros", "un prix de 3 ,5 euros"),
        ("voir https://exemple.fr/a?b=1;c=2 puis", "voir https://exemple.fr/a?b=1;c=2 puis"),
        ("le fichier .htaccess", "le fichier .htaccess"),
        ("e\u0301te\u0301", "été"),
        ("ci\u00admetière et ze\u200bro\ufeff", "cimetière et zero"),
        ("l’a\ufb01n et l’o\ufb03ce", "l’afin et l’office"),
        ("  deux   espaces\tet une tabulation ", "deux espaces et une tabulation"),
        (f"déjà{NB}? et déjà\u202f!", f"déjà{NB}? et déjà\u202f!"),
        ("10 000 euros", "10 000 euros"),
        ("«oui»", "«oui»"),
        ("", ""),
    ],
)
def test_a_line_is_mended(before, after):
    assert mend(before) == after


def test_mending_twice_changes_nothing_more():
    line = "Xi Jinping , « un ami » : vraiment ? ( oui ) !"
    assert mend(mend(line)) == mend(line)
