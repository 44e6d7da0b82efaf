"""``/v1/zones``."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Header, Response, Security

from hub_api.dependencies import HubDep
from hub_api.features.zones.schemas import ZoneCollection
from hub_api.features.zones.views import collection_json, holding
from hub_api.problems import declared
from hub_api.security import Principal, Scope, authenticate

router = APIRouter(prefix="/v1/zones", tags=["airspace"])

Reader = Annotated[Principal, Security(authenticate, scopes=[Scope.ZONES_READ])]


@router.get(
    "",
    response_model=ZoneCollection,
    summary="The airspace as GeoJSON",
    responses={
        304: {"description": "Nothing has changed since the answer named by If-None-Match."},
        **declared(401, 403),
    },
)
async def get_zones(
    hub: HubDep,
    who: Reader,
    if_none_match: Annotated[str | None, Header(description="The ETag of an earlier answer.")] = None,
) -> Response:
    """Every zone with its heights, times and quality, and the version that decisions name."""
    airspace, now = hub.airspace, hub.clock.now()
    tag = f'"{airspace.version}.{holding(airspace, now)}"'
    if if_none_match == tag:
        return Response(status_code=304, headers={"ETag": tag})
    content = await asyncio.to_thread(collection_json, airspace, now)
    return Response(content, media_type="application/json", headers={"ETag": tag})
