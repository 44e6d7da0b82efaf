"""Where the ambulance is: told by the centre, shown to operators with its age. Source: A4."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Security
from sqlmodel import Session

from core.errors import DispatchError, ErrorCode
from core.ids import is_id
from hub_api.dependencies import HubDep
from hub_api.dispatch.fleet import Fleet
from hub_api.dispatch.incident_ledger import refuse_if_closed, unknown_incident
from hub_api.features.fields import LocationView
from hub_api.features.incidents.ambulance_schemas import (
    AmbulanceList,
    AmbulancePositionRequest,
    AmbulancePositionView,
)
from hub_api.features.orders.placing import wgs84_of
from hub_api.hub import Hub
from hub_api.problems import declared
from hub_api.security import Principal, Scope, authenticate
from hub_api.store.repositories import ambulances
from hub_api.store.repositories.ambulances import AmbulanceRecord
from hub_api.strict_json import StrictJsonRoute

router = APIRouter(prefix="/v1", tags=["incidents"], route_class=StrictJsonRoute)

Reader = Annotated[Principal, Security(authenticate, scopes=[Scope.ORDERS_READ])]
Writer = Annotated[Principal, Security(authenticate, scopes=[Scope.ORDERS_WRITE])]
IncidentId = Annotated[str, Path(description="As given when the incident was received.", max_length=80)]


@router.post(
    "/incidents/{incident_id}/ambulance",
    response_model=AmbulancePositionView,
    summary="Tell where the ambulance is",
    responses=declared(400, 401, 403, 404, 409, 413, 422, 503),
)
async def report_ambulance(
    hub: HubDep, who: Writer, incident_id: IncidentId, body: AmbulancePositionRequest
) -> AmbulancePositionView:
    """As often as the centre likes; only the newest place is kept, and one that comes late changes nothing.

    Safe to repeat. What the centre tells of unit, status and arrival without a place goes to
    `PATCH /v1/incidents/{incident_id}`.
    """
    if not is_id(incident_id, "inc"):
        raise unknown_incident(incident_id)
    if body.at > hub.clock.now() + timedelta(seconds=Fleet.CLOCK_SKEW_S):
        raise DispatchError(
            ErrorCode.ORDER_INVALID, "this moment has not come yet · 该时间尚未到来", field="at"
        )
    point = wgs84_of(body.position)
    told = AmbulanceRecord(
        incident_id=incident_id,
        unit=body.unit,
        place=body.position.model_dump(mode="json"),
        latitude_deg=point.latitude_deg,
        longitude_deg=point.longitude_deg,
        at=body.at,
        eta_at=body.eta_at,
    )

    def work(session: Session) -> tuple[AmbulanceRecord, datetime | None]:
        incident = hub.incidents.of(session, incident_id, who.writable_client)
        refuse_if_closed(incident)
        return ambulances.keep_newest(session, told), _eta_of(incident.ambulance)

    kept, eta_at = await hub.database.write(work)
    return _view(hub, kept, eta_at)


@router.get(
    "/ambulances", response_model=AmbulanceList, summary="List ambulances", responses=declared(401, 403)
)
async def list_ambulances(hub: HubDep, who: Reader) -> AmbulanceList:
    """Of open incidents, as far as the place of the ambulance was told; a client sees those of its own incidents."""
    found = await hub.database.read(lambda s: ambulances.of_open_incidents(s, client=who.visible_client))
    return AmbulanceList(ambulances=[_view(hub, told, _eta_of(ambulance)) for told, ambulance in found])


def _eta_of(ambulance: Mapping[str, str | None] | None) -> datetime | None:
    eta = (ambulance or {}).get("eta_at")
    return None if eta is None else datetime.fromisoformat(eta)


def _view(hub: Hub, told: AmbulanceRecord, eta_at: datetime | None) -> AmbulancePositionView:
    age_s = (hub.clock.now() - told.at).total_seconds()
    return AmbulancePositionView(
        incident_id=told.incident_id,
        unit=told.unit,
        position=LocationView(
            reference_system=told.place["reference_system"],
            latitude_deg=told.place["latitude_deg"],
            longitude_deg=told.place["longitude_deg"],
            wgs84_latitude_deg=told.latitude_deg,
            wgs84_longitude_deg=told.longitude_deg,
        ),
        at=told.at,
        age_s=max(0.0, round(age_s, 3)),
        stale=age_s > hub.settings.ambulance_stale_s,
        eta_at=told.eta_at or eta_at,
    )
