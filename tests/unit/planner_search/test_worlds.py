"""The doors of a world: what is refused, how it is said, and what stays as it was."""

from __future__ import annotations

import dataclasses
import math
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import shapely

from core.errors import AirspaceError, ErrorCode
from planner.search import NoSearchRoute, SearchRoute, SearchWorld, grid, kernels, walls
from planner.search import engine as engine_module
from planner.search.verify import RouteVerifier
from planner.search.warm import warm_up

A, B = (0.0, 0.0), (300.0, 0.0)
SQUARE = shapely.box(100.0, -50.0, 200.0, 60.0)


def test_touching_zones_do_not_leak() -> None:
    """Two zones share an edge in line with the way: the seam between them is closed by their growth."""
    halves = [shapely.box(100, -500, 150, 500), shapely.box(150, -500, 200, 500)]
    seam = SearchWorld.build(halves, buffer_m=0.0).shortest((150.0, -600.0), (150.0, 600.0))
    assert isinstance(seam, SearchRoute)
    assert seam.length_m > 1205.0
    across = [shapely.box(100, -500, 200, 0), shapely.box(100, 0, 200, 500)]
    route = SearchWorld.build(across, buffer_m=0.0).shortest(A, B)
    assert isinstance(route, SearchRoute)
    assert route.length_m > 1000.0


def test_wind_is_said_and_flown() -> None:
    """Straight into a wind of half the airspeed: twice the time; across it: 1/√(1−¼)."""
    world = SearchWorld.build([], buffer_m=0.0)
    head = world.shortest(A, B, wind_xy_m_s=(-10.0, 0.0), airspeed_m_s=20.0)
    cross = world.shortest(A, B, wind_xy_m_s=(0.0, 10.0), airspeed_m_s=20.0)
    calm = world.shortest(A, B, airspeed_m_s=20.0)
    assert isinstance(head, SearchRoute)
    assert isinstance(cross, SearchRoute)
    assert isinstance(calm, SearchRoute)
    assert (head.cost_unit, head.length_m) == ("s", 300.0)
    assert head.cost == pytest.approx(30.0, rel=1e-12)
    assert cross.cost == pytest.approx(15.0 / math.sqrt(0.75), rel=1e-12)
    assert calm.cost == pytest.approx(15.0, rel=1e-12)


def test_the_fastest_way_may_be_longer() -> None:
    """The short way round the square leads over its south; a wind can make the north faster, never
    shorter."""
    tall = shapely.box(100.0, -90.0, 200.0, 100.0)
    world = SearchWorld.build([tall], buffer_m=0.0)
    calm = world.shortest(A, B)
    assert isinstance(calm, SearchRoute)
    assert calm.points_xy_m[1][1] < 0
    times = {}
    for wind_x in (-12.0, 12.0):
        fast = world.shortest(A, B, wind_xy_m_s=(wind_x, 0.0), airspeed_m_s=15.0)
        assert isinstance(fast, SearchRoute)
        assert fast.length_m >= calm.length_m * (1 - 1e-12)
        times[wind_x] = fast.cost
    assert times[12.0] < times[-12.0]


def test_a_limited_ground_speed_gains_nothing_from_more_tail_wind() -> None:
    """20 m/s through 10 m/s of wind, but never more than 25 m/s over ground."""
    world = SearchWorld.build([], buffer_m=0.0)
    times = {}
    for wind in ((10.0, 0.0), (-10.0, 0.0)):
        route = world.shortest(A, B, wind_xy_m_s=wind, airspeed_m_s=20.0, ground_speed_max_m_s=25.0)
        assert isinstance(route, SearchRoute)
        times[wind] = route.cost
    assert times[10.0, 0.0] == pytest.approx(300.0 / 25.0, rel=1e-12)
    assert times[-10.0, 0.0] == pytest.approx(300.0 / 10.0, rel=1e-12)


@pytest.mark.parametrize("limit", [0.0, -1.0, math.nan, math.inf])
def test_an_impossible_ground_speed_is_refused(limit: float) -> None:
    with pytest.raises(AirspaceError) as caught:
        SearchWorld.build([], buffer_m=0.0).shortest(A, B, airspeed_m_s=15.0, ground_speed_max_m_s=limit)
    assert caught.value.code == ErrorCode.PLAN_INVALID


def test_a_ground_speed_without_an_airspeed_is_refused() -> None:
    with pytest.raises(AirspaceError):
        SearchWorld.build([], buffer_m=0.0).shortest(A, B, ground_speed_max_m_s=15.0)


