"""What was changed of the site since its file was written, and photos of its landing points."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, LargeBinary, Text
from sqlmodel import Field

from hub_api.store.tables import Row, UtcDateTime


class SiteItemRow(Row, table=True):
    """An item as it is now, in the shape of a site file; a removed one is kept without its document."""

    __tablename__ = "site_items"

    section: str = Field(primary_key=True, max_length=20)
    item_id: str = Field(primary_key=True, max_length=80)
    document: dict[str, Any] = Field(sa_type=JSON)
    removed: bool
    changed_at: datetime = Field(sa_type=UtcDateTime)
    changed_by: str = Field(max_length=120)


class SiteChangeRow(Row, table=True):
    """What changed, append-only. ``seq`` is part of the version that came of it."""

    __tablename__ = "site_changes"

    seq: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    by: str = Field(max_length=120)
    action: str = Field(max_length=20)
    section: str = Field(max_length=20)
    item_id: str = Field(max_length=80)
    reason: str = Field(sa_type=Text)
    version: str = Field(max_length=120)
    previous_version: str = Field(max_length=120)
    fields: list[str] = Field(sa_type=JSON)


class SitePhotoRow(Row, table=True):
    """A photo of a landing point, re-encoded: JPEG, without what a camera writes beside the picture."""

    __tablename__ = "site_photos"
    __table_args__ = (Index("ix_site_photos_landing_point_id", "landing_point_id"),)

    photo_id: str = Field(primary_key=True, max_length=40)
    landing_point_id: str = Field(max_length=80)
    caption: str = Field(sa_type=Text)
    width_px: int
    height_px: int
    sha256: str = Field(max_length=64)
    content: bytes = Field(sa_type=LargeBinary)
    uploaded_at: datetime = Field(sa_type=UtcDateTime)
    uploaded_by: str = Field(max_length=120)
