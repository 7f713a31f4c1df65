"""The tables, for SQLite and PostgreSQL alike."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    literal_column,
    text,
)

# One more than the last file in `migrations/versions`; see `storage.upgrade`.
SCHEMA_VERSION = 4

metadata = MetaData()

# Each index costs every batch as many page writes as it has rows in other places: an index stands here because a
# question needs it, and where the question is about few of the rows, it holds only those.

# No foreign keys: all rows of an article are written and erased by one transaction, and checking each row
# again took PostgreSQL a quarter of the time.

# Instants are ISO 8601 texts in UTC with microseconds: they sort as time, and SQLite has no type for them.
INSTANT = String(32)

meta = Table(
    "kiosque_meta",
    metadata,
    Column("key", String(40), primary_key=True),
    Column("value", Text, nullable=False),
)
"""`schema`: this file's version; `store`: the store's name in cursors; `searched`: the last change that
the search index has."""

articles = Table(
    "articles",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("outlet", String(100), nullable=False),
    Column("revision", Integer, nullable=False),  # the latest
    Column("first_seen_at", INSTANT, nullable=False),
    # Nullable only because a table that others refer to cannot be made anew when it is upgraded.
    Column("number", Integer),  # of the change that made it: a short name that is never given again
    Column("change", Integer),  # number of its last change
    Column("cluster", String(24)),  # the id of its cluster's earliest article; its own when it stands alone
    Index("articles_by_time", "first_seen_at", "outlet"),  # the newest come in at its end, whatever their outlet
    Index("articles_by_number", "number", unique=True),
    Index("articles_by_change", "change", unique=True),
    Index("articles_by_cluster", "cluster", sqlite_where=text("cluster <> id"), postgresql_where=text("cluster <> id")),
)

revisions = Table(
    "revisions",
    metadata,
    Column("id", String(24), primary_key=True),
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
    Column("rights", JSON, nullable=False),
    Column("archive", Text),
    Column("kiosque_version", String(40), nullable=False),
    Column("change", Integer, nullable=False),  # number of the change that made it; its row in the search index
    Index("revisions_by_fetch", "fetched_at"),
    Index("revisions_by_change", "change"),
)

addresses = Table(
    "addresses",
    metadata,
    Column("key", Text, primary_key=True),  # an AMP page and its article share one
    Column("url", Text, primary_key=True),
    Column("article", String(24), nullable=False),
    Column("etag", Text),
    Column("last_modified", Text),
    Index("addresses_by_article", "article"),
)

WAITS = "state = 'pending'"
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
    Index("entries_waiting", "outlet", "number", sqlite_where=text(WAITS), postgresql_where=text(WAITS)),
)
waits = literal_column(WAITS, Boolean)
"""That an entry waits, in the words of its index: a database takes a bound value for any state."""

revisits = Table(
    "revisits",
    metadata,
    Column("article", String(24), primary_key=True),
    Column("outlet", String(100), nullable=False),
    Column("next_due", INSTANT),  # when it is asked again; null is never
    Column("removed_at", INSTANT),  # since when its page is gone; null is there
    Index("revisits_due", "next_due"),
    Index("revisits_removed", "removed_at"),
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
    # Given out under the writers' lock: no gaps, and in the order of the commits.
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("id", String(24), nullable=False),
    Column("revision", Integer, nullable=False),  # 0 when the article was deleted
    Column("kind", String(10), nullable=False),
    Column("at", INSTANT, nullable=False),
)

outcomes = Table(
    "outcomes",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("outlet", String(100), primary_key=True),
    Column("outcome", String(80), primary_key=True),
    Column("n", Integer, nullable=False),
)

tombstones = Table(
    "tombstones",
    metadata,
    Column("mark", String(24), primary_key=True),  # a hash: what was forgotten is not written down here
    Column("at", INSTANT, nullable=False),
)

bands = Table(
    "bands",
    metadata,
    Column("band", BigInteger, primary_key=True, autoincrement=False),
    Column("article", Integer, primary_key=True, autoincrement=False),  # its number
    sqlite_with_rowid=False,
)

lines = Table(
    "lines",
    metadata,
    Column("outlet", String(100), primary_key=True),
    Column("mark", String(24), primary_key=True),  # a hash of the line
    Column("line", Text, nullable=False),
    Column("articles", Integer, nullable=False),
    Column("since", Integer, nullable=False),  # the outlet's articles that were counted before its first
    Column("seen_in", JSON, nullable=False),  # ids of its first articles
    Column("first_seen", INSTANT, nullable=False),
    Column("last_seen", INSTANT, nullable=False),
    Index("lines_repeated", "outlet", "articles"),
)
