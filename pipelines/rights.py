"""What a page, its headers and its host say of reuse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiosque.model import Article, Rights
from kiosque.rights import Tdm, merge_rights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kiosque.model import Rejected, Visit
    from kiosque.settings import ReservedPolicy


def rights_of(visit: Visit, reading: Article | Rejected | None, *, policy: ReservedPolicy = "store") -> Rights:
    """Return the rights of a visit's page from its host, its headers and its HTML; `ignore` does not look."""
    if policy == "ignore":
        return Rights()
    host = Tdm(visit.host_claims.tdm_reserved, visit.host_claims.tdm_policy)
    return rights_on_page(reading, visit.page.headers if visit.page is not None else visit.headers, host=host)


def rights_on_page(
    reading: Article | Rejected | None, headers: Sequence[tuple[str, str]], *, host: Tdm | None = None
) -> Rights:
    """Return the rights of a page from its HTML and its headers (names in lower case), and its `host` where known."""
    claims = reading.claims if isinstance(reading, Article) else None
    return merge_rights(host=host, headers=headers, claims=claims)
