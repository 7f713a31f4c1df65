"""The words of French dates: days, months, units, zones, and the words between them.

A token has a class, one character, so that a line becomes a short string (its shape) and the grammar
is a set of patterns over shapes. The classes:

    numbers  u seconds since 1970   1 one digit 1-9   2 01-12   3 13-23   4 24-31   5 32-59   6 60-99   0 "0"   7 "00"
             Y year   K four digits of a clock   8 YYYYMMDD   9 any other
    time     d premier   W weekday   w weekday cut short   R "mar" (mardi or mars)   M month   E ordinal
             h m s j k o y hour to year as units   N noon, midnight   p am, pm   Z zone   r region's zone
             T the ISO "T"   H hier and the like   q part of a day   I now   D dernier   F prochain
             G il y a   g ago   Q quantity in words   f fraction of an hour   v about
    glue     L le   C ce   U du   A à   & et, au   b par   a agencies and other words that are never the matter
    context  P published   V modified   X named by its date   e expected on its date   i staged on it
             B what the dates after it belong to   S what the times after it belong to
             O what the number after it belongs to   x unknown
    signs    / - (tight)  ! (separator)  ; (dot)  = (dot between digits)  : , < > % (plus)  ~ (minus after a space)
"""

from __future__ import annotations


def listed(text: str) -> list[str]:
    """Return the words and phrases of a comma-separated list."""
    return [word.strip() for word in text.split(",")]


def _numbered(*rows: str, start: int = 0) -> dict[str, int]:
    return {word: number for number, row in enumerate(rows, start) for word in row.split()}


WEEKDAYS = _numbered(
    "lundi monday",
    "mardi tuesday",
    "mercredi wednesday",
    "jeudi thursday",
    "vendredi friday",
    "samedi saturday",
    "dimanche sunday",
)
SHORT_WEEKDAYS = _numbered(
    "lun mon lu",  # two letters: Switzerland
    "tue tues ma",  # "mar" may also be mars
    "mer merc wed me",
    "jeu thu thur thurs je",
    "ven vend fri ve",
    "sam sat sa",
    "dim sun di",
)
WEEKDAY_NUMBERS = WEEKDAYS | SHORT_WEEKDAYS | {"mar": 1}
WEEKDAY_NAMES = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")

MONTHS = _numbered(
    "janvier janv jan january janvie",
    "fevrier fevr fev feb february fvrier fvr",  # an accented letter was dropped
    "mars march mar mrs",
    "avril avr apr april avri",
    "mai may",
    "juin jun june",
    "juillet juil juill jul july",
    "aout aou aug august ao aot",
    "septembre sept sep september septemb",
    "octobre oct october octob",
    "novembre nov november novemb",
    "decembre dec december decemb dcembre dc",
    start=1,
)
MONTH_NAMES = (
    *("", "janvier", "février", "mars", "avril", "mai", "juin"),
    *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
)
AMBIGUOUS_MONTHS = {"jui": (6, 7)}
"""Juin or juillet, cut to three letters: the weekday decides."""
LOST_LETTER_MONTHS = {
    name[:place] + lost + name[place + 1 :]: MONTHS[name]
    for name, place in (("fevrier", 1), ("fevr", 1), ("fev", 1), ("aout", 2), ("decembre", 1), ("dec", 1))
    for lost in ("_", "__")
}
"""An accented letter that was lost leaves one or two replacement characters (folded to "_")."""

