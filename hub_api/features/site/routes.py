"""``/v1/site`` and the administration of what it is made of."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Security
from pydantic import BaseModel

from core.errors import AirspaceError, DispatchError, ErrorCode
from core.gcj02 import ReferenceSystem, to_wgs84
from hub_api.dependencies import HubDep
from hub_api.features.site.schemas import (
    AirframeRequest,
    DroneRequest,
    EmergencySiteRequest,
    LandingPointRequest,
    SiteChangeList,
    SiteChangeView,
    SiteItemView,
    SiteView,
    StationRequest,
)
from hub_api.problems import declared
from hub_api.security import Principal, Scope, authenticate
from hub_api.site_data.book import SECTIONS, Section, document_of, items_of
from hub_api.site_data.desk import SiteOutcome
from hub_api.strict_json import StrictJsonRoute

router = APIRouter(prefix="/v1", tags=["site"], route_class=StrictJsonRoute)

Reader = Annotated[Principal, Security(authenticate, scopes=[Scope.FLEET_READ])]
Writer = Annotated[Principal, Security(authenticate, scopes=[Scope.SITE_WRITE])]
ItemId = Annotated[
    str,
    Path(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$",
        description="Its id; a new one adds it.",
        examples=["example-1"],
    ),
]
_ERRORS = declared(400, 401, 403, 404, 409, 413, 422, 503)


class _How:
    """The query that every change takes."""

    def __init__(
        self,
        reason: Annotated[
            str, Query(min_length=1, max_length=500, description="For the record.", examples=["survey"])
        ],
        preview: Annotated[bool, Query(description="Say what it would do, and do nothing.")] = False,
        expected_version: Annotated[
            str | None, Query(max_length=120, description="Refuse (409) unless this version is in force.")
        ] = None,
    ) -> None:
        self.reason, self.preview, self.expected_version = reason, preview, expected_version


How = Annotated[_How, Depends()]


@router.get("/site", response_model=SiteView, summary="The site in force", responses=declared(401, 403))
async def get_site(hub: HubDep, who: Reader) -> SiteView:
    """Stations, drones, landing points, emergency sites and airframes whole, as the administration edits them."""
    book = hub.site_book
    sections = {
        section: [document_of(item) for item in items_of(book.current, section).values()]
        for section in SECTIONS
    }
    if not who.may(Scope.FLEET_MAINTAIN) and not who.may(Scope.SITE_WRITE):
        # Where a vehicle answers is nobody's business who only looks.
        sections["drones"] = [drone | {"link": ""} for drone in sections["drones"]]
    return SiteView(
        site_id=book.site.site_id,
        name=book.site.name,
        name_zh=book.site.name_zh,
        timezone=book.site.timezone,
        version=book.current.version,
        base_version=book.base.version,
        changed=sorted(
            f"{section}/{item_id}" for section, items in book.edits.items.items() for item_id in items
        ),
        **sections,
    )


@router.get(
    "/site/changes",
    response_model=SiteChangeList,
    summary="How the site changed",
    responses=declared(401, 403, 422),
)
async def list_changes(
    hub: HubDep,
    who: Reader,
    before: Annotated[
        int | None, Query(ge=1, le=2**31 - 1, description="Only changes older than this.")
    ] = None,
    item_id: Annotated[str | None, Query(max_length=80, pattern=r"^[^\x00-\x1f]+$")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> SiteChangeList:
    """Who changed what, when and why; newest first."""
    found = await hub.site_desk.changes(before_seq=before, item_id=item_id, limit=limit)
    return SiteChangeList(
        changes=[
            SiteChangeView.model_validate({name: getattr(item, name) for name in SiteChangeView.model_fields})
            for item in found
        ],
        next_before=found[-1].seq if len(found) == limit else None,
    )


@router.put("/stations/{item_id}", response_model=SiteItemView, summary="Put a station", responses=_ERRORS)
async def put_station(
    hub: HubDep, who: Writer, item_id: ItemId, body: StationRequest, how: How
) -> SiteItemView:
    """Added, or in place of the one of that id. It is not moved while an open flight flies from it."""
    return await _put(hub, who, "stations", item_id, _placed(body), how)


@router.delete(
    "/stations/{item_id}", response_model=SiteItemView, summary="Remove a station", responses=_ERRORS
)
async def delete_station(hub: HubDep, who: Writer, item_id: ItemId, how: How) -> SiteItemView:
    """Refused while drones stand there or an open flight flies from it."""
    return await _delete(hub, who, "stations", item_id, how)


@router.put(
    "/landing-points/{item_id}", response_model=SiteItemView, summary="Put a landing point", responses=_ERRORS
)
async def put_landing_point(
    hub: HubDep, who: Writer, item_id: ItemId, body: LandingPointRequest, how: How
) -> SiteItemView:
    """Decisions use it from this answer on. It is not moved while an open flight may serve it."""
    return await _put(hub, who, "landing_points", item_id, _placed(body) | {"photo": None}, how)


@router.delete(
    "/landing-points/{item_id}",
    response_model=SiteItemView,
    summary="Remove a landing point",
    responses=_ERRORS,
)
async def delete_landing_point(hub: HubDep, who: Writer, item_id: ItemId, how: How) -> SiteItemView:
    """Refused while another names it as its alternate or an open flight may serve it."""
    return await _delete(hub, who, "landing_points", item_id, how)


@router.put(
    "/emergency-sites/{item_id}",
    response_model=SiteItemView,
    summary="Put an emergency site",
    responses=_ERRORS,
)
async def put_emergency_site(
    hub: HubDep, who: Writer, item_id: ItemId, body: EmergencySiteRequest, how: How
) -> SiteItemView:
    """Plans made from now on may name it as a rally point."""
    return await _put(hub, who, "emergency_sites", item_id, _placed(body), how)


@router.delete(
    "/emergency-sites/{item_id}",
    response_model=SiteItemView,
    summary="Remove an emergency site",
    responses=_ERRORS,
)
async def delete_emergency_site(hub: HubDep, who: Writer, item_id: ItemId, how: How) -> SiteItemView:
    """Open flights keep the rally points of their plans."""
    return await _delete(hub, who, "emergency_sites", item_id, how)


@router.put("/drones/{item_id}", response_model=SiteItemView, summary="Put a drone", responses=_ERRORS)
async def put_drone(hub: HubDep, who: Writer, item_id: ItemId, body: DroneRequest, how: How) -> SiteItemView:
    """Added, moved to another station, or reached another way. Its agent starts with this answer; until the drone has
    reported it is not ready, and decisions say so. Refused while it is on a flight.
    """
    return await _put(hub, who, "drones", item_id, body.model_dump(mode="json"), how)


@router.delete("/drones/{item_id}", response_model=SiteItemView, summary="Remove a drone", responses=_ERRORS)
async def delete_drone(hub: HubDep, who: Writer, item_id: ItemId, how: How) -> SiteItemView:
    """Nobody speaks to it any more. Refused while it is on a flight; what it flew stays in the records."""
    return await _delete(hub, who, "drones", item_id, how)


@router.put(
    "/airframes/{item_id}", response_model=SiteItemView, summary="Put an airframe profile", responses=_ERRORS
)
async def put_airframe(
    hub: HubDep, who: Writer, item_id: ItemId, body: AirframeRequest, how: How
) -> SiteItemView:
    """Plans made from now on use it, and agents of this process check by it; agents elsewhere need the same profile.
    Refused while a drone of it is on a flight.
    """
    return await _put(hub, who, "airframes", item_id, body.profile, how)


@router.delete(
    "/airframes/{item_id}",
    response_model=SiteItemView,
    summary="Remove an airframe profile",
    responses=_ERRORS,
)
async def delete_airframe(hub: HubDep, who: Writer, item_id: ItemId, how: How) -> SiteItemView:
    """Refused while a drone is of it."""
    return await _delete(hub, who, "airframes", item_id, how)


def _placed(body: BaseModel) -> dict[str, Any]:
    """The item in the shape of a site file: WGS-84, whatever was sent."""
    fields = body.model_dump(mode="json")
    sent = fields.pop("position")
    system = ReferenceSystem(sent["reference_system"])
    if system is not ReferenceSystem.WGS84 and fields["position_quality"] == "surveyed":
        raise DispatchError(
            ErrorCode.ORDER_INVALID,
            f"a survey is WGS-84; {system.value} positions come from maps · 实测坐标须为 WGS-84",
            field="position.reference_system",
        )
    try:
        point = to_wgs84(system, sent["latitude_deg"], sent["longitude_deg"])
    except AirspaceError as error:
        raise AirspaceError(error.code, error.detail, field=error.field or "position") from error
    position = {"latitude_deg": point.latitude_deg, "longitude_deg": point.longitude_deg}
    return fields | {"position": position}


async def _put(
    hub: HubDep, who: Principal, section: Section, item_id: str, document: dict[str, Any], how: _How
) -> SiteItemView:
    return _view(
        await hub.site_desk.put(
            section,
            item_id,
            document,
            by=who.known_as,
            reason=how.reason,
            expected_version=how.expected_version,
            preview=how.preview,
        )
    )


async def _delete(hub: HubDep, who: Principal, section: Section, item_id: str, how: _How) -> SiteItemView:
    return _view(
        await hub.site_desk.delete(
            section,
            item_id,
            by=who.known_as,
            reason=how.reason,
            expected_version=how.expected_version,
            preview=how.preview,
        )
    )


def _view(outcome: SiteOutcome) -> SiteItemView:
    return SiteItemView(
        section=outcome.section,
        item_id=outcome.item_id,
        action=outcome.action,
        applied=outcome.change is not None,
        before=outcome.before,
        after=outcome.after,
        fields=list(outcome.fields),
        version=outcome.version,
        previous_version=outcome.previous_version,
        notes=list(outcome.notes),
    )
