"""Ground heights from a GeoTIFF through rasterio, where rasterio is installed.

rasterio is an optional part of the project (``pip install drone-aed[terrain]``): it brings GDAL.
:func:`load_terrain` falls back to flat ground without it, and the terrain's description, which every
verdict and plan carries, then says that the file was not read.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pyproj import Transformer
from pyproj.exceptions import ProjError

from core.errors import AirspaceError, ErrorCode
from core.geodesy import AltitudeDatum, Wgs84Point
from geofences.terrain import FlatTerrain, Terrain

_MAX_CELLS = 64_000_000
"""Chosen: 8,000 × 8,000 cells, 240 km square at 30 m, 0.5 GB in memory."""
_METRES_PER_DEGREE = 111_195.0
_UNKNOWN = (-math.inf, math.inf)
_METRE_WORDS = ("", "m", "metre", "meter", "metres", "meters")


class GeoTiffTerrain:
    """Bilinear interpolation between the centres of a raster's cells.

    Raises 3003 for heights that are not above mean sea level or not in metres, and 3102 for a raster
    that is too large or names no reference system.
    """

    def __init__(self, path: Path, *, datum: AltitudeDatum) -> None:
        import rasterio

        if datum is not AltitudeDatum.AMSL:
            raise AirspaceError(
                ErrorCode.DATUM_MISMATCH, f"{path.name} gives heights above {datum}, not above mean sea level"
            )
        with rasterio.open(path) as dataset:
            if dataset.crs is None:
                raise AirspaceError(ErrorCode.ZONE_INVALID, f"{path.name} names no reference system")
            if dataset.width * dataset.height > _MAX_CELLS:
                raise AirspaceError(
                    ErrorCode.ZONE_INVALID,
                    f"{path.name} has more than {_MAX_CELLS} cells; cut it to the city",
                )
            unit = (dataset.units[0] or "").lower()
            if unit not in _METRE_WORDS:
                raise AirspaceError(ErrorCode.DATUM_MISMATCH, f"{path.name} gives heights in {unit}")
            band = dataset.read(1, masked=True).astype(np.float64)
            heights = band.filled(np.nan) * dataset.scales[0] + dataset.offsets[0]
            self._corner = (dataset.transform.c, dataset.transform.f)
            self._step = (dataset.transform.a, dataset.transform.e)
            self._to_raster = Transformer.from_crs("EPSG:4326", dataset.crs, always_xy=True)
            cell_units = min(abs(dataset.transform.a), abs(dataset.transform.e))
            geographic = dataset.crs.is_geographic
            furthest_deg = max(abs(dataset.bounds.top), abs(dataset.bounds.bottom))
            latitude = math.radians(min(80.0, furthest_deg)) if geographic else 0.0
            if dataset.transform.b or dataset.transform.d:
                raise AirspaceError(ErrorCode.ZONE_INVALID, f"{path.name} is rotated; warp it north up first")
        self._heights: npt.NDArray[np.float64] = heights
        self._name = path.name
        self._resolution_m = cell_units * (_METRES_PER_DEGREE * math.cos(latitude) if geographic else 1.0)

    @property
    def description(self) -> str:
        return f"ground from {self._name}, {self._resolution_m:.0f} m raster, above mean sea level"

    @property
    def resolution_m(self) -> float:
        return self._resolution_m

    def ground_amsl_m(self, point: Wgs84Point) -> float:
        height_m = self._interpolate(point.longitude_deg, point.latitude_deg)
        if height_m is None:
            raise AirspaceError(ErrorCode.DATUM_MISMATCH, f"{self._name} does not know the ground at {point}")
        return height_m

    def ground_range_amsl_m(
        self, west_deg: float, south_deg: float, east_deg: float, north_deg: float
    ) -> tuple[float, float]:
        if west_deg == east_deg and south_deg == north_deg:
            height_m = self._interpolate(west_deg, south_deg)
            return _UNKNOWN if height_m is None else (height_m, height_m)
        try:
            west, south, east, north = self._to_raster.transform_bounds(
                west_deg, south_deg, east_deg, north_deg, densify_pts=21
            )
        except ProjError:
            return _UNKNOWN
        columns, rows = zip(*(self._cell(x, y) for x in (west, east) for y in (south, north)), strict=True)
        if not all(math.isfinite(number) for number in (*columns, *rows)):
            return _UNKNOWN
        first_column, last_column = math.floor(min(columns)), math.floor(max(columns)) + 1
        first_row, last_row = math.floor(min(rows)), math.floor(max(rows)) + 1
        height, width = self._heights.shape
        if first_column < 0 or first_row < 0 or last_column >= width or last_row >= height:
            return _UNKNOWN
        part = self._heights[first_row : last_row + 1, first_column : last_column + 1]
        low, high = float(part.min()), float(part.max())
        # A cell without data makes both NaN.
        return _UNKNOWN if math.isnan(low) else (low, high)

    def _cell(self, x: float, y: float) -> tuple[float, float]:
        """Column and row, counted from the centre of the first cell."""
        return (x - self._corner[0]) / self._step[0] - 0.5, (y - self._corner[1]) / self._step[1] - 0.5

    def _interpolate(self, longitude_deg: float, latitude_deg: float) -> float | None:
        column, row = self._cell(*self._to_raster.transform(longitude_deg, latitude_deg))
        if not (math.isfinite(column) and math.isfinite(row)):
            return None
        left, top = math.floor(column), math.floor(row)
        height, width = self._heights.shape
        if left < 0 or top < 0 or left + 1 >= width or top + 1 >= height:
            return None
        right_share, lower_share = column - left, row - top
        corners: Any = self._heights[top : top + 2, left : left + 2]
        upper = corners[0, 0] * (1 - right_share) + corners[0, 1] * right_share
        lower = corners[1, 0] * (1 - right_share) + corners[1, 1] * right_share
        result = float(upper * (1 - lower_share) + lower * lower_share)
        return None if math.isnan(result) else result


def load_terrain(path: Path | None, *, flat_ground_amsl_m: float, datum: AltitudeDatum) -> Terrain:
    """The terrain in ``path``; flat ground when there is no file or no rasterio, and it says so.

    A file that is there and cannot be used raises: that is a mistake, not a missing part.
    """
    if path is None:
        return FlatTerrain(flat_ground_amsl_m)
    try:
        import rasterio  # noqa: F401
    except ImportError:
        return FlatTerrain(flat_ground_amsl_m, because=f"rasterio is not installed, {path.name} was not read")
    return GeoTiffTerrain(path, datum=datum)
