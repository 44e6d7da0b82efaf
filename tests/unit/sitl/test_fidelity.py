"""The simulated vehicle against two recorded flights of a real ArduCopter in its own simulator.

Same parameters, same mission, same wind; see ``tests/data/arducopter_flights/README.md``. The test prints how far
apart the two are (``pytest -s``).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from sitl.weather import Wind
from tests.unit.sitl.ground_station import GUIDED, GroundStation, make_vehicle

RECORDS = Path(__file__).parents[2] / "data" / "arducopter_flights"


@dataclass(frozen=True)
class Flight:
    """Seconds from lift-off until each item was reached, and what the battery gave."""

    reached_s: dict[int, float]
    consumed_mah: float
    energy_wh: float


def recorded(name: str) -> Flight:
    data = np.load(RECORDS / f"{name}.npz")
    events = json.loads(str(data["ev"]))
    lift_off_s = next(at for at, kind, value in events if kind == "landed_state" and value == 3)
    battery = data["bat"]
    # Columns: time s, volt, ampere, consumed mAh, remaining %.
    seconds = np.diff(battery[:, 0])
    energy_wh = float(np.sum(battery[1:, 1] * battery[1:, 2] * seconds) / 3600.0)
    return Flight(
        {int(value): at - lift_off_s for at, kind, value in events if kind == "reached"},
        float(battery[-1, 3]),
        energy_wh,
    )


def simulated(wind: Wind) -> Flight:
    vehicle = make_vehicle(airframe="arducopter_sitl_quad", wind=wind)
    station = GroundStation(vehicle)
    station.run(0.2)
    mission = [
        station.item(16, 0),
        station.item(22, 0, 0, 30),
        station.item(16, 400, 0, 30),
        station.item(16, 400, 300, 30),
        station.item(16, 100, 300, 30),
        station.item(20),
    ]
    assert station.upload(mission) == 0
    assert station.mode(GUIDED) == 0
    assert station.arm() == 0
    assert station.command(300) == 0
    station.run_until(lambda: vehicle.autopilot.taken_off, 10)
    lift_off_s = vehicle.time_s
    consumed_ah, energy_wh = vehicle.body.consumed_ah, vehicle.body.energy_wh
    station.run_until(lambda: not vehicle.armed, 400)
    reached = {
        message.seq: at - lift_off_s
        for at, message in station.heard
        if message.get_type() == "MISSION_ITEM_REACHED"
    }
    return Flight(
        reached, (vehicle.body.consumed_ah - consumed_ah) * 1000.0, vehicle.body.energy_wh - energy_wh
    )


@pytest.mark.parametrize(
    ("name", "wind", "tolerance"),
    [
        ("ref_w0", Wind(), 0.02),
        # SIM_WIND_SPD 8, SIM_WIND_DIR 270, falling with the square root of height below 60 m.
        ("ref_w8", Wind(from_deg=270.0, speed_m_s=8.0), 0.05),
    ],
    ids=["calm", "wind 8 m/s"],
)
def test_waypoint_times_and_energy_agree_with_the_recorded_flight(
    name: str, wind: Wind, tolerance: float
) -> None:
    real, ours = recorded(name), simulated(wind)
    assert sorted(ours.reached_s) == sorted(real.reached_s) == [1, 2, 3, 4, 5]
    print(f"\n{name}: item, recorded s, simulated s, apart")
    for seq, real_s in sorted(real.reached_s.items()):
        apart = ours.reached_s[seq] / real_s - 1.0
        print(f"  {seq}  {real_s:7.2f}  {ours.reached_s[seq]:7.2f}  {apart:+.2%}")
    charge_apart = ours.consumed_mah / real.consumed_mah - 1.0
    energy_apart = ours.energy_wh / real.energy_wh - 1.0
    print(f"  charge {charge_apart:+.2%}, energy {energy_apart:+.2%}")
    for seq, real_s in real.reached_s.items():
        assert ours.reached_s[seq] == pytest.approx(real_s, rel=tolerance), f"item {seq}"
    assert ours.consumed_mah == pytest.approx(real.consumed_mah, rel=0.05)
    assert ours.energy_wh == pytest.approx(real.energy_wh, rel=0.05)
