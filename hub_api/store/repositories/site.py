"""Items of the site that were changed, the changes themselves, and photos."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from hub_api.store.site_tables import SiteChangeRow, SiteItemRow, SitePhotoRow


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteItemRecord:
    """An item that differs from the file; ``document`` None: it was taken away."""

    section: str
    item_id: str
    document: dict[str, Any] | None
    changed_at: datetime
    changed_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteChangeRecord:
    """One change of the site. ``fields``: what of the item changed."""

    seq: int
    at: datetime
    by: str
    action: str
    section: str
    item_id: str
    reason: str
    version: str
    previous_version: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SitePhotoRecord:
    """A photo without its picture."""

    photo_id: str
    landing_point_id: str
    caption: str
    width_px: int
    height_px: int
    sha256: str
    uploaded_at: datetime
    uploaded_by: str


_PHOTO = tuple(SitePhotoRecord.__dataclass_fields__)


def items(session: Session) -> list[SiteItemRecord]:
    """Everything that differs from the file."""
    rows = session.exec(select(SiteItemRow).order_by(col(SiteItemRow.section), col(SiteItemRow.item_id)))
    return [
        SiteItemRecord(
            section=row.section,
            item_id=row.item_id,
            document=None if row.removed else dict(row.document),
            changed_at=row.changed_at,
            changed_by=row.changed_by,
        )
        for row in rows
    ]


def put_item(session: Session, record: SiteItemRecord) -> None:
    """Store an item in place of its earlier version."""
    session.merge(
        SiteItemRow(
            section=record.section,
            item_id=record.item_id,
            document=record.document or {},
            removed=record.document is None,
            changed_at=record.changed_at,
            changed_by=record.changed_by,
        )
    )
    session.flush()


def last_seq(session: Session) -> int:
    """Number of the last change; 0 before the first."""
    return session.exec(select(func.max(SiteChangeRow.seq))).one() or 0


def append_change(session: Session, change: SiteChangeRecord) -> None:
    """Store a change under its number; ``IntegrityError`` if another hub was faster."""
    fields = {name: getattr(change, name) for name in SiteChangeRecord.__dataclass_fields__}
    session.add(SiteChangeRow(**(fields | {"fields": list(change.fields)})))
    session.flush()


def changes(
    session: Session, *, before_seq: int | None, item_id: str | None, limit: int
) -> list[SiteChangeRecord]:
    """The newest changes first."""
    query = select(SiteChangeRow).order_by(col(SiteChangeRow.seq).desc()).limit(limit)
    if before_seq is not None:
        query = query.where(col(SiteChangeRow.seq) < before_seq)
    if item_id is not None:
        query = query.where(col(SiteChangeRow.item_id) == item_id)
    return [
        SiteChangeRecord(**(row.model_dump() | {"fields": tuple(row.fields)}))
        for row in session.exec(query).all()
    ]


def add_photo(session: Session, photo: SitePhotoRecord, content: bytes) -> None:
    """Store a new photo with its picture."""
    session.add(SitePhotoRow(**{name: getattr(photo, name) for name in _PHOTO}, content=content))
    session.flush()


def photos(session: Session, landing_point_id: str | None = None) -> list[SitePhotoRecord]:
    """Photos without their pictures, oldest first."""
    columns = [getattr(SitePhotoRow, name) for name in _PHOTO]
    query = select(*columns).order_by(col(SitePhotoRow.photo_id))
    if landing_point_id is not None:
        query = query.where(col(SitePhotoRow.landing_point_id) == landing_point_id)
    return [SitePhotoRecord(**dict(zip(_PHOTO, row, strict=True))) for row in session.exec(query)]


def photo(session: Session, photo_id: str) -> tuple[SitePhotoRecord, bytes] | None:
    row = session.get(SitePhotoRow, photo_id)
    if row is None:
        return None
    return SitePhotoRecord(**{name: getattr(row, name) for name in _PHOTO}), row.content


def delete_photo(session: Session, photo_id: str) -> SitePhotoRecord | None:
    """The photo that is gone; None if there was none."""
    row = session.get(SitePhotoRow, photo_id)
    if row is None:
        return None
    record = SitePhotoRecord(**{name: getattr(row, name) for name in _PHOTO})
    session.delete(row)
    session.flush()
    return record
