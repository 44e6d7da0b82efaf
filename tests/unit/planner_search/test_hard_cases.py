"""Degenerate geometry, each case with an answer that can be seen without a computer.

Given in engine millimetres, so that nothing is grown and «touching» means touching. Both engines have to
agree.
"""

from __future__ import annotations

import numpy as np
import pytest
import shapely
import shapely.affinity
from shapely import Polygon, box

from planner.search.engine import CompiledEngine
from planner.search.problem import EXHAUSTED, FOUND, GOAL_INSIDE, START_INSIDE, Outcome, Query
from planner.search.reference import ReferenceEngine
from planner.search.shapes import LazyShapes, joined, rings_of

ENGINES = [CompiledEngine, ReferenceEngine]
Xy = tuple[float, float]


@pytest.fixture(params=ENGINES, ids=["compiled", "reference"])
def solve(request: pytest.FixtureRequest):
    """Search from a to b among obstacles."""

    def run(a: Xy, b: Xy, *obstacles: Polygon, keep_in: shapely.Geometry | None = None) -> Outcome:
        shapes = np.empty(len(obstacles) + 1, dtype=object)
        shapes[0] = Polygon() if keep_in is None else keep_in
        shapes[1:] = list(obstacles)
        rings = joined(rings_of(shapes[:1], outside=True), rings_of(shapes[1:]))
        engine = request.param(LazyShapes(shapes), rings, keep_in=keep_in is not None)
        mask = np.ones(len(shapes), dtype=np.bool_)
        query = Query((float(a[0]), float(a[1]), float(b[0]), float(b[1])), (0.0, 0.0, 0.0, 0.0))
        return engine.solve(query, mask)

    return run


def way(outcome: Outcome) -> list[Xy]:
    assert outcome.status == FOUND
    assert outcome.points_mm is not None
    return [(x, y) for x, y in outcome.points_mm]


def test_grazing_an_edge_is_straight(solve) -> None:
    assert way(solve((0, 100), (300, 100), box(100, 0, 200, 100))) == []


def test_grazing_a_corner_is_straight(solve) -> None:
    assert way(solve((0, 0), (200, 200), Polygon([(100, 100), (200, 0), (200, 100)]))) == []


def test_one_millimetre_into_an_edge_bends(solve) -> None:
    assert way(solve((0, 99), (300, 99), box(100, 0, 200, 100))) == [(100, 100), (200, 100)]


def test_through_two_opposite_corners_is_blocked(solve) -> None:
    square = box(100, 100, 200, 200)
    assert len(way(solve((0, 0), (300, 300), square))) == 1


def test_passing_between_corners_that_touch(solve) -> None:
    """Two squares meet in one point: the point is boundary of both, so the diagonal may pass."""
    outcome = solve((0, 200), (200, 0), box(0, 0, 100, 100), box(100, 100, 200, 200))
    assert way(outcome) == []


def test_a_shared_edge_is_a_seam(solve) -> None:
    """Exactly abutting obstacles leave a seam of width zero; worlds grow obstacles so that there is none."""
    assert way(solve((100, -50), (100, 250), box(0, 0, 100, 200), box(100, 0, 200, 200))) == []


def test_one_millimetre_of_overlap_closes_the_seam(solve) -> None:
    outcome = solve((100, -50), (100, 250), box(0, 0, 101, 200), box(100, 0, 200, 200))
    assert way(outcome) in ([(0, 0), (0, 200)], [(200, 0), (200, 200)])


def test_collinear_boxes_are_passed_along_one_line(solve) -> None:
    row = [box(x, 0, x + 50, 100) for x in (100, 200, 300)]
    assert solve((0, 100), (450, 100), *row).points_mm == []
    # from below their tops: up to the first corner, along all of them, down from the last
    assert way(solve((0, 50), (450, 50), *row)) in (
        [(100, 100), (350, 100)],
        [(100, 0), (350, 0)],
    )


def test_corners_without_a_bend_do_not_matter(solve) -> None:
    """A vertex in the middle of a straight edge, and a start in line with it."""
    square = Polygon([(100, 0), (150, 0), (200, 0), (200, 100), (150, 100), (100, 100)])
    assert way(solve((0, 90), (300, 90), square)) == [(100, 100), (200, 100)]


