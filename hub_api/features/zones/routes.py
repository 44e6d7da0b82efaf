"""``/v1/zones``."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Header, Response, Security

from hub_api.dependencies import HubDep
from hub_api.features.zones.schemas import ZoneCollection
from hub_api.features.zones.views import document, tag_of
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
    accept_encoding: Annotated[str, Header(include_in_schema=False)] = "",
) -> Response:
    """Every zone with its heights, times and quality, and the version that decisions name. A city's are megabytes:
    ask for gzip, and with the ETag of what you have.
    """
    airspace, now = hub.airspace, hub.clock.now()
    headers = {"ETag": tag_of(airspace, now), "Vary": "Accept-Encoding"}
    if _named(if_none_match, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    compressed = "gzip" in accept_encoding
    content = await asyncio.to_thread(document, airspace, now, compressed=compressed)
    if compressed:
        headers["Content-Encoding"] = "gzip"
    return Response(content, media_type="application/json", headers=headers)


def _named(if_none_match: str | None, tag: str) -> bool:
    """Whether the client has this answer: a list of tags, weak ones too, or «*» (RFC 9110)."""
    named = [each.strip().removeprefix("W/") for each in (if_none_match or "").split(",")]
    return tag in named or named == ["*"]
