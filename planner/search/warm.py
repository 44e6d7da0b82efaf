"""Compiles the search kernels into the cache: run once at set-up, ``python -m planner.search.warm``.

Compiling takes seconds, loading compiled kernels a fraction of one, and the first emergency call should pay
for neither: a server calls :func:`warm_up` when it starts.
"""

from __future__ import annotations

import time

import shapely

from planner.search.results import SearchRoute
from planner.search.world import SearchWorld


def warm_up() -> float:
    """Run every kernel once, in the argument types of real use. Returns the seconds that it took."""
    began = time.perf_counter()
    yard = shapely.box(0.0, 0.0, 100.0, 100.0).difference(shapely.box(20.0, 20.0, 80.0, 80.0))
    world = SearchWorld.build([yard], buffer_m=1.0, keep_in=shapely.box(-500.0, -500.0, 500.0, 500.0))
    world = world.with_obstacle(shapely.box(200.0, 0.0, 300.0, 100.0))
    ends = ((-50.0, 50.0), (400.0, 50.0))
    answers = [
        world.shortest(*ends),
        world.shortest(*ends, wind_xy_m_s=(3.0, 1.0), airspeed_m_s=15.0),
        *world.shortest_many([ends, ends[::-1]]),
    ]
    if not all(isinstance(answer, SearchRoute) for answer in answers):
        raise AssertionError(f"the search kernels do not work on this machine: {answers}")
    return time.perf_counter() - began


if __name__ == "__main__":
    print(f"search kernels ready after {warm_up():.2f} s")
