"""Flights that an operator sent to another place.

Revision: 0090
Revises: 0081
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0090"
down_revision = "0081"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "diversions",
        sa.Column("diversion_id", sa.String(length=40), nullable=False),
        sa.Column("order_id", sa.String(length=40), nullable=False),
        sa.Column("mission_id", sa.String(length=40), nullable=False),
        sa.Column("flight_id", sa.String(length=40), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("by", sa.String(length=120), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("place_kind", sa.String(length=20), nullable=False),
        sa.Column("place_id", sa.String(length=80), nullable=False),
        sa.Column("held_before", sa.Boolean(), nullable=False),
        sa.Column("hold_id", sa.String(length=40), nullable=False),
        sa.Column("reroute_id", sa.String(length=40), nullable=True),
        sa.Column("plan_id", sa.String(length=40), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("settled_at", _MOMENT, nullable=True),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.order_id"], name=op.f("fk_diversions_order_id_orders")
        ),
        sa.ForeignKeyConstraint(
            ["mission_id"], ["missions.mission_id"], name=op.f("fk_diversions_mission_id_missions")
        ),
        sa.PrimaryKeyConstraint("diversion_id", name=op.f("pk_diversions")),
    )
    op.create_index("ix_diversions_settled_at", "diversions", ["settled_at"], unique=False)
    op.create_index("ix_diversions_flight_id", "diversions", ["flight_id"], unique=False)


def downgrade() -> None:
    op.drop_table("diversions")