@pytest.mark.parametrize(("wind", "airspeed"), [
    ((5.0, 0.0), None), ((15.0, 0.0), 15.0), ((0.0, 0.0), 0.0), ((0.0, 0.0), -5.0),
    ((0.0, 0.0), math.nan), ((math.nan, 0.0), 15.0), ((0.0, 0.0), math.inf),
])  # fmt: skip
def test_impossible_wind_is_refused(wind: tuple[float, float], airspeed: float | None) -> None:
    with pytest.raises(AirspaceError) as caught:
        SearchWorld.build([], buffer_m=0.0).shortest(A, B, wind_xy_m_s=wind, airspeed_m_s=airspeed)
    assert caught.value.code == ErrorCode.PLAN_INVALID


@pytest.mark.parametrize("shape", [
    shapely.Polygon(), shapely.Point(0, 0).buffer(0), shapely.LineString([(0, 0), (1, 1)]),
    shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)]), shapely.MultiPolygon([SQUARE]), None,
])  # fmt: skip
def test_bad_obstacles_are_refused_with_their_place(shape: shapely.Polygon) -> None:
    with pytest.raises(AirspaceError) as caught:
        SearchWorld.build([SQUARE, shape], buffer_m=0.0)
    assert (caught.value.code, caught.value.field) == (ErrorCode.ZONE_INVALID, "obstacles/1")


@pytest.mark.parametrize("buffer_m", [-1.0, math.nan, math.inf])
def test_bad_buffers_are_refused(buffer_m: float) -> None:
    with pytest.raises(AirspaceError):
        SearchWorld.build([SQUARE], buffer_m=buffer_m)


@pytest.mark.parametrize("area", [shapely.Polygon(), shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])])
def test_bad_keep_in_areas_are_refused(area: shapely.Polygon) -> None:
    with pytest.raises(AirspaceError) as caught:
        SearchWorld.build([SQUARE], buffer_m=0.0, keep_in=area)
    assert caught.value.field == "keep_in"


def test_what_does_not_fit_in_the_exact_square_is_refused() -> None:
    world = SearchWorld.build([SQUARE], buffer_m=0.0)
    for goal in ((70_000.0, 0.0), (0.0, -70_000.0)):
        with pytest.raises(AirspaceError) as caught:
            world.shortest(A, goal)
        assert caught.value.code == ErrorCode.OUTSIDE_LOCAL_FRAME
    with pytest.raises(AirspaceError):
        SearchWorld.build([SQUARE, shapely.box(70_000, 0, 70_010, 10)], buffer_m=0.0)
    with pytest.raises(AirspaceError):
        world.with_obstacle(shapely.box(70_000, 0, 70_010, 10))
    with pytest.raises(AirspaceError) as caught:
        world.shortest(A, (math.nan, 0.0))
    assert caught.value.code == ErrorCode.POSITION_INVALID


def test_ids_and_masks_must_fit() -> None:
    with pytest.raises(AirspaceError):
        SearchWorld.build([SQUARE], buffer_m=0.0, ids=[])
    world = SearchWorld.build([SQUARE], buffer_m=0.0)
    for mask in (np.ones(2, dtype=np.bool_), np.ones(1)):
        with pytest.raises(AirspaceError):
            world.shortest(A, B, mask=mask)


def test_masks_switch_without_rebuilding() -> None:
    world = SearchWorld.build([SQUARE, shapely.box(250, -45, 260, 45)], buffer_m=0.0, ids=["a", "b"])
    lengths = []
    for off in ([], ["a"], ["b"], ["a", "b"]):
        route = world.shortest(A, B, mask=world.mask_without(off))
        assert isinstance(route, SearchRoute)
        lengths.append(route.length_m)
    both, without_a, without_b, neither = lengths
    assert both > max(without_a, without_b)
    assert min(without_a, without_b) > neither == 300.0


def test_old_worlds_stay_as_they_were() -> None:
    """Two successors of one world share its memory: neither may see the other's obstacle."""
    old = SearchWorld.build([SQUARE], buffer_m=0.0, ids=["square"])
    wall = old.with_obstacle(shapely.box(250.0, -900.0, 260.0, 900.0), "wall")
    post = old.with_obstacle(shapely.box(250.0, -95.0, 260.0, 95.0), "post")
    bare = old.without_obstacle("square")
    answers = [world.shortest(A, B) for world in (old, wall, post, bare)]
    assert all(isinstance(answer, SearchRoute) for answer in answers)
    lengths = [answer.length_m for answer in answers if isinstance(answer, SearchRoute)]
    assert lengths[1] > lengths[2] > lengths[0] > lengths[3] == 300.0
    assert (old.ids, wall.ids, post.ids) == (("square",), ("square", "wall"), ("square", "post"))
    with pytest.raises(AirspaceError):
        bare.without_obstacle("square")


