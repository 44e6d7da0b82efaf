"""``/v1/console/settings``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Security

from hub_api.dependencies import HubDep
from hub_api.features.console.schemas import ConsoleSettings, TilesView
from hub_api.problems import declared
from hub_api.security import Principal, authenticate

router = APIRouter(prefix="/v1/console", tags=["console"])

Anybody = Annotated[Principal, Security(authenticate)]


@router.get(
    "/settings", response_model=ConsoleSettings, summary="What the console is set to", responses=declared(401)
)
async def get_console_settings(hub: HubDep, who: Anybody) -> ConsoleSettings:
    """Read once when somebody has logged in."""
    settings, tiles = hub.settings, None
    if settings.console_tiles_url is not None and settings.console_tiles_reference_system is not None:
        tiles = TilesView(
            url=settings.console_tiles_url,
            reference_system=settings.console_tiles_reference_system,
            attribution=settings.console_tiles_attribution,
            max_zoom=settings.console_tiles_max_zoom,
        )
    return ConsoleSettings(
        site_id=hub.site.site_id,
        site_name=hub.site.name,
        site_name_zh=hub.site.name_zh,
        timezone=hub.site.timezone,
        demo=settings.demo,
        speedup=settings.speedup,
        telemetry_stale_s=settings.telemetry_stale_s,
        ambulance_stale_s=settings.ambulance_stale_s,
        tiles=tiles,
    )
