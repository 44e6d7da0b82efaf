"""The demonstration's order is flown at any hour: who runs it at night, Shenzhen's or theirs, sees the main job, too."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from core.clock import LoopClock
from core.gcj02 import ReferenceSystem, to_wgs84
from core.ids import IdSource
from core.virtual_time import run_virtual
from geofences.site_airspace import load_demo_airspace
from planner.airframe import load_airframes
from planner.choice import Decision, DispatchRequest, DroneState, Severity, choose
from planner.site import load_site
from planner.wind import Wind

ROOT = Path(__file__).parents[3]
MONDAY = datetime(2026, 11, 30, tzinfo=UTC)


async def decisions() -> list[tuple[datetime, Decision]]:
    """On the demonstration's order, at every hour of a week."""
    site = load_site(ROOT / "examples" / "sites" / "baoan.json")
    airspace, airframes = load_demo_airspace(), load_airframes()
    told = json.loads((ROOT / "examples" / "orders" / "cardiac-arrest-gcj02.json").read_bytes())
    place = told["position"]
    patient = to_wgs84(
        ReferenceSystem(place["reference_system"]), place["latitude_deg"], place["longitude_deg"]
    )
    made = []
    for hour in range(24 * 7):
        clock = LoopClock(epoch=MONDAY + timedelta(hours=hour))
        now = clock.now()
        wind = Wind(from_deg=0.0, speed_m_s=0.0, measured_at=now)
        decision = choose(
            DispatchRequest(patient=patient, severity=Severity.I, floor_of_building=told["floor"], at=now),
            site=site,
            drone_states=[
                DroneState(drone=drone, ready=True, not_ready_reasons=(), charge_fraction=1.0, wind=wind)
                for drone in site.drones
            ],
            airspace=airspace,
            airframes=airframes,
            ids=IdSource(clock, seed=hour),
            clock=clock,
        )
        made.append((now, decision))
    return made


def test_some_drone_flies_it_at_every_hour_of_the_week() -> None:
    made = run_virtual(decisions())
    assert [f"{at:%a %H:%M} UTC" for at, decision in made if decision.accepted is None] == []
