"""The route search: speed, preparation, updates, proofs that there is no route; and peers on the same cases.

One core, after warm-up. A search time is the best of five for each pair: what the search costs, not what
else the machine was doing. Peers answer each pair once, as many as they can in their time.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import numpy as np
import shapely

from bench import peers
from bench.planner_cases import CityCase, city_case
from bench.report import Report
from planner.search import SearchRoute, SearchWorld
from planner.search.verify import RouteVerifier
from planner.search.warm import warm_up

SIZES = (50, 200, 1000, 5000)
ROUNDS = 5
PEER_BUDGET_S = 45.0
PEERS = {"tcod_grid": (200, 1000), "pyvisgraph": (50,), "extremitypathfinder": (50, 200)}
PEER_NOTES = {
    "tcod_grid": "A* on a 25 m grid, not smoothed",
    "pyvisgraph": "full visibility graph",
    "extremitypathfinder": "visibility graph between convex corners, numba",
}


def run(report: Report) -> None:
    """Measure everything."""
    _first_call(report)
    warm_up()
    best: dict[int, list[float]] = {}
    cases = {size: city_case(size) for size in SIZES}
    for size, case in cases.items():
        best[size] = _routes(report, case, size)
    _wind(report, cases[1000])
    _updates(report, cases[5000])
    _no_route(report, cases)
    _batch(report, cases[1000])
    trouble = peers.ensure_environment()
    if trouble:
        print(f"peers cannot be measured: {trouble}", file=sys.stderr)
        return
    for name, sizes in PEERS.items():
        for size in sizes:
            _peer(report, name, size, cases[size], best[size])


def _best_ms(call: Callable[[], object], rounds: int = ROUNDS) -> float:
    times = []
    for _ in range(rounds):
        began = time.thread_time()
        call()
        times.append(time.thread_time() - began)
    return min(times) * 1e3


def _pairs(case: CityCase) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    return [(tuple(start), tuple(goal)) for start, goal in case.pairs.tolist()]


def _first_call(report: Report) -> None:
    """A fresh process, with an empty kernel cache and then with the one that it left."""
    code = (
        "import time; from planner.search.warm import warm_up as search; "
        "began = time.process_time(); search(); searched = time.process_time(); "
        "from geofences.site_airspace import load_demo_airspace; from planner.airframe import load_airframes; "
        "from planner.warm import rehearse, warm_up; sky, fleet = load_demo_airspace(), load_airframes(); "
        "before = time.process_time(); warm_up(sky, fleet.values()); warm = time.process_time(); "
        "rehearse(fleet['hex10']); planned = time.process_time(); "
        "print(searched - began, warm - before + searched - began, planned - warm)"
    )
    with tempfile.TemporaryDirectory() as cache:
        for name, note in (
            ("cold", "compiles every kernel"),
            ("cached", "loads the kernels compiled at set-up"),
        ):
            done = subprocess.run(
                [sys.executable, "-c", code],
                env={**os.environ, "NUMBA_CACHE_DIR": cache},
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            search_s, planner_s, plan_s = map(float, done.stdout.split())
            how = f"{note}; importing numba counted, numpy and shapely not"
            report.add(f"planner.first_call_{name}_s", search_s, "s", 1, how)
            how = f"{note}, of the whole planner, and indexes the demo airspace"
            report.add(f"planner.warm_up_{name}_s", planner_s, "s", 1, how)
    how = "the first plan after warming up, in an airspace of three zones never seen"
    report.add("planner.first_plan_ms", plan_s * 1e3, "ms", 1, how)


def _routes(report: Report, case: CityCase, size: int) -> list[float]:
    polygons = case.polygons
    builds = []
    for _ in range(ROUNDS):
        began = time.thread_time()
        world = SearchWorld.build(polygons, buffer_m=0.0)
        builds.append(time.thread_time() - began)
    corners = sum(len(zone) for zone in case.zones)
    note = f"{corners} corners; growth, check and index"
    report.add(f"planner.prep_{size}_s", float(np.median(builds)), "s", ROUNDS, note)
    pairs = _pairs(case)
    answers = [world.shortest(start, goal) for start, goal in pairs]
    times = [_best_ms(lambda pair=pair: world.shortest(*pair)) for pair in pairs]
    _percentiles(report, f"planner.route_{size}", times, "search only, best of 5 per pair")
    verifier = RouteVerifier(polygons, buffer_m=0.0)
    routes = [answer for answer in answers if isinstance(answer, SearchRoute)]
    illegal = sum(bool(verifier.check(route.points_xy_m)) for route in routes) + len(answers) - len(routes)
    report.add(
        f"planner.route_{size}.illegal", illegal, "routes", len(answers), "verified by shapely; or none"
    )
    if size <= 200:
        reference = SearchWorld.build(polygons, buffer_m=0.0, engine="reference")
        exact = [reference.shortest(start, goal) for start, goal in pairs]
        ratios = [
            one.length_m / other.length_m
            for one, other in zip(answers, exact, strict=True)
            if isinstance(one, SearchRoute) and isinstance(other, SearchRoute)
        ]
        report.add(
            f"planner.route_{size}.ratio_max", max(ratios), "ratio", len(ratios), "over the reference engine"
        )
    return [answer.length_m if isinstance(answer, SearchRoute) else np.inf for answer in answers]


def _percentiles(report: Report, name: str, times_ms: list[float], note: str) -> None:
    for percent in (50, 99):
        value = float(np.percentile(times_ms, percent))
        report.add(f"{name}.p{percent}_ms", value, "ms", len(times_ms), note)


def _wind(report: Report, case: CityCase) -> None:
    world = SearchWorld.build(case.polygons, buffer_m=0.0)
    times = [
        _best_ms(lambda pair=pair: world.shortest(*pair, wind_xy_m_s=(6.0, 3.0), airspeed_m_s=15.0))
        for pair in _pairs(case)
    ]
    _percentiles(report, "planner.route_1000_wind", times, "fastest in 6.7 m/s of wind at 15 m/s airspeed")


def _updates(report: Report, case: CityCase) -> None:
    rng = np.random.default_rng(1)
    world = SearchWorld.build(case.polygons, buffer_m=0.0)
    times = []
    for x, y in rng.uniform(1_000.0, 29_000.0, (200, 2)).tolist():
        zone = shapely.Point(x, y).buffer(rng.uniform(20.0, 300.0), 8)
        began = time.thread_time()
        world = world.with_obstacle(zone)
        times.append((time.thread_time() - began) * 1e3)
    note = "one zone of 32 corners added to 5,000, one after the other, p99"
    report.add("planner.zone_update_ms", float(np.percentile(times, 99)), "ms", len(times), note)
    mask = world.mask_without([])
    began = time.thread_time()
    for k in range(1000):
        mask[k] = not mask[k]
    per_toggle = (time.thread_time() - began) * 1e3 / 1000
    report.add("planner.zone_toggle_ms", per_toggle, "ms", 1000, "one entry of the mask handed to the search")


def _no_route(report: Report, cases: dict[int, CityCase]) -> None:
    """Pockets of one zone with a yard and of overlapping zones, and a wall that parts the whole city."""
    worst, first, n = 0.0, 0.0, 0
    for size in (200, 1000, 5000):
        polygons = cases[size].polygons
        ends = cases[size].pairs[:, 0]
        pocket = shapely.Point(ends[0]).buffer(4.5, 8)
        ring = shapely.Point(ends[0]).buffer(400.0, 16).difference(pocket)
        around = ends[1]
        beads = [
            shapely.Point(around[0] + 350 * np.cos(a), around[1] + 350 * np.sin(a)).buffer(60.0, 8)
            for a in np.arange(0, 2 * np.pi, 2 * np.pi / 24)
        ]
        wall = [shapely.box(19_900 + 9 * (k % 2), -20 + 500 * k, 20_000, 500 + 500 * k) for k in range(61)]
        fence = shapely.box(-10.0, -10.0, 40_010.0, 30_010.0)
        west = [tuple(p) for p in ends.tolist() if p[0] < 19_000][:4]
        east = [tuple(p) for p in ends.tolist() if p[0] > 21_000][:4]
        free = [tuple(p) for p in ends[2:8].tolist()]
        setups = (
            ([ring], None, [(tuple(ends[0].tolist()), p) for p in free]),
            (beads, None, [(tuple(around.tolist()), p) for p in free]),
            (wall, fence, list(zip(west, east, strict=False))),
        )
        for extra, keep_in, pairs in setups:
            fresh = SearchWorld.build([*polygons, *extra], buffer_m=0.0, keep_in=keep_in)
            for index, (a, b) in enumerate(pairs):
                for start, goal in ((a, b), (b, a)):
                    began = time.thread_time()
                    answer = fresh.shortest(start, goal)
                    took = (time.thread_time() - began) * 1e3
                    if isinstance(answer, SearchRoute):
                        raise AssertionError(f"a sealed pocket leaks at N={size}: {start} {goal}")
                    if answer.reason != "sealed":
                        continue  # an end inside one of the zones put there
                    if index == 0:
                        first = max(first, took)
                    worst = max(worst, _best_ms(lambda ends=(start, goal), w=fresh: w.shortest(*ends)))
                    n += 1
    note = "pockets and a wall through the city, both directions, N = 200, 1,000, 5,000; worst of all"
    report.add("planner.no_route.max_ms", worst, "ms", n, note)
    report.add("planner.no_route.first_max_ms", first, "ms", n, "the first in a new world")


def _batch(report: Report, case: CityCase) -> None:
    world = SearchWorld.build(case.polygons, buffer_m=0.0)
    pairs = _pairs(case) * 5
    took_ms = _best_ms(lambda: world.shortest_many(pairs), rounds=3)
    report.add("planner.batch_1000.routes_s", len(pairs) / took_ms * 1e3, "1/s", len(pairs), "one core")


def _peer(report: Report, name: str, size: int, case: CityCase, best_m: list[float]) -> None:
    result = peers.run_peer(name, case, budget_s=PEER_BUDGET_S)
    prefix, note = f"peer.{name}", PEER_NOTES[name]
    if result.error:
        print(f"{name} failed at N={size}: {result.error}", file=sys.stderr)
        return
    if result.preparation_s is None or not result.times_ms:
        report.add(
            f"{prefix}.prep_{size}_s", PEER_BUDGET_S, "s", 0, f"{note}; stopped, its preparation takes longer"
        )
        return
    report.add(f"{prefix}.prep_{size}_s", result.preparation_s, "s", 1, note)
    _percentiles(report, f"{prefix}.route_{size}", list(result.times_ms), note)
    shrunk = [shapely.Polygon(zone).buffer(-0.001) for zone in case.zones]
    tree = shapely.STRtree(shrunk)
    illegal, none, ratios = 0, 0, []
    for way, length_m in zip(result.ways, best_m, strict=False):
        if way is None:
            none += 1
            continue
        line = shapely.LineString(way)
        if len(tree.query(line, predicate="intersects")):
            illegal += 1
        else:
            ratios.append(line.length / length_m)
    answered = len(result.ways)
    report.add(f"{prefix}.route_{size}.illegal", illegal, "routes", answered, "enters a zone shrunk by 1 mm")
    report.add(f"{prefix}.route_{size}.none", none, "routes", answered, "no route found where there is one")
    if ratios:
        note = "length over ours, legal ones only; ours keeps 11 mm from zones"
        report.add(f"{prefix}.route_{size}.ratio_mean", float(np.mean(ratios)), "ratio", len(ratios), note)
        report.add(f"{prefix}.route_{size}.ratio_max", float(np.max(ratios)), "ratio", len(ratios), note)
