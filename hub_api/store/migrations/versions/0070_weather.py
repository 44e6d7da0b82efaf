"""Readings of stations' sensors, weather reports, and network identification that is owed.

Revision: 0070
Revises: 0060
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0070"
down_revision = "0060"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_MEASURED = (
    *("from_deg", "speed_m_s", "gust_m_s", "rain_rate_mm_h", "visibility_m"),
    *("temperature_deg_c", "pressure_hpa"),
)


def upgrade() -> None:
    op.create_table(
        "station_readings",
        sa.Column("station_id", sa.String(length=80), nullable=False),
        sa.Column("measured_at", _MOMENT, nullable=False),
        sa.Column("received_at", _MOMENT, nullable=False),
        *(sa.Column(name, sa.Float(), nullable=True) for name in _MEASURED),
        sa.PrimaryKeyConstraint("station_id", "measured_at", name=op.f("pk_station_readings")),
    )
    op.create_index("ix_station_readings_measured_at", "station_readings", ["measured_at"], unique=False)
    op.create_table(
        "weather_reports",
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("place", sa.String(length=8), nullable=False),
        sa.Column("issued_at", _MOMENT, nullable=False),
        sa.Column("received_at", _MOMENT, nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("understood", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "place", "issued_at", name=op.f("pk_weather_reports")),
    )
    op.create_index("ix_weather_reports_issued_at", "weather_reports", ["issued_at"], unique=False)
    op.create_table(
        "identification_batches",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("reports", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_identification_batches")),
    )


def downgrade() -> None:
    op.drop_table("identification_batches")
    op.drop_table("weather_reports")
    op.drop_table("station_readings")
