"""What is offered as a refuge, and what returns sweep over, is what plain arithmetic and shapely say."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from planner import rally_kernels

places = st.tuples(*2 * [st.floats(-5000.0, 5000.0).map(lambda metres: round(metres, 1))])
legs_between = st.lists(st.tuples(places, places), min_size=1, max_size=6)


def flat(legs) -> np.ndarray:
    return np.array(legs, dtype=np.float64).reshape(-1, 4)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(places, st.booleans()), min_size=1, max_size=20), legs_between)
def test_refuges_beside_the_legs_are_offered(refuges, legs):
    boxes = [
        shapely.box(*np.minimum(start, end) - np.array(1000.0), *np.maximum(start, end) + np.array(1000.0))
        for start, end in legs
    ]
    wanted = [
        number
        for number, (place, fit) in enumerate(refuges)
        if fit and any(box.covers(shapely.Point(place)) for box in boxes)
    ]
    xy_m = np.array([place for place, _ in refuges])
    found = rally_kernels.beside(xy_m, np.array([fit for _, fit in refuges]), flat(legs), 1000.0)
    assert found.tolist() == wanted


@settings(max_examples=100, deadline=None)
@given(st.lists(places, min_size=1, max_size=20), legs_between, st.data())
def test_whatever_is_near_enough_to_a_leg_is_within_reach(candidates, legs, data):
    numbers = st.tuples(st.floats(-500.0, 3000.0), st.floats(-0.2, 0.2))
    reach = np.array(data.draw(st.lists(numbers, min_size=len(legs), max_size=len(legs))))
    found = set(rally_kernels.within_reach(flat(legs), np.array(candidates), reach, 30.0).tolist())
    for (start, end), (at_start_m, for_each_m) in zip(legs, reach.tolist(), strict=True):
        line = shapely.LineString([start, end])
        furthest_m = 30.0 + max(0.0, at_start_m, at_start_m + for_each_m * line.length)
        for number, candidate in enumerate(candidates):
            if line.distance(shapely.Point(candidate)) < furthest_m - 1e-6:
                assert number in found


@settings(max_examples=100, deadline=None)
@given(st.tuples(places, places), places, st.floats(-50.0, 3000.0), st.floats(0.0, 2000.0))
def test_a_triangle_stands_on_its_piece_of_the_leg(leg, candidate, low_m, more_m):
    one = np.zeros(1, dtype=np.int64)
    low, high = np.array([low_m]), np.array([low_m + more_m])
    ((first, last, tip),) = rally_kernels.swept(flat([leg]), np.array([candidate]), one, one, low, high)
    assert tuple(tip) == candidate
    assert abs(float(np.hypot(*(last - first))) - more_m) < 1e-6
    start, end = np.array(leg)
    if leg[0] != leg[1]:
        unit = (end - start) / np.hypot(*(end - start))
        np.testing.assert_allclose(first, start + low_m * unit, atol=1e-6)
        np.testing.assert_allclose(last, start + (low_m + more_m) * unit, atol=1e-6)
