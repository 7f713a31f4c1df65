"""What the words of a French date line are: each word or phrase with its token class and value.

A token class is one character, so that a line becomes a short string (its shape) and the grammar is
a set of patterns over shapes. The classes:

    numbers  1 one digit 1-9   2 01-12   3 13-23   4 24-31   5 32-59   6 60-99   0 "0"   7 "00"
             Y year   K four digits of a clock   8 YYYYMMDD   9 any other
    time     W weekday   w weekday cut short   R "mar" (mardi or mars)   M month   E ordinal
             h m s j k o y hour to year as units   N noon, midnight   p am, pm   Z zone   T the ISO "T"
             H hier and the like   q part of a day   I now   D dernier   F prochain   G il y a   g ago
             Q quantity in words   f fraction of an hour   v about
    glue     L le   C ce   U du   A à   & et, au   b par   a words that say nothing of the date
    context  P published   V modified   X what a date right after it belongs to
             O what a number right after it belongs to   B what every date after it belongs to   S what a time after it belongs to   x unknown
    signs    / - (tight)  ! (separator)  ; (dot)  = (dot between digits)  : , < > % (plus)  ~ (minus after a space)
"""

from __future__ import annotations

WEEKDAYS = {
    name: number
    for number, names in enumerate(
        (
            "lundi monday",
            "mardi tuesday",
            "mercredi wednesday",
            "jeudi thursday",
            "vendredi friday",
            "samedi saturday",
            "dimanche sunday",
        )
    )
    for name in names.split()
}
SHORT_WEEKDAYS = {
    name: number
    for number, names in enumerate(
        (
            "lun mon lu",  # two letters: Switzerland
            "tue tues ma",
            "mer merc wed me",
            "jeu thu thur thurs je",
            "ven vend fri ve",
            "sam sat sa",
            "dim sun di",
        )
    )
    for name in names.split()
}
MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "janvier janv jan january janvie",
            "fevrier fevr fev feb february fvrier fvr",  # fvrier, dcembre, aot: the accented letter was lost
            "mars march mar mrs",
            "avril avr apr april avri",
            "mai may",
            "juin jun june",
            "juillet juil juill jul july",
            "aout aou aug august aot ao_t",
            "septembre sept sep september septemb",
            "octobre oct october octob",
            "novembre nov november novemb",
            "decembre dec december dcembre decemb dc",
        ),
        start=1,
    )
    for name in names.split()
}
AMBIGUOUS_MONTHS = {"jui": (6, 7)}  # three-letter cut of juin and juillet: the weekday decides

LOST_LETTER_MONTHS = {
    name[:place] + lost + name[place + 1 :]: MONTHS[name]
    for name, place in (("fevrier", 1), ("fevr", 1), ("fev", 1), ("aout", 2), ("decembre", 1), ("dec", 1))
    for lost in ("_", "__")
}
"""An accented letter that was lost leaves one or two replacement characters (folded to "_")."""

