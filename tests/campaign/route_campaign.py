"""A hundred thousand routes, each judged by shapely on the obstacles as given.

``nice -n 10 python -m tests.campaign.route_campaign --routes 100000 --seed 1``

Worlds of 10 to 1,000 zones that overlap, touch, have yards and slivers; buffers from nothing to 60 m;
fences, masks, wind. Every route is verified; every «inside» and, in the smaller worlds, every «sealed» and a
sample of the optima is checked with the reference engine or a distance. Prints a summary; ends with 1 if a
single answer was wrong, each named by its seed.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections import Counter

import numpy as np
import numpy.typing as npt
import shapely

from planner.search import NoSearchRoute, SearchRoute, SearchWorld
from planner.search.verify import RouteVerifier
from planner.search.warm import warm_up

ROUTES_PER_WORLD = 400
OPTIMA_PER_WORLD = 6
LARGEST_FOR_REFERENCE = 150
SIZES = (10, 40, 150, 400, 1000)


def _zone(rng: np.random.Generator, side_m: float, radius_m: float) -> shapely.Polygon:
    kind = rng.random()
    x, y = rng.uniform(0, side_m, 2)
    if kind < 0.3:  # on a grid of 50 m: shared edges, touching corners, collinear runs
        x, y = (50 * round(v / 50) for v in (x, y))
        w, h = 50 * rng.integers(1, 5, 2)
        return shapely.box(x, y, x + w, y + h)
    if kind < 0.4:  # a sliver
        length, angle = rng.uniform(50, 600), rng.uniform(0, math.pi)
        dx, dy = length * math.cos(angle), length * math.sin(angle)
        return shapely.Polygon([(x, y), (x + dx, y + dy), (x + dx - 0.001 * dy, y + dy + 0.001 * dx)])
    n = int(rng.integers(3, 20))
    angle = np.sort(rng.uniform(0, 2 * np.pi, n))
    spokes = radius_m * rng.uniform(0.2, 1.0) * rng.uniform(0.3, 1.0, n)
    star = shapely.Polygon(np.c_[x + spokes * np.cos(angle), y + spokes * np.sin(angle)])
    if kind > 0.92 and star.is_valid:
        yard = star.representative_point().buffer(rng.uniform(2, 0.3 * radius_m), 4)
        return star.difference(yard)
    return star


def _zones(rng: np.random.Generator, count: int, side_m: float) -> list[shapely.Polygon]:
    radius_m = side_m / math.sqrt(count) * 0.6
    zones: list[shapely.Polygon] = []
    while len(zones) < count:
        zone = _zone(rng, side_m, radius_m)
        if zone.geom_type == "Polygon" and zone.is_valid and zone.area > 0.01:
            zones.append(zone)
    return zones


class World:
    """One random world and everything that judges it."""

    def __init__(self, seed: int) -> None:
        rng = self.rng = np.random.default_rng(seed)
        self.seed = seed
        self.count = int(rng.choice(SIZES))
        self.side_m = float(rng.uniform(2_000, 20_000))
        self.zones = _zones(rng, self.count, self.side_m)
        self.buffer_m = float(rng.choice([0.0, rng.uniform(0.0, 60.0)]))
        self.fence = shapely.box(0, 0, self.side_m, self.side_m) if rng.random() < 0.3 else None
        options = {"buffer_m": self.buffer_m, "keep_in": self.fence}
        self.world = SearchWorld.build(self.zones, **options)
        self.verifier = RouteVerifier(self.zones, **options)
        self.reference = (
            SearchWorld.build(self.zones, **options, engine="reference")
            if self.count <= LARGEST_FOR_REFERENCE
            else None
        )
        self.tree = shapely.STRtree(self.zones)
        self.seen: Counter[str] = Counter()
        self.worst_ratio = 1.0
        self.wrong: list[str] = []

    def run(self, routes: int) -> None:
        rng = self.rng
        optima_left = OPTIMA_PER_WORLD
        for number in range(routes):
            ends = rng.uniform(-0.02, 1.02, (2, 2)) * self.side_m
            start, goal = ((float(x), float(y)) for x, y in ends)
            mask = rng.random(self.count) < 0.7 if rng.random() < 0.2 else None
            windy = rng.random() < 0.2
            speed, bearing = rng.uniform(0.0, 11.0), rng.uniform(0, 2 * np.pi)
            wind = (float(speed * np.cos(bearing)), float(speed * np.sin(bearing))) if windy else (0.0, 0.0)
            options = {"mask": mask, "wind_xy_m_s": wind, "airspeed_m_s": 12.0 if windy else None}
            answer = self.world.shortest(start, goal, **options)
            name = f"seed {self.seed} route {number}"
            if isinstance(answer, SearchRoute):
                self.seen["routes"] += 1
                for violation in self.verifier.check(answer.points_xy_m, mask=mask):
                    self.wrong.append(f"{name}: {violation}")
            else:
                self.seen[answer.reason] += 1
                self._check_refusal(name, answer, start, goal, mask)
            if self.reference and (optima_left > 0 or getattr(answer, "reason", "") == "sealed"):
                optima_left -= 1
                self.seen["compared"] += 1
                self._compare(name, answer, self.reference.shortest(start, goal, **options))

    def _check_refusal(
        self,
        name: str,
        answer: NoSearchRoute,
        start: tuple[float, float],
        goal: tuple[float, float],
        mask: npt.NDArray[np.bool_] | None,
    ) -> None:
        if answer.reason in ("start_inside", "goal_inside"):
            point = shapely.Point(start if answer.reason == "start_inside" else goal)
            # a mitred corner reaches up to √5 buffers out
            reach_m = (self.buffer_m + 0.02) * math.sqrt(5.0)
            near = set(self.tree.query(point, predicate="dwithin", distance=reach_m).tolist())
            named = {int(k) for k in answer.obstacle_ids}
            if not named or not named <= near or (mask is not None and not all(mask[k] for k in named)):
                self.wrong.append(f"{name}: {answer} names zones that are not there")
        elif answer.reason == "search_limit":
            self.wrong.append(f"{name}: gave up")

    def _compare(
        self, name: str, one: SearchRoute | NoSearchRoute, other: SearchRoute | NoSearchRoute
    ) -> None:
        if isinstance(one, SearchRoute) and isinstance(other, SearchRoute):
            ratio = one.cost / other.cost if other.cost > 0 else 1.0
            self.worst_ratio = max(self.worst_ratio, ratio, 1 / ratio)
            if abs(ratio - 1.0) > 1e-9:
                self.wrong.append(f"{name}: cost {one.cost}, reference {other.cost}")
        elif isinstance(one, SearchRoute) or isinstance(other, SearchRoute) or one.reason != other.reason:
            self.wrong.append(f"{name}: {one}, reference {other}")


def main() -> int:
    """Run until the wanted number of routes was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--routes", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1, help="seed of the first world; the next ones count up")
    arguments = parser.parse_args()
    warm_up()
    began = time.monotonic()
    total: Counter[str] = Counter()
    wrong: list[str] = []
    ratio = 1.0
    seed = arguments.seed
    while total["routes"] < arguments.routes:
        world = World(seed)
        world.run(ROUTES_PER_WORLD)
        total += world.seen
        total["worlds"] += 1
        ratio = max(ratio, world.worst_ratio)
        for line in world.wrong:
            print("WRONG", line, flush=True)
        wrong += world.wrong
        seed += 1
        if total["worlds"] % 25 == 0:
            print(f"{time.monotonic() - began:.0f} s: {dict(total)}, {len(wrong)} wrong", flush=True)
    print(f"worlds from seed {arguments.seed} to {seed - 1}: {dict(total)}")
    print(f"worst ratio to the reference 1 + {ratio - 1.0:.1e}; {len(wrong)} wrong answers")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
