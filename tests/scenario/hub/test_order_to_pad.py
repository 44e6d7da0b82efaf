"""Call, decision, delivery, return: the whole way, over real MAVLink bytes, in virtual time."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Any

from core.gcj02 import wgs84_to_gcj02
from core.geodesy import Wgs84Point, geodesic_distance_m
from core.virtual_time import run_virtual
from sitl.vehicle import SimulatedVehicle
from tests.scenario.hub.stage import Fleet, baoan, flying, stage

PATIENT = Wgs84Point(22.5601, 113.8901)


def wgs84(latitude_deg: float, longitude_deg: float) -> dict[str, Any]:
    return {"reference_system": "WGS-84", "latitude_deg": latitude_deg, "longitude_deg": longitude_deg}


def put_down(vehicle: SimulatedVehicle) -> list[str]:
    """What the vehicle's own world saw of the AED, whatever anybody reported."""
    return [w.detail for w in vehicle.witnessed if w.what in ("on_ground", "dropped", "free")]


def at_home(vehicle: SimulatedVehicle) -> bool:
    return not vehicle.armed and geodesic_distance_m(vehicle.position, vehicle.launch) < 2.0


def seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def test_a_gcj02_order_becomes_an_aed_on_the_ground_and_the_drone_is_back(tmp_path: Path):
    async def main() -> None:
        fleet = Fleet.of(baoan(2))
        async with flying(fleet) as clock, stage(tmp_path, fleet, clock) as s:
            await s.until_ready(2)
            shifted = wgs84_to_gcj02(PATIENT)
            order = await s.order(
                "call-1",
                position={
                    "reference_system": "GCJ-02",
                    "latitude_deg": shifted.latitude_deg,
                    "longitude_deg": shifted.longitude_deg,
                },
                severity="I",
                floor=3,
            )
            decision = order["decision"]
            assert decision["outcome"] == "accepted", decision["reasons"]
            closed = await s.until(order["order_id"], "CLOSED", "FAILED")
            assert closed["state"] == "CLOSED"
            (flight,) = closed["flights"]
            assert flight["safe_state"] == "on_pad"
            vehicle = fleet.vehicles[decision["drone_id"]]
            assert at_home(vehicle)
            assert put_down(vehicle) == ["0.00 m above ground"]
            # The planned time is a promise to people who wait.
            late_s = seconds(closed["aed_on_ground_at"]) - seconds(decision["eta"]["aed_on_ground_at"])
            assert abs(late_s) < 20.0
            others = [v for drone_id, v in fleet.vehicles.items() if drone_id != decision["drone_id"]]
            assert all(put_down(v) == [] and at_home(v) for v in others)

    run_virtual(main())


def test_three_orders_fly_three_drones_and_a_fourth_is_declined_with_reasons(tmp_path: Path):
    async def main() -> None:
        fleet = Fleet.of(baoan(3))
        async with flying(fleet) as clock, stage(tmp_path, fleet, clock) as s:
            await s.until_ready(3)
            places = [wgs84(22.5601, 113.8901), wgs84(22.5760, 113.8660), wgs84(22.5900, 113.9050)]
            placed = await asyncio.gather(
                *(s.order(f"call-{i}", position=place, severity="I") for i, place in enumerate(places))
            )
            assert [o["decision"]["outcome"] for o in placed] == ["accepted"] * 3
            assert len({o["decision"]["drone_id"] for o in placed}) == 3
            # Another patient at the first one's place: without the word the two would share one mission.
            fourth = await s.order("call-4", position=places[0], severity="I", separate=True)
            assert fourth["decision"]["outcome"] == "declined"
            assert fourth["decision"]["reasons"][0]["detail_zh"]
            reasons = {r["code"] for c in fourth["decision"]["candidates"] for r in c["reasons"]}
            assert "on_mission" in reasons
            for order in placed:
                closed = await s.until(order["order_id"], "CLOSED", "FAILED")
                assert closed["state"] == "CLOSED"
            for vehicle in fleet.vehicles.values():
                assert at_home(vehicle)
                assert len(put_down(vehicle)) == 1

    run_virtual(main())


def test_a_patient_inside_a_prohibited_area_is_served_from_outside_or_declined_with_reasons(tmp_path: Path):
    async def main() -> None:
        fleet = Fleet.of(baoan(1))
        async with flying(fleet) as clock, stage(tmp_path, fleet, clock) as s:
            await s.until_ready(1)
            # On the airport's apron: nobody may fly there, and nobody made a mistake by calling.
            order = await s.order("call-1", position=wgs84(22.6390, 113.8110), severity="I")
            decision = order["decision"]
            assert decision["outcome"] == "declined"
            assert decision["candidates"]
            assert all(c["reasons"] for c in decision["candidates"])
            # Inside a substation's prohibited area, landing points are near.
            zone = next(z for z in s.hub.airspace.zones if z.zone_id == "BA-SUB1")
            inside = centre_of(zone)
            served = await s.order("call-2", position=wgs84(*inside), severity="I")
            assert served["decision"]["outcome"] == "accepted", served["decision"]["reasons"]
            closed = await s.until(served["order_id"], "CLOSED", "FAILED")
            assert closed["state"] == "CLOSED"

    run_virtual(main())


def centre_of(zone: Any) -> tuple[float, float]:
    area = zone.volumes[0].area
    if hasattr(area, "centre"):
        return area.centre.latitude_deg, area.centre.longitude_deg
    point = area.to_shapely_lon_lat().representative_point()
    return point.y, point.x


def test_a_cancel_in_flight_brings_aed_and_drone_home(tmp_path: Path):
    async def main() -> None:
        fleet = Fleet.of(baoan(1))
        async with flying(fleet) as clock, stage(tmp_path, fleet, clock) as s:
            await s.until_ready(1)
            order = await s.order("call-1", position=wgs84(22.5601, 113.8901), severity="I")
            await s.until(order["order_id"], "AIRBORNE")
            await s.hub.clock.sleep(25.0)
            answer = await s.client.post(f"/v1/orders/{order['order_id']}/cancel", json={"reason": "误报"})
            assert answer.json()["state"] == "CANCELLING"
            done = await s.until(order["order_id"], "CANCELLED", "CLOSED", "FAILED")
            assert done["state"] == "CANCELLED"
            assert done["flights"][0]["safe_state"] == "on_pad"
            vehicle = fleet.vehicles[order["decision"]["drone_id"]]
            assert at_home(vehicle)
            assert put_down(vehicle) == []

    run_virtual(main())
