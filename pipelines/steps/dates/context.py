"""What a date belongs to when it is no publication date: places, laws, births, deadlines, programmes, scores."""

from __future__ import annotations

# A date right behind one of these names it: "rue du 8-Mai-1945", "loi du 29 juillet 1881".
NEAR = {
    "streets and places": "rue avenue av boulevard bd bld place pl square quai quais stade pont allee allees impasse cours esplanade promenade "
    "parc jardin gare station metro tramway arret lycee college ecole hopital clinique caserne cite quartier residence "
    "rond-point carrefour passage chemin route faubourg villa hameau salle gymnase cimetiere monument memorial musee port hotel cafe "
    "theatre cinema bibliotheque mediatheque universite",
    "texts of law": "loi lois decret decrets arrete arretes ordonnance ordonnances directive directives reglement circulaire constitution charte "
    "convention traite traites accord accords resolution jugement arret code protocole senatus-consulte edit concordat bulle encyclique",
    "history": "attentat attentats attaque attaques massacre massacres bataille batailles armistice appel revolution insurrection "
    "emeute emeutes putsch coup guerre guerres capitulation debarquement liberation evenements tragedie catastrophe "
    "seisme tsunami cyclone ouragan explosion incendie crash accident crise krach tempete tuerie fusillade rafle "
    "drame manifestation manifestations greve mobilisation manif mouvement nuit referendum scrutin election elections "
    "presidentielle legislatives municipales europeennes victoire fete feria commemoration commemorations "
    "anniversaire ceremonie ceremonies journee abolition independance proclamation serment prise discours",
    "days to come": "avant jusqu'au jusqu'a jusque jusqu prevu prevue prevus prevues attendu attendue attendus attendues "
    "rendez-vous reporte reportee fixe fixee programme programmee echeance deadline avant-le "
    "reouverture livraison livrable livre disponible precommande prochainement",
    "sport and stage": "match rencontre finale demi-finale derby journee_ concert spectacle representation projection seance vernissage "
    "avant-premiere tirage loto euromillions keno amigo",
}
NEAR_PHRASES = (
    "a partir du;a partir de;a compter du;a compter de;des le;d'ici le;d'ici au;d'ici a;au plus tard le;au plus tard;rendez vous;"
    "en salles le;en salle le;au cinema le;en kiosque le;en librairie le;en vente le;coup d'envoi;date limite;"
    "sortie le;sortie du film;sortie en salles;sortie;debut le;fin le;ouverture le;fermeture le;appel du;le serment du"
)

# Whatever date follows, up to a separator or a label, is not the article's.
CLAUSE = {
    "lives": "ne nee nes nees naissance naquit naquirent decede decedee decedes deces mort morte morts inhume inhumee "
    "obseques funerailles epoux mariage marie mariee baptise fonde fondee fondation_ inaugure inauguree construit construite batie "
    "assassine assassinee execute fusille bapteme",
    "deadlines": "expire expirent expiration expirera valable valables validite valide echeance cloture clos date-limite "
    "inscription inscriptions candidature candidatures peremption consommer dlc ddm garantie renouvellement promo soldes remise "
    "avant-vente billetterie reservation reservations offre offres abonnez postulez",
    "things to come": "aura auront sera seront tiendra tiendront debutera commencera demarrera ouvrira ouvriront sortira fermera jouera "
    "affrontera arrivera paraitra entrera prendra reviendra rouvrira demain bientot agenda",
    "scores": "score scores set sets mi-temps tie-break victoire_ defaite cote cotes bat battu battue ratio note notes noté notee",
    "law": "loi_ jo jorf journal-officiel legifrance",
    "copyright": "copyright © ©copyright",
}
CLAUSE_PHRASES = (
    "date de naissance;date limite;date d'expiration;journal officiel;aura lieu;auront lieu;se tiendra;se deroulera;se derouleront;mi-temps;"
    "a consommer;en vigueur;entree en vigueur;plus que;fin des inscriptions;tie-break;a venir"
)

# A number right behind one of these is no date, whatever its signs.
NUMBERED = (
    "isbn issn ean siret siren rcs tva tel telephone fax gsm portable mobile appelez ip version versions v ref reference dossier iban cppap "
    "ojd n no num matricule licence brevet bic sms whatsapp article art alinea p pp page pages tome chapitre acte episode saison lot code "
    "build release id"
)

# A time or a duration behind one of these is no clock time of a publication.
SHOW = {
    "durations": "duree durees film lecture_ ecoute ecouter ecoutez podcast video_ dure trajet vol temps_ minutes_ serie episode documentaire emission "
    "replay rediffusion saison",
    "programmes": "jt journal matinale tranche flash bulletin",
    "opening hours": "ouvert ouverte ouverts ouvertes ouverture fermeture ferme horaires horaire accueil_ permanence",
}
SHOW_PHRASES = (
    "temps de lecture;duree de lecture;temps d'ecoute;lecture de;temps de trajet;temps de cuisson;temps de preparation;"
    "tous les jours;chaque jour;chaque matin;chaque soir;du lundi au vendredi;du lundi au samedi;du mardi au samedi;du mardi au vendredi;"
    "7 jours sur 7;7j/7;24h/24;24 h/24;"
    # Outlets and programmes whose names are hours.
    "13h15 le samedi;13h15 le dimanche;"
    "20h30 le dimanche;20h30 le samedi;"
)
