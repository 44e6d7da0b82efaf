"""``/v1/flights``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Security

from hub_api.dependencies import HubDep
from hub_api.features.flights.schemas import CloseFlightRequest
from hub_api.features.orders.schemas import FlightView
from hub_api.features.orders.views import flight_of
from hub_api.problems import declared
from hub_api.security import Principal, Scope, authenticate
from hub_api.store.repositories import orders
from hub_api.strict_json import StrictJsonRoute

router = APIRouter(prefix="/v1/flights", tags=["fleet"], route_class=StrictJsonRoute)

Commanding = Annotated[Principal, Security(authenticate, scopes=[Scope.FLEET_COMMAND])]


@router.post(
    "/{flight_id}/close",
    response_model=FlightView,
    summary="End a flight by hand",
    responses=declared(400, 401, 403, 404, 409, 413, 422, 503),
)
async def close_flight(
    hub: HubDep,
    who: Commanding,
    flight_id: Annotated[str, Path(max_length=60, pattern=r"^[\x21-\x7e]+$")],
    body: CloseFlightRequest,
) -> FlightView:
    """For a drone whose computer lost its memory in flight: it will never tell how the flight ended, and
    would be reserved for ever. A person who saw the drone says where it is; it is written down who.

    Refused while the drone itself reports a flight or is armed: then command it.
    """

    def reporting(drone_id: str) -> bool:
        view = hub.fleet.view(drone_id, {})
        if view is None or view.telemetry is None or view.telemetry_age_s is None:
            return False
        fresh = view.telemetry_age_s <= hub.settings.telemetry_stale_s
        return fresh and (view.telemetry.flight_id == flight_id or view.telemetry.armed is True)

    mission = await hub.flights.close_flight(
        flight_id,
        safe_state=body.safe_state,
        reason=body.reason,
        by=f"{body.confirmed_by} ({who.known_as})",
        reporting=reporting,
    )
    order = await hub.database.read(lambda s: orders.get(s, mission.order_id))
    return flight_of(mission, drill=order.drill)
