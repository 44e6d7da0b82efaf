"""Where people log in from, and wrong passwords from there.

Revision: 0093
Revises: 0092
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0093"
down_revision = "0092"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "login_networks",
        sa.Column("account_id", sa.String(length=40), nullable=False),
        sa.Column("network", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failed_at", _MOMENT, nullable=True),
        sa.Column("locked_until", _MOMENT, nullable=True),
        sa.Column("succeeded_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account_id"], name=op.f("fk_login_networks_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("account_id", "network", name=op.f("pk_login_networks")),
    )


def downgrade() -> None:
    op.drop_table("login_networks")
