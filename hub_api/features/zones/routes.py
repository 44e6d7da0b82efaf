"""``/v1/zones``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Response, Security

from hub_api.dependencies import HubDep
from hub_api.features.zones.schemas import ZoneCollection
from hub_api.features.zones.views import collection_of
from hub_api.problems import declared
from hub_api.security import Principal, Scope, authenticate

router = APIRouter(prefix="/v1/zones", tags=["airspace"])

Reader = Annotated[Principal, Security(authenticate, scopes=[Scope.ZONES_READ])]


@router.get(
    "",
    response_model=ZoneCollection,
    summary="The airspace as GeoJSON",
    responses={
        304: {"description": "The version named by If-None-Match is still in force."},
        **declared(401, 403),
    },
)
async def get_zones(
    hub: HubDep,
    who: Reader,
    response: Response,
    if_none_match: Annotated[str | None, Header(description="The ETag of an earlier answer.")] = None,
) -> ZoneCollection | Response:
    """Every zone with its heights, times and quality, and the version that decisions name."""
    tag = f'"{hub.airspace.version}"'
    if if_none_match == tag:
        return Response(status_code=304, headers={"ETag": tag})
    response.headers["ETag"] = tag
    return collection_of(hub.airspace, hub.clock.now())
