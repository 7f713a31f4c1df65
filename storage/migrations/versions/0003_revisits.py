"""Schema 3: when articles are asked again, and whose pages are gone."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the table. Articles of before are not asked again."""
    op.create_table(
        "revisits",
        sa.Column("article", sa.String(24), primary_key=True),
        sa.Column("outlet", sa.String(100), nullable=False),
        sa.Column("next_due", sa.String(32)),
        sa.Column("removed_at", sa.String(32)),
    )
    op.create_index("revisits_due", "revisits", ["next_due"])
    op.create_index("revisits_removed", "revisits", ["removed_at"])
