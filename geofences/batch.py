"""The same questions as :meth:`Airspace.check_point`, for many points at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from core.errors import AirspaceError, ErrorCode
from geofences.applicability import TimeWindow
from geofences.schedule import from_us
from geofences.shapes import INTERSECTION_PRECISION_M
from geofences.snapshot import NOT_KEEPING_OUT, Snapshot
from geofences.vertical import VERTICAL_SLACK_M, amsl_interval
from geofences.volumes import CompiledVolume

ALLOWED = -1
OUTSIDE_OPERATING_AREA = -2

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Questions:
    lon_lat_deg: Floats
    xy_m: Floats
    points: npt.NDArray[np.object_]
    amsl_m: Floats
    at_us: Numbers


def check_points(
    snapshot: Snapshot, lon_lat_deg: npt.ArrayLike, amsl_m: npt.ArrayLike, at: npt.NDArray[np.datetime64]
) -> Numbers:
    """For every question the number of the zone that forbids it, ALLOWED or OUTSIDE_OPERATING_AREA."""
    lon_lat = np.asarray(lon_lat_deg, dtype=np.float64).reshape(-1, 2)
    xy_m = snapshot.frame.project(lon_lat)
    questions = _Questions(
        lon_lat,
        xy_m,
        shapely.points(xy_m),
        np.broadcast_to(np.asarray(amsl_m, dtype=np.float64), len(lon_lat)),
        np.broadcast_to(at.astype("datetime64[us]").astype(np.int64), len(lon_lat)),
    )
    if not bool(np.all(np.isfinite(questions.amsl_m))):
        raise AirspaceError(ErrorCode.POSITION_INVALID, "an altitude is not a finite number")
    result = np.full(len(lon_lat), ALLOWED, dtype=np.int64)
    if not len(lon_lat):
        return result
    asked, volume = snapshot.index.pairs(questions.points, questions.amsl_m)
    out = snapshot.volume_severity[volume] < NOT_KEEPING_OUT
    forbidden_at, forbidden_by = _forbidden(snapshot, questions, asked[out], volume[out])
    # Strictest first, then the earliest zone of the file.
    order = np.lexsort((forbidden_by, snapshot.volume_severity[forbidden_by], forbidden_at))
    first, where = np.unique(forbidden_at[order], return_index=True)
    if snapshot.keep_in_volumes:
        inside = np.zeros(len(lon_lat), dtype=bool)
        inside[_inside(snapshot, questions, asked[~out], volume[~out])] = True
        result[~inside] = OUTSIDE_OPERATING_AREA
    result[first] = snapshot.volume_zone[forbidden_by[order][where]]
    return result


def _forbidden(
    snapshot: Snapshot, questions: _Questions, at: Numbers, volume: Numbers
) -> tuple[Numbers, Numbers]:
    for test in (_in_area, _in_height):
        kept = test(snapshot.volumes, snapshot, questions, at, volume, outwards=True)
        at, volume = at[kept], volume[kept]
    kept = _in_time(snapshot, questions, at, volume)
    at, volume = at[kept], volume[kept]
    opened = np.zeros(len(at), dtype=bool)
    for zone, authorisations in snapshot.authorised.items():
        rows = np.flatnonzero(snapshot.volume_zone[volume] == zone)
        for authorised in authorisations:
            rows = rows[~opened[rows]]
            asked = questions.at_us[at[rows]]
            valid = (asked >= authorised.valid_from_us) & (asked <= authorised.valid_until_us)
            within = rows[valid]
            covered = _in_height(
                [authorised.volume], snapshot, questions, at[within], 0 * within, outwards=False
            )
            covered &= _in_authorised_area(authorised.volume, snapshot, questions, at[within], volume[within])
            opened[within[covered]] = True
    return at[~opened], volume[~opened]


def _in_authorised_area(
    authorised: CompiledVolume, snapshot: Snapshot, questions: _Questions, at: Numbers, volume: Numbers
) -> Bools:
    if authorised.shape is None:
        return np.ones(len(at), dtype=bool)
    if authorised.shape.circle is not None:
        held = _in_area([authorised], snapshot, questions, at, 0 * volume, outwards=False)
    else:
        held = shapely.dwithin(authorised.shape.polygon, questions.points[at], INTERSECTION_PRECISION_M)
    # An approval for exactly the zone's own area covers its rim, whatever the rounding.
    own = [snapshot.volumes[number].area == authorised.area for number in volume.tolist()]
    return held | np.array(own, dtype=bool)


def _inside(snapshot: Snapshot, questions: _Questions, at: Numbers, volume: Numbers) -> Numbers:
    """Numbers of the questions inside an operating area."""
    keep_in = np.isin(volume, np.asarray(snapshot.keep_in_volumes, dtype=np.int64))
    at, volume = at[keep_in], volume[keep_in]
    for test in (_in_area, _in_height):
        kept = test(snapshot.volumes, snapshot, questions, at, volume, outwards=False)
        at, volume = at[kept], volume[kept]
    return at[_in_time(snapshot, questions, at, volume)]


def _in_area(
    volumes: Sequence[CompiledVolume],
    snapshot: Snapshot,
    questions: _Questions,
    at: Numbers,
    volume: Numbers,
    *,
    outwards: bool,
) -> Bools:
    """Circles by distance; outlines were tested by the index."""
    result = np.ones(len(at), dtype=bool)
    for number in np.unique(volume).tolist():
        shape = volumes[number].shape
        if shape is None or shape.circle is None:
            continue
        circle = shape.circle
        rows = np.flatnonzero(volume == number)
        xy_m = questions.xy_m[at[rows]]
        radius_m = circle.outer_radius_m if outwards else circle.inner_radius_m
        distance_m = np.hypot(xy_m[:, 0] - circle.east_m, xy_m[:, 1] - circle.north_m)
        result[rows] = distance_m <= radius_m + INTERSECTION_PRECISION_M
    return result


def _in_height(
    volumes: Sequence[CompiledVolume],
    snapshot: Snapshot,
    questions: _Questions,
    at: Numbers,
    volume: Numbers,
    *,
    outwards: bool,
) -> Bools:
    limits = {
        number: volumes[number].outer_amsl_m if outwards else volumes[number].inner_amsl_m
        for number in np.unique(volume).tolist()
    }
    low = np.array([limits[number][0] for number in volume.tolist()], dtype=np.float64)
    high = np.array([limits[number][1] for number in volume.tolist()], dtype=np.float64)
    if np.isfinite(snapshot.terrain.resolution_m):
        # Where the ground varies, the limits over each point count.
        for row, number in enumerate(volume.tolist()):
            one = volumes[number]
            if one.outer_amsl_m != one.inner_amsl_m:
                longitude_deg, latitude_deg = questions.lon_lat_deg[at[row]].tolist()
                ground = snapshot.terrain.ground_range_amsl_m(
                    longitude_deg, latitude_deg, longitude_deg, latitude_deg
                )
                low[row], high[row] = amsl_interval(
                    one.floor, one.ceiling, ground, snapshot.geoid, outwards=outwards
                )
    asked = questions.amsl_m[at]
    held: Bools = (low <= high) & (low - VERTICAL_SLACK_M <= asked) & (asked <= high + VERTICAL_SLACK_M)
    return held


def _in_time(snapshot: Snapshot, questions: _Questions, at: Numbers, volume: Numbers) -> Bools:
    zone = snapshot.volume_zone[volume]
    result: Bools = snapshot.timeline.permanent[zone].copy()
    if not bool(result.all()):
        window = TimeWindow(from_us(int(questions.at_us.min())), from_us(int(questions.at_us.max())))
        for number in np.unique(zone[~result]).tolist():
            rows = np.flatnonzero(zone == number)
            parts = np.array(snapshot.timeline.intervals(number, window), dtype=np.float64).reshape(-1, 2)
            asked = questions.at_us[at[rows]]
            started = np.searchsorted(parts[:, 0], asked, side="right") - 1
            ends = np.append(parts[:, 1], -np.inf)
            result[rows] = (started >= 0) & (asked <= ends[started])
    return result
