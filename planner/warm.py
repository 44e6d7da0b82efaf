"""Do at start-up what the first question would otherwise wait for: index the airspace, load the kernels."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import numpy as np

from geofences.airspace import Airspace
from planner import sweep_kernels
from planner.airframe import Airframe
from planner.contingency import choose_rally_points
from planner.corridor import corridor_of
from planner.legs import cruise_parts
from planner.search.warm import warm_up as warm_up_search
from planner.space import space_for
from planner.sweep import SweepIndex
from planner.wind import Wind


def warm_up(airspace: Airspace, airframes: Iterable[Airframe]) -> None:
    """Prepare ``airspace`` for ``airframes`` and run every compiled kernel once.

    A snapshot that replaces another (``with_zone``) is worth warming up too, before it goes into use.
    """
    warm_up_search()
    for airframe in airframes:
        space = space_for(airspace, corridor_of(airframe))
        space.world(None)
        _run_kernels(space.sweep(None), airframe, len(space.zone_ids))


def _run_kernels(index: SweepIndex, airframe: Airframe, obstacles: int) -> None:
    """One leg far from everything, its return, and a fence of four corners."""
    far = 1e7
    leg = ((far, far), (far + 1000.0, far))
    mask = np.zeros(obstacles, dtype=np.bool_)
    still = Wind(from_deg=0.0, speed_m_s=0.0, measured_at=datetime.min.replace(tzinfo=UTC))
    cruise_parts(airframe, leg, still, airframe.take_off_mass_kg)
    choose_rally_points(
        index,
        legs=[leg],
        candidates=np.array([(far, far + 100.0)]),
        mask=mask,
        tolerance_m=1.0,
        run_on_m=1.0,
        reach_m=np.array([(far, 0.0)]),
        aim=1,
        limit=1,
    )
    square = np.array([(far, far), (far + 1.0, far), (far + 1.0, far + 1.0), (far, far + 1.0)])
    after, before = np.array([1, 2, 3, 0]), np.array([3, 0, 1, 2])
    sweep_kernels.coarsen(
        square, after, before, 4, index.grid, index.cells, index.edges, index.owner, index.places,
        index.place_owner, mask, 1.0,
    )  # fmt: skip
