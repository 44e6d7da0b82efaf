"""``/v1/stations``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Security

from core.errors import DispatchError, ErrorCode
from flight.bus import commands_subject
from flight.messages import WindReported, encode
from hub_api.dependencies import HubDep
from hub_api.features.stations.schemas import StationList, StationView, WeatherReading, WindView
from hub_api.problems import declared
from hub_api.security import Principal, Scope, authenticate
from hub_api.store.repositories import missions
from hub_api.strict_json import StrictJsonRoute
from planner.site import Station
from planner.wind import Wind

router = APIRouter(prefix="/v1/stations", tags=["fleet"], route_class=StrictJsonRoute)

Reader = Annotated[Principal, Security(authenticate, scopes=[Scope.FLEET_READ])]
Sensor = Annotated[Principal, Security(authenticate, scopes=[Scope.WEATHER_WRITE])]


@router.get("", response_model=StationList, summary="List stations", responses=declared(401, 403))
async def list_stations(hub: HubDep, who: Reader) -> StationList:
    """Every station with its drones, those ready to fly, and its wind."""
    reserved = await hub.database.read(missions.reserved_drones)
    ready = {view.drone.drone_id for view in hub.fleet.views(reserved) if view.ready}
    return StationList(
        site_id=hub.site.site_id,
        name=hub.site.name,
        name_zh=hub.site.name_zh,
        stations=[_view(hub, station, ready) for station in hub.site.stations],
    )


@router.post(
    "/{station_id}/weather",
    status_code=204,
    summary="Report the wind at a station",
    responses=declared(400, 401, 403, 404, 409, 413, 422),
)
async def report_weather(
    hub: HubDep, who: Sensor, station_id: Annotated[str, Path(max_length=80)], reading: WeatherReading
) -> None:
    """Decisions use the newest reading; one that is too old is a reason to refuse, never a guess."""
    if all(station.station_id != station_id for station in hub.site.stations):
        raise DispatchError(ErrorCode.RESOURCE_UNKNOWN, f"there is no station {station_id[:60]!r}")
    if reading.gust_m_s is not None and reading.gust_m_s < reading.speed_m_s:
        raise DispatchError(ErrorCode.ORDER_INVALID, "a gust is not below the mean", field="gust_m_s")
    ahead_s = (reading.measured_at - hub.clock.now()).total_seconds()
    if ahead_s > hub.fleet.CLOCK_SKEW_S:
        raise DispatchError(
            ErrorCode.ORDER_INVALID,
            f"measured {ahead_s:.0f} s in the future of the hub's clock",
            field="measured_at",
        )
    wind = Wind(
        from_deg=reading.from_deg,
        speed_m_s=reading.speed_m_s,
        gust_m_s=reading.gust_m_s,
        measured_at=reading.measured_at,
    )
    hub.fleet.take_station_wind(station_id, wind)
    for drone in hub.site.drones:
        if drone.station_id == station_id:
            # A vehicle on its pad measures no wind; without a reading its own checks could not judge it.
            notice = WindReported(
                command_id=hub.ids.new("cmd"),
                drone_id=drone.drone_id,
                issued_at=hub.clock.now(),
                from_deg=wind.from_deg,
                speed_m_s=wind.speed_m_s,
                gust_m_s=wind.gust_m_s,
                measured_at=wind.measured_at,
            )
            await hub.bus.publish(commands_subject(drone.drone_id), notice.command_id, encode(notice))


def _view(hub: HubDep, station: Station, ready: set[str]) -> StationView:
    drones = [drone.drone_id for drone in hub.site.drones if drone.station_id == station.station_id]
    return StationView(
        station_id=station.station_id,
        name=station.name,
        name_zh=station.name_zh,
        latitude_deg=station.position.latitude_deg,
        longitude_deg=station.position.longitude_deg,
        ground_amsl_m=station.ground_amsl_m,
        position_quality=str(station.position_quality),
        drone_ids=drones,
        ready_drone_ids=[drone_id for drone_id in drones if drone_id in ready],
        wind=wind_view(hub, station.station_id),
    )


def wind_view(hub: HubDep, station_id: str) -> WindView | None:
    """The newest reading at a station, and whether it is young enough to decide on."""
    wind = hub.fleet.measured_wind(station_id)
    if wind is None:
        return None
    return WindView(
        from_deg=wind.from_deg,
        speed_m_s=wind.speed_m_s,
        gust_m_s=wind.gust_m_s,
        measured_at=wind.measured_at,
        age_s=(hub.clock.now() - wind.measured_at).total_seconds(),
        usable=hub.fleet.usable_wind(station_id) is not None,
    )
