"""The tables, for SQLite and PostgreSQL alike."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text

SCHEMA_VERSION = 1

metadata = MetaData()

# Instants are ISO 8601 texts in UTC with microseconds: they sort as time, and SQLite has no type for them.
INSTANT = String(32)

meta = Table(
    "kiosque_meta",
    metadata,
    Column("key", String(40), primary_key=True),
    Column("value", Text, nullable=False),
)

articles = Table(
    "articles",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("outlet", String(100), nullable=False),
    Column("revision", Integer, nullable=False),  # the latest
    Column("first_seen_at", INSTANT, nullable=False),
    Index("articles_by_outlet", "outlet", "first_seen_at"),
)

revisions = Table(
    "revisions",
    metadata,
    Column("id", String(24), ForeignKey("articles.id"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("outlet", String(100), nullable=False),
    Column("outlet_name", Text, nullable=False),
    Column("country", String(2), nullable=False),
    Column("url", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("lead", Text),
    Column("text", Text, nullable=False),
    Column("authors", JSON, nullable=False),
    Column("agency", Text),
    Column("section", Text),
    Column("tags", JSON, nullable=False),
    Column("image", Text),
    Column("language", String(35), nullable=False),
    Column("published", String(40)),
    Column("published_precision", String(10)),
    Column("published_from", String(10)),
    Column("published_text", Text),
    Column("published_confidence", Float),
    Column("modified", String(40)),
    Column("fetched_at", INSTANT, nullable=False),
    Column("paywalled", Boolean, nullable=False),
    Column("word_count", Integer, nullable=False),
    Column("text_hash", String(64), nullable=False),
    Column("cluster", String(24)),
    Column("rights", JSON, nullable=False),
    Column("archive", Text),
    Column("kiosque_version", String(40), nullable=False),
    Column("change", Integer, nullable=False),  # number of its last change
    Index("revisions_by_fetch", "fetched_at"),
    Index("revisions_by_change", "change"),
)

addresses = Table(
    "addresses",
    metadata,
    Column("url", Text, primary_key=True),
    Column("key", Text, nullable=False),  # an AMP page and its article share one
    Column("article", String(24), ForeignKey("articles.id"), nullable=False),
    Column("etag", Text),
    Column("last_modified", Text),
    Index("addresses_by_key", "key"),
    Index("addresses_by_article", "article"),
)

entries = Table(
    "entries",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("key", Text, nullable=False, unique=True),
    Column("outlet", String(100), nullable=False),
    Column("url", Text, nullable=False),
    Column("claim", Text),  # the feed's entry as JSON
    Column("state", String(10), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_try", INSTANT),
    Column("outcome", Text),
    Column("seen_at", INSTANT, nullable=False),
    Index("entries_waiting", "state", "outlet", "number"),
)

feeds = Table(
    "feeds",
    metadata,
    Column("url", Text, primary_key=True),
    Column("outlet", String(100), nullable=False),
    Column("next_due", INSTANT),
    Column("state", Text, nullable=False),
    Index("feeds_due", "next_due"),
)

changes = Table(
    "changes",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("id", String(24), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("kind", String(10), nullable=False),
    Column("at", INSTANT, nullable=False),
    Index("changes_by_article", "id", "revision"),
    sqlite_autoincrement=True,
)

outcomes = Table(
    "outcomes",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("outlet", String(100), primary_key=True),
    Column("outcome", String(80), primary_key=True),
    Column("n", Integer, nullable=False),
)