def test_threads_may_add_to_the_same_world() -> None:
    old = SearchWorld.build([SQUARE], buffer_m=0.0)
    walls = [shapely.box(250.0, -100.0 - 10 * k, 260.0, 100.0 + 10 * k) for k in range(40)]
    with ThreadPoolExecutor(4) as pool:
        worlds = list(pool.map(old.with_obstacle, walls))
    for wall, world in zip(walls, worlds, strict=True):
        route, alone = world.shortest(A, B), SearchWorld.build([SQUARE, wall], buffer_m=0.0).shortest(A, B)
        assert isinstance(route, SearchRoute)
        assert isinstance(alone, SearchRoute)
        assert route.points_xy_m == alone.points_xy_m


def test_many_added_obstacles_are_merged_into_the_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "EXTRA_EDGES_BEFORE_MERGE", 10)
    world = SearchWorld.build([SQUARE], buffer_m=0.0)
    shapes = [SQUARE]
    for k in range(12):
        shapes.append(shapely.box(320.0 + 40 * k, -400.0 + 30 * k, 330.0 + 40 * k, 300.0))
        world = world.with_obstacle(shapes[-1])
    anew = SearchWorld.build(shapes, buffer_m=0.0)
    one, other = world.shortest(A, (900.0, 0.0)), anew.shortest(A, (900.0, 0.0))
    assert isinstance(one, SearchRoute)
    assert isinstance(other, SearchRoute)
    assert one.points_xy_m == other.points_xy_m


def test_batch_equals_single_searches() -> None:
    rng = np.random.default_rng(5)
    boxes = [shapely.box(x, y, x + 60, y + 60) for x, y in rng.uniform(0, 2000, (60, 2))]
    world = SearchWorld.build(boxes, buffer_m=3.0)
    pairs = [((x, y), (z, w)) for x, y, z, w in rng.uniform(0, 2000, (50, 4)).tolist()]
    batch = world.shortest_many(pairs)
    assert batch == tuple(world.shortest(a, b) for a, b in pairs)
    assert {type(answer) for answer in batch} == {SearchRoute, NoSearchRoute}


def test_threads_do_not_disturb_each_other() -> None:
    rng = np.random.default_rng(6)
    boxes = [shapely.box(x, y, x + 60, y + 60) for x, y in rng.uniform(0, 2000, (80, 2))]
    world = SearchWorld.build(boxes, buffer_m=0.0)
    pairs = [((x, y), (z, w)) for x, y, z, w in rng.uniform(0, 2000, (100, 4)).tolist()]
    alone = [world.shortest(a, b) for a, b in pairs]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda pair: world.shortest(*pair), pairs * 4))
    assert together == alone * 4


def test_sealed_names_what_seals() -> None:
    ring = shapely.box(0, 0, 300, 300).difference(shapely.box(100, 100, 200, 200))
    world = SearchWorld.build([ring, shapely.box(900, 900, 910, 910)], buffer_m=5.0, ids=["ring", "far"])
    for a, b in (((150.0, 150.0), (500.0, 0.0)), ((500.0, 0.0), (150.0, 150.0))):
        answer = world.shortest(a, b)
        assert isinstance(answer, NoSearchRoute)
        assert (answer.reason, answer.obstacle_ids) == ("sealed", ("ring",))


def test_a_wall_through_a_city_is_found_without_searching_it() -> None:
    """One overlapping chain of zones parts 900 others: proved by the union, not by settling them all."""
    rng = np.random.default_rng(7)
    zones = [shapely.box(x, y, x + 20, y + 20) for x, y in rng.uniform(0, 3000, (900, 2))]
    chain = [shapely.box(1500 + 5 * (k % 2), -100 + 50 * k, 1530, -45 + 50 * k) for k in range(70)]
    world = SearchWorld.build(
        zones + chain, buffer_m=0.0, keep_in=shapely.box(0, 0, 3000, 3000), ids=["z"] * 900 + ["chain"] * 70
    )
    answer = world.shortest((30.0, 1490.0), (2950.0, 1510.0))
    if isinstance(answer, NoSearchRoute) and answer.reason.endswith("inside"):
        raise AssertionError("the case is broken: an end is inside a zone")
    assert isinstance(answer, NoSearchRoute)
    assert answer.reason == "sealed"
    assert "chain" in answer.obstacle_ids
    assert answer.expanded <= 2 * engine_module.FIRST_SETTLED + 2


def test_limits_stop_a_search_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(8)
    zones = [shapely.box(x, y, x + 30, y + 30) for x, y in rng.uniform(0, 3000, (900, 2))]
    world = SearchWorld.build(zones, buffer_m=0.0)
    ends = ((-10.0, -10.0), (3040.0, 3040.0))
    whole = world.shortest(*ends)
    assert isinstance(whole, SearchRoute)
    assert whole.expanded > 30
    monkeypatch.setattr(engine_module, "FIRST_SETTLED", 5)
    assert world.shortest(*ends) == whole  # stopped and resumed: the same answer
    monkeypatch.setattr(engine_module, "MAX_SETTLED", 20)
    answer = world.shortest(*ends)
    assert isinstance(answer, NoSearchRoute)
    assert answer.reason == "search_limit"


