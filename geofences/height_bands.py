"""Which altitudes an airspace leaves free over one small place.

A limit above ground is a different altitude on every hill. Over a whole zone only bounds can be given
(:attr:`geofences.volumes.CompiledVolume.outer_amsl_m`); over a short piece of a way the ground is known
better, and a flight may pass under a shelf or over an obstacle that those bounds would close. All
altitudes are metres above mean sea level; doubt about ground and geoid closes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import shapely

from geofences.applicability import TimeWindow
from geofences.intervals import Intervals, intersect, union
from geofences.obstacles import ObstacleTable
from geofences.schedule import Bounds, window_us
from geofences.snapshot import Snapshot
from geofences.vertical import amsl_interval

ALL: Intervals = ((-math.inf, math.inf),)


def complement(closed: Intervals) -> Intervals:
    """What lies between and beyond ``closed``; the shared ends belong to both."""
    result: list[tuple[float, float]] = []
    low = -math.inf
    for first, last in closed:
        if first > low:
            result.append((low, first))
        low = last
    if low < math.inf:
        result.append((low, math.inf))
    return tuple(result)


def free_of_obstacles(
    snapshot: Snapshot, table: ObstacleTable, numbers: Iterable[int], bounds_deg: Bounds, window: TimeWindow
) -> Intervals:
    """Altitudes that none of the obstacles ``numbers`` closes over ``bounds_deg`` at any moment of ``window``.

    ``bounds_deg`` is west, south, east, north of the place; the obstacles' outlines are not looked at.
    """
    ground = snapshot.terrain.ground_range_amsl_m(*bounds_deg)
    active = snapshot.timeline.active(window)
    ((first_us, last_us),) = window_us(window)
    closed: list[tuple[float, float]] = []
    for number in numbers:
        if not active[table.zone_index[number]]:
            continue
        bands = _closed_by(snapshot, table, number, ground)
        rows = np.flatnonzero(
            (table.opened_cell == number)
            & (table.opened_from_us <= first_us)
            & (table.opened_until_us >= last_us)
        )
        for row in rows.tolist():
            low_m = -math.inf if table.opened_below[row] else float(table.opened_low_amsl_m[row])
            high_m = math.inf if table.opened_above[row] else float(table.opened_high_amsl_m[row])
            if low_m <= high_m:
                bands = intersect(bands, complement(((low_m, high_m),)))
        # What an authorisation opens keeps its end; a band of no height is such an end and no more.
        closed += [band for band in bands if band[0] < band[1] or not len(rows)]
    return complement(union(closed))


def _closed_by(
    snapshot: Snapshot, table: ObstacleTable, number: int, ground_amsl_m: tuple[float, float]
) -> Intervals:
    """The obstacle's heights over this ground: those of the volumes of its zone that it may be a part of."""
    whole = (float(table.low_amsl_m[number]), float(table.high_amsl_m[number]))
    zone = int(table.zone_index[number])
    first, last = int(snapshot.first_volume[zone]), int(snapshot.first_volume[zone + 1])
    bands = []
    for volume in snapshot.volumes[first:last]:
        if volume.outer_amsl_m == whole:
            low_m, high_m = amsl_interval(
                volume.floor, volume.ceiling, ground_amsl_m, snapshot.geoid, outwards=True
            )
            # The box may reach beyond the zone, where the ground is no matter.
            bands.append((max(low_m, whole[0]), min(high_m, whole[1])))
    return union(band for band in bands if band[0] <= band[1])


def inside_operating_areas(
    snapshot: Snapshot, area_xy_m: shapely.Geometry, bounds_deg: Bounds, window: TimeWindow
) -> Intervals:
    """Altitudes at which all of ``area_xy_m`` lies inside operating areas that apply throughout ``window``.

    Everything where the airspace has no operating area, nothing where none applies.
    """
    if not snapshot.keep_in_volumes:
        return ALL
    throughout = snapshot.timeline.active_throughout(window)
    ground = snapshot.terrain.ground_range_amsl_m(*bounds_deg)
    covering: list[tuple[float, float]] = []
    touching: list[tuple[shapely.Geometry, tuple[float, float]]] = []
    for index in snapshot.keep_in_volumes:
        volume = snapshot.volumes[index]
        if not throughout[snapshot.volume_zone[index]] or volume.shape is None:
            continue
        band = amsl_interval(volume.floor, volume.ceiling, ground, snapshot.geoid, outwards=False)
        if band[0] > band[1] or not volume.shape.inner.intersects(area_xy_m):
            continue
        touching.append((volume.shape.inner, band))
        if volume.shape.inner.covers(area_xy_m):
            covering.append(band)
    if covering:
        return union(covering)
    if not touching or not shapely.union_all([shape for shape, _ in touching]).covers(area_xy_m):
        return ()
    # Only together do they hold the area: at the altitudes that all of them have.
    common = ALL
    for _, band in touching:
        common = intersect(common, (band,))
    return common
