"""The site as live data: changed items, changes, photos of landing points.

Revision: 0080
Revises: 0072
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0080"
down_revision = "0072"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "site_items",
        sa.Column("section", sa.String(length=20), nullable=False),
        sa.Column("item_id", sa.String(length=80), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.Column("changed_at", _MOMENT, nullable=False),
        sa.Column("changed_by", sa.String(length=120), nullable=False),
        sa.PrimaryKeyConstraint("section", "item_id", name=op.f("pk_site_items")),
    )
    op.create_table(
        "site_changes",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("by", sa.String(length=120), nullable=False),
        sa.Column("action", sa.String(length=20), nullable=False),
        sa.Column("section", sa.String(length=20), nullable=False),
        sa.Column("item_id", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("version", sa.String(length=120), nullable=False),
        sa.Column("previous_version", sa.String(length=120), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_site_changes")),
    )
    op.create_table(
        "site_photos",
        sa.Column("photo_id", sa.String(length=40), nullable=False),
        sa.Column("landing_point_id", sa.String(length=80), nullable=False),
        sa.Column("caption", sa.Text(), nullable=False),
        sa.Column("width_px", sa.Integer(), nullable=False),
        sa.Column("height_px", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("uploaded_at", _MOMENT, nullable=False),
        sa.Column("uploaded_by", sa.String(length=120), nullable=False),
        sa.PrimaryKeyConstraint("photo_id", name=op.f("pk_site_photos")),
    )
    op.create_index("ix_site_photos_landing_point_id", "site_photos", ["landing_point_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_site_photos_landing_point_id", table_name="site_photos")
    for table in ("site_photos", "site_changes", "site_items"):
        op.drop_table(table)