UNITS = {
    "h": "h, heure, heures, hrs, hr, hour, hours",
    "m": "min, mins, mn, mns, minute, minutes",
    "s": "s, sec, secs, seconde, secondes, second, seconds",
    "j": "j, jr, jrs, jour, jours, day, days",
    "k": "semaine, semaines, semaine-ci, sem, week, weeks",
    "o": "mois, mois-ci, month, months",
    "y": "an, ans, annee, annees, year, years",
}
UNIT_OF = {word: unit for unit, words in UNITS.items() for word in listed(words)}
_UNITS_IN_WORDS = ("", "un une", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf")
_TENS_IN_WORDS = {"vingt": 20, "trente": 30, "quarante": 40, "cinquante": 50}
QUANTITIES = {
    **_numbered(*_UNITS_IN_WORDS, "dix", "onze", "douze", "treize", "quatorze", "quinze", "seize"),
    "dix-sept": 17, "dix-huit": 18, "dix-neuf": 19, **_TENS_IN_WORDS,
    **{f"{ten} et {one}": number + 1 for ten, number in _TENS_IN_WORDS.items() for one in ("un", "une")},
    **{
        f"{ten}-{one}": number + _UNITS_IN_WORDS.index(one)
        for ten, number in _TENS_IN_WORDS.items()
        for one in _UNITS_IN_WORDS[2:]
    },
    "une dizaine de": 10, "une douzaine de": 12, "une quinzaine de": 15, "une vingtaine de": 20, "une trentaine de": 30,
}  # fmt: skip
"""Days and ages in words; "sept" alone is September."""
FRACTIONS = "demi, demie, quart, quarts"

# Minutes east of UTC.
ZONES = {
    **dict.fromkeys(("z", "utc", "gmt", "ut", "tu", "temps universel", "temps universel coordonne", "wet"), 0),
    "heure moyenne de greenwich": 0, "heure normale d'europe centrale": 60, "heure d'ete d'europe centrale": 120,
    "heure normale d'afrique de l'ouest": 60, "heure d'afrique centrale": 120, "heure d'afrique de l'est": 180,
    "heure avancee de l'atlantique": -180, "heure normale de l'atlantique": -240, "heure avancee de l'est": -240,
    "heure d'ete de l'est": -240, "heure normale de l'est": -300, "heure d'ete de l'est nord-americain": -240,
    "heure normale de l'est nord-americain": -300, "heure avancee du centre": -300, "heure normale du centre": -360,
    **dict.fromkeys(("cet", "mez", "met", "west", "bst", "wat", "hec"), 60),
    **dict.fromkeys(("cest", "mest", "mesz", "eet", "cat", "heec"), 120),
    **dict.fromkeys(("eest", "eat", "msk"), 180),
    "hat": -150, "hnt": -210, "ndt": -150, "nst": -210,  # Terre-Neuve
    "haa": -180, "hna": -240, "adt": -180, "ast": -240,  # Atlantique
    "hae": -240, "hne": -300, "edt": -240, "est": -300,  # Est
    "hac": -300, "hnc": -360, "cdt": -300, "cst": -360,  # Centre
    "har": -360, "hnr": -420, "mdt": -360, "mst": -420,  # Rocheuses
    "hap": -420, "hnp": -480, "pdt": -420, "pst": -480,  # Pacifique
}  # fmt: skip
STANDARD_TIMES = frozenset(listed("cet, mez, met, eet, est, hne, ast, hna, cst, hnc, mst, hnr, pst, hnp"))
"""Winter's names, which people also write in summer."""
NAMED_ZONES = {
    **dict.fromkeys(("heure de paris", "heure francaise", "heure de france"), "Europe/Paris"),
    **dict.fromkeys(("heure de bruxelles", "heure belge"), "Europe/Brussels"),
    **dict.fromkeys(("heure suisse", "heure de geneve"), "Europe/Zurich"),
    **dict.fromkeys(("heure de montreal", "heure de l'est", "heure du quebec"), "America/Toronto"),
    "heure de dakar": "Africa/Dakar", "heure d'abidjan": "Africa/Abidjan", "heure de kinshasa": "Africa/Kinshasa",
    "heure de tunis": "Africa/Tunis", "heure d'alger": "Africa/Algiers", "heure de rabat": "Africa/Casablanca",
    "heure de noumea": "Pacific/Noumea", "heure de la nouvelle-caledonie": "Pacific/Noumea",
    "heure de la reunion": "Indian/Reunion", "heure de la guyane francaise": "America/Cayenne",
    "heure d'europe centrale": "Europe/Paris", "heure de tahiti": "Pacific/Tahiti", "heure de beyrouth": "Asia/Beirut",
    "heure de londres": "Europe/London", "heure de moscou": "Europe/Moscow",
    "heure de kiev": "Europe/Kyiv", "heure de new york": "America/New_York",
}  # fmt: skip
REGIONS = "europe, america, africa, indian, pacific, atlantic, asia, australia, antarctica"

DAYS_AGO = {
    **dict.fromkeys(("aujourd'hui", "aujourdhui", "aujourd hui", "auj", "today", "ce jour"), 0),
    **dict.fromkeys(("hier", "yesterday", "la veille"), 1),
    **dict.fromkeys(("avant-hier", "avant hier", "avanthier", "l'avant-veille"), 2),
}
NOON = {"midi": 12, "noon": 12, "minuit": 0, "midnight": 0}
DAY_PARTS = {
    **dict.fromkeys(("matin", "matinee", "nuit"), 0),
    **dict.fromkeys(("soir", "soiree", "apres-midi", "apres midi"), 12),
}
"""Parts of the day, with what they add to the hours before noon: "8 h du soir"."""

OTHERS = {
    "d": "premier",
    "E": "er, ier, ere, re, st, nd, rd, th",
    "T": "t",
    "L": "le, la, les, l, the, on, of, en",
    "C": "ce, cet, cette",
    "U": "du, de, d, des",
    "A": "a, vers, at, @, _, to",
    "&": "et, au, aux, and",
    "b": "par, by",
    "D": "dernier, derniere, passe, passee, last",
    "F": "prochain, prochaine, a venir",
    "G": "il y a, il ya, y a, voici, voila",
    "g": "ago",
    "v": "environ, pres de, pres d', moins de, moins d', plus de, plus d', about, presque, a peine",
    "I": (
        "a l'instant, l'instant, a l instant, maintenant, just now, il y a un instant, il y a quelques instants, "
        "il y a quelques secondes, il y a quelques minutes, il y a un moment, a la minute, il y a peu"
    ),
    "p": "am, pm, a.m, p.m",
    # Names whose number is no day; names that end like a verb in the future.
    "x": "riviera, primavera, caldera, shakira, "
    "tf1, m6, c8, w9, g7, g20, france 2, france 3, france 5, france 24, rtl 2, l1, d1",
    "a": (
        "afp, reuters, belga, ats, ap, keystone, avec, redaction, date, heure, heures, source, local, locale, locales, "
        "actu, actus, actualite, actualites, info, infos, web, exclusif, abonnes, abonne, premium, post, "
        "week-end, weekend, tot, tard"
    ),
}
