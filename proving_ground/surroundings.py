"""Doors through which the world acts on a play's hub: the caller, the airspace authority, the dock, the machine's clock."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from core.geodesy import LocalFrame, Wgs84Point, geodesic_distance_m
from hub_api.store.repositories import missions
from planner.flight_plan import LegKind

if TYPE_CHECKING:
    from proving_ground.play import Play


async def plan_of(play: Play, order: str) -> dict[str, Any]:
    """The plan that the order's newest flight follows."""
    order_id = play.centre.placed[order].order_id
    stored = await play.hub.database.read(lambda session: missions.of_order(session, order_id or ""))
    if not stored:
        raise RuntimeError(f"{order} has no flight")
    return stored[-1].plan


async def move_patient(play: Play, order: str) -> None:
    """The centre says that the patient is somewhere else: beside the landing point next to the one flown to."""
    order_id = play.centre.placed[order].order_id or ""
    flown_to = (await plan_of(play, order))["landing_point_id"]
    here = play.site.landing_point(flown_to).position
    others = [point for point in play.site.landing_points if point.landing_point_id != flown_to]
    there = min(others, key=lambda point: geodesic_distance_m(point.position, here)).position
    body = {
        "position": {
            "reference_system": "WGS-84",
            "latitude_deg": there.latitude_deg,
            "longitude_deg": there.longitude_deg,
        },
        "floor": 1,
        "reason": "the caller was at the other gate",
    }
    await play.client.post(
        f"/v1/orders/{order_id}/position", json=body, headers={"Idempotency-Key": f"{order_id}-moved"}
    )


async def close_ahead(play: Play, order: str, *, side_m: float) -> None:
    """The authority closes a square in the middle of the order's last cruise leg towards the landing point."""
    legs = [leg for leg in (await plan_of(play, order))["outbound"] if leg["kind"] == LegKind.CRUISE]
    leg = max(legs, key=lambda leg: leg["length_m"])
    middle = {
        axis: (leg["start"]["position"][axis] + 2.0 * leg["end"]["position"][axis]) / 3.0
        for axis in ("latitude_deg", "longitude_deg")
    }
    half = side_m / 2.0
    frame = LocalFrame(Wgs84Point(middle["latitude_deg"], middle["longitude_deg"]))
    corners = [(-half, -half), (half, -half), (half, half), (-half, half), (-half, -half)]
    zone = {
        "type": "Feature",
        "properties": {"identifier": "CLOSED-AHEAD", "restriction": "PROHIBITED", "name": "closed ahead"},
        "geometry": {"type": "Polygon", "coordinates": [frame.unproject(corners).tolist()]},
    }
    answer = await play.client.put(
        "/v1/airspace/feeds/scenario",
        params={"format": "geojson", "reason": "scenario"},
        content=json.dumps({"type": "FeatureCollection", "features": [zone]}),
    )
    answer.raise_for_status()


async def open_again(play: Play) -> None:
    """The authority opens it again."""
    await play.client.delete("/v1/airspace/feeds/scenario", params={"reason": "scenario"})


async def revoke_authorisations(play: Play, order: str) -> None:
    """The authority calls back every approval that the order's flight relies on."""
    relied_on = (await plan_of(play, order))["authorisation_ids"]
    if not relied_on:
        raise RuntimeError(f"the flight of {order} relies on no authorisation that could be revoked")
    for authorisation_id in relied_on:
        answer = await play.client.post(
            f"/v1/authorisations/{authorisation_id}/revoke", json={"reason": "scenario"}
        )
        answer.raise_for_status()


async def report_dock(play: Play, drone_id: str, door: str) -> None:
    """What the sensors of the drone's dock say."""
    station_id = next(drone.station_id for drone in play.site.drones if drone.drone_id == drone_id)
    answer = await play.client.put(
        f"/v1/stations/{station_id}/dock",
        json={"door": door, "mains_power": True, "measured_at": play.clock.now().isoformat()},
    )
    answer.raise_for_status()


async def report_rain(play: Play, rate_mm_h: float) -> None:
    """What the rain gauges of all stations measure now, and the vehicles feel."""
    for vehicle in play.vehicles.values():
        if rate_mm_h > 0.0:
            vehicle.faults.set("rain", rate_mm_h)
        else:
            vehicle.faults.clear("rain")
    if play.process.is_up:
        body = {"rain_rate_mm_h": rate_mm_h, "measured_at": play.clock.now().isoformat()}
        for station_id in sorted({drone.station_id for drone in play.site.drones}):
            await play.client.post(f"/v1/stations/{station_id}/weather", json=body)


def set_hub_clock(play: Play, ahead_s: float) -> None:
    """Somebody sets the time of day of the hub's machine."""
    play.hub_clock.machine_ahead_s = ahead_s