MONTH_NAMES = ("", *"janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split())
WEEKDAY_NAMES = tuple("lundi mardi mercredi jeudi vendredi samedi dimanche".split())
WEEKDAY_NUMBERS = WEEKDAYS | SHORT_WEEKDAYS | {"mar": 1}

UNITS = {
    "h": "h heure heures hrs hr hour hours",
    "m": "min mins mn mns minute minutes minuts",
    "s": "s sec secs seconde secondes second seconds",
    "j": "j jr jrs jour jours day days",
    "k": "semaine semaines sem week weeks",
    "o": "mois month months",
    "y": "an ans annee annees year years",
}
UNIT_OF = {word: unit for unit, words in UNITS.items() for word in words.split()}
QUANTITIES = {
    word: number
    for number, words in enumerate(
        (
            "",
            "un une an",
            "deux",
            "trois",
            "quatre",
            "cinq",
            "six",
            "sept_",
            "huit",
            "neuf",
            "dix",
            "onze",
            "douze",
            "treize",
            "quatorze",
            "quinze",
        )
    )
    for word in words.split()
    if word not in ("an", "sept_")
} | {"seize": 16, "vingt": 20, "trente": 30, "quarante": 40, "cinquante": 50}

# Minutes east of UTC.
ZONES = {
    "z": 0, "utc": 0, "gmt": 0, "ut": 0, "tu": 0, "temps universel": 0, "wet": 0,
    "cet": 60, "mez": 60, "met": 60, "west": 60, "bst": 60, "wat": 60, "hec": 60,
    "cest": 120, "mest": 120, "mesz": 120, "eet": 120, "cat": 120, "heec": 120,
    "eest": 180, "eat": 180, "msk": 180,
    "hat": -150, "hnt": -210, "ndt": -150, "nst": -210,  # Terre-Neuve
    "haa": -180, "hna": -240, "adt": -180, "ast": -240,  # Atlantique
    "hae": -240, "hne": -300, "edt": -240, "est": -300,  # Est
    "hac": -300, "hnc": -360, "cdt": -300, "cst": -360,  # Centre
    "har": -360, "hnr": -420, "mdt": -360, "mst": -420,  # Rocheuses
    "hap": -420, "hnp": -480, "pdt": -420, "pst": -480,  # Pacifique
}  # fmt: skip
"""A zone's usual name in Europe, Africa and Canada (French and English)."""

STANDARD_TIMES = frozenset(
    ("cet", "mez", "met", "eet", "est", "hne", "ast", "hna", "cst", "hnc", "mst", "hnr", "pst", "hnp")
)
"""Winter's names, which people also write in summer."""

NAMED_ZONES = {
    "heure de paris": "Europe/Paris", "heure francaise": "Europe/Paris", "heure de bruxelles": "Europe/Brussels",
    "heure belge": "Europe/Brussels", "heure suisse": "Europe/Zurich", "heure de geneve": "Europe/Zurich",
    "heure de montreal": "America/Toronto", "heure de l'est": "America/Toronto", "heure du quebec": "America/Toronto",
    "heure de dakar": "Africa/Dakar", "heure d'abidjan": "Africa/Abidjan", "heure de kinshasa": "Africa/Kinshasa",
    "heure de tunis": "Africa/Tunis", "heure d'alger": "Africa/Algiers", "heure de rabat": "Africa/Casablanca",
    "heure de casablanca": "Africa/Casablanca", "heure de noumea": "Pacific/Noumea", "heure de londres": "Europe/London",
    "heure de new york": "America/New_York", "heure de moscou": "Europe/Moscow", "heure de kiev": "Europe/Kyiv",
    "heure avancee de l'est": "America/Toronto", "heure normale de l'est": "America/Toronto",
}  # fmt: skip

DAYS_AGO = {
    "aujourd'hui": 0, "aujourdhui": 0, "auj": 0, "today": 0, "ce jour": 0, "aujourd hui": 0,
    "hier": 1, "yesterday": 1, "la veille": 1,
    "avant-hier": 2, "avant hier": 2, "avanthier": 2, "l'avant-veille": 2,
}  # fmt: skip

NOON = {"midi": 12, "noon": 12, "minuit": 0, "midnight": 0}

# A part of the day, with the hours from which a twelve-hour clock is meant ("8 h du soir").
DAY_PARTS = {"matin": 0, "matinee": 0, "soir": 12, "soiree": 12, "nuit": 0, "apres-midi": 12, "apres midi": 12, "am": 0}

WORDS_BY_CLASS = {
    "E": "er ier ere re 1er st nd rd th e_r",
    "T": "t",
    "L": "le la les l en the on of",
    "C": "ce cet cette",
    "U": "du de d des",
    "A": "a vers at @ _ to",
    "&": "et au aux and",
    "b": "par by",
    "D": "dernier derniere passe passee last",
    "F": "demain prochain prochaine tomorrow next",
    "G": "il y a;y a;voici;voila;ya;il ya",
    "g": "ago",
    "v": "environ;pres de;moins de;moins d';plus de;plus d';about;presque;a peine;seulement",
    "I": "a l'instant;l'instant;a l instant;maintenant;just now;il y a un instant;il y a quelques instants;il y a quelques secondes;"
    "il y a quelques minutes;il y a un moment;a la minute;il y a peu",
    # who writes, where it stands, what carries a date: says nothing of when
    "a": "afp reuters belga ats ap avec redaction journal_ date heure heures_ source edition_ local locale locales actu actualite "
    "actualites info infos web exclusif abonnes abonne abonnement premium temps_",
}

PUBLISHED = (
    "publie publiee publies publiees publication published parution paru parue parus mis_en_ligne poste postee posted cree creee created "
    "redige redigee ecrit ecrite diffuse diffusee date_ datee envoye envoyee ajoute ajoutee soumis soumise emis transmis depose edite "
    "edition numero horoscope newsletter quotidien hebdo"
)
PUBLISHED_PHRASES = (
    "mis en ligne;mise en ligne;mis en line;premiere publication;date de publication;premiere parution;date de parution;date de mise en ligne;"
    "en ligne depuis;en ligne le;date du;datee du;publie en ligne;mis a disposition;date published;pub date;publication originale;"
    "publie initialement;initialement publie;initialement publiee;publie une premiere fois;publication initiale;version initiale;article paru"
)
MODIFIED = "modifie modifiee modifies modification maj actualise actualisee actualisation act updated modified revise revisee corrige corrigee edited rafraichi complete completee enrichi remanie update actualizado"
MODIFIED_PHRASES = (
    "mis a jour;mise a jour;mis-a-jour;mise-a-jour;mis jour;mis _ jour;mise _ jour;derniere mise a jour;derniere modification;derniere actualisation;derniere maj;"
    "m.a.j;m a j;date de modification;date de mise a jour;last updated;last modified;derniere version;derniere edition;dern. maj;mises a jour;"
    "mise a j;mis a j;modifie pour la derniere fois;date de derniere mise a jour;date de derniere modification"
)
