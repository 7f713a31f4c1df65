"""What a page and its headers say of reuse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiosque.model import Article, Rights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kiosque.model import Rejected


def rights_on_page(reading: Article | Rejected | None, headers: Sequence[tuple[str, str]]) -> Rights:
    """Return the rights of a page from its HTML and its headers."""
    del headers
    if not isinstance(reading, Article):
        return Rights()
    claims = reading.claims
    said = [("noai", "meta robots")] if "noai" in claims.robots else []
    if claims.tdm_reserved is not None:
        said.append(("tdm_reserved", "html meta"))
    return Rights(
        robots=", ".join(claims.robots) or "allowed",
        tdm_reserved=claims.tdm_reserved,
        tdm_policy=claims.tdm_policy,
        noai=True if "noai" in claims.robots else None,
        said=tuple(said),
    )
