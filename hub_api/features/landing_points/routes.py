"""``/v1/landing-points``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Security

from hub_api.dependencies import HubDep
from hub_api.features.landing_points.schemas import HoursView, LandingPointList, LandingPointView
from hub_api.problems import declared
from hub_api.security import Principal, Scope, authenticate

router = APIRouter(prefix="/v1/landing-points", tags=["fleet"])

Reader = Annotated[Principal, Security(authenticate, scopes=[Scope.FLEET_READ])]


@router.get("", response_model=LandingPointList, summary="List landing points", responses=declared(401, 403))
async def list_landing_points(hub: HubDep, who: Reader) -> LandingPointList:
    """Every landing point with its survey, hours and way to the streets around it."""
    now, zone = hub.clock.now(), hub.site.zone_info
    return LandingPointList(
        landing_points=[
            LandingPointView(
                landing_point_id=point.landing_point_id,
                name=point.name,
                name_zh=point.name_zh,
                latitude_deg=point.position.latitude_deg,
                longitude_deg=point.position.longitude_deg,
                ground_amsl_m=point.ground_amsl_m,
                position_quality=str(point.position_quality),
                delivery_methods=[str(method) for method in point.delivery_methods],
                surface=str(point.surface),
                clear_radius_m=point.clear_radius_m,
                slope_deg=point.slope_deg,
                obstacles=point.obstacles,
                surveyed_on=point.surveyed_on,
                emergency_landing=point.emergency_landing,
                hours=[HoursView(days=list(h.days), start=h.start, end=h.end) for h in point.hours],
                usable_now=point.usable_at(now, zone),
                walk_description=point.walk.description,
                walk_description_zh=point.walk.description_zh,
                alternates=list(point.alternates),
            )
            for point in hub.site.landing_points
        ]
    )
