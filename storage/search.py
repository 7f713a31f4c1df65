"""Full-text search in French: one row per revision, made when somebody searches; FTS5 or PostgreSQL's `french`."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select, text, update

from storage.schema import meta, revisions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection
    from sqlalchemy.sql.elements import ColumnElement

# Revisions read and indexed at once.
PAGE = 200
# PostgreSQL refuses a tsvector of a megabyte. A text of this many characters is a book.
LONGEST = 300_000
# Of a search: more words than this are a paste, not a question.
MOST_WORDS = 32

_WORD = re.compile(r"[^\W_]+")
_LETTERS = str.maketrans({"œ": "oe", "æ": "ae"})

# `content=''`: the index keeps no copy of the texts; a row is removed by giving its words again.
# Statements by dialect; the number is the change that made the revision.
CREATE = {
    "sqlite": (
        "CREATE VIRTUAL TABLE search_index USING fts5(words, content='', tokenize='unicode61 remove_diacritics 2')",
    ),
    "postgresql": (
        "CREATE TABLE search_index (number INTEGER PRIMARY KEY, words TSVECTOR NOT NULL)",
        "CREATE INDEX search_index_words ON search_index USING gin (words)",
    ),
}
ADD = {
    "sqlite": "INSERT INTO search_index (rowid, words) VALUES (:number, :words)",
    "postgresql": "INSERT INTO search_index (number, words) VALUES (:number, to_tsvector('french', :words))"
    " ON CONFLICT (number) DO NOTHING",
}
REMOVE = {
    "sqlite": "INSERT INTO search_index (search_index, rowid, words) VALUES ('delete', :number, :words)",
    "postgresql": "DELETE FROM search_index WHERE number = :number AND CAST(:words AS TEXT) IS NOT NULL",
}
MATCH = {
    "sqlite": "SELECT rowid FROM search_index WHERE search_index MATCH :asked",
    "postgresql": "SELECT number FROM search_index WHERE words @@ plainto_tsquery('french', :asked)",
}


def fold_search(words: str | None) -> str:
    """Fold a text to its words for search: case, accents, œ and æ, apostrophes and other signs.

    >>> fold_search("L’Œuvre d’été, c’est-à-dire")
    'l oeuvre d ete c est a dire'
    """
    folded = unicodedata.normalize("NFKD", (words or "").casefold().translate(_LETTERS))
    return " ".join(_WORD.findall("".join(c for c in folded if not unicodedata.combining(c))))


SHORTEST_PLURAL = 3  # "os", "as" and "ex" are words


def singular(folded: str) -> str:
    """Cut the plural's letter off each word: FTS5 knows no French, and PostgreSQL's stemmer keeps it on short words.

    >>> singular("les elus des bureaux ont vote")
    'le elu de bureau ont vote'
    """
    return " ".join(word[:-1] if len(word) >= SHORTEST_PLURAL and word[-1] in "sx" else word for word in folded.split())


def indexed_words(title: str, body: str) -> str:
    """Return what the index is given of a revision."""
    return singular(fold_search(f"{title} {body}"[:LONGEST]))


def create(connection: Connection) -> None:
    """Make the index; the tables stand."""
    for statement in CREATE[connection.dialect.name]:
        connection.execute(text(statement))


def catch_up(connection: Connection) -> bool:
    """Index the next revisions; return whether some were left to do.

    A crawl pays nothing for the index: it is brought up to date before a search reads it.
    """
    done = searched(connection)
    columns = (revisions.c.change, revisions.c.title, revisions.c.text)
    query = select(*columns).where(revisions.c.change > done).order_by(revisions.c.change).limit(PAGE)
    rows = connection.execute(query).all()
    if not rows:
        return False
    add(connection, rows)
    connection.execute(update(meta).where(meta.c.key == "searched").values(value=str(rows[-1].change)))
    return True


def behind(connection: Connection) -> bool:
    """Tell whether revisions wait to be indexed."""
    query = select(revisions.c.change).where(revisions.c.change > searched(connection)).limit(1)
    return connection.execute(query).first() is not None


def searched(connection: Connection) -> int:
    """Return the last change that was indexed."""
    return int(connection.execute(select(meta.c.value).where(meta.c.key == "searched")).scalar_one())


def add(connection: Connection, rows: Iterable[Any]) -> None:
    """Index revisions, given as `(change, title, text)`."""
    _run(connection, ADD, rows)


def remove(connection: Connection, rows: Iterable[Any]) -> None:
    """Take revisions out of the index; `(change, title, text)` as they were indexed."""
    done = searched(connection)
    _run(connection, REMOVE, (row for row in rows if row[0] <= done))


def forget_words(connection: Connection) -> None:
    """Make the index anew after erasures: FTS5 keeps the words of a removed row until then."""
    if connection.dialect.name == "sqlite":
        connection.execute(text("INSERT INTO search_index (search_index) VALUES ('optimize')"))


def _run(connection: Connection, statements: dict[str, str], rows: Iterable[Any]) -> None:
    dialect = connection.dialect.name
    given = [{"number": number, "words": indexed_words(title, body)} for number, title, body in rows]
    if given:
        connection.execute(text(statements[dialect]), given)


def matches(dialect: str, search: str) -> ColumnElement[bool] | None:
    """Return the condition that a revision holds all these words; None when there are no words to look for."""
    words = singular(fold_search(search)).split()[:MOST_WORDS]
    if not words:
        return None
    asked = " ".join(f'"{word}"' for word in words) if dialect == "sqlite" else " ".join(words)
    found = text(MATCH[dialect]).bindparams(bindparam("asked", asked))
    return revisions.c.change.in_(found)
