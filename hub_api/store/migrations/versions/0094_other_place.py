"""A place told for an incident that is not where the incident is.

Revision: 0094
Revises: 0093
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0094"
down_revision = "0093"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("incidents", sa.Column("other_place", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("incidents", "other_place")
