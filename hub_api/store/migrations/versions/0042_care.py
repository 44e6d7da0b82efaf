"""Drones out of service, AEDs, docks and maintenance.

Revision: 0042
Revises: 0041
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "out_of_service",
        sa.Column("drone_id", sa.String(length=80), nullable=False),
        sa.Column("since", _MOMENT, nullable=False),
        sa.Column("by", sa.String(length=120), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("drone_id", name=op.f("pk_out_of_service")),
    )
    op.create_table(
        "aed_reports",
        sa.Column("drone_id", sa.String(length=80), nullable=False),
        sa.Column("serial", sa.String(length=80), nullable=False),
        sa.Column("model", sa.String(length=80), nullable=True),
        sa.Column("firmware", sa.String(length=80), nullable=True),
        sa.Column("battery_fraction", sa.Float(), nullable=True),
        sa.Column("pads_expire_on", sa.String(length=10), nullable=True),
        sa.Column("self_tested_at", _MOMENT, nullable=True),
        sa.Column("self_test_passed", sa.Boolean(), nullable=True),
        sa.Column("self_test_detail", sa.Text(), nullable=False),
        sa.Column("reported_at", _MOMENT, nullable=False),
        sa.Column("reported_by", sa.String(length=120), nullable=False),
        sa.PrimaryKeyConstraint("drone_id", name=op.f("pk_aed_reports")),
    )
    op.create_table(
        "dock_reports",
        sa.Column("station_id", sa.String(length=80), nullable=False),
        sa.Column("door", sa.String(length=10), nullable=False),
        sa.Column("mains_power", sa.Boolean(), nullable=True),
        sa.Column("backup_fraction", sa.Float(), nullable=True),
        sa.Column("charging_drone_ids", sa.JSON(), nullable=False),
        sa.Column("temperature_c", sa.Float(), nullable=True),
        sa.Column("measured_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("station_id", name=op.f("pk_dock_reports")),
    )
    op.create_table(
        "maintenance_rules",
        sa.Column("airframe_id", sa.String(length=80), nullable=False),
        sa.Column("rule_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("name_zh", sa.String(length=120), nullable=False),
        sa.Column("every_flights", sa.Integer(), nullable=True),
        sa.Column("every_air_h", sa.Float(), nullable=True),
        sa.Column("every_days", sa.Integer(), nullable=True),
        sa.Column("grounds", sa.Boolean(), nullable=False),
        sa.Column("set_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("airframe_id", "rule_id", name=op.f("pk_maintenance_rules")),
    )
    op.create_table(
        "maintenance_done",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("drone_id", sa.String(length=80), nullable=False),
        sa.Column("rule_id", sa.String(length=40), nullable=False),
        sa.Column("done_at", _MOMENT, nullable=False),
        sa.Column("flights_then", sa.Integer(), nullable=False),
        sa.Column("air_h_then", sa.Float(), nullable=False),
        sa.Column("by", sa.String(length=120), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_maintenance_done")),
    )
    op.create_index("ix_maintenance_done_drone_id", "maintenance_done", ["drone_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_maintenance_done_drone_id", table_name="maintenance_done")
    for table in ("maintenance_done", "maintenance_rules", "dock_reports", "aed_reports", "out_of_service"):
        op.drop_table(table)