def test_start_on_boundary_goes_along_and_away(solve) -> None:
    square = box(0, 0, 100, 100)
    assert way(solve((50, 100), (0, 100), square)) == []
    assert way(solve((50, 100), (50, 300), square)) == []
    assert way(solve((90, 100), (90, 0), square)) == [(100, 100), (100, 0)]


def test_start_and_goal_on_corners(solve) -> None:
    square = box(0, 0, 100, 100)
    outcome = solve((0, 0), (100, 100), square)
    assert len(way(outcome)) == 1
    assert outcome.cost == pytest.approx(200.0, rel=1e-12)


def test_start_is_goal(solve) -> None:
    outcome = solve((5, 5), (5, 5), box(100, 0, 200, 100))
    assert (outcome.status, outcome.cost) == (FOUND, 0.0)


def test_inside_names_every_obstacle_around(solve) -> None:
    outcome = solve((50, 50), (500, 500), box(0, 0, 100, 100), box(40, 40, 60, 60), box(400, 0, 401, 1))
    assert (outcome.status, outcome.obstacles) == (START_INSIDE, (1, 2))
    outcome = solve((500, 500), (50, 50), box(0, 0, 100, 100), box(40, 40, 60, 60))
    assert (outcome.status, outcome.obstacles) == (GOAL_INSIDE, (1, 2))


def test_courtyard_is_sealed_both_ways(solve) -> None:
    ring = box(0, 0, 300, 300).difference(box(100, 100, 200, 200))
    for a, b in (((150, 150), (500, 150)), ((500, 150), (150, 150))):
        outcome = solve(a, b, ring)
        assert (outcome.status, outcome.obstacles) == (EXHAUSTED, (1,))
    assert way(solve((110, 110), (190, 190), ring)) == []


def test_four_overlapping_walls_seal_a_pocket(solve) -> None:
    walls = [box(0, 0, 400, 50), box(350, 0, 400, 400), box(0, 350, 400, 400), box(0, 0, 50, 400)]
    assert solve((200, 200), (900, 200), *walls).status == EXHAUSTED
    assert solve((900, 200), (200, 200), *walls).status == EXHAUSTED
    # the last wall one millimetre short: a way out along it
    short = [*walls[:3], box(0, 51, 50, 349)]
    assert solve((200, 200), (900, 200), *short).status == FOUND


def test_a_way_through_a_gap_of_one_millimetre(solve) -> None:
    gap = (box(100, -500, 200, 50), box(100, 51, 200, 500))
    assert way(solve((0, 0), (300, 0), *gap)) == [(100, 50), (200, 50)]
    assert way(solve((0, 49), (300, 52), *gap)) == []  # exactly through two opposite corners
    assert way(solve((0, 48), (300, 53), *gap)) == [(100, 50), (200, 51)]


def test_slivers_block(solve) -> None:
    needle = Polygon([(100, -1000), (101, 0), (100, 1000)])
    assert way(solve((0, 1), (200, 1), needle)) == [(100, 1000)]


def test_spiral(solve) -> None:
    """Out of a rectangular spiral: every corner is a bend, in order."""
    wall = shapely.LineString([(0, 0), (600, 0), (600, 600), (100, 600), (100, 200), (400, 200), (400, 400)])
    spiral = wall.buffer(10, cap_style="flat", join_style="mitre")
    spiral = shapely.transform(spiral, np.round)
    outcome = solve((300, 300), (-100, -100), spiral)
    corners = way(outcome)
    assert len(corners) >= 4
    line = shapely.LineString([(300, 300), *corners, (-100, -100)])
    assert not line.relate_pattern(spiral, "T********")


def test_overlapping_corners_inside_others_are_no_bends(solve) -> None:
    """A plus sign of two bars: the way bends at bar ends only."""
    bars = [box(-300, -50, 300, 50), box(-50, -300, 50, 300)]
    corners = way(solve((-200, -200), (200, 200), *bars))
    assert corners in (
        [(-50, -300), (50, -300), (300, -50), (300, 50)],
        [(-300, -50), (-300, 50), (-50, 300), (50, 300)],
    )


