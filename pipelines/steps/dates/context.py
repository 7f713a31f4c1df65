"""What stands around a date: labels that give its role, and the words whose date is no article's.

Lists are comma-separated, folded as `repair.fold` does: lower case, no accents.
"""

from __future__ import annotations

# Publishing systems' labels, France, Québec, Belgium, Switzerland, Africa; a few half-translated ones.
PUBLISHED = (
    "publie, publiee, publies, publiees, publication, parution, paru, parue, parus, poste, postee, cree, creee, "
    "redige, redigee, ecrit, ecrite, diffuse, diffusee, date, datee, envoye, envoyee, ajoute, ajoutee, soumis, "
    "soumise, depose, published, posted, created, mis en ligne, mise en ligne, premiere publication, "
    "publication initiale, date de publication, premiere parution, date de parution, date de mise en ligne, date "
    "de creation, en ligne depuis, en ligne le, en ligne, date du, datee du, publie en ligne, initialement "
    "publie, initialement publiee, publie initialement, publiee initialement, version initiale, article paru, "
    "article du, date published,"
    # What an issue carries as its date.
    "edition, numero, newsletter, horoscope, mensuel, bimestriel, trimestriel, hebdomadaire"
)
MODIFIED = (
    "modifie, modifiee, modifies, modification, maj, actualise, actualisee, actualisation, act, revise, revisee, "
    "corrige, corrigee, edite, editee, complete, completee, enrichi, enrichie, remanie, rafraichi, updated, "
    "modified, edited, update, mis a jour, mise a jour, mises a jour, mis-a-jour, mise-a-jour, mise a j, mis a j, "
    "m.a.j, mis jour, mis _ jour, mise _ jour, derniere mise a jour, derniere modification, derniere "
    "actualisation, derniere maj, derniere version, derniere edition, date de modification, date de mise a jour, "
    "date de derniere mise a jour, date de derniere modification, last updated, last modified"
)

# "rue du 8-Mai-1945", "loi du 29 juillet 1881": with "du", the date is the thing's name.
NAMED_BY_DATE = {
    "places": (
        "rue, avenue, av, boulevard, bd, bld, place, pl, square, quai, quais, stade, pont, allee, allees, "
        "impasse, cours, esplanade, promenade, parc, jardin, gare, station, metro, tramway, arret, lycee, "
        "college, ecole, hopital, clinique, caserne, camp, cite, quartier, residence, rond-point, rond point, "
        "carrefour, passage, chemin, route, faubourg, villa, hameau, salle, gymnase, cimetiere, monument, "
        "memorial, musee, port, hotel, theatre, bibliotheque, mediatheque, universite, aeroport, marche, "
        "immeuble, tour, complexe, centre, echangeur, autoroute, province, region, barrage"
    ),
    "law": (
        "loi, lois, decret, decrets, arrete, arretes, ordonnance, ordonnances, directive, directives, reglement, "
        "circulaire, constitution, charte, convention, traite, traites, accord, accords, resolution, jugement, "
        "arret, protocole, edit, concordat, decision, deliberation, avenant, statuts, pacte, bulle, encyclique"
    ),
    "history": (
        "attentat, attentats, attaque, attaques, massacre, massacres, bataille, batailles, armistice, appel, "
        "revolution, insurrection, emeute, emeutes, putsch, coup, guerre, guerres, capitulation, debarquement, "
        "liberation, evenement, evenements, tragedie, catastrophe, seisme, tsunami, cyclone, ouragan, explosion, "
        "incendie, crash, accident, crise, krach, tempete, tuerie, fusillade, rafle, drame, greve, mobilisation, "
        "manif, mouvement, nuit, referendum, scrutin, election, elections, presidentielle, legislatives, "
        "municipales, europeennes, victoire, fete, commemoration, commemorations, anniversaire, ceremonie, "
        "ceremonies, journee, journees, abolition, independance, proclamation, serment, prise, discours, "
        "procession, genocide, inondations, canicule, victimes, morts, assassinat, manifestation, manifestations, "
        "marche, tremblement de terre"
    ),
    "sport and stage": (
        "match, rencontre, finale, demi-finale, derby, tirage, loto, euromillions, keno, exposition, expo, "
        "festival, salon, foire, congres, sommet, conference, audience, proces, seminaire, colloque, conseil, "
        "assemblee, vacances, soldes"
    ),
}
# "prévu le", "jusqu'au": the day is still to come, or was when it was written.
EXPECTED = (
    "dans, avant, jusqu'au, jusqu'a, jusque, jusqu'en, prevu, prevue, prevus, prevues, attendu, attendue, attendus, "
    "attendues, rendez-vous, rendez vous, rdv, reporte, reportee, fixe, fixee, programmee, echeance, deadline, "
    "livraison, livrable, precommande, prochainement, a partir du, a partir de, a compter du, a compter de, des le, "
    "d'ici le, d'ici au, d'ici a, au plus tard le, au plus tard, en salles le, en salles, en salle le, au cinema le, "
    "en kiosque le, en librairie le, en vente le, coup d'envoi, date limite, sortie le, sortie du film, "
    "sortie en salles, convoque, convoquee, save the date, jour j, a voir, a decouvrir, a ne pas manquer, en concert, "
    "en tournee, a l'affiche"
)
# "concert le", "sortie : ": also names of sections, so that a full date right behind one is the article's.
STAGED = (
    "concert, spectacle, representation, projection, seance, vernissage, avant-premiere, sortie, retour, programme, "
    "debut, fin, ouverture, reouverture, fermeture, disponible"
)

