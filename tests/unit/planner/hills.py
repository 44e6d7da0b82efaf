"""Ground with one hill, known by a formula, as a terrain for planner tests."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.geodesy import Wgs84Point
from tests.unit.planner.helpers import FRAME


@dataclass(frozen=True)
class Hill:
    """A bell of ``height_m`` over a plain at 5 m, around (east, north) with the given spread."""

    east_m: float
    north_m: float
    height_m: float
    spread_m: float
    plain_amsl_m: float = 5.0

    description = "a hill by formula"
    resolution_m = 25.0

    def heights_m(self, xy_m: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Ground (m AMSL) at points in the test frame's metres."""
        xy = np.asarray(xy_m, dtype=np.float64).reshape(-1, 2)
        squared = (xy[:, 0] - self.east_m) ** 2 + (xy[:, 1] - self.north_m) ** 2
        found: npt.NDArray[np.float64] = self.plain_amsl_m + self.height_m * np.exp(
            -squared / (2.0 * self.spread_m**2)
        )
        return found

    def ground_amsl_m(self, point: Wgs84Point) -> float:
        xy = FRAME.project([(point.longitude_deg, point.latitude_deg)])
        return float(self.heights_m(xy)[0])

    def ground_range_amsl_m(
        self, west_deg: float, south_deg: float, east_deg: float, north_deg: float
    ) -> tuple[float, float]:
        """By the nearest and the furthest point of the box from the top, a metre wider for its bent sides."""
        corners = FRAME.project([(w, s) for w in (west_deg, east_deg) for s in (south_deg, north_deg)])
        (west, south), (east, north) = corners.min(axis=0) - 1.0, corners.max(axis=0) + 1.0
        near = math.hypot(
            max(west - self.east_m, 0.0, self.east_m - east),
            max(south - self.north_m, 0.0, self.north_m - north),
        )
        far = math.hypot(
            max(abs(west - self.east_m), abs(east - self.east_m)),
            max(abs(south - self.north_m), abs(north - self.north_m)),
        )
        high, low = (
            self.plain_amsl_m + self.height_m * math.exp(-(d**2) / (2.0 * self.spread_m**2))
            for d in (near, far)
        )
        return low, high
