"""Keep-out shapes for the planner: fixed polygons, switched by masks.

Every volume of a keep-out zone becomes one or more cells. Authorisations with an area of their own
cut it, so that a cell is either wholly inside such an area or wholly outside, and whether it stands
is one bit per question. Cells of one volume overlap by the intersection precision: two that both
stand leave no seam to slip through.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from geofences.model import VerticalLimit
from geofences.shapes import INTERSECTION_PRECISION_M, grown
from geofences.terrain import Terrain
from geofences.vertical import GeoidRange, amsl_interval
from geofences.volumes import CompiledVolume

_MAX_CELLS = 64
"""Chosen: more cuts than any real volume has; beyond it further authorisations are not offered to
the planner for that volume, which errs to caution (the exact test still knows them)."""


@dataclass(frozen=True, slots=True)
class ObstaclePolygon:
    """A keep-out shape in metres of the airspace's frame, not buffered; circles circumscribed.
    It may have holes."""

    zone_id: str
    polygon: shapely.Polygon


@dataclass(frozen=True, slots=True)
class AuthorisedVolume:
    """An authorisation compiled for the airspace."""

    authorisation_id: str
    valid_from_us: int
    valid_until_us: int
    volume: CompiledVolume


@dataclass(frozen=True, slots=True)
class ObstacleTable:
    """Cells as columns; ``opened_*`` rows say which authorisation may open which cell."""

    polygons: tuple[ObstaclePolygon, ...]
    zone_index: npt.NDArray[np.int64]
    low_amsl_m: npt.NDArray[np.float64]
    high_amsl_m: npt.NDArray[np.float64]
    opened_cell: npt.NDArray[np.int64]
    opened_from_us: npt.NDArray[np.float64]
    opened_until_us: npt.NDArray[np.float64]
    opened_low_amsl_m: npt.NDArray[np.float64]
    opened_high_amsl_m: npt.NDArray[np.float64]
    opened_below: npt.NDArray[np.bool_]
    """The authorisation's floor is not above the volume's, by the same datum."""
    opened_above: npt.NDArray[np.bool_]

    def replaced(self, index: int, last_index: int, part: ObstacleTable, shift: int) -> ObstacleTable:
        """A table with ``part``'s cells in place of those of the zones ``index`` up to ``last_index``;
        the numbers of later zones move by ``shift``. All other polygons stay the same objects."""
        first, last = np.searchsorted(self.zone_index, [index, last_index]).tolist()
        before, after = self.opened_cell < first, self.opened_cell >= last
        moved = len(part.polygons) - (last - first)

        def opened(name: str) -> npt.NDArray[Any]:
            own, new = getattr(self, name), getattr(part, name)
            return np.concatenate([own[before], new, own[after]])

        return ObstacleTable(
            (*self.polygons[:first], *part.polygons, *self.polygons[last:]),
            np.concatenate([self.zone_index[:first], part.zone_index, self.zone_index[last:] + shift]),
            np.concatenate([self.low_amsl_m[:first], part.low_amsl_m, self.low_amsl_m[last:]]),
            np.concatenate([self.high_amsl_m[:first], part.high_amsl_m, self.high_amsl_m[last:]]),
            np.concatenate(
                [self.opened_cell[before], part.opened_cell + first, self.opened_cell[after] + moved]
            ),
            opened("opened_from_us"),
            opened("opened_until_us"),
            opened("opened_low_amsl_m"),
            opened("opened_high_amsl_m"),
            opened("opened_below"),
            opened("opened_above"),
        )

    def opened_throughout(self, window_us: tuple[float, float]) -> npt.NDArray[np.bool_]:
        """For every row of ``opened_*``, whether the authorisation is valid all the time."""
        return (self.opened_from_us <= window_us[0]) & (self.opened_until_us >= window_us[1])

    def mask(
        self,
        zone_active: npt.NDArray[np.bool_],
        floor_amsl_m: float,
        ceiling_amsl_m: float,
        window_us: tuple[float, float],
    ) -> npt.NDArray[np.bool_]:
        """For every cell, whether it stands somewhere between the heights at some moment."""
        result: npt.NDArray[np.bool_] = (
            zone_active[self.zone_index]
            & (self.low_amsl_m <= ceiling_amsl_m)
            & (self.high_amsl_m >= floor_amsl_m)
        )
        if len(self.opened_cell):
            cell = self.opened_cell
            # What must be authorised is the part of the volume between the heights asked.
            opens = (
                self.opened_throughout(window_us)
                & (
                    self.opened_below
                    | (self.opened_low_amsl_m <= np.maximum(floor_amsl_m, self.low_amsl_m[cell]))
                )
                & (
                    self.opened_above
                    | (self.opened_high_amsl_m >= np.minimum(ceiling_amsl_m, self.high_amsl_m[cell]))
                )
            )
            result[cell[opens]] = False
        return result


def build_table(
    volumes: Sequence[tuple[int, str, CompiledVolume]],
    authorised: dict[int, list[AuthorisedVolume]],
    terrain: Terrain,
    geoid: GeoidRange,
) -> ObstacleTable:
    """``volumes`` are (zone number, zone id, volume) of keep-out zones; ``authorised`` by zone number."""
    polygons: list[ObstaclePolygon] = []
    zone_index: list[int] = []
    heights: list[tuple[float, float]] = []
    opened: list[tuple[float, ...]] = []
    for index, zone_id, volume in volumes:
        for cell, openers in _cells(volume, authorised.get(index, [])):
            for opener in openers:
                # What the authorisation surely opens over this volume: the ground elsewhere is no matter.
                assert volume.shape is not None
                ground = terrain.ground_range_amsl_m(*volume.shape.bounds_deg)
                low, high = amsl_interval(
                    opener.volume.floor, opener.volume.ceiling, ground, geoid, outwards=False
                )
                opened.append(
                    (
                        len(polygons),
                        opener.valid_from_us,
                        opener.valid_until_us,
                        low,
                        high,
                        _not_above(opener.volume.floor, volume.floor),
                        _not_above(volume.ceiling, opener.volume.ceiling, unlimited_is=True),
                    )
                )
            polygons.append(ObstaclePolygon(zone_id, cell))
            zone_index.append(index)
            heights.append(volume.outer_amsl_m)
    columns = np.array(opened, dtype=np.float64).reshape(-1, 7)
    limits = np.array(heights, dtype=np.float64).reshape(-1, 2)
    return ObstacleTable(
        tuple(polygons),
        np.array(zone_index, dtype=np.int64),
        limits[:, 0].copy(),
        limits[:, 1].copy(),
        columns[:, 0].astype(np.int64),
        columns[:, 1].copy(),
        columns[:, 2].copy(),
        columns[:, 3].copy(),
        columns[:, 4].copy(),
        columns[:, 5].astype(bool),
        columns[:, 6].astype(bool),
    )


def _not_above(lower: VerticalLimit, upper: VerticalLimit, *, unlimited_is: bool = False) -> bool:
    """Whether ``lower`` is at or under ``upper`` wherever both are, known without any terrain.

    ``unlimited_is`` False reads None as the ground (floors), True as without end (ceilings).
    """
    if unlimited_is:
        if upper.altitude is None:
            return True
        if lower.altitude is None:
            return False
    else:
        if lower.altitude is None:
            return True
        if upper.altitude is None:
            return False
    return lower.datum is upper.datum and lower.above_datum_m() <= upper.above_datum_m()


def _cells(
    volume: CompiledVolume, authorised: list[AuthorisedVolume]
) -> list[tuple[shapely.Polygon, list[AuthorisedVolume]]]:
    assert volume.shape is not None
    if not authorised and isinstance(volume.shape.polygon, shapely.Polygon):
        return [] if volume.shape.polygon.is_empty else [(volume.shape.polygon, [])]
    everywhere = [a for a in authorised if a.volume.area is None or a.volume.area == volume.area]
    cells: list[tuple[shapely.Geometry, list[AuthorisedVolume]]] = [(volume.shape.polygon, everywhere)]
    for opener in authorised:
        if opener in everywhere or len(cells) > _MAX_CELLS // 2:
            continue
        assert opener.volume.shape is not None
        area = grown(opener.volume.shape.inner)
        overlapping = shapely.buffer(area, INTERSECTION_PRECISION_M, join_style="mitre")
        divided: list[tuple[shapely.Geometry, list[AuthorisedVolume]]] = []
        for geometry, openers in cells:
            if not geometry.intersects(area):
                divided.append((geometry, openers))
                continue
            divided.append((shapely.intersection(geometry, overlapping), [*openers, opener]))
            divided.append((shapely.difference(geometry, area), openers))
        cells = divided
    return [
        (part, openers)
        for geometry, openers in cells
        for part in shapely.get_parts(geometry)
        if part.geom_type == "Polygon" and not part.is_empty
    ]
