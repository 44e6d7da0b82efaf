"""What people and cabinets report: AEDs, docks, maintenance, drones out of service."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Path, Query, Security

from core.errors import DispatchError, ErrorCode
from hub_api.care.model import AedReport, DockReport, MaintenanceDone, MaintenanceRule
from hub_api.dependencies import HubDep
from hub_api.features.readiness.schemas import (
    AedRequest,
    DockRequest,
    DroneReadinessView,
    MaintenanceDoneRequest,
    MaintenanceDoneView,
    MaintenanceHistory,
    MaintenanceRuleList,
    MaintenanceRuleRequest,
    MaintenanceRuleView,
    WhyRequest,
)
from hub_api.features.readiness.views import drone_readiness
from hub_api.problems import declared
from hub_api.security import Principal, Scope, authenticate
from hub_api.store.repositories import missions
from hub_api.strict_json import StrictJsonRoute
from planner.airframe import load_airframes

router = APIRouter(tags=["readiness"], route_class=StrictJsonRoute)

Reader = Annotated[Principal, Security(authenticate, scopes=[Scope.FLEET_READ])]
Maintaining = Annotated[Principal, Security(authenticate, scopes=[Scope.FLEET_MAINTAIN])]
Sensor = Annotated[Principal, Security(authenticate, scopes=[Scope.WEATHER_WRITE])]
DroneId = Annotated[str, Path(max_length=80)]
AirframeId = Annotated[str, Path(max_length=80)]
RuleId = Annotated[
    str,
    Path(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$",
        description="Name of the rule.",
        examples=["propellers"],
    ),
]
_ERRORS = declared(400, 401, 403, 404, 409, 413, 422, 503)


@router.put(
    "/v1/drones/{drone_id}/aed",
    response_model=DroneReadinessView,
    summary="Report a drone's AED",
    responses=_ERRORS,
)
async def report_aed(
    hub: HubDep, who: Maintaining, drone_id: DroneId, body: AedRequest
) -> DroneReadinessView:
    """By its cabinet or by hand. A failed or old self-test, expired pads and a low battery keep the drone on the ground,
    and every decision says so.
    """
    report = AedReport(
        drone_id=drone_id, reported_at=hub.clock.now(), reported_by=who.known_as, **body.model_dump()
    )
    await hub.care_desk.report_aed(report)
    return await _shown(hub, drone_id)


@router.post(
    "/v1/drones/{drone_id}/out-of-service",
    response_model=DroneReadinessView,
    summary="Take a drone out of service",
    responses=_ERRORS,
)
async def take_out_of_service(
    hub: HubDep, who: Maintaining, drone_id: DroneId, body: WhyRequest
) -> DroneReadinessView:
    """It is never chosen from now on. A flight under way goes on; command it if it must end."""
    await hub.care_desk.take_out_of_service(drone_id, reason=body.reason, by=who.known_as)
    return await _shown(hub, drone_id)


@router.post(
    "/v1/drones/{drone_id}/in-service",
    response_model=DroneReadinessView,
    summary="Put a drone back in service",
    responses=_ERRORS,
)
async def put_in_service(
    hub: HubDep, who: Maintaining, drone_id: DroneId, body: WhyRequest
) -> DroneReadinessView:
    """409 if it was not out."""
    await hub.care_desk.put_in_service(drone_id, reason=body.reason, by=who.known_as)
    return await _shown(hub, drone_id)


@router.put(
    "/v1/stations/{station_id}/dock",
    status_code=204,
    summary="Report a station's dock",
    responses=_ERRORS,
)
async def report_dock(
    hub: HubDep, who: Sensor, station_id: Annotated[str, Path(max_length=80)], body: DockRequest
) -> None:
    """A jammed door keeps its drones on the ground."""
    fields = body.model_dump() | {"charging_drone_ids": tuple(body.charging_drone_ids)}
    await hub.care_desk.report_dock(DockReport(station_id=station_id, **fields))


@router.get(
    "/v1/maintenance-rules",
    response_model=MaintenanceRuleList,
    summary="List maintenance rules",
    responses=declared(401, 403),
)
async def list_rules(hub: HubDep, who: Reader) -> MaintenanceRuleList:
    """What each airframe needs, and how often."""
    found = sorted(hub.care_book.facts.rules.items())
    return MaintenanceRuleList(rules=[_rule_view(rule) for _, rule in found])


@router.put(
    "/v1/airframes/{airframe_id}/maintenance-rules/{rule_id}",
    response_model=MaintenanceRuleView,
    summary="Set a maintenance rule",
    responses=_ERRORS,
)
async def set_rule(
    hub: HubDep, who: Maintaining, airframe_id: AirframeId, rule_id: RuleId, body: MaintenanceRuleRequest
) -> MaintenanceRuleView:
    """In place of the rule of that name. Flights and hours count from the last time the work was done, from the first
    stored flight where it never was.
    """
    if airframe_id not in load_airframes():
        raise DispatchError(
            ErrorCode.RESOURCE_UNKNOWN, f"there is no airframe {airframe_id[:60]!r} · 没有该机型"
        )
    rule = MaintenanceRule(
        airframe_id=airframe_id, rule_id=rule_id, set_at=hub.clock.now(), **body.model_dump()
    )
    return _rule_view(await hub.care_desk.set_rule(rule, by=who.known_as))


@router.delete(
    "/v1/airframes/{airframe_id}/maintenance-rules/{rule_id}",
    status_code=204,
    summary="End a maintenance rule",
    responses=declared(401, 403, 404, 422, 503),
)
async def delete_rule(hub: HubDep, who: Maintaining, airframe_id: AirframeId, rule_id: RuleId) -> None:
    """What was done under it stays in the drones' history."""
    await hub.care_desk.delete_rule(airframe_id, rule_id, by=who.known_as)


@router.post(
    "/v1/drones/{drone_id}/maintenance",
    response_model=MaintenanceDoneView,
    status_code=201,
    summary="Record maintenance that was done",
    responses=_ERRORS,
)
async def maintenance_done(
    hub: HubDep, who: Maintaining, drone_id: DroneId, body: MaintenanceDoneRequest
) -> MaintenanceDoneView:
    """The rule counts anew from then."""
    done = await hub.care_desk.maintenance_done(
        drone_id, body.rule_id, done_at=body.done_at, by=who.known_as, note=body.note
    )
    return _done_view(done)


@router.get(
    "/v1/drones/{drone_id}/maintenance",
    response_model=MaintenanceHistory,
    summary="See what was done on a drone",
    responses=declared(401, 403, 404, 422),
)
async def maintenance_history(
    hub: HubDep, who: Reader, drone_id: DroneId, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> MaintenanceHistory:
    """Newest first."""
    found = await hub.care_desk.history(drone_id, limit=limit)
    return MaintenanceHistory(done=[_done_view(done) for done in found])


async def _shown(hub: HubDep, drone_id: str) -> DroneReadinessView:
    reserved = await hub.database.read(missions.reserved_drones)
    view = hub.fleet.view(drone_id, reserved)
    assert view is not None, "the desk knows the drone"
    return drone_readiness(view, hub.care_book, hub.site)


def _rule_view(rule: MaintenanceRule) -> MaintenanceRuleView:
    return MaintenanceRuleView(**asdict(rule))


def _done_view(done: MaintenanceDone) -> MaintenanceDoneView:
    return MaintenanceDoneView(**asdict(done))
