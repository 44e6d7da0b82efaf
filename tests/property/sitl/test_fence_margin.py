"""The fence remembers how far the nearest edge was: that must never change what it says."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sitl.ardupilot.fence import POLYGON
from tests.unit.sitl.ground_station import make_vehicle

metres = st.floats(-200.0, 200.0, allow_nan=False)
steps = st.lists(st.tuples(st.floats(-30.0, 30.0), st.floats(-30.0, 30.0)), min_size=1, max_size=40)
ring = st.lists(st.tuples(metres, metres), min_size=3, max_size=7)
shapes = st.lists(
    st.one_of(
        st.tuples(st.booleans(), ring.map(tuple), st.just(0.0)),
        st.tuples(st.booleans(), st.tuples(st.tuples(metres, metres)), st.floats(5.0, 150.0)),
    ),
    min_size=1,
    max_size=3,
)


@given(shapes=shapes, start=st.tuples(metres, metres), steps=steps)
def test_a_walk_is_judged_as_each_point_alone(
    shapes: list[tuple[bool, tuple[tuple[float, float], ...], float]],
    start: tuple[float, float],
    steps: list[tuple[float, float]],
) -> None:
    vehicle = make_vehicle(parameters={"FENCE_TYPE": POLYGON})
    walking, alone = vehicle.autopilot.fence, type(vehicle.autopilot.fence)(vehicle.autopilot)
    walking._shapes = shapes
    north, east = start
    for step_n, step_e in steps:
        north, east = north + step_n, east + step_e
        alone.load(())
        alone._shapes = shapes
        assert walking._polygon_excess_m(north, east) == alone._polygon_excess_m(north, east)
