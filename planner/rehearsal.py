"""Questions asked before anybody needs their answers: they are remembered, so that the next order does not search.

Which landing point the next order needs nobody knows; that it will be flown from one of the stations near it is sure.
Every point with the drones that could be there first, the first ones of all points before the second ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from planner.airframe import Airframe
from planner.candidates import DroneState
from planner.combinations import places_of
from planner.policy import PlanningPolicy
from planner.site import Site
from planner.task import FlightTask

NEAREST = 48
"""Chosen: drones asked about for each landing point. A point that 24 can't fly to is given up, and as many are away."""


def rehearsals(
    site: Site, states: Sequence[DroneState], airframes: Mapping[str, Airframe], policy: PlanningPolicy
) -> Iterator[FlightTask]:
    """The tasks to plan, the most useful first. ``carry_s`` is nobody's: an answer holds for any."""
    places, points = places_of(site), site.landing_points
    flown = [
        (state, places.reach(airframes[state.drone.airframe_id], policy))
        for state in states
        if state.wind is not None and state.drone.airframe_id in airframes
    ]
    if not flown or not points:
        return
    rows = [places.stations[state.drone.station_id] for state, _ in flown]
    least_s = np.array([reach.least_s[row] for row, (_, reach) in zip(rows, flown, strict=True)])
    order = np.argsort(least_s, axis=0, kind="stable")[:NEAREST]
    for rank in order:
        for column, number in enumerate(rank.tolist()):
            state, reach = flown[number]
            terms = reach.terms[column]
            if terms is None or not reach.fits[column] or state.wind is None:
                continue
            yield FlightTask(
                drone_id=state.drone.drone_id,
                station=site.station(state.drone.station_id),
                landing_point=points[column],
                airframe=airframes[state.drone.airframe_id],
                method=terms.method,
                wind=state.wind,
                charge_fraction=state.charge_fraction,
                carry_s=0.0,
            )
