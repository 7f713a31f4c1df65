"""Domains where no outlet is: for sale, expired, under construction, the default page of a server."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kiosque.scout.front import Front

# Hosts that answer for domains nobody uses; a redirect to one tells all.
PARKING_HOSTS = (
    "sedoparking.com",  # Sedo
    "sedo.com",
    "parkingcrew.net",  # Team Internet
    "bodis.com",
    "above.com",
    "afternic.com",  # GoDaddy
    "dan.com",  # GoDaddy, once Undeveloped
    "hugedomains.com",
    "domainmarket.com",
    "parklogic.com",
    "uniregistry.com",
    "dynadot.com",
    "nomdedomaine.com",
    "kifdom.com",  # French expired names
)
# What such pages say, French and English; looked for where there are few words only.
_SAYINGS = re.compile(
    r"domaine?s? (?:name )?(?:est|is|are|sont)? ?(?:peut-être |may be )?(?:à vendre|for sale|en vente|available for)"
    r"|(?:acheter|acquérir|buy|purchase|inquire about) (?:ce (?:nom de )?domaine|this domain)"
    r"|(?:domaine|domain)(?: \S+){0,3} (?:a expiré|has expired|est expiré|expired|is parked|est parqué|est réservé)"
    r"|(?:parked|parking) (?:free|domain|page)|domain parking|nom de domaine (?:est )?(?:réservé|déposé|enregistré)"
    r"|félicitations ! votre (?:domaine|site)|site (?:est )?en (?:cours de )?construction|under construction"
    r"|welcome to nginx|apache2? (?:\w+ )?default page|it works!|page par défaut|default web ?site page|coming soon"
    r"|bientôt (?:en ligne|disponible)",
    re.IGNORECASE,
)
_FEW_WORDS = 250
_FEW_LINKS = 40


def is_parked(front: Front) -> bool:
    """Tell whether a front page is that of a domain without an outlet."""
    host = front.url.partition("://")[2].partition("/")[0].partition(":")[0]
    if any(host == name or host.endswith(f".{name}") for name in PARKING_HOSTS):
        return True
    few = len(front.words.split()) <= _FEW_WORDS and front.links <= _FEW_LINKS
    return few and bool(_SAYINGS.search(front.words)) and not front.feeds
