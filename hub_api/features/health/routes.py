"""``/v1/health``: open to everybody, cheap, and true."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from sqlmodel import Session

from hub_api import VERSION
from hub_api.dependencies import HubDep
from hub_api.features.health.schemas import HealthView
from hub_api.problems import declared
from hub_api.store.repositories import missions, orders

router = APIRouter(prefix="/v1/health", tags=["health"])


@router.get("", response_model=HealthView, summary="Is the hub able to serve?", responses=declared(503))
async def get_health(hub: HubDep) -> HealthView:
    """Reads the database, so an answer means that it works; 503 if it does not."""

    def look(session: Session) -> tuple[dict[str, str], int]:
        return missions.reserved_drones(session), orders.count_open(session)

    reserved, open_orders = await hub.database.read(look)
    views = hub.fleet.views(reserved)
    ready = sum(1 for view in views if view.ready)
    free = sum(1 for view in views if view.mission_id is None)
    status: Literal["ok", "starting", "degraded"] = "ok"
    if hub.fleet.settling(hub.settings.fleet_settle_s):
        status = "starting"
    elif free and not ready:
        status = "degraded"
    return HealthView(
        status=status,
        version=VERSION,
        now=hub.clock.now(),
        started_at=hub.started_at,
        speedup=hub.settings.speedup,
        demo=hub.settings.demo,
        site_id=hub.site.site_id,
        airspace_version=hub.airspace.version,
        drones=len(views),
        drones_ready=ready,
        open_orders=open_orders,
    )
