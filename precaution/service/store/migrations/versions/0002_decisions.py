"""What the pages of decisions show."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "decisions",
        sa.Column("uuid", sa.String(200), nullable=False, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("client", "server", "patient", "content")),
        sa.Column("expires_at", sa.String(24), nullable=False),
    )
    op.create_index("decisions_expires_at", "decisions", ["expires_at"])
