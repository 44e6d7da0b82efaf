"""Drones that go to a more urgent order.

Revision: 0081
Revises: 0080
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0081"
down_revision = "0080"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("orders", sa.Column("pre_empted", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "pre_emptions",
        sa.Column("pre_emption_id", sa.String(length=40), nullable=False),
        sa.Column("taker_order_id", sa.String(length=40), nullable=False),
        sa.Column("victim_order_id", sa.String(length=40), nullable=False),
        sa.Column("victim_mission_id", sa.String(length=40), nullable=False),
        sa.Column("drone_id", sa.String(length=80), nullable=False),
        sa.Column("abort_id", sa.String(length=40), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("until", _MOMENT, nullable=False),
        sa.Column("settled_at", _MOMENT, nullable=True),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.ForeignKeyConstraint(
            ["taker_order_id"], ["orders.order_id"], name=op.f("fk_pre_emptions_taker_order_id_orders")
        ),
        sa.ForeignKeyConstraint(
            ["victim_order_id"], ["orders.order_id"], name=op.f("fk_pre_emptions_victim_order_id_orders")
        ),
        sa.ForeignKeyConstraint(
            ["victim_mission_id"],
            ["missions.mission_id"],
            name=op.f("fk_pre_emptions_victim_mission_id_missions"),
        ),
        sa.PrimaryKeyConstraint("pre_emption_id", name=op.f("pk_pre_emptions")),
    )
    op.create_index("ix_pre_emptions_outcome", "pre_emptions", ["outcome"], unique=False)
    op.create_index("ix_pre_emptions_taker_order_id", "pre_emptions", ["taker_order_id"], unique=False)


def downgrade() -> None:
    op.drop_table("pre_emptions")
    op.drop_column("orders", "pre_empted")
