"""Against the full visibility graph: the same reachability, the same cost, and legal legs.

The shapes live on a coarse grid on purpose, so that shared edges, touching corners, collinear corners,
courtyards and sealed pockets come up all the time.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from planner.search import engine as engine_module
from planner.search.engine import CompiledEngine
from planner.search.problem import EXHAUSTED, FOUND, GOAL_INSIDE, START_INSIDE, Outcome, Query
from planner.search.reference import ReferenceEngine
from planner.search.shapes import LazyShapes, joined, rings_of
from tests.property.planner_search import oracle

CELL_MM = 3_000
SIDE = 9

grid = st.integers(0, SIDE)
points = st.tuples(grid, grid)


@st.composite
def boxes(draw: st.DrawFn) -> shapely.Polygon:
    x, y = draw(grid), draw(grid)
    return shapely.box(x, y, x + draw(st.integers(1, 4)), y + draw(st.integers(1, 4)))


@st.composite
def triangles(draw: st.DrawFn) -> shapely.Polygon:
    shape = shapely.Polygon([draw(points), draw(points), draw(points)])
    assume(shape.area > 0)
    return shape


@st.composite
def courtyards(draw: st.DrawFn) -> shapely.Polygon:
    x, y = draw(st.integers(0, 5)), draw(st.integers(0, 5))
    w, h = draw(st.integers(3, 5)), draw(st.integers(3, 5))
    yard = shapely.box(x + 1, y + 1, x + w - 1, y + h - 1)
    shape = shapely.box(x, y, x + w, y + h).difference(yard)
    if draw(st.booleans()):  # open it on one side: a U
        shape = shape.difference(shapely.box(x + 1, y, x + w - 1, y + 1))
    return shape


@st.composite
def slivers(draw: st.DrawFn) -> shapely.Polygon:
    a, b = draw(points), draw(points)
    assume(a != b)
    d = np.subtract(b, a)
    n = np.array([-d[1], d[0]]) / 3000.0
    return shapely.Polygon([a, b, b + n])


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[shapely.Polygon], shapely.Geometry | None, oracle.Xy, oracle.Xy]:
    shapes = draw(st.lists(st.one_of(boxes(), boxes(), triangles(), courtyards(), slivers()), max_size=6))
    keep_in = draw(st.sampled_from([None, None, "box", "L", "two parts", "holed"]))
    area = {
        None: None,
        "box": shapely.box(0, 0, SIDE, SIDE),
        "L": shapely.box(0, 0, SIDE, SIDE).difference(shapely.box(4, 4, SIDE, SIDE)),
        "two parts": shapely.box(0, 0, 4, SIDE).union(shapely.box(5, 0, SIDE, SIDE)),
        "holed": shapely.box(0, 0, SIDE, SIDE).difference(shapely.box(3, 3, 5, 6)),
    }[keep_in]

    def in_mm(shape: shapely.Geometry) -> shapely.Geometry:
        return shapely.transform(shape, lambda xy: np.round(xy * CELL_MM))

    start, goal = draw(points), draw(points)
    mm = [in_mm(shape) for shape in shapes]
    assume(all(shape.is_valid and shape.area > 0 for shape in mm))
    return (
        mm,
        None if area is None else in_mm(area),
        (float(start[0] * CELL_MM), float(start[1] * CELL_MM)),
        (float(goal[0] * CELL_MM), float(goal[1] * CELL_MM)),
    )


def engine_of(
    kind: type[CompiledEngine] | type[ReferenceEngine],
    obstacles: list[shapely.Polygon],
    keep_in: shapely.Geometry | None,
) -> CompiledEngine | ReferenceEngine:
    shapes = np.empty(len(obstacles) + 1, dtype=object)
    shapes[0] = shapely.Polygon() if keep_in is None else keep_in
    shapes[1:] = obstacles
    rings = joined(rings_of(shapes[:1], outside=True), rings_of(shapes[1:]))
    return kind(LazyShapes(shapes), rings, keep_in=keep_in is not None)


def check(
    outcome: Outcome,
    start: oracle.Xy,
    goal: oracle.Xy,
    obstacles: list[shapely.Polygon],
    keep_in: shapely.Geometry | None,
    wind: oracle.Xy | None = None,
    airspeed: float = 0.0,
    ground_max: float = math.inf,
) -> None:
    for point, status in ((start, START_INSIDE), (goal, GOAL_INSIDE)):
        around = {k + 1 for k in oracle.inside(point, obstacles)}
        if keep_in is not None and not keep_in.covers(shapely.Point(point)):
            around.add(0)
        if around:
            assert outcome.status == status
            assert set(outcome.obstacles) == around
            return
    cost = oracle.length if wind is None else oracle.flight_time(wind, airspeed, ground_max)
    best = oracle.optimal_cost(start, goal, obstacles, keep_in, cost)
    if math.isinf(best):
        assert outcome.status == EXHAUSTED
        return
    assert outcome.status == FOUND
    assert outcome.points_mm is not None
    way = [start, *[tuple(p) for p in outcome.points_mm], goal]
    for a, b in itertools.pairwise(way):
        assert a == b or oracle.leg_is_legal(a, b, obstacles, keep_in)
    flown = sum(cost(a, b) for a, b in itertools.pairwise(way))
    assert outcome.cost == pytest.approx(flown, rel=1e-12, abs=1e-9)
    assert outcome.cost == pytest.approx(best, rel=1e-9, abs=1e-9)


MANY = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@MANY
@given(world=worlds())
def test_compiled_engine_is_optimal_and_legal(
    world: tuple[list[shapely.Polygon], shapely.Geometry | None, oracle.Xy, oracle.Xy],
) -> None:
    obstacles, keep_in, start, goal = world
    mask = np.ones(len(obstacles) + 1, dtype=np.bool_)
    mask[0] = keep_in is not None
    outcome = engine_of(CompiledEngine, obstacles, keep_in).solve(
        Query((*start, *goal), (0.0, 0.0, 0.0, 0.0)), mask
    )
    check(outcome, start, goal, obstacles, keep_in)


@settings(MANY, max_examples=200)
@given(world=worlds(), patience=st.integers(0, 3))
def test_asking_for_walls_changes_nothing(
    world: tuple[list[shapely.Polygon], shapely.Geometry | None, oracle.Xy, oracle.Xy], patience: int
) -> None:
    """Searches are interrupted at once, so that the obstacles' links have to tell whether the goal is walled off."""
    obstacles, keep_in, start, goal = world
    mask = np.ones(len(obstacles) + 1, dtype=np.bool_)
    mask[0] = keep_in is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine_module, "FIRST_SETTLED", patience)
        engine = engine_of(CompiledEngine, obstacles, keep_in)
        outcome = engine.solve(Query((*start, *goal), (0.0, 0.0, 0.0, 0.0)), mask)
        check(outcome, start, goal, obstacles, keep_in)


