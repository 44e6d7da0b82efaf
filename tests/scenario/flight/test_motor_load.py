"""Whenever a drone stands still in the air, its motors are seen to carry it: without the AED, too, and after a hard climb.

This is what keeps a landed detector that errs from stopping them (decision 0042). ``pytest -s`` tells the figures.
"""

from __future__ import annotations

import math
from collections import defaultdict
from itertools import groupby
from pathlib import Path
from statistics import mean

import pytest

from core.virtual_time import run_virtual
from flight.fault_finder import STILL_M_S
from flight.model.faults import RULES, Fault
from flight.model.view import LandedState, VehicleView
from flight.motor_load import MotorLoad
from proving_ground.campaign import scenario_of
from proving_ground.loader import SITES
from proving_ground.play import STEP_S
from proving_ground.runner import played
from proving_ground.schema import Scenario
from proving_ground.staging import staged
from sitl.autopilot import Personality

DRONE = "bao-01"


@pytest.mark.parametrize("autopilot", list(Personality))
def test_a_drone_that_stands_in_the_air_is_seen_to_fly(autopilot: Personality, tmp_path: Path) -> None:
    document = {**scenario_of("gps_noise", "landing", autopilot), "faults": []}
    load, drawn_a, still = MotorLoad(), defaultdict[str, list[float]](list), list[bool | None]()

    async def play() -> bool:
        stage = staged(
            Scenario.model_validate(document), seed=2, folder=tmp_path, site_file=SITES / "baoan.json"
        )
        async with stage as world:
            body = world.vehicles[DRONE].body

            def look() -> None:
                north_m_s, east_m_s, up_m_s = body.velocity_m_s
                seen = VehicleView(
                    armed=not body.on_ground,
                    landed_state=LandedState.ON_GROUND if body.on_ground else LandedState.IN_AIR,
                    velocity_up_m_s=up_m_s,
                    battery_current_a=body.current_a,
                )
                load.look(seen)
                if body.on_ground:
                    return
                drawn_a[str(world.hub.fleet.phases()[DRONE])].append(body.current_a)
                stands = max(abs(up_m_s), math.hypot(north_m_s, east_m_s)) < STILL_M_S
                still.append(load.carries(seen) if stands else None)

            world.watchers.append(look)
            return (await played(world, "")).passed

    assert run_virtual(play())
    doubted_s = STEP_S * max((len(list(run)) for said, run in groupby(still) if said is False), default=0)
    told = {phase: round(mean(values), 1) for phase, values in drawn_a.items()}
    print(f"{autopilot}: mean A by phase {told}; standing, doubted for {doubted_s:.1f} s at most")
    assert still.count(True) * STEP_S > 1.0, "it stood somewhere, or nothing was looked at"
    assert doubted_s < RULES[Fault.CRASHED].set_after_s / 2.0
