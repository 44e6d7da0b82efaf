"""Whether an incident is guided by video.

Revision: 0061
Revises: 0060
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0061"
down_revision = "0060"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "incidents",
        sa.Column("video_guidance", sa.String(length=20), nullable=False, server_default="by_severity"),
    )


def downgrade() -> None:
    op.drop_column("incidents", "video_guidance")
