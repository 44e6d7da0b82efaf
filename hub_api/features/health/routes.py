"""``/v1/health``: open to everybody, cheap, and true."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Response
from sqlmodel import Session

from core.errors import InternalError
from hub_api import VERSION
from hub_api.dependencies import HubDep
from hub_api.features.health.schemas import HealthView, LivenessView, ReadinessView
from hub_api.problems import declared
from hub_api.store.repositories import missions, orders
from hub_api.store.schema import newest, revisions

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
        machine_clock_off_s=None if hub.machine_clock_off_s is None else round(hub.machine_clock_off_s, 1),
        speedup=hub.settings.speedup,
        demo=hub.settings.demo,
        site_id=hub.site.site_id,
        airspace_version=hub.airspace.version,
        drones=len(views),
        drones_ready=ready,
        open_orders=open_orders,
    )


@router.get("/live", response_model=LivenessView, summary="Is the process alive?")
async def get_liveness() -> LivenessView:
    """Touches nothing: no answer means that the process should be restarted."""
    return LivenessView()


@router.get(
    "/ready",
    response_model=ReadinessView,
    summary="Should orders be sent here?",
    responses={503: {"model": ReadinessView, "description": "Not now; the body says why."}},
)
async def get_readiness(hub: HubDep, response: Response) -> ReadinessView:
    """503 while starting, while stopping, without a database, or when a part of the hub has failed."""

    def look(session: Session) -> bool:
        return revisions(session.connection()) == newest()

    try:
        at_head = await hub.database.read(look)
    except InternalError:
        at_head = False
    settled = not hub.fleet.settling(hub.settings.fleet_settle_s)
    running = not hub.stopping and not hub.failure.done()
    flies = hub.settings.flies
    ready = at_head and settled and running and flies
    response.status_code = 200 if ready else 503
    return ReadinessView(
        ready=ready,
        database=at_head,
        fleet=settled,
        running=running,
        flies=flies,
        planner=not hub.planner_away,
    )
