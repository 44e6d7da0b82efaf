"""Which of many straight lines surely meet no zone, all at once.

:meth:`geofences.airspace.Airspace.check_segment` is the judge; it costs a tenth of a millisecond for each line.
What is answered here is only the plain case, by the same shapes and with the same closed boundaries: no
standing volume near the line, and one operating area around all of it. Every other line goes to the judge.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely

from geofences.applicability import TimeWindow
from geofences.snapshot import NOT_KEEPING_OUT, Snapshot

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def plainly_allowed(snapshot: Snapshot, ends_xy_m: Floats, amsl_m: Floats, window: TimeWindow) -> Bools:
    """For lines (n, 2, 2) in frame metres with altitudes (n, 2): whether nothing has to be asked about them."""
    result = ~_near_keep_out(snapshot, ends_xy_m, amsl_m, window)
    if snapshot.keep_in_volumes and result.any():
        result &= _within_one_area(snapshot, ends_xy_m, amsl_m, window)
    return result


def _near_keep_out(snapshot: Snapshot, ends_xy_m: Floats, amsl_m: Floats, window: TimeWindow) -> Bools:
    near = np.zeros(len(ends_xy_m), dtype=np.bool_)
    standing = snapshot.timeline.active(window)[snapshot.volume_zone]
    standing &= snapshot.volume_severity < NOT_KEEPING_OUT
    at, _ = snapshot.index.near_lines(ends_xy_m, amsl_m, standing)
    near[at] = True
    return near


def _within_one_area(snapshot: Snapshot, ends_xy_m: Floats, amsl_m: Floats, window: TimeWindow) -> Bools:
    inside = np.zeros(len(ends_xy_m), dtype=np.bool_)
    throughout = snapshot.timeline.active_throughout(window)
    lines = shapely.linestrings(ends_xy_m)
    low_m, high_m = amsl_m.min(axis=1), amsl_m.max(axis=1)
    for index in snapshot.keep_in_volumes:
        volume = snapshot.volumes[index]
        area = volume.tested_area
        if area is None or not throughout[snapshot.volume_zone[index]]:
            continue
        floor_m, ceiling_m = volume.inner_amsl_m
        asked = np.flatnonzero(~inside & (floor_m <= low_m) & (high_m <= ceiling_m))
        inside[asked] = shapely.contains_properly(area, lines[asked])
    return inside
