"""The frame's projection as a polynomial: for very many points at once, and for few points very often.

Exact azimuthal equidistant coordinates solve a geodesic per point, 0.7–2 µs each; for the 100,000 vertices of
a national file that is half of the time to load it, and a flight plan asks for a hundred at a time. Within an
airspace's reach the projection is so smooth that a polynomial of degree 8 follows it to nanometres: its
terms shrink by (66 km / 6,371 km) each. The polynomial is fitted to the exact projection and checked against
it; where the check fails (near a pole) the exact one is used.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from core.geodesy import LocalFrame

Floats = npt.NDArray[np.float64]
Box = tuple[float, float, float, float]

_DEGREE = 8
_NODES = 13
_WORTH_IT = 2_000
"""Points from which on fitting (about 2 ms) is cheaper than projecting."""
_TOLERANCE_M = 1e-6
"""Chosen: a ten-thousandth of the intersection precision."""
_TOLERANCE_DEG = 1e-11
"""The same in degrees."""


def project_many(frame: LocalFrame, lon_lat_deg: Floats, box_deg: Box) -> Floats:
    """(n, 2) degrees → (n, 2) metres as by ``frame.project``, all within ``box_deg``."""
    if len(lon_lat_deg) < _WORTH_IT:
        return frame.project(lon_lat_deg)
    plane = _fit(frame, box_deg)
    if plane is None:
        return frame.project(lon_lat_deg)
    return plane(lon_lat_deg)


class FastFrame:
    """A frame's projection there and back within 66 km, to a micrometre; exact beyond."""

    _HALF_DEG = 0.6
    """Half the side of the square in latitude, as the reach of an airspace."""
    _HALF_M = 67_000.0

    def __init__(self, frame: LocalFrame) -> None:
        self._frame = frame
        origin = frame.origin
        half_lon_deg = self._HALF_DEG / max(0.05, math.cos(math.radians(origin.latitude_deg)))
        box_deg = (
            origin.longitude_deg - half_lon_deg,
            origin.latitude_deg - self._HALF_DEG,
            origin.longitude_deg + half_lon_deg,
            origin.latitude_deg + self._HALF_DEG,
        )
        inside = abs(origin.latitude_deg) + self._HALF_DEG < 80.0 and abs(origin.longitude_deg) < 178.0
        box_m = (-self._HALF_M, -self._HALF_M, self._HALF_M, self._HALF_M)
        self._there = _fit(frame, box_deg) if inside else None
        self._back = _fitted(frame.unproject, box_m, _TOLERANCE_DEG) if inside else None

    def project(self, lon_lat_deg: npt.ArrayLike) -> Floats:
        """As :meth:`core.geodesy.LocalFrame.project`."""
        given = np.asarray(lon_lat_deg, dtype=np.float64).reshape(-1, 2)
        found = None if self._there is None else self._there.within(given)
        return self._frame.project(given) if found is None else found

    def unproject(self, east_north_m: npt.ArrayLike) -> Floats:
        """As :meth:`core.geodesy.LocalFrame.unproject`."""
        given = np.asarray(east_north_m, dtype=np.float64).reshape(-1, 2)
        found = None if self._back is None else self._back.within(given)
        return self._frame.unproject(given) if found is None else found


_fast: WeakKeyDictionary[LocalFrame, FastFrame] = WeakKeyDictionary()


def fast_frame(frame: LocalFrame) -> FastFrame:
    """The frame's fast projection, fitted at the first question (about 5 ms)."""
    found = _fast.get(frame)
    if found is None:
        found = _fast[frame] = FastFrame(frame)
    return found


class _Plane:
    """A polynomial in two variables for a map of a box into the plane."""

    def __init__(self, exact: Callable[[Floats], Floats], box: Box) -> None:
        west, south, east, north = box
        self._centre = np.array([(west + east) / 2.0, (south + north) / 2.0])
        self._half = np.array([(east - west) / 2.0, (north - south) / 2.0])
        # Chebyshev nodes spread the error evenly over the box.
        nodes = np.cos(np.pi * (np.arange(_NODES) + 0.5) / _NODES)
        grid = np.stack(np.meshgrid(nodes, nodes), axis=-1).reshape(-1, 2)
        values = exact(self._centre + grid * self._half)
        # The middle is taken off, so that the sum of the terms has its digits to spend on the rest.
        self._shift = values.mean(axis=0)
        powers = [(i, j) for i in range(_DEGREE + 1) for j in range(_DEGREE + 1 - i)]
        terms = np.column_stack([grid[:, 0] ** i * grid[:, 1] ** j for i, j in powers])
        solution, *_ = np.linalg.lstsq(terms, values - self._shift, rcond=None)
        table = np.zeros((2, _DEGREE + 1, _DEGREE + 1))
        for (i, j), coefficients in zip(powers, solution, strict=True):
            table[:, i, j] = coefficients
        self._table = table.reshape(-1, _DEGREE + 1)

    def __call__(self, given: Floats) -> Floats:
        return self._at((given - self._centre) / self._half)

    def within(self, given: Floats) -> Floats | None:
        """The image of points that all lie in the box; None where one doesn't (or is no number)."""
        uv = (given - self._centre) / self._half
        return self._at(uv) if bool((np.abs(uv) <= 1.0).all()) else None

    def _at(self, uv: Floats) -> Floats:
        powers = np.empty((2, _DEGREE + 1, len(uv)))
        powers[:, 0] = 1.0
        powers[:, 1:] = uv.T[:, None, :]
        np.multiply.accumulate(powers, axis=1, out=powers)
        inner = (self._table @ powers[1]).reshape(2, _DEGREE + 1, len(uv))
        inner *= powers[0]
        result: Floats = inner.sum(axis=1)
        result += self._shift[:, None]
        return np.ascontiguousarray(result.T)


def _fit(frame: LocalFrame, box_deg: Box) -> _Plane | None:
    return _fitted(frame.project, box_deg, _TOLERANCE_M)


def _fitted(exact: Callable[[Floats], Floats], box: Box, tolerance: float) -> _Plane | None:
    plane = _Plane(exact, box)
    west, south, east, north = box
    # Evenly spread points that are none of the nodes, corners included.
    across, up = np.linspace(west, east, 12), np.linspace(south, north, 12)
    samples = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
    error = np.abs(plane(samples) - exact(samples)).max()
    return plane if error <= tolerance else None
