"""What reports group orders by: the station, and why nothing took off.

Orders of earlier releases take both from what is stored with them.

Revision: 0051
Revises: 0050
"""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("orders", sa.Column("station_id", sa.String(length=80), nullable=True))
    op.add_column("orders", sa.Column("non_flight_reason", sa.String(length=60), nullable=True))
    orders = sa.table(
        "orders",
        sa.column("order_id", sa.String),
        sa.column("state", sa.String),
        sa.column("airborne_at", sa.DateTime(timezone=True)),
        sa.column("decision", sa.JSON),
        sa.column("station_id", sa.String),
        sa.column("non_flight_reason", sa.String),
    )
    connection = op.get_bind()
    rows = connection.execute(
        sa.select(orders.c.order_id, orders.c.state, orders.c.airborne_at, orders.c.decision)
    )
    for order_id, state, airborne_at, stored in rows.all():
        decision: dict[str, Any] = json.loads(stored) if isinstance(stored, str) else stored or {}
        values: dict[str, Any] = {"station_id": decision.get("station_id")}
        if airborne_at is None and state == "CANCELLED":
            values["non_flight_reason"] = "cancelled_before_take_off"
        elif airborne_at is None and state in ("DECLINED", "FAILED"):
            reasons = decision.get("reasons") or [{"code": "unknown"}]
            values["non_flight_reason"] = str(reasons[0]["code"])[:60]
        connection.execute(orders.update().where(orders.c.order_id == order_id).values(**values))


def downgrade() -> None:
    op.drop_column("orders", "non_flight_reason")
    op.drop_column("orders", "station_id")