def test_identical_obstacles(solve) -> None:
    square = box(100, 0, 200, 100)
    assert way(solve((0, 90), (300, 90), square, square, square)) == [(100, 100), (200, 100)]


def test_keep_in_bends_round_its_reflex_corner(solve) -> None:
    area = box(0, 0, 300, 300).difference(box(100, 100, 300, 300))
    assert way(solve((50, 250), (250, 50), keep_in=area)) == [(100, 100)]


def test_keep_in_boundary_may_be_flown_along(solve) -> None:
    assert way(solve((0, 0), (0, 300), keep_in=box(0, 0, 300, 300))) == []


def test_keep_in_in_two_parts_is_sealed(solve) -> None:
    area = box(0, 0, 100, 100).union(box(200, 0, 300, 100))
    outcome = solve((50, 50), (250, 50), keep_in=area)
    assert (outcome.status, outcome.obstacles) == (EXHAUSTED, (0,))


def test_outside_the_keep_in_area(solve) -> None:
    area = box(0, 0, 100, 100)
    assert solve((150, 50), (50, 50), keep_in=area).obstacles == (0,)
    assert solve((50, 50), (150, 50), keep_in=area).status == GOAL_INSIDE
    assert solve((50, 50), (60, 50), keep_in=Polygon()).status == START_INSIDE


def test_an_obstacle_across_the_keep_in_area_seals(solve) -> None:
    area = box(0, 0, 300, 100)
    assert solve((50, 50), (250, 50), box(140, -10, 160, 110), keep_in=area).status == EXHAUSTED
    # touching the fence with an edge leaves a seam of width zero along it
    assert solve((50, 50), (250, 50), box(140, 0, 160, 90), keep_in=area).status == FOUND


def test_far_corners_of_the_exact_square(solve) -> None:
    """Full 67 km: the orientation of nearly collinear points one millimetre apart must be right."""
    far = 2.0**26
    below = Polygon([(far / 2, far / 2 - 1), (far, 0), (far, far - 1)])
    assert way(solve((0, 0), (far, far), below)) == []
    above = Polygon(
        [(far / 2, far / 2 + 1), (far / 2 + 1, far / 2 + 1), (far / 2 + 2, far / 2 - 1), (far, 0)]
    )
    outcome = solve((0, 0), (far, far), above)
    assert len(way(outcome)) >= 1


@pytest.mark.parametrize("seed", range(20))
def test_looking_out_of_a_ring_with_a_gap(seed: int) -> None:
    """What surrounds the start hides nothing by its outline alone: far corners are seen through the gap."""
    rng = np.random.default_rng(seed)
    ring = shapely.Point(0, 0).buffer(200, 8).difference(shapely.Point(0, 0).buffer(150, 8))
    ring = ring.difference(box(0, -60, 300, 60))
    far = [box(x, y, x + 150, y + 400) for x, y in rng.uniform([400, -500], [1200, 100], (4, 2))]
    shapes = np.array(
        [Polygon(), *far, shapely.affinity.rotate(ring, rng.uniform(-20, 20), (0, 0))], dtype=object
    )
    shapes = shapely.transform(shapes, lambda xy: np.round(xy * 1000))
    rings = joined(rings_of(shapes[:1], outside=True), rings_of(shapes[1:]))
    mask = np.ones(len(shapes), dtype=np.bool_)
    fast, slow = (kind(LazyShapes(shapes), rings, keep_in=False) for kind in ENGINES)
    for x, y, gx, gy in rng.uniform([-90, -90, 400, -900], [90, 90, 1800, 900], (25, 4)).round().tolist():
        query = Query((x * 1000, y * 1000, gx * 1000, gy * 1000), (0.0, 0.0, 0.0, 0.0))
        one, other = fast.solve(query, mask), slow.solve(query, mask)
        assert one.status == other.status
        assert one.cost == pytest.approx(other.cost, rel=1e-12)
