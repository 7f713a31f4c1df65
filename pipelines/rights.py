"""What a page and its headers say of reuse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiosque.model import Article, Rights
from kiosque.rights import merge_rights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kiosque.model import Rejected


def rights_on_page(reading: Article | Rejected | None, headers: Sequence[tuple[str, str]]) -> Rights:
    """Return the rights of a page from its HTML and its headers (names in lower case)."""
    claims = reading.claims if isinstance(reading, Article) else None
    return merge_rights(headers=headers, claims=claims)
