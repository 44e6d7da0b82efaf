"""``/v1/drones``."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Security
from sqlmodel import Session

from core.errors import DispatchError, ErrorCode
from core.geodesy import Wgs84Point, geodesic_distance_m
from hub_api.dependencies import HubDep
from hub_api.dispatch.command_options import command_options
from hub_api.dispatch.commander import CommandOutcome
from hub_api.dispatch.fleet import DroneView
from hub_api.dispatch.refuges import Place
from hub_api.features.drones.schemas import (
    AedLoadedRequest,
    CheckView,
    CommandOptionView,
    CommandView,
    DiversionPlaces,
    DiversionPlaceView,
    DroneList,
    DroneLiveView,
    FlightCommandRequest,
    TelemetryView,
)
from hub_api.features.fields import ReasonView
from hub_api.problems import declared
from hub_api.security import Principal, Scope, authenticate
from hub_api.store.repositories import missions
from hub_api.strict_json import StrictJsonRoute
from planner.reasons import Reason

router = APIRouter(prefix="/v1/drones", tags=["fleet"], route_class=StrictJsonRoute)

Reader = Annotated[Principal, Security(authenticate, scopes=[Scope.FLEET_READ])]
Commanding = Annotated[Principal, Security(authenticate, scopes=[Scope.FLEET_COMMAND])]
Maintaining = Annotated[Principal, Security(authenticate, scopes=[Scope.FLEET_MAINTAIN])]
DroneId = Annotated[str, Path(max_length=80)]


@router.get("", response_model=DroneList, summary="List drones", responses=declared(401, 403))
async def list_drones(hub: HubDep, who: Reader) -> DroneList:
    """Every drone: ready or not and why, and its last telemetry with its age."""
    reserved, proposed = await hub.database.read(_taken)
    now = hub.clock.now()
    return DroneList(drones=[drone_view(view, now, proposed) for view in hub.fleet.views(reserved)])


@router.get(
    "/{drone_id}", response_model=DroneLiveView, summary="See a drone", responses=declared(401, 403, 404)
)
async def get_drone(hub: HubDep, who: Reader, drone_id: DroneId) -> DroneLiveView:
    """One drone right now."""
    reserved, proposed = await hub.database.read(_taken)
    view = hub.fleet.view(drone_id, reserved)
    if view is None:
        raise DispatchError(ErrorCode.RESOURCE_UNKNOWN, f"there is no drone {drone_id[:60]!r} · 没有该无人机")
    return drone_view(view, hub.clock.now(), proposed)


@router.post(
    "/{drone_id}/commands",
    response_model=CommandView,
    summary="Command a drone in flight",
    responses=declared(400, 401, 403, 404, 409, 413, 422, 503),
)
async def command_drone(
    hub: HubDep, who: Commanding, drone_id: DroneId, body: FlightCommandRequest
) -> CommandView:
    """Stored with the order, sent, and answered by the drone: accepted, or refused with its reasons.

    An accepted command is a promise to act; what really happens is told by the order's events.
    """
    _known(hub, drone_id)
    if body.to is not None:
        return command_view(
            await hub.diversions.divert(
                drone_id, body.to.kind, body.to.id, reason=body.reason, by=who.known_as
            )
        )
    return command_view(
        await hub.commander.command_flight(drone_id, body.command, reason=body.reason, by=who.known_as)
    )


@router.get(
    "/{drone_id}/diversions",
    response_model=DiversionPlaces,
    summary="List the places a flight may be sent to",
    responses=declared(401, 403, 404, 409),
)
async def list_diversions(hub: HubDep, who: Reader, drone_id: DroneId) -> DiversionPlaces:
    """Rally points of its plan, other stations and emergency sites to land at, other landing points to deliver at.

    What is not refused here may still be refused by the planner when the command is given, with its reasons.
    """
    _known(hub, drone_id)
    flight_id, found = await hub.diversions.places(drone_id)
    view = hub.fleet.view(drone_id, {})
    here = view.telemetry.position if view is not None and view.telemetry is not None else None
    places = [_place_view(place, refused, here) for place, refused in found]
    places.sort(
        key=lambda place: (place.delivers, place.away_m if place.away_m is not None else 0.0, place.id)
    )
    return DiversionPlaces(drone_id=drone_id, flight_id=flight_id, places=places)


def _place_view(place: Place, refused: Reason | None, here: Wgs84Point | None) -> DiversionPlaceView:
    return DiversionPlaceView(
        kind=place.kind,
        id=place.place_id,
        name=place.name,
        name_zh=place.name_zh,
        latitude_deg=place.position.latitude_deg,
        longitude_deg=place.position.longitude_deg,
        delivers=place.landing_point is not None,
        away_m=None if here is None else round(geodesic_distance_m(here, place.position), 1),
        refused=None
        if refused is None
        else ReasonView(code=refused.code, detail=refused.detail, detail_zh=refused.detail_zh),
    )


@router.post(
    "/{drone_id}/aed-loaded",
    response_model=CommandView,
    summary="Confirm that an AED hangs on the hook",
    responses=declared(400, 401, 403, 404, 413, 422, 503),
)
async def confirm_aed_loaded(
    hub: HubDep, who: Maintaining, drone_id: DroneId, body: AedLoadedRequest
) -> CommandView:
    """After a delivery a drone refuses to fly until somebody loaded it and its hook holds."""
    _known(hub, drone_id)
    return command_view(await hub.commander.confirm_aed_loaded(drone_id, confirmed_by=body.confirmed_by))


def _known(hub: HubDep, drone_id: str) -> None:
    if all(drone.drone_id != drone_id for drone in hub.site.drones):
        raise DispatchError(ErrorCode.RESOURCE_UNKNOWN, f"there is no drone {drone_id[:60]!r} · 没有该无人机")


def command_view(outcome: CommandOutcome) -> CommandView:
    """The drone's answer as it is shown."""
    return CommandView(
        command_id=outcome.command_id,
        outcome=outcome.outcome,
        reasons=[ReasonView(code=r.code, detail=r.detail, detail_zh=r.detail_zh) for r in outcome.reasons],
    )


