"""Schema 4: fewer and smaller indexes, so that a batch writes fewer pages."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
LONGEST_URL = 1_600  # bytes; with its key it stands in one index, and PostgreSQL's takes 2,704


def upgrade() -> None:
    """Make the indexes anew, and `addresses` with its key in front of its URL."""
    op.drop_index("changes_by_article", "changes")
    op.drop_index("articles_by_outlet", "articles")
    op.create_index("articles_by_time", "articles", ["first_seen_at", "outlet"])
    op.drop_index("articles_by_cluster", "articles")
    _partial("articles_by_cluster", "articles", ["cluster"], "cluster <> id")
    op.drop_index("entries_waiting", "entries")
    _partial("entries_waiting", "entries", ["outlet", "number"], "state = 'pending'")
    op.drop_index("addresses_by_key", "addresses")
    op.drop_index("addresses_by_article", "addresses")
    op.rename_table("addresses", "addresses_3")
    op.create_table(
        "addresses",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("article", sa.String(24), nullable=False),
        sa.Column("etag", sa.Text),
        sa.Column("last_modified", sa.Text),
        sa.PrimaryKeyConstraint("key", "url", name="addresses_by_key"),
    )
    size = "octet_length(url)" if op.get_bind().dialect.name == "postgresql" else "length(CAST(url AS BLOB))"
    op.execute(
        "INSERT INTO addresses (key, url, article, etag, last_modified)"  # noqa: S608 - our own numbers
        f" SELECT key, url, article, etag, last_modified FROM addresses_3 WHERE {size} <= {LONGEST_URL}"
    )
    op.drop_table("addresses_3")
    op.create_index("addresses_by_article", "addresses", ["article"])


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
