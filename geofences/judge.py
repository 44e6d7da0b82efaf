"""Whether something may fly a straight line: the exact answer, with its reasons."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely

from core.errors import AirspaceError, ErrorCode
from core.geodesy import Wgs84Point
from geofences import explain
from geofences.applicability import TimeWindow
from geofences.intervals import Intervals, intersect, rectangles_cover
from geofences.model import Restriction
from geofences.plane import fast_frame
from geofences.schedule import window_us
from geofences.segments import plainly_allowed
from geofences.snapshot import NOT_KEEPING_OUT, Snapshot
from geofences.verdict import Allowed, Forbidden, Verdict
from geofences.volumes import EVERYWHERE, Segment

_JOIN_SLACK_M = 1e-6
"""Operating areas that share an edge are crossed without a gap; the rounding of t is far under this."""


def check_segment(
    snapshot: Snapshot,
    version: str,
    start: Wgs84Point,
    start_amsl_m: float,
    end: Wgs84Point,
    end_amsl_m: float,
    window: TimeWindow,
) -> Verdict:
    """See :meth:`geofences.airspace.Airspace.check_segment`; ``version`` is named in refusals of the question."""
    segment = _segment(snapshot, version, start, start_amsl_m, end, end_amsl_m)
    conditions: dict[str, str] = {}
    used: set[str] = set()
    for index in _by_severity(snapshot, segment):
        zone_index = int(snapshot.volume_zone[index])
        zone = snapshot.zones[zone_index]
        moments = snapshot.timeline.intervals(zone_index, window)
        if not moments:
            continue
        places = snapshot.volumes[index].meets(segment, snapshot.terrain, snapshot.geoid, outwards=True)
        if not places:
            continue
        openers = _openers(snapshot, zone_index, index, segment, places, moments)
        if openers is None:
            return explain.forbidden_by_zone(
                zone,
                zone.volumes[index - int(snapshot.first_volume[zone_index])],
                places[0][0] * segment.length_m,
                moments,
                snapshot.terrain.description,
            )
        used |= openers
        if zone.restriction is Restriction.CONDITIONAL:
            conditions[zone.zone_id] = explain.condition(zone)
    outside = _check_keep_in(snapshot, segment, window)
    if outside is not None:
        return outside
    return Allowed(
        conditions=tuple(conditions[zone_id] for zone_id in sorted(conditions)),
        authorisation_ids=tuple(sorted(used)),
        terrain=snapshot.terrain.description,
    )


def check_segments(
    snapshot: Snapshot, version: str, lon_lat_deg: npt.ArrayLike, amsl_m: npt.ArrayLike, window: TimeWindow
) -> tuple[Verdict, ...]:
    """See :meth:`geofences.airspace.Airspace.check_segments`."""
    lines = np.asarray(lon_lat_deg, dtype=np.float64).reshape(-1, 2, 2)
    heights = np.asarray(amsl_m, dtype=np.float64).reshape(-1, 2)
    west, south, east, north = snapshot.box_deg
    if not (np.isfinite(heights).all() and ((lines >= (west, south)) & (lines <= (east, north))).all()):
        plain = np.zeros(len(lines), dtype=np.bool_)
    else:
        ends_xy_m = fast_frame(snapshot.frame).project(lines.reshape(-1, 2)).reshape(-1, 2, 2)
        plain = plainly_allowed(snapshot, ends_xy_m, heights, window)
    allowed = Allowed(terrain=snapshot.terrain.description)
    if plain.all():
        return (allowed,) * len(lines)
    return tuple(
        allowed
        if is_plain
        else check_segment(
            snapshot,
            version,
            Wgs84Point(start[1], start[0]),
            low_m,
            Wgs84Point(end[1], end[0]),
            high_m,
            window,
        )
        for is_plain, (start, end), (low_m, high_m) in zip(
            plain.tolist(), lines.tolist(), heights.tolist(), strict=True
        )
    )


def _segment(
    snapshot: Snapshot,
    version: str,
    start: Wgs84Point,
    start_amsl_m: float,
    end: Wgs84Point,
    end_amsl_m: float,
) -> Segment:
    for altitude_m in (start_amsl_m, end_amsl_m):
        if not np.isfinite(altitude_m):
            raise AirspaceError(ErrorCode.POSITION_INVALID, f"{altitude_m} is not a finite altitude")
    west, south, east, north = snapshot.box_deg
    for point in (start, end):
        if not (west <= point.longitude_deg <= east and south <= point.latitude_deg <= north):
            raise AirspaceError(
                ErrorCode.OUTSIDE_LOCAL_FRAME, f"{point} is out of the reach of airspace {version}"
            )
    first = snapshot.frame.to_enu(start)
    last = first if end == start else snapshot.frame.to_enu(end)
    start_xy_m, end_xy_m = (first.east_m, first.north_m), (last.east_m, last.north_m)
    return Segment(
        start_xy_m,
        end_xy_m,
        start_amsl_m,
        end_amsl_m,
        shapely.LineString((start_xy_m, end_xy_m)),
        snapshot.frame,
    )


def _by_severity(snapshot: Snapshot, segment: Segment) -> list[int]:
    """Volumes of keep-out zones near the segment: the strictest first, then the first on the way."""
    near = snapshot.index.candidates(segment)
    severity = snapshot.volume_severity[near]
    order = np.lexsort((snapshot.index.distances_m(near, segment.start_xy_m), severity))
    kept: list[int] = near[order][severity[order] < NOT_KEEPING_OUT].tolist()
    return kept


def _openers(
    snapshot: Snapshot,
    zone_index: int,
    volume_index: int,
    segment: Segment,
    places: Intervals,
    moments: Intervals,
) -> set[str] | None:
    """Ids of the authorisations that together open the volume there and then; None if they don't."""
    authorisations = snapshot.authorised.get(zone_index)
    if not authorisations:
        return None
    area = snapshot.volumes[volume_index].area
    cover: list[tuple[Intervals, Intervals]] = []
    ids: list[str] = []
    for authorised in authorisations:
        volume = authorised.volume
        over = volume.heights(segment, snapshot.terrain, snapshot.geoid, outwards=False)
        # An approval for exactly the zone's own area covers its rim, whatever the rounding.
        if volume.area is not None and volume.area != area:
            over = intersect(over, volume.places(segment, outwards=False))
        if over:
            validity = ((float(authorised.valid_from_us), float(authorised.valid_until_us)),)
            cover.append((over, validity))
            ids.append(authorised.authorisation_id)
            if rectangles_cover(places, moments, cover[-1:]):
                return {ids[-1]}
    return set(ids) if rectangles_cover(places, moments, cover) else None


def _check_keep_in(snapshot: Snapshot, segment: Segment, window: TimeWindow) -> Forbidden | None:
    if not snapshot.keep_in_volumes:
        return None
    cover: list[tuple[Intervals, Intervals]] = []
    any_open = False
    for index in snapshot.keep_in_volumes:
        moments = snapshot.timeline.intervals(int(snapshot.volume_zone[index]), window)
        if not moments:
            continue
        any_open = True
        places = snapshot.volumes[index].meets(segment, snapshot.terrain, snapshot.geoid, outwards=False)
        if places:
            cover.append((places, moments))
    asked = window_us(window)
    slack = _JOIN_SLACK_M / max(segment.length_m, _JOIN_SLACK_M)
    if rectangles_cover(EVERYWHERE, asked, cover, slack=min(slack, 1e-3)):
        return None
    names = [snapshot.zones[int(snapshot.volume_zone[i])] for i in snapshot.keep_in_volumes]
    if not any_open:
        return explain.operating_area_closed(names, window, snapshot.terrain.description)
    return explain.outside_operating_area(names, snapshot.terrain.description)
