"""Schema 4: fewer and smaller indexes, so that a batch writes fewer pages; bands for articles of schema 1."""

import sqlalchemy as sa
from alembic import op

from pipelines.steps import near

revision = "0004"
down_revision = "0003"
PAGE = 200
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
    _fill_bands(op.get_bind())


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def _fill_bands(connection: sa.Connection) -> None:
    """Give articles that have no bands theirs, so that later copies of them are known to be copies."""
    query = sa.text(
        "SELECT articles.number, revisions.text FROM articles JOIN revisions"
        " ON revisions.id = articles.id AND revisions.revision = articles.revision"
        " WHERE articles.number > :after AND NOT EXISTS (SELECT 1 FROM bands WHERE bands.article = articles.number)"
        " ORDER BY articles.number LIMIT :page"
    )
    bands = sa.table("bands", sa.column("band", sa.BigInteger), sa.column("article", sa.Integer))
    # Asked for each article in turn; `bands` itself has the band in front.
    op.create_index("bands_by_article", "bands", ["article"])
    after = 0
    while rows := connection.execute(query, {"after": after, "page": PAGE}).all():
        after = rows[-1].number
        found = [{"band": band, "article": row.number} for row in rows for band in set(near.bands(row.text))]
        if found:
            connection.execute(bands.insert(), found)
    op.drop_index("bands_by_article", "bands")
