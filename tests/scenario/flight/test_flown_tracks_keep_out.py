"""What was truly flown never enters a zone: the simulator's own testimony, judged by shapely.

The planner, the agent and the autopilot's stand-in all take part; the judge shares code with none of
them: zones are plain numbers, projected by a transverse Mercator (see the plans' test).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely

from core.geodesy import Wgs84Point
from flight.messages import AbortFlight, FlightEnded
from flight.model.phases import Phase, SafeState
from geofences.airspace import Airspace
from planner.flight_plan import FlightPlan
from planner.task import NoPlan
from sitl.weather import Wind
from tests.property.planner.test_plans_keep_out import LATITUDE, LONGITUDE, TO_PLANE, Shape, dense
from tests.scenario.flight.stage import Stage, perform
from tests.unit.planner.helpers import fly, landing_point, refuge, station, wind

SETTLED_HEIGHT_M = 1.0
"""On its pad the vehicle is where the station is; everything above is flight."""


def crowded_plan(rng: np.random.Generator) -> tuple[FlightPlan, list[Shape], tuple[float, float]]:
    """A plan through a random crowded city that has to bend, its zones, and the wind it counts on."""
    while True:
        zones = dense(rng)
        refuges = [(float(x), float(y)) for x, y in rng.uniform(-1500, 1500, (60, 2))]
        start = (float(rng.uniform(-1400, -700)), float(rng.uniform(-1300, 1300)))
        goal = (float(rng.uniform(700, 1400)), float(rng.uniform(-1300, 1300)))
        blowing = (float(rng.uniform(0, 360)), float(rng.choice([0.0, 3.0, 8.0])))
        found = fly(
            Airspace(
                [shape.zone(number) for number, shape in enumerate(zones)],
                version="t",
                origin=Wgs84Point(LATITUDE, LONGITUDE),
            ),
            station("home", *start),
            landing_point("park", *goal),
            refuges=tuple(refuge(f"r{number}", x, y) for number, (x, y) in enumerate(refuges)),
            blowing=wind(*blowing),
        )
        if not isinstance(found, NoPlan) and len(found.outbound) > 3:
            return found, zones, blowing


def clearance_m(shape: Shape, track: np.ndarray) -> float:
    """Least distance from the zone of the part of the track (lon, lat, amsl) at its heights; inf if none."""
    low = -np.inf if shape.low_amsl_m is None else shape.low_amsl_m
    high = np.inf if shape.high_amsl_m is None else shape.high_amsl_m
    inside = track[(track[:, 2] >= low) & (track[:, 2] <= high)]
    if not len(inside):
        return float("inf")
    places = shapely.points(np.column_stack(TO_PLANE.transform(inside[:, 0], inside[:, 1])))
    return float(np.min(shapely.distance(shape.core, places))) - (shape.radius_m or 0.0)


@pytest.mark.parametrize("seed", range(8))
def test_the_flown_track_never_enters_a_zone(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    plan, zones, (from_deg, speed_m_s) = crowded_plan(rng)
    give_up_in = [None, Phase.OUTBOUND, Phase.INBOUND, Phase.LOWERING][seed % 4]
    ended: list[FlightEnded] = []

    async def play(stage: Stage) -> None:
        await stage.ready()
        await stage.answer(stage.mission())
        if give_up_in is not None:
            await stage.phase(give_up_in)
            await stage.clock.sleep(float(rng.uniform(0, 20)))
            await stage.tell(stage.order(AbortFlight))
        ended.append(await stage.end(1500))

    stage = perform(
        play,
        tmp_path,
        seed=seed,
        plan=plan,
        wind=Wind(from_deg=from_deg, speed_m_s=speed_m_s, turbulence_m_s=0.5),
    )
    track = np.array(stage.track)
    assert len(track) > 100
    assert track[:, 2].max() - plan.home.altitude_amsl_m > 30
    flown = track[track[:, 2] > plan.home.altitude_amsl_m + SETTLED_HEIGHT_M]
    assert min(clearance_m(shape, flown) for shape in zones) > 0.0
    assert ended[0].safe_state is SafeState.ON_PAD
    # The judge must be able to say no: a zone laid over the track is entered.
    middle = flown[len(flown) // 2]
    over = Shape((middle[0], middle[1]), 5.0, (), None, None)
    assert clearance_m(over, flown) < 0.0
