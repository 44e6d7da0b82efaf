"""Lines judged in a batch get the very verdicts that they get one by one."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from hypothesis import event, given, settings
from hypothesis import strategies as st

from core.geodesy import EnuOffset
from geofences.airspace import Airspace
from geofences.applicability import TimeWindow
from geofences.model import Restriction
from geofences.terrain import FlatTerrain
from geofences.verdict import Allowed
from tests.property.geofences.strategies import FRAME, MONDAY, ORIGIN, moments, zones
from tests.property.geofences.test_airspace_against_oracle import GROUND_M, airspaces, heights, places


@st.composite
def chains(draw: st.DrawFn) -> list[tuple[tuple[float, float], float]]:
    """Corners with altitudes, joined to lines; some follow straight above each other."""
    corners = []
    place = draw(places)
    for _ in range(draw(st.integers(2, 9))):
        if draw(st.integers(0, 3)):
            place = draw(places)
        corners.append((place, draw(heights)))
    return corners


def both_ways(space: Airspace, corners, window: TimeWindow):
    """Verdicts one by one and in the batch, for the lines from each corner to the next."""
    points = [FRAME.to_wgs84(EnuOffset(*place)) for place, _ in corners]
    altitudes = [altitude_m for _, altitude_m in corners]
    one_by_one = [
        space.check_segment(points[i], altitudes[i], points[i + 1], altitudes[i + 1], window)
        for i in range(len(points) - 1)
    ]
    lon_lat = np.array([(point.longitude_deg, point.latitude_deg) for point in points])
    batch = space.check_segments(
        np.stack([lon_lat[:-1], lon_lat[1:]], axis=1),
        np.stack([altitudes[:-1], altitudes[1:]], axis=1),
        window,
    )
    return one_by_one, list(batch)


@settings(max_examples=50, deadline=None)
@given(airspaces(), chains(), moments(), st.integers(0, 7_200))
def test_the_batch_says_what_each_says(space, corners, moment, last_s):
    one_by_one, batch = both_ways(space, corners, TimeWindow.lasting(moment, last_s))
    assert batch == one_by_one
    event(f"some allowed {any(isinstance(verdict, Allowed) for verdict in batch)}")


@settings(max_examples=5, deadline=None)
@given(
    st.lists(zones("Z", (Restriction.PROHIBITED,)), min_size=20, max_size=20),
    st.integers(0, 2**32 - 1),
)
def test_among_many_zones_with_lines_along_their_edges(some, seed):
    space = Airspace(
        [_renamed(zone, number) for number, zone in enumerate(some)],
        version="1",
        origin=ORIGIN,
        terrain=FlatTerrain(GROUND_M),
    )
    rng = np.random.default_rng(seed)
    corners = []
    for obstacle in space.obstacle_polygons:
        ring = np.array(obstacle.polygon.exterior.coords)
        start, end = ring[:2]
        across = np.array([start[1] - end[1], end[0] - start[0]]) / max(1e-9, math.dist(start, end))
        # From inside, over the boundary and its centimetre, to just beyond.
        aside = across * rng.choice([-0.05, -0.0101, -0.01, -0.0099, 0.0, 0.0099, 0.01, 0.0101, 0.05])
        corners += [(tuple(start + aside), 50.0), (tuple(end + aside), 50.0)]
    one_by_one, batch = both_ways(space, corners, TimeWindow.lasting(MONDAY, 600))
    assert batch == one_by_one


def _renamed(zone, number):
    return dataclasses.replace(zone, zone_id=f"{zone.zone_id}-{number}")
