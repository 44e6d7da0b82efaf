"""``/v1/stations``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Security

from core.errors import DispatchError, ErrorCode
from hub_api.dependencies import HubDep
from hub_api.features.stations.schemas import StationList, StationView, WeatherReading, WindView
from hub_api.problems import declared
from hub_api.security import Principal, Scope, authenticate
from hub_api.store.repositories import missions
from hub_api.strict_json import StrictJsonRoute
from hub_api.weather.book import QUANTITIES, Reading
from planner.site import Station

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
    summary="Report the weather at a station",
    responses=declared(400, 401, 403, 404, 409, 413, 422),
)
async def report_weather(
    hub: HubDep, who: Sensor, station_id: Annotated[str, Path(max_length=80)], reading: WeatherReading
) -> None:
    """Decisions use the newest value of each quantity, whatever order readings come in; one that is too old is a
    reason to refuse, never a guess. Instruments may post apart; what a reading leaves out stays as it was."""
    if all(station.station_id != station_id for station in hub.site.stations):
        raise DispatchError(
            ErrorCode.RESOURCE_UNKNOWN, f"there is no station {station_id[:60]!r} · 没有该站点"
        )
    _check(hub, reading)
    await hub.weather.take_reading(station_id, Reading(**reading.model_dump()))


def _check(hub: HubDep, reading: WeatherReading) -> None:
    def fault(field: str, what: str) -> DispatchError:
        return DispatchError(ErrorCode.ORDER_INVALID, what, field=field)

    if (reading.from_deg is None) != (reading.speed_m_s is None):
        raise fault("from_deg", "wind is a direction and a speed; send both or none · 风向与风速须同时提供")
    if reading.gust_m_s is not None and (reading.speed_m_s is None or reading.gust_m_s < reading.speed_m_s):
        raise fault(
            "gust_m_s",
            "a gust comes with its mean, and is not below it · 阵风须与平均风速同时提供，且不小于它",
        )
    if all(getattr(reading, name) is None for name in QUANTITIES):
        raise fault("body", "the reading measures nothing · 读数为空")
    ahead_s = (reading.measured_at - hub.clock.now()).total_seconds()
    if ahead_s > hub.fleet.CLOCK_SKEW_S:
        raise fault(
            "measured_at",
            f"measured {ahead_s:.0f} s in the future of the hub's clock · 测量时间比系统时钟超前 {ahead_s:.0f} 秒",
        )
    if reading.measured_at < hub.weather.kept_since:
        raise fault("measured_at", "measured longer ago than readings are kept · 测量时间早于保存期限")


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
