"""Ways over hills, under shelves and over obstacles, judged from the zones' own numbers by dense sampling."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import shapely
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from core.geodesy import Altitude
from geofences.model import GROUND, UNLIMITED, TimeWindow, VerticalLimit, Zone
from planner.corridor import corridor_of
from planner.height_profile import climb_limits
from planner.policy import PlanningPolicy
from planner.profiled_way import End, NoProfiledWay, ProfiledWay, backwards, find_profiled_way
from planner.space import space_for
from tests.unit.planner.helpers import HEX10, NOW, airspace, box_zone, calm
from tests.unit.planner.hills import Hill

POLICY = PlanningPolicy(minimum_agl_m=25.0, maximum_agl_m=120.0)
WINDOW = TimeWindow.lasting(NOW, 900.0)
HALF_WIDTH_M, HEIGHT_ERROR_M = 61.12, 4.0
AROUND = np.array(
    [(0.0, 0.0)] + [(math.cos(a), math.sin(a)) for a in np.linspace(0.0, 2.0 * math.pi, 13)[:-1]]
)


@dataclass(frozen=True)
class Block:
    """A box zone by its numbers; ``agl`` says what the limits count from."""

    box: tuple[float, float, float, float]
    floor_m: float | None
    ceiling_m: float | None
    agl: bool

    def zone(self, number: int) -> Zone:
        def limit(metres: float | None, unlimited: VerticalLimit) -> VerticalLimit:
            if metres is None:
                return unlimited
            return VerticalLimit(Altitude.agl(metres) if self.agl else Altitude.amsl(metres))

        return box_zone(
            f"b{number}",
            *self.box,
            floor=limit(self.floor_m, GROUND),
            ceiling=limit(self.ceiling_m, UNLIMITED),
        )

    def closes(self, ground_m: np.ndarray, altitude_m: np.ndarray) -> np.ndarray:
        base = ground_m if self.agl else np.zeros_like(ground_m)
        above = np.full(len(base), True) if self.floor_m is None else altitude_m >= base + self.floor_m
        below = np.full(len(base), True) if self.ceiling_m is None else altitude_m <= base + self.ceiling_m
        return above & below


def find(hill: Hill, blocks: list[Block], far_m: float) -> ProfiledWay | NoProfiledWay:
    sky = airspace(*(block.zone(i) for i, block in enumerate(blocks)), terrain=hill)
    space = space_for(sky, corridor_of(HEX10))
    grounds = hill.heights_m([(0.0, 0.0), (far_m, 0.0)]).tolist()
    ends = [
        End(xy_m=xy, ground_amsl_m=ground, lowest_amsl_m=ground + POLICY.minimum_agl_m)
        for xy, ground in zip(((0.0, 0.0), (far_m, 0.0)), grounds, strict=True)
    ]
    return find_profiled_way(
        space, space.world(None), *ends, airframe=HEX10, wind=calm(), policy=POLICY, window=WINDOW
    )


def judge(found: ProfiledWay, hill: Hill, blocks: list[Block]) -> None:
    corners, heights = np.array(found.way.points_xy_m), np.array(found.amsl_m)
    for start, end, low, high in zip(corners[:-1], corners[1:], heights[:-1], heights[1:], strict=True):
        length = float(np.hypot(*(end - start)))
        assert abs(high - low) <= climb_limits(HEX10).slope_max * length + 0.01
        share = np.linspace(0.0, 1.0, max(2, int(length // 7.0)))[:, None]
        points, altitude = start + share * (end - start), low + share[:, 0] * (high - low)
        above = altitude - hill.heights_m(points)
        assert above.min() >= POLICY.minimum_agl_m - 0.01
        assert above.max() <= POLICY.maximum_agl_m - HEIGHT_ERROR_M + 0.01
        about = (points[:, None, :] + 0.99 * HALF_WIDTH_M * AROUND[None]).reshape(-1, 2)
        over = np.repeat(altitude, len(AROUND))
        ground = hill.heights_m(about)
        for block in blocks:
            inside = shapely.contains_xy(shapely.box(*block.box), about[:, 0], about[:, 1])
            for error in (-HEIGHT_ERROR_M, 0.0, HEIGHT_ERROR_M):
                assert not (inside & block.closes(ground, over + error)).any(), block


limits = st.sampled_from(
    [(None, 45.0, True), (60.0, None, True), (75.0, 100.0, True), (None, None, False), (None, 70.0, False),
     (80.0, None, False), (50.0, 65.0, True)]
)  # fmt: skip


@st.composite
def block(draw: st.DrawFn) -> Block:
    west, south = draw(st.floats(150, 3400)), draw(st.floats(-900, 300))
    floor, ceiling, agl = draw(limits)
    return Block(
        (west, south, west + draw(st.floats(60, 700)), south + draw(st.floats(200, 1500))),
        floor,
        ceiling,
        agl,
    )


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    blocks=st.lists(block(), max_size=6),
    top=st.floats(0, 160),
    spread=st.floats(250, 900),
    centre=st.tuples(st.floats(500, 3500), st.floats(-400, 400)),
)
def test_no_way_meets_ground_or_zone(
    blocks: list[Block], top: float, spread: float, centre: tuple[float, float]
) -> None:
    hill = Hill(*centre, top, spread)
    found = find(hill, blocks, 4000.0)
    event(type(found).__name__)
    if isinstance(found, NoProfiledWay):
        return
    event(f"level {len(set(found.amsl_m)) == 1}")
    judge(found, hill, blocks)
    back = backwards(found, HEX10, calm())
    assert isinstance(back, ProfiledWay)
    judge(back, hill, blocks)
    assert back.way.duration_s > 0.0
    assert math.isclose(back.way.duration_s, found.way.duration_s, rel_tol=1e-6)


def test_under_a_shelf_over_an_obstacle_and_over_a_hill_in_one_flight() -> None:
    """No single altitude does this: the shelf is at 60 m, the obstacle 45 m high, the hill 90 m, all across."""
    hill = Hill(3200.0, 0.0, 90.0, 350.0)
    across = (-20_000.0, 20_000.0)
    shelf = Block((400.0, across[0], 900.0, across[1]), 60.0, None, True)
    obstacle = Block((1500.0, across[0], 1700.0, across[1]), None, 45.0, True)
    found = find(hill, [shelf, obstacle], 4600.0)
    assert isinstance(found, ProfiledWay)
    judge(found, hill, [shelf, obstacle])
    corners = np.array(found.way.points_xy_m)
    at = {x: float(np.interp(x, corners[:, 0], found.amsl_m)) for x in (650.0, 1600.0, 3200.0)}
    assert at[650.0] < 61.0
    assert at[1600.0] > 54.0
    assert at[3200.0] >= 120.0 - 0.01
    assert found.passed == {0, 1}
    assert np.ptp(corners[:, 1]) < 1.0, "it flies straight on, not around"


def test_on_the_plain_the_profile_is_one_altitude() -> None:
    found = find(Hill(0.0, 0.0, 0.0, 100.0), [], 3000.0)
    assert isinstance(found, ProfiledWay)
    assert set(found.amsl_m) == {30.0}


def test_an_obstacle_that_no_height_passes_is_flown_around() -> None:
    block = Block((1000.0, -400.0, 1300.0, 300.0), None, None, False)
    found = find(Hill(0.0, 0.0, 0.0, 100.0), [block], 3000.0)
    assert isinstance(found, ProfiledWay)
    judge(found, Hill(0.0, 0.0, 0.0, 100.0), [block])
    assert len(found.way.points_xy_m) > 2


def test_a_step_too_high_for_the_slope_is_flown_around() -> None:
    """Under the first, over the second would need 40 m of climb in 60 m: the way leads around one of them."""
    shelf = Block((1000.0, -2000.0, 1300.0, 300.0), 60.0, None, True)
    wall = Block((1480.0, -2000.0, 1600.0, 300.0), None, 75.0, True)
    flat = Hill(0.0, 0.0, 0.0, 100.0)
    found = find(flat, [shelf, wall], 3000.0)
    assert isinstance(found, ProfiledWay)
    judge(found, flat, [shelf, wall])
    assert found.way.duration_s > 150.0
    assert max(abs(y) for _, y in found.way.points_xy_m) > 300.0


def test_climbing_on_the_way_costs_energy_and_no_time() -> None:
    plain, hill = Hill(0.0, 0.0, 0.0, 100.0), Hill(1500.0, 0.0, 150.0, 600.0)
    flat, over = find(plain, [], 3000.0), find(hill, [], 3000.0)
    assert isinstance(flat, ProfiledWay)
    assert isinstance(over, ProfiledWay)
    rise = sum(max(0.0, b - a) for a, b in zip(over.amsl_m, over.amsl_m[1:], strict=False))
    assert rise > 80.0
    expected_wh = 10.0 * 9.80665 * rise / 0.8 / 3600.0
    assert math.isclose(over.way.energy_wh - flat.way.energy_wh, expected_wh, rel_tol=0.02)
    assert math.isclose(over.way.duration_s, flat.way.duration_s, rel_tol=1e-3)
