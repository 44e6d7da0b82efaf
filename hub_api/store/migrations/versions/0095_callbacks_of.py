"""The callbacks of an order and of an incident are found without reading those of all others.

Revision: 0095
Revises: 0094
"""

from __future__ import annotations

from alembic import op

revision = "0095"
down_revision = "0094"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_callbacks_order_id", "callbacks", ["order_id"])
    op.create_index("ix_callbacks_incident_id", "callbacks", ["incident_id"])


def downgrade() -> None:
    op.drop_index("ix_callbacks_incident_id", table_name="callbacks")
    op.drop_index("ix_callbacks_order_id", table_name="callbacks")
