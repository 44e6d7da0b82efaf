"""Photos of landing points: decoded, made smaller, and stored without what a camera writes beside the picture.

Re-encoding is the check that a file is a picture: what comes out was drawn by us, and holds no position of the
photographer's telephone, no second file and no script.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import warnings
from collections.abc import Callable
from dataclasses import asdict

from PIL import ExifTags, Image
from sqlmodel import Session

from core.clock import Clock
from core.errors import DispatchError, ErrorCode
from core.ids import IdSource, is_id
from hub_api.store.database import Database
from hub_api.store.repositories import audit
from hub_api.store.repositories import site as store
from hub_api.store.repositories.site import SitePhotoRecord
from planner.site import Site

FORMATS = ("JPEG", "PNG", "WEBP")
LONGEST_SIDE_PX = 2048
MOST_PIXELS = 60_000_000
"""Chosen: above any phone's camera; a file of a few bytes may claim far more."""
MOST_PHOTOS = 12
"""Chosen: every side of a landing point, and its ways in."""
_QUALITY = 85


def redrawn(content: bytes) -> tuple[bytes, int, int]:
    """(JPEG, width, height), upright and at most 2048 px long. Raises 4001 for what is no picture."""
    try:
        with warnings.catch_warnings():
            # What a camera wrote wrongly beside the picture is left out anyway.
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise _refused(f"{picture.width} × {picture.height} pixels are too many")
                upright = _upright(picture).convert("RGB")
    except DispatchError:
        raise
    except Exception as error:
        # Decoders raise errors of a dozen kinds over a broken file; none of them is about the hub.
        raise _refused(f"it is no whole {', '.join(FORMATS)} picture ({type(error).__name__})") from None
    upright.thumbnail((LONGEST_SIDE_PX, LONGEST_SIDE_PX))
    out = io.BytesIO()
    upright.save(out, "JPEG", quality=_QUALITY, optimize=True)
    return out.getvalue(), upright.width, upright.height


_TURNED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What undoes each Orientation (Exif 2.32, 4.6.4)."""


def _upright(picture: Image.Image) -> Image.Image:
    """As it was seen. Nothing else of what the camera wrote is looked at, let alone written anew."""
    turned = _TURNED.get(picture.getexif().get(ExifTags.Base.Orientation, 1))
    return picture if turned is None else picture.transpose(turned)


def _refused(why: str) -> DispatchError:
    return DispatchError(ErrorCode.ORDER_INVALID, f"{why} · 不是可用的图片", field="body")


class PhotoDesk:
    """Takes photos from people."""

    def __init__(self, *, database: Database, ids: IdSource, clock: Clock, site: Callable[[], Site]) -> None:
        self._database, self._ids, self._clock, self._site = database, ids, clock, site
        self._drawing = asyncio.Lock()

    async def add(self, landing_point_id: str, content: bytes, *, caption: str, by: str) -> SitePhotoRecord:
        """4005 for an unknown landing point, 4001 for what is no picture, 4004 when there are enough."""
        if all(point.landing_point_id != landing_point_id for point in self._site().landing_points):
            raise DispatchError(
                ErrorCode.RESOURCE_UNKNOWN,
                f"there is no landing point {landing_point_id[:60]!r} · 没有该投送点",
                field="query.landing_point_id",
            )
        # One at a time: a picture of a few bytes may take hundreds of megabytes while it is drawn.
        async with self._drawing:
            picture, width_px, height_px = await asyncio.get_running_loop().run_in_executor(
                None, redrawn, content
            )
        record = SitePhotoRecord(
            photo_id=self._ids.new("pho"),
            landing_point_id=landing_point_id,
            caption=caption,
            width_px=width_px,
            height_px=height_px,
            sha256=hashlib.sha256(picture).hexdigest(),
            uploaded_at=self._clock.now(),
            uploaded_by=by,
        )

        def work(session: Session) -> None:
            if len(store.photos(session, landing_point_id)) >= MOST_PHOTOS:
                raise DispatchError(
                    ErrorCode.TRANSITION_REFUSED,
                    f"{MOST_PHOTOS} photos are enough; delete one first · 照片已满",
                )
            store.add_photo(session, record, picture)
            self._write_down(session, "added", record)

        await self._database.write(work)
        return record

    async def delete(self, photo_id: str) -> None:
        """4005 if there is none."""

        def work(session: Session) -> None:
            gone = store.delete_photo(session, photo_id)
            if gone is None:
                raise _unknown(photo_id)
            self._write_down(session, "removed", gone)

        await self._database.write(work)

    async def all(self) -> list[SitePhotoRecord]:
        """Every photo without its picture."""
        return await self._database.read(store.photos)

    async def picture(self, photo_id: str) -> tuple[SitePhotoRecord, bytes]:
        """4005 if there is none."""
        found = None
        if is_id(photo_id, "pho"):
            found = await self._database.read(lambda session: store.photo(session, photo_id))
        if found is None:
            raise _unknown(photo_id)
        return found

    def _write_down(self, session: Session, what: str, record: SitePhotoRecord) -> None:
        audit.append(
            session,
            at=self._clock.now(),
            action=f"site.photo_{what}",
            subject=f"landing_points/{record.landing_point_id}",
            before=audit.digest_of(asdict(record)) if what == "removed" else None,
            after=audit.digest_of(asdict(record)) if what == "added" else None,
            detail={"photo_id": record.photo_id, "sha256": record.sha256},
        )


def _unknown(photo_id: str) -> DispatchError:
    return DispatchError(ErrorCode.RESOURCE_UNKNOWN, f"there is no photo {photo_id[:60]!r} · 没有该照片")