def test_a_full_queue_is_grown(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(9)
    zones = [shapely.box(x, y, x + 30, y + 30) for x, y in rng.uniform(0, 3000, (900, 2))]
    world = SearchWorld.build(zones, buffer_m=0.0)
    ends = ((-10.0, -10.0), (3040.0, 3040.0))
    whole = world.shortest(*ends)
    monkeypatch.setattr(engine_module, "_memory", engine_module._Memory())
    monkeypatch.setattr(engine_module, "FIRST_QUEUE", 8)
    assert world.shortest(*ends) == whole
    monkeypatch.setattr(engine_module, "_memory", engine_module._Memory())
    monkeypatch.setattr(engine_module, "MAX_QUEUE", 64)
    answer = world.shortest(*ends)
    assert isinstance(answer, NoSearchRoute)
    assert answer.reason == "search_limit"


def test_the_reference_engine_answers_the_same() -> None:
    rng = np.random.default_rng(10)
    zones = [shapely.box(x, y, x + 80, y + 80) for x, y in rng.uniform(0, 2000, (60, 2))]
    fence = shapely.box(0, 0, 2100, 2100)
    fast = SearchWorld.build(zones, buffer_m=4.0, keep_in=fence)
    slow = SearchWorld.build(zones, buffer_m=4.0, keep_in=fence, engine="reference")
    assert (fast.engine, slow.engine) == ("compiled", "reference")
    added = shapely.box(900, 0, 1000, 1500)
    for one, other in ((fast, slow), (fast.with_obstacle(added), slow.with_obstacle(added))):
        for x, y, z, w in rng.uniform(-20, 2120, (20, 4)).tolist():
            a, b = one.shortest((x, y), (z, w)), other.shortest((x, y), (z, w))
            if isinstance(a, SearchRoute):
                assert isinstance(b, SearchRoute)
                assert a.length_m == pytest.approx(b.length_m, rel=1e-12)
            else:
                assert isinstance(b, NoSearchRoute)
                assert (a.reason, set(a.obstacle_ids)) == (b.reason, set(b.obstacle_ids))


def test_verifier_finds_what_it_should() -> None:
    verifier = RouteVerifier(
        [SQUARE], buffer_m=10.0, keep_in=shapely.box(-50, -200, 350, 200), ids=["square"]
    )
    assert verifier.check([A, (100.0, 65.0), (200.0, 65.0), B])[0].obstacle_id == "square"
    assert verifier.check([A, (50.0, 90.0), (250.0, 90.0), B]) == ()
    assert verifier.check([A, B], mask=np.zeros(1, dtype=np.bool_)) == ()
    near_fence = verifier.check([(-45.0, 0.0), A])
    assert [(v.kind, v.distance_m) for v in near_fence] == [("keep_in", pytest.approx(5.0))]
    assert [v.distance_m for v in verifier.check([(-60.0, 0.0), A])] == [0.0]
    with pytest.raises(ValueError, match="two or more finite"):
        verifier.check([A])


def test_without_numba_the_reference_answers_and_it_is_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # A hub that ran in this process before may have asked for errors only.
    caplog.set_level("WARNING", logger="planner")
    whole = SearchWorld.build([SQUARE], buffer_m=10.0).shortest(A, B)
    for module in ("engine", "offset"):  # importing them now fails, as it does where numba is missing
        monkeypatch.setitem(sys.modules, f"planner.search.{module}", None)
    world = SearchWorld.build([SQUARE], buffer_m=10.0)
    assert world.engine == "reference"
    assert "reference engine" in caplog.text
    assert world.shortest(A, B) == dataclasses.replace(whole, expanded=world.shortest(A, B).expanded)
    with pytest.raises(ImportError):
        SearchWorld.build([SQUARE], buffer_m=10.0, engine="compiled")


def test_warming_up_compiles_all_that_is_ever_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """No search after it may wait for the compiler, not even the rare hard one."""
    warm_up()
    kernels_of_search = (kernels.solve, grid.register_edges, walls.find_links)  # what is called from outside
    known = [len(kernel.signatures) for kernel in kernels_of_search]
    monkeypatch.setattr(engine_module, "FIRST_SETTLED", 0)
    fence = shapely.box(-100, -100, 400, 100)
    world = SearchWorld.build([SQUARE], buffer_m=1.0, keep_in=fence).with_obstacle(
        shapely.box(230, -50, 240, 90)
    )
    world.shortest(A, B, mask=np.ones(2, dtype=np.bool_), wind_xy_m_s=(1, 2), airspeed_m_s=15)
    world.without_obstacle("0").shortest(A, (300, 0))
    assert [len(kernel.signatures) for kernel in kernels_of_search] == known == [1] * 3
