"""The station next to a place: asked for every order, of a city's hundreds of stations."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from core.geodesy import Wgs84Point, geodesic_distance_m
from planner.site import Site

_SPHERE_OFF = 0.012
"""WGS-84's radii of curvature are between 6,335 and 6,400 km (1.0 %): by so much may two distances stand in another ratio
on the ellipsoid than on a sphere."""
_SLACK_CHORD = 1.0 / 6_371_000.0
"""A metre: two stations at one place must not be told apart by rounding."""


class NearestStation:
    """Finds by straight lines through a sphere which stations come into question, and measures only those."""

    def __init__(self) -> None:
        self._site: Site | None = None
        self._directions: npt.NDArray[np.float64] = np.zeros((0, 3))

    def of(self, site: Site, place: Wgs84Point) -> str | None:
        """The id of the nearest station by the geodesic, the first of equals; None for a site without any."""
        if not site.stations:
            return None
        if site is not self._site:
            self._directions = np.array([_direction(each.position) for each in site.stations])
            self._site = site
        chords = np.sqrt(((self._directions - _direction(place)) ** 2).sum(axis=1))
        # A chord grows with its arc, and more slowly: what is near enough by arcs is near enough by chords.
        near = np.flatnonzero(chords <= chords.min() * (1.0 + _SPHERE_OFF) + _SLACK_CHORD)
        found = min(
            (site.stations[number] for number in near.tolist()),
            key=lambda each: geodesic_distance_m(each.position, place),
        )
        return found.station_id


def _direction(place: Wgs84Point) -> tuple[float, float, float]:
    latitude, longitude = math.radians(place.latitude_deg), math.radians(place.longitude_deg)
    level = math.cos(latitude)
    return level * math.cos(longitude), level * math.sin(longitude), math.sin(latitude)