@settings(MANY, max_examples=100)
@given(world=worlds())
def test_reference_engine_is_optimal_and_legal(
    world: tuple[list[shapely.Polygon], shapely.Geometry | None, oracle.Xy, oracle.Xy],
) -> None:
    obstacles, keep_in, start, goal = world
    mask = np.ones(len(obstacles) + 1, dtype=np.bool_)
    mask[0] = keep_in is not None
    outcome = engine_of(ReferenceEngine, obstacles, keep_in).solve(
        Query((*start, *goal), (0.0, 0.0, 0.0, 0.0)), mask
    )
    check(outcome, start, goal, obstacles, keep_in)


@settings(MANY, max_examples=100)
@given(world=worlds(), direction=st.floats(0.0, 2 * math.pi), share=st.floats(0.0, 0.95))
def test_wind_is_flown_fastest(
    world: tuple[list[shapely.Polygon], shapely.Geometry | None, oracle.Xy, oracle.Xy],
    direction: float,
    share: float,
) -> None:
    obstacles, keep_in, start, goal = world
    airspeed = 15.0
    wind = (airspeed * share * math.cos(direction), airspeed * share * math.sin(direction))
    mask = np.ones(len(obstacles) + 1, dtype=np.bool_)
    mask[0] = keep_in is not None
    query = Query((*start, *goal), (*wind, airspeed**2 - wind[0] ** 2 - wind[1] ** 2, 0.0))
    outcome = engine_of(CompiledEngine, obstacles, keep_in).solve(query, mask)
    check(outcome, start, goal, obstacles, keep_in, wind, airspeed)


@settings(MANY, max_examples=200)
@given(
    world=worlds(),
    direction=st.floats(0.0, 2 * math.pi),
    share=st.floats(0.0, 0.95),
    limit=st.floats(0.2, 2.0),
    kind=st.sampled_from([CompiledEngine, CompiledEngine, CompiledEngine, ReferenceEngine]),
)
def test_a_limited_ground_speed_is_flown_fastest(
    world: tuple[list[shapely.Polygon], shapely.Geometry | None, oracle.Xy, oracle.Xy],
    direction: float,
    share: float,
    limit: float,
    kind: type[CompiledEngine] | type[ReferenceEngine],
) -> None:
    """Limits from below the slowest head wind to above the strongest tail wind."""
    obstacles, keep_in, start, goal = world
    airspeed = 15.0
    ground_max = limit * airspeed
    wind = (airspeed * share * math.cos(direction), airspeed * share * math.sin(direction))
    mask = np.ones(len(obstacles) + 1, dtype=np.bool_)
    mask[0] = keep_in is not None
    query = Query((*start, *goal), (*wind, airspeed**2 - wind[0] ** 2 - wind[1] ** 2, 1.0 / ground_max))
    outcome = engine_of(kind, obstacles, keep_in).solve(query, mask)
    check(outcome, start, goal, obstacles, keep_in, wind, airspeed, ground_max)


@settings(MANY, max_examples=100)
@given(world=worlds(), data=st.data())
def test_masked_obstacles_are_as_if_absent(
    world: tuple[list[shapely.Polygon], shapely.Geometry | None, oracle.Xy, oracle.Xy], data: st.DataObject
) -> None:
    obstacles, keep_in, start, goal = world
    on = data.draw(st.lists(st.booleans(), min_size=len(obstacles), max_size=len(obstacles)))
    mask = np.array([keep_in is not None, *on], dtype=np.bool_)
    query = Query((*start, *goal), (0.0, 0.0, 0.0, 0.0))
    masked = engine_of(CompiledEngine, obstacles, keep_in).solve(query, mask)
    present = [shape for shape, is_on in zip(obstacles, on, strict=True) if is_on]
    places = np.array([0, *(np.flatnonzero(on) + 1)])
    alone = engine_of(CompiledEngine, present, keep_in).solve(query, mask[mask | (np.arange(len(mask)) == 0)])
    assert masked.status == alone.status
    assert masked.cost == pytest.approx(alone.cost, rel=1e-12)
    if masked.status in (START_INSIDE, GOAL_INSIDE):
        assert masked.obstacles == tuple(places[list(alone.obstacles)].tolist())
