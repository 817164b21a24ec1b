"""What the pages of decisions show is packed.

Pages are kept for hours only: those of before are deleted, and their links lead to a page that says so.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table of pages anew."""
    op.drop_index("decisions_expires_at", "decisions")
    op.drop_table("decisions")
    op.create_table(
        "decisions",
        sa.Column("uuid", sa.String(200), nullable=False, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("client", "server", "patient")),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("expires_at", sa.String(24), nullable=False),
    )
    op.create_index("decisions_expires_at", "decisions", ["expires_at"])
