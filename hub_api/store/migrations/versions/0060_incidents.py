"""Incidents, and orders merged into one mission.

Orders of earlier releases keep no incident: what was known of the call is in the order itself.

Revision: 0060
Revises: 0051
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0060"
down_revision = "0051"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _create_incidents()
    _create_parts()
    # In place, without a copy of the tables: they are the largest there are.
    op.add_column("orders", sa.Column("incident_id", sa.String(length=40), nullable=True))
    op.add_column("orders", sa.Column("merged_into", sa.String(length=40), nullable=True))
    op.add_column("orders", sa.Column("merged_orders", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("orders", sa.Column("split_at", _MOMENT, nullable=True))
    op.add_column("orders", sa.Column("withdrawn_at", _MOMENT, nullable=True))
    op.create_index("ix_orders_incident_id", "orders", ["incident_id"], unique=False)
    op.create_index("ix_orders_merged_into", "orders", ["merged_into"], unique=False)
    op.add_column("events", sa.Column("incident_id", sa.String(length=40), nullable=True))
    op.create_index("ix_events_incident_id_seq", "events", ["incident_id", "seq"], unique=False)
    with op.batch_alter_table("callbacks") as callbacks:
        callbacks.alter_column("order_id", existing_type=sa.String(length=40), nullable=True)
        callbacks.add_column(sa.Column("incident_id", sa.String(length=40), nullable=True))


def _create_incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("incident_id", sa.String(length=40), nullable=False),
        sa.Column("client", sa.String(length=80), nullable=False),
        sa.Column("reference", sa.String(length=80), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("managed", sa.Boolean(), nullable=False),
        sa.Column("exercise", sa.Boolean(), nullable=False),
        sa.Column("received_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.Column("place", sa.JSON(), nullable=False),
        sa.Column("latitude_deg", sa.Float(), nullable=False),
        sa.Column("longitude_deg", sa.Float(), nullable=False),
        sa.Column("floor", sa.Integer(), nullable=True),
        sa.Column("severity", sa.String(length=8), nullable=False),
        sa.Column("severity_code", sa.String(length=40), nullable=True),
        sa.Column("ambulance", sa.JSON(), nullable=True),
        sa.Column("escalation", sa.String(length=20), nullable=False),
        sa.Column("stages", sa.JSON(), nullable=False),
        sa.Column("callback_url", sa.Text(), nullable=True),
        sa.Column("personal", sa.Text(), nullable=True),
        sa.Column("personal_erased_at", _MOMENT, nullable=True),
        sa.Column("warned_at", _MOMENT, nullable=True),
        sa.Column("closed_at", _MOMENT, nullable=True),
        sa.Column("outcome", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("incident_id", name=op.f("pk_incidents")),
    )
    op.create_index("ix_incidents_client_reference", "incidents", ["client", "reference"], unique=False)
    op.create_index("ix_incidents_state", "incidents", ["state"], unique=False)


def _create_parts() -> None:
    op.create_table(
        "incident_parties",
        sa.Column("incident_id", sa.String(length=40), nullable=False),
        sa.Column("party_id", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("times", sa.JSON(), nullable=False),
        sa.Column("eta_at", _MOMENT, nullable=True),
        sa.Column("callback_url", sa.Text(), nullable=True),
        sa.Column("personal", sa.Text(), nullable=True),
        sa.Column("changed_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.incident_id"], name=op.f("fk_incident_parties_incident_id_incidents")
        ),
        sa.PrimaryKeyConstraint("incident_id", "party_id", name=op.f("pk_incident_parties")),
    )
    op.create_table(
        "incident_observations",
        sa.Column("observation_id", sa.String(length=40), nullable=False),
        sa.Column("incident_id", sa.String(length=40), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("stored_at", _MOMENT, nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("personal", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["incidents.incident_id"],
            name=op.f("fk_incident_observations_incident_id_incidents"),
        ),
        sa.PrimaryKeyConstraint("observation_id", name=op.f("pk_incident_observations")),
    )
    op.create_index(
        "ix_incident_observations_incident_id", "incident_observations", ["incident_id"], unique=False
    )
    op.create_table(
        "incident_keys",
        sa.Column("client", sa.String(length=80), nullable=False),
        sa.Column("key", sa.String(length=400), nullable=False),
        sa.Column("body_sha256", sa.String(length=64), nullable=False),
        sa.Column("incident_id", sa.String(length=40), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.incident_id"], name=op.f("fk_incident_keys_incident_id_incidents")
        ),
        sa.PrimaryKeyConstraint("client", "key", name=op.f("pk_incident_keys")),
    )
    op.create_table(
        "severity_codes",
        sa.Column("client", sa.String(length=80), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("severity", sa.String(length=8), nullable=False),
        sa.Column("changed_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("client", "code", name=op.f("pk_severity_codes")),
    )


def downgrade() -> None:
    op.execute("DELETE FROM callbacks WHERE order_id IS NULL")
    with op.batch_alter_table("callbacks") as callbacks:
        callbacks.drop_column("incident_id")
        callbacks.alter_column("order_id", existing_type=sa.String(length=40), nullable=False)
    op.drop_index("ix_events_incident_id_seq", table_name="events")
    op.drop_column("events", "incident_id")
    op.drop_index("ix_orders_merged_into", table_name="orders")
    op.drop_index("ix_orders_incident_id", table_name="orders")
    for name in ("withdrawn_at", "split_at", "merged_orders", "merged_into", "incident_id"):
        op.drop_column("orders", name)
    for table in (
        "severity_codes",
        "incident_keys",
        "incident_observations",
        "incident_parties",
        "incidents",
    ):
        op.drop_table(table)