# Whatever date follows with "le", "du" or a colon, up to a separator or a label, is not the article's.
BELONGING = {  # verbs in the future are known by their ending
    "lives": (  # "n_" is "né", which `repair.fold` keeps apart from "ne"
        "n_, n_e, n_s, n_es, naissance, naquit, naquirent, decede, decedee, decedes, deces, mort, morte, morts, "
        "mourut, inhume, inhumee, obseques, funerailles, mariage, mariee, maries, baptise, bapteme, assassine, "
        "assassinee, execute, fusille, fonde, fondee, fondation, inaugure, inauguree, construit, construite, "
        "batie, disparu, disparue, date de naissance, abolie, promulguee, promulgue, adoptee, signe, signee, "
        "vote, votee"
    ),
    "deadlines": (
        "expire, expirent, expiration, expirera, valable, valables, validite, valide, cloture, clos, inscription, "
        "inscriptions, candidature, candidatures, peremption, consommer, dlc, ddm, garantie, renouvellement, "
        "promo, remise, billetterie, reservation, reservations, offre, offres, date d'expiration, fin des "
        "inscriptions, a consommer, en vigueur, entree en vigueur, depot des dossiers"
    ),
    "things to come": (
        "tiendra, tiendront, verra, fera, aura, auront, sera, seront, pourra, devra, bientot, agenda, aura lieu, "
        "auront lieu, se tiendra, se deroulera, se derouleront, a venir, demain, prochain, prochaine, prochains, "
        "tomorrow, next"
    ),
    "opening hours": (
        "ouvert, ouverte, ouverts, ouvertes, ferme, horaires, horaire, accueil, permanence, tous les jours, "
        "chaque jour, chaque matin, chaque soir, chaque, tous, toutes les, tous les, du lundi au vendredi, du "
        "lundi au samedi, du mardi au samedi, du mardi au vendredi, 7 jours sur 7, 7j/7, 24h/24, 24 h/24, sauf"
    ),
    "scores": "score, scores, set, sets, mi-temps, tie-break, ratio, note, notes, resultat, resultats",
    "copyright": "copyright, ©",
}

# A number right behind one of these is no date, whatever its signs.
NUMBERED = (
    "isbn, issn, ean, siret, siren, rcs, tva, tel, telephone, fax, gsm, appelez, ip, version, versions, v, ref, "
    "reference, dossier, iban, cppap, ojd, n, no, num, matricule, licence, brevet, bic, sms, whatsapp, article, "
    "alinea, p, pp, page, pages, tome, chapitre, acte, episode, saison, lot, code, build, release, id, volume, "
    "chambre, bus, rn, rd"
)

# A time or a duration behind one of these is no clock time of a publication.
SHOWN = {
    "durations": (
        "duree, durees, film, lecture, ecoute, ecouter, ecoutez, podcast, dure, trajet, serie, documentaire, "
        "emission, replay, rediffusion, temps de lecture, duree de lecture, temps d'ecoute, temps de trajet, "
        "temps de cuisson, temps de preparation, pendant, durant, chrono, cuisson, preparation, dossier audio"
    ),
    "programmes": "jt, journal, matinale, tranche, flash, bulletin, tf1, canal, tele, television, a suivre",
    "programmes named by their hour": ("13h15 le samedi, 13h15 le dimanche, 20h30 le samedi, 20h30 le dimanche"),
}
