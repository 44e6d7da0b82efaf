"""``/v1/photos`` of landing points, and ``/v1/places``: the search."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response, Security

from hub_api.dependencies import HubDep
from hub_api.features.site.schemas import PhotoList, PhotoView, PlaceHit, PlaceHits
from hub_api.problems import declared
from hub_api.security import Principal, Scope, authenticate
from hub_api.store.repositories.site import SitePhotoRecord

router = APIRouter(prefix="/v1", tags=["site"])

Reader = Annotated[Principal, Security(authenticate, scopes=[Scope.FLEET_READ])]
Writer = Annotated[Principal, Security(authenticate, scopes=[Scope.SITE_WRITE])]
PhotoId = Annotated[str, Path(max_length=60)]
_JPEG = "image/jpeg"
_PICTURE = {
    "requestBody": {
        "required": True,
        "description": "The picture as it is: JPEG, PNG or WebP.",
        "content": {
            "application/octet-stream": {
                "schema": {"type": "string", "format": "binary"},
                "examples": {
                    "jpeg": {"summary": "A file from a telephone", "value": "(the bytes of the file)"}
                },
            }
        },
    }
}


@router.get("/photos", response_model=PhotoList, summary="List photos", responses=declared(401, 403, 422))
async def list_photos(
    hub: HubDep,
    who: Reader,
    landing_point_id: Annotated[str | None, Query(max_length=80, description="Only of this one.")] = None,
) -> PhotoList:
    """Of every landing point, oldest first."""
    found = await hub.photos.all()
    return PhotoList(
        photos=[
            photo_view(photo)
            for photo in found
            if landing_point_id is None or photo.landing_point_id == landing_point_id
        ]
    )


@router.post(
    "/photos",
    response_model=PhotoView,
    status_code=201,
    summary="Add a photo of a landing point",
    responses=declared(400, 401, 403, 404, 409, 413, 422, 503),
    openapi_extra=_PICTURE,
)
async def add_photo(
    hub: HubDep,
    who: Writer,
    request: Request,
    landing_point_id: Annotated[str, Query(min_length=1, max_length=80)],
    caption: Annotated[str, Query(max_length=300)] = "",
) -> PhotoView:
    """Drawn anew before it is kept: upright, at most 2048 pixels long, without the camera's notes (place, device)."""
    photo = await hub.photos.add(landing_point_id, await request.body(), caption=caption, by=who.known_as)
    return photo_view(photo)


@router.get(
    "/photos/{photo_id}",
    summary="See a photo",
    response_class=Response,
    responses={
        200: {
            "description": "The picture.",
            "content": {_JPEG: {"schema": {"type": "string", "format": "binary"}}},
        },
        **declared(401, 403, 404, 422),
    },
)
async def get_photo(hub: HubDep, who: Reader, photo_id: PhotoId) -> Response:
    """As a JPEG."""
    photo, picture = await hub.photos.picture(photo_id)
    headers = {
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, max-age=86400, immutable",
        "ETag": f'"{photo.sha256}"',
    }
    return Response(picture, media_type=_JPEG, headers=headers)


@router.delete(
    "/photos/{photo_id}",
    status_code=204,
    summary="Delete a photo",
    responses=declared(401, 403, 404, 422, 503),
)
async def delete_photo(hub: HubDep, who: Writer, photo_id: PhotoId) -> None:
    """For good."""
    await hub.photos.delete(photo_id)


@router.get("/places", response_model=PlaceHits, summary="Search places", responses=declared(401, 403, 422))
async def find_places(
    hub: HubDep,
    who: Reader,
    q: Annotated[str, Query(min_length=1, max_length=80, description="A part of a name or an id.")],
    limit: Annotated[int, Query(ge=1, le=50)] = 12,
) -> PlaceHits:
    """Stations, landing points, emergency sites, drones, the newest orders, and names of the city; in both languages."""
    found = await hub.places.find(
        q, orders_of=who.visible_client, with_orders=who.may(Scope.ORDERS_READ), limit=limit
    )
    return PlaceHits(
        places=[
            PlaceHit(
                kind=item.kind,
                id=item.place_id,
                name=item.name,
                name_zh=item.name_zh,
                latitude_deg=item.position.latitude_deg if item.position else None,
                longitude_deg=item.position.longitude_deg if item.position else None,
                approximate=item.approximate,
            )
            for item in found
        ]
    )


def photo_view(photo: SitePhotoRecord) -> PhotoView:
    """A photo without its picture."""
    return PhotoView(
        photo_id=photo.photo_id,
        landing_point_id=photo.landing_point_id,
        caption=photo.caption,
        width_px=photo.width_px,
        height_px=photo.height_px,
        url=f"/v1/photos/{photo.photo_id}",
        uploaded_at=photo.uploaded_at,
        uploaded_by=photo.uploaded_by,
    )
