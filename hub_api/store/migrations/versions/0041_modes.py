"""Modes of an order, the approvals of its flights, the ambulance's time of arrival.

Flights of earlier releases were commanded with their decision; their missions say so from now on.

Revision: 0041
Revises: 0040
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column(
        "orders", sa.Column("mode", sa.String(length=20), nullable=False, server_default="automatic")
    )
    op.add_column(
        "orders", sa.Column("needs_approval", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("orders", sa.Column("approved", sa.JSON(), nullable=True))
    op.add_column("orders", sa.Column("ambulance_eta_at", _MOMENT, nullable=True))
    op.add_column("missions", sa.Column("commanded_at", _MOMENT, nullable=True))
    op.add_column("missions", sa.Column("withdrawn", sa.String(length=40), nullable=True))
    op.execute("UPDATE missions SET commanded_at = created_at")
    op.create_table(
        "approvals",
        sa.Column("mission_id", sa.String(length=40), nullable=False),
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.Column("asked_at", _MOMENT, nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("next_alarm_at", _MOMENT, nullable=False),
        sa.Column("answered_at", _MOMENT, nullable=True),
        sa.Column("answer", sa.String(length=20), nullable=True),
        sa.Column("answered_by", sa.String(length=120), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["mission_id"], ["missions.mission_id"], name=op.f("fk_approvals_mission_id_missions")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.order_id"], name=op.f("fk_approvals_order_id_orders")),
        sa.PrimaryKeyConstraint("mission_id", name=op.f("pk_approvals")),
    )
    op.create_index("ix_approvals_order_id", "approvals", ["order_id"], unique=False)
    op.create_index("ix_approvals_next_alarm_at", "approvals", ["next_alarm_at"], unique=False)


def downgrade() -> None:
    op.drop_table("approvals")
    op.drop_column("missions", "withdrawn")
    op.drop_column("missions", "commanded_at")
    op.drop_column("orders", "ambulance_eta_at")
    op.drop_column("orders", "approved")
    op.drop_column("orders", "needs_approval")
    op.drop_column("orders", "mode")
