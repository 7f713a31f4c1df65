"""What a crawl of the demo press should find: the facts that end-to-end tests check."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from kiosque.demo.stories import plain

if TYPE_CHECKING:
    from datetime import datetime

    from kiosque.demo.newsroom import Newsroom, Published, System


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What is true of one story online.

    Compare text with `missing_from` and `clutter_in`: they do not care which kind of space is used.
    """

    url: str
    """The canonical address."""
    outlet: str
    title: str
    """With plain spaces: compare with `plain_spaces(record.title)`."""
    lead: str
    published: datetime
    """To the second, in the outlet's zone."""
    modified: datetime | None
    """None before an edit."""
    authors: tuple[str, ...]
    agency: str | None
    """By its short name: AFP."""
    section: str
    """As the page shows it; SPIP has it in the breadcrumb only."""
    paragraphs: tuple[str, ...]
    """Every line of the body that must be in the text: paragraphs, intertitres, list items."""
    clutter: tuple[str, ...]
    """How lines begin that must not be in the text."""
    repeated: tuple[str, ...]
    """Lines in the body of every page of the outlet, its slogan: only repetition gives them away as clutter."""
    paywalled: bool
    reserved: bool
    """Whether tdmrep.json reserves its address."""

    @property
    def day(self) -> str:
        """The day of publication where the outlet is: `2024-10-25`."""
        return self.published.date().isoformat()

    def missing_from(self, text: str) -> tuple[str, ...]:
        """Return the lead and the paragraphs that `text` lacks."""
        found = plain_spaces(text)
        return tuple(line for line in (self.lead, *self.paragraphs) if plain_spaces(line) not in found)

    def clutter_in(self, text: str) -> tuple[str, ...]:
        """Return the lines of `text` that are clutter, those of `repeated` not counted."""
        return _lines_starting(text, self.clutter)

    def repeated_in(self, text: str) -> tuple[str, ...]:
        """Return the lines of `text` that an outlet's other pages would give away as clutter."""
        return _lines_starting(text, self.repeated)


def _lines_starting(text: str, starts: tuple[str, ...]) -> tuple[str, ...]:
    lines = (plain_spaces(line) for line in text.splitlines())
    return tuple(line for line in lines if line.startswith(starts))


def plain_spaces(text: str) -> str:
    r"""Return a text with plain single spaces, whatever kind it had.

    >>> plain_spaces("Rugby\u00a0: la\u202ffinale\n")
    'Rugby : la finale'
    """
    return " ".join(text.split())


def expected_of(piece: Published, *, room: Newsroom, system: System) -> Expected:
    """Return the facts of one story online."""
    story, house = piece.story, room.house
    url = system.address(room, piece)
    return Expected(
        url=url,
        outlet=house.slug,
        title=story.title,
        lead=story.lead,
        published=piece.published,
        modified=piece.modified if piece.edited else None,
        authors=story.authors,
        agency=story.agency,
        section=story.section,
        paragraphs=tuple(plain(line) for line in chain.from_iterable(block.lines for block in story.body)),
        clutter=(*house.clutter, *(story.authors if story.initials else ())),
        repeated=(house.slogan,),
        paywalled=story.paywalled,
        reserved=system.reserves(url.removeprefix(room.site)),
    )
