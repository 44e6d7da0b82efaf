"""Whether an incident is guided by video.

Revision: 0072
Revises: 0071
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0072"
down_revision = "0071"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "incidents",
        sa.Column("video_guidance", sa.String(length=20), nullable=False, server_default="by_severity"),
    )


def downgrade() -> None:
    op.drop_column("incidents", "video_guidance")
