"""Live airspace: feeds, authorisations, revocations and the changes made of them.

Revision: 0010
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "airspace_feeds",
        sa.Column("feed_id", sa.String(length=40), nullable=False),
        sa.Column("file_format", sa.String(length=20), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.String(length=120), nullable=False),
        sa.PrimaryKeyConstraint("feed_id", name=op.f("pk_airspace_feeds")),
    )
    op.create_table(
        "authorisations",
        sa.Column("authorisation_id", sa.String(length=80), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("given_by", sa.String(length=120), nullable=False),
        sa.PrimaryKeyConstraint("authorisation_id", name=op.f("pk_authorisations")),
    )
    op.create_table(
        "revocations",
        sa.Column("authorisation_id", sa.String(length=80), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_by", sa.String(length=120), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("authorisation_id", name=op.f("pk_revocations")),
    )
    op.create_table(
        "airspace_changes",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=120), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("version", sa.String(length=120), nullable=False),
        sa.Column("previous_version", sa.String(length=120), nullable=False),
        sa.Column("added", sa.JSON(), nullable=False),
        sa.Column("removed", sa.JSON(), nullable=False),
        sa.Column("changed", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_airspace_changes")),
    )


def downgrade() -> None:
    for table in ("airspace_changes", "revocations", "authorisations", "airspace_feeds"):
        op.drop_table(table)
