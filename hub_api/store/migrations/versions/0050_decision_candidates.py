"""A decision's candidates beside the order, in a compact form; earlier decisions keep theirs inside.

Revision: 0050
Revises: 0042
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "decision_candidates",
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.order_id"], name=op.f("fk_decision_candidates_order_id_orders")
        ),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_decision_candidates")),
    )


def downgrade() -> None:
    op.drop_table("decision_candidates")
