"""The change feed, clusters, tombstones, learned lines and the search index."""

from __future__ import annotations

import uuid

import sqlalchemy as sa
from alembic import op

from storage import search

revision = "0002"
down_revision = None  # schema 1 was made without a step


def upgrade() -> None:
    """Add what schema 1 lacks. Articles of that time stand alone in their clusters."""
    for column in (
        sa.Column("number", sa.Integer),
        sa.Column("change", sa.Integer),
        sa.Column("cluster", sa.String(24)),
    ):
        op.add_column("articles", column)
    op.execute(
        "UPDATE articles SET cluster = id,"
        " number = (SELECT min(change) FROM revisions WHERE revisions.id = articles.id),"
        " change = (SELECT max(change) FROM revisions WHERE revisions.id = articles.id)"
    )
    op.create_index("articles_by_number", "articles", ["number"], unique=True)
    op.create_index("articles_by_change", "articles", ["change"], unique=True)
    op.create_index("articles_by_cluster", "articles", ["cluster"])
    op.drop_column("revisions", "cluster")
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("changes", "number", server_default=None)
        op.drop_constraint("revisions_id_fkey", "revisions")
        op.drop_constraint("addresses_article_fkey", "addresses")
    op.create_table(
        "tombstones",
        sa.Column("mark", sa.String(24), primary_key=True),
        sa.Column("at", sa.String(32), nullable=False),
    )
    op.create_table(
        "bands",
        sa.Column("band", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("article", sa.Integer, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "lines",
        sa.Column("outlet", sa.String(100), primary_key=True),
        sa.Column("mark", sa.String(24), primary_key=True),
        sa.Column("line", sa.Text, nullable=False),
        sa.Column("articles", sa.Integer, nullable=False),
        sa.Column("since", sa.Integer, nullable=False),
        sa.Column("seen_in", sa.JSON, nullable=False),
        sa.Column("first_seen", sa.String(32), nullable=False),
        sa.Column("last_seen", sa.String(32), nullable=False),
    )
    op.create_index("lines_repeated", "lines", ["outlet", "articles"])
    meta = sa.table("kiosque_meta", sa.column("key", sa.String), sa.column("value", sa.String))
    op.bulk_insert(meta, [{"key": "store", "value": uuid.uuid4().hex[:12]}, {"key": "searched", "value": "0"}])
    search.create(op.get_bind())
