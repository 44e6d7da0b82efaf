"""``/v1/readiness``: everything that waits on the ground, on one page."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Security

from hub_api.dependencies import HubDep
from hub_api.features.readiness.schemas import ReadinessBoard, StationReadinessView
from hub_api.features.readiness.views import (
    authorisation_views,
    dock_view,
    drone_readiness,
    finding_views,
)
from hub_api.features.stations.routes import wind_view
from hub_api.problems import declared
from hub_api.security import Principal, Scope, authenticate
from hub_api.store.repositories import missions

router = APIRouter(prefix="/v1/readiness", tags=["readiness"])

Reader = Annotated[Principal, Security(authenticate, scopes=[Scope.FLEET_READ])]


@router.get("", response_model=ReadinessBoard, summary="The readiness board", responses=declared(401, 403))
async def get_readiness(hub: HubDep, who: Reader) -> ReadinessBoard:
    """Every drone with its AED and maintenance, every station with dock and weather, every approval; and for each
    drone whether it could be sent now, with the same reasons that decisions give.
    """
    reserved = await hub.database.read(missions.reserved_drones)
    revoked = {item.authorisation_id: item for item in await hub.airspace_desk.revocations()}
    site, book, now = hub.site, hub.care_book, hub.clock.now()
    views = hub.fleet.views(reserved)
    ready = {view.drone.drone_id for view in views if view.ready}
    stations = []
    for station in site.stations:
        drones = [drone.drone_id for drone in site.drones if drone.station_id == station.station_id]
        stations.append(
            StationReadinessView(
                station_id=station.station_id,
                name=station.name,
                name_zh=station.name_zh,
                drone_ids=drones,
                ready_drone_ids=[drone_id for drone_id in drones if drone_id in ready],
                wind=wind_view(hub, station.station_id),
                dock=dock_view(book.facts.docks.get(station.station_id), now),
                findings=finding_views(book.dock_findings(station.station_id)),
            )
        )
    base = hub.airspace_book.base.authorisations
    return ReadinessBoard(
        at=now,
        site_id=site.site_id,
        name=site.name,
        name_zh=site.name_zh,
        demo=hub.settings.demo,
        drones_ready=len(ready),
        # Not those that were out when they left the site: the board lists them no more.
        drones_out_of_service=sum(drone.drone_id in book.facts.out_of_service for drone in site.drones),
        drones=[drone_readiness(view, book, site) for view in views],
        stations=stations,
        authorisations=authorisation_views(
            hub.airspace.authorisations,
            (*base, *hub.airspace_book.additions.authorisations.values()),
            revoked,
            now,
        ),
    )
