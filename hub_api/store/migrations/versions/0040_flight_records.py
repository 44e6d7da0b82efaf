"""An index for the events of one flight.

Revision: 0040
Revises: 0012
"""

from __future__ import annotations

from alembic import op

revision = "0040"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_events_flight_id_seq", "events", ["flight_id", "seq"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_events_flight_id_seq", table_name="events")
