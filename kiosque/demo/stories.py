"""What the demo press has to print: houses and stories, read from the package's TOML files.

A story's body is plain text in blocks set apart by an empty line: `## ` is an intertitre, lines that
begin with `- ` a list, `> ` a quotation, anything else a paragraph; `[[words]]` is a link.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

DATA = files("kiosque.demo") / "data"
HOUSES = ("courrier-de-valmont", "sentinelle-de-brevaux", "fanal-de-sainte-aurore")

BlockKind = Literal["paragraph", "heading", "list", "quote"]
BLOCK_MARKS: tuple[tuple[str, BlockKind], ...] = (("## ", "heading"), ("- ", "list"), ("> ", "quote"))
LINK = re.compile(r"\[\[(.+?)\]\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A part of a body: one line of text, or one line an item for a list."""

    kind: BlockKind
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What an edit does to a body: `old` becomes `new`, or a paragraph is added at the end."""

    old: str = ""
    new: str = ""
    add: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """An article as its author filed it; no address and no date yet."""

    number: int
    slug: str
    title: str
    lead: str
    section: str
    authors: tuple[str, ...]
    body: tuple[Block, ...]
    tags: tuple[str, ...] = ()
    credit: str = ""
    hours_old: float | None = None
    """Age when the press starts; None waits for `DemoPress.publish`."""
    agency: str | None = None
    """By its short name; the copy carries no other byline."""
    initials: bool = False
    """Signed by initials under the text; no other byline."""
    amp_in_feed: bool = False
    """The feed gives the AMP address, as some WordPress plug-ins make it do."""
    paywalled: bool = False
    """`body` is the teaser that everybody may read."""
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """An outlet without an address: what its front matter and its clutter say."""

    slug: str
    name: str
    country: str
    timezone: str
    slogan: str
    clutter: tuple[str, ...]
    """How the lines begin that its pages carry and that belong to no article."""
    stories: tuple[Story, ...]


@cache
def houses() -> tuple[House, ...]:
    """Return the three outlets with their stories, oldest number first."""
    return tuple(_house(DATA / slug) for slug in HOUSES)


def _house(folder: Traversable) -> House:
    facts = _toml(folder / "house.toml")
    stories = (_story(_toml(file)) for file in (folder / "articles").iterdir() if file.name.endswith(".toml"))
    return House(
        slug=folder.name,
        **facts | {"clutter": tuple(facts["clutter"])},
        stories=tuple(sorted(stories, key=lambda story: story.number)),
    )


def _toml(file: Traversable) -> dict[str, Any]:
    return tomllib.loads(file.read_text(encoding="utf-8"))


def _story(facts: dict[str, Any]) -> Story:
    made = {
        "body": read_body(facts["body"]),
        "authors": tuple(facts["authors"]),
        "tags": tuple(facts.get("tags", ())),
        "changes": tuple(Change(**change) for change in facts.get("changes", ())),
    }
    return Story(**facts | made)


def read_body(text: str) -> tuple[Block, ...]:
    r"""Read the blocks of a body.

    >>> [block.kind for block in read_body("Un fait.\n\n## Suite\n\n- un\n- deux")]
    ['paragraph', 'heading', 'list']
    """
    return tuple(_block(part.strip()) for part in text.strip().split("\n\n"))


def _block(part: str) -> Block:
    for mark, kind in BLOCK_MARKS:
        if part.startswith(mark):
            return Block(kind=kind, lines=tuple(line.removeprefix(mark) for line in part.splitlines()))
    return Block(kind="paragraph", lines=(" ".join(part.splitlines()),))


def plain(text: str) -> str:
    """Return a line as a reader sees it: without the link marks.

    >>> plain("à [[Valmont]], hier")
    'à Valmont, hier'
    """
    return LINK.sub(r"\1", text)


def change(story: Story, how: Change) -> Story:
    """Return the story with one edit made and that edit struck from its list."""
    left = tuple(other for other in story.changes if other is not how)
    added = (Block(kind="paragraph", lines=(how.add,)),) if how.add else ()
    body = tuple(_replaced(block, how) for block in story.body) if how.old else story.body
    return replace(story, body=body + added, changes=left)


def _replaced(block: Block, how: Change) -> Block:
    return replace(block, lines=tuple(line.replace(how.old, how.new) for line in block.lines))