def _taken(session: Session) -> tuple[dict[str, str], frozenset[str]]:
    """Drone → its mission, and the missions that are only proposed."""
    return missions.reserved_drones(session), missions.proposed(session)


def drone_view(view: DroneView, now: datetime, proposed: frozenset[str]) -> DroneLiveView:
    """The live state as it is shown. ``proposed``: missions that nobody has commanded yet."""
    checks = view.readiness.verdicts if view.readiness else ()
    sample = view.telemetry
    telemetry = None
    if sample is not None and view.telemetry_age_s is not None:
        telemetry = TelemetryView(
            at=sample.at,
            age_s=round(view.telemetry_age_s, 3),
            flight_id=sample.flight_id,
            latitude_deg=sample.position.latitude_deg if sample.position else None,
            longitude_deg=sample.position.longitude_deg if sample.position else None,
            altitude_amsl_m=sample.altitude_amsl_m,
            height_above_home_m=sample.height_above_home_m,
            velocity_east_m_s=sample.velocity_east_m_s,
            velocity_north_m_s=sample.velocity_north_m_s,
            velocity_up_m_s=sample.velocity_up_m_s,
            heading_deg=sample.heading_deg,
            battery_voltage_v=sample.battery_voltage_v,
            mode=sample.mode,
            armed=sample.armed,
            eta_s=sample.eta_s,
            line_length_m=sample.line_length_m,
            wind_from_deg=sample.wind_from_deg,
            wind_speed_m_s=sample.wind_speed_m_s,
            link_age_s=sample.link_age_s,
        )
    return DroneLiveView(
        drone_id=view.drone.drone_id,
        station_id=view.drone.station_id,
        airframe_id=view.drone.airframe_id,
        ready=view.ready,
        not_ready_reasons=[
            ReasonView(code=r.code, detail=r.detail, detail_zh=r.detail_zh) for r in view.not_ready
        ],
        phase=str(view.phase),
        mission_id=view.mission_id,
        charge_fraction=view.charge_fraction,
        checks=[
            CheckView(check=v.check, level=str(v.level), code=v.code, detail=v.detail, detail_zh=v.detail_zh)
            for v in checks
        ],
        checked_at=view.readiness.at if view.readiness else None,
        telemetry=telemetry,
        commands=[
            CommandOptionView(
                command=option.command,
                allowed=option.refused is None,
                refused=None
                if option.refused is None
                else ReasonView(
                    code=option.refused.code,
                    detail=option.refused.detail,
                    detail_zh=option.refused.detail_zh,
                ),
            )
            for option in command_options(
                view.phase,
                on_mission=view.mission_id is not None,
                commanded=view.mission_id not in proposed,
                now=now,
            )
        ],
    )
