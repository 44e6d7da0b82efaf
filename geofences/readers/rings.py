"""Rings as published → simple polygons, repaired only where every reading agrees.

Certain, hence repaired and reported: a ring not closed, a point repeated, a spike that goes out and
back on itself, a ring that touches itself without crossing, and loops so thin that no reading moves
the boundary by more than :data:`CERTAIN_WIDTH_M`. A larger self-crossing is refused: a bow-tie may be
two lobes or two swapped corners, and the difference is where a drone may fly.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import shapely

from core.errors import AirspaceError, ZoneFileError
from core.geodesy import Wgs84Point
from geofences.model import PolygonArea
from geofences.readers.result import Report

CERTAIN_WIDTH_M = 1.0
"""Chosen: about the accuracy of published outlines (ED-269 asks for no better than some metres)."""

_MAX_FACES = 200
_MAX_PAIRS_PER_EDGE = 40
_CHUNK = 64
"""Chosen: bounds on the work of a repair. An edge's box meets its own and two neighbours'; digitised
outlines add a few; forty is a tangle."""

MAX_RING_CORNERS = 200_000
"""Chosen: ten times the most detailed coast of any published zone; a ring with more is a mistake or an attack."""
_PAIRS_OF_A_SIMPLE_EDGE = 5
_MAX_CROSSING_PAIRS = 200_000
_MAX_PAIRS_OF_ONE_EDGE = 2_000
"""Chosen: what a large ring may have beyond its neighbours; more keep the noding of its lines busy for minutes."""

_METRES_PER_DEGREE = 111_320.0
Ring = Sequence[tuple[float, float]]
"""(longitude, latitude) in degrees."""


def to_areas(
    rings: Sequence[Ring], *, feature: str, field: str, report: Report, grow: bool = True
) -> list[PolygonArea]:
    """One polygon's rings (exterior first) as areas; several when the ring touched itself.

    ``grow`` says on which side doubt falls: thin loops are included for keep-out zones and left out
    for operating areas.
    """
    for i, ring in enumerate(rings):
        if len(ring) > MAX_RING_CORNERS:
            raise ZoneFileError(
                f"a ring of {len(ring)} points is more than {MAX_RING_CORNERS}: simplify it",
                feature=feature,
                field=f"{field}[{i}]",
            )
    cleaned = [
        _clean(ring, feature=feature, field=f"{field}[{i}]", report=report) for i, ring in enumerate(rings)
    ]
    try:
        return [_area(cleaned)]
    except AirspaceError as error:
        why = error.detail
    if len(cleaned) > 1:
        outlines = [shapely.Polygon(ring) for ring in cleaned]
        if all(outline.is_valid for outline in outlines):
            raise ZoneFileError(
                f"the holes do not lie inside the outline: {why}", feature=feature, field=field
            )
    scale = np.array([_METRES_PER_DEGREE * math.cos(math.radians(cleaned[0][0][1])), _METRES_PER_DEGREE])
    polygon = _repaired(cleaned[0], scale, grow=grow)
    if polygon is None:
        raise ZoneFileError(
            f"{why}, and there is more than one way to repair it", feature=feature, field=field
        )
    for hole in cleaned[1:]:
        # A doubtful piece of a hole is no opening in a zone, and no gap in an operating area either way.
        opening = _repaired(hole, scale, grow=not grow)
        if opening is None:
            raise ZoneFileError(
                f"{why}, and there is more than one way to repair it", feature=feature, field=field
            )
        polygon = shapely.difference(polygon, opening)
    parts = [p for p in shapely.get_parts(polygon) if p.geom_type == "Polygon" and not p.is_empty]
    if not parts:
        raise ZoneFileError("the outline encloses nothing", feature=feature, field=field)
    report.repaired(feature, field, f"{why}; every reading agrees within {CERTAIN_WIDTH_M:g} m")
    return [_area([list(ring.coords) for ring in (part.exterior, *part.interiors)]) for part in parts]


def _area(rings: Sequence[Ring]) -> PolygonArea:
    converted = [tuple(Wgs84Point(latitude, longitude) for longitude, latitude in ring) for ring in rings]
    return PolygonArea(converted[0], tuple(converted[1:]))


def _clean(ring: Ring, *, feature: str, field: str, report: Report) -> list[tuple[float, float]]:
    """The open ring without repeated points and zero-width spikes."""
    points = list(ring)
    if len(points) >= 2 and points[0] == points[-1]:
        points.pop()
    else:
        report.repaired(feature, field, "the ring was not closed")
    kept = [point for i, point in enumerate(points) if point != points[i - 1] or len(points) == 1]
    if len(kept) < len(points):
        report.repaired(feature, field, f"{len(points) - len(kept)} repeated points were dropped")
    before = len(kept)
    kept = _without_spikes(kept)
    spikes = (before - len(kept)) // 2
    if spikes:
        report.repaired(feature, field, f"{spikes} spikes without width were dropped")
    if len(kept) < 3:
        raise ZoneFileError("a ring needs three different points", feature=feature, field=field)
    return kept


def _without_spikes(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The ring without A, B, A: out and back over the same line encloses nothing."""
    kept: list[tuple[float, float]] = []
    for point in points:
        if len(kept) >= 2 and kept[-2] == point:
            kept.pop()
        else:
            kept.append(point)
    # The same across the seam between the last point and the first.
    first, last = 0, len(kept) - 1
    while last - first >= 2:
        if kept[first] == kept[last - 1]:
            last -= 2
        elif kept[first + 1] == kept[last]:
            first += 1
            last -= 1
        else:
            break
    return kept[first : last + 1]


def _repaired(
    ring: Ring, scale: npt.NDArray[np.float64], *, grow: bool
) -> shapely.Polygon | shapely.MultiPolygon | None:
    """The area of a self-crossing ring where all readings agree, None where they do not.

    Faces of the ring's line work carry a winding number. Faces wound once in the dominant sense are
    inside by every rule. Others (wound the other way, or twice) are doubtful and must be thin.
    """
    outline = shapely.Polygon(ring)
    if outline.is_valid:
        return outline
    if _tangled(ring):
        return None
    faces = [
        face
        for face in shapely.get_parts(shapely.polygonize([shapely.node(shapely.LinearRing(ring))]))
        if not face.is_empty
    ]
    if not 0 < len(faces) <= _MAX_FACES:
        return None
    winding = [_winding(face.representative_point(), ring) for face in faces]
    area_by_sign = {
        sign: sum(face.area for face, w in zip(faces, winding, strict=True) if w == sign) for sign in (-1, 1)
    }
    dominant = max(area_by_sign, key=lambda sign: area_by_sign[sign])
    sure = [face for face, w in zip(faces, winding, strict=True) if w == dominant]
    doubtful = [face for face, w in zip(faces, winding, strict=True) if w not in (0, dominant)]
    if not sure:
        return None
    for face in doubtful:
        metric = shapely.transform(face, lambda xy: xy * scale)
        if not metric.buffer(-CERTAIN_WIDTH_M / 2.0).is_empty:
            return None
    return shapely.union_all(sure + doubtful if grow else sure)


def _tangled(ring: Ring) -> bool:
    """Whether so many edges come near each other that noding the ring might take for ever."""
    ends = np.asarray(ring)
    edges = shapely.linestrings(np.stack([ends, np.roll(ends, -1, axis=0)], axis=1))
    tree = shapely.STRtree(edges)
    pairs = 0
    allowed = min(
        _MAX_PAIRS_PER_EDGE * len(edges) + _CHUNK * _CHUNK,
        _PAIRS_OF_A_SIMPLE_EDGE * len(edges) + _MAX_CROSSING_PAIRS,
    )
    for first in range(0, len(edges), _CHUNK):
        near = tree.query(edges[first : first + _CHUNK])[0]
        pairs += len(near)
        if pairs > allowed or (len(near) and np.bincount(near).max() > _MAX_PAIRS_OF_ONE_EDGE):
            return True
    return False


def _winding(point: shapely.Point, ring: Ring) -> int:
    """Winding number of the ring around a point that is not on it."""
    x, y = point.x, point.y
    turns = 0
    for (x1, y1), (x2, y2) in zip(ring, [*ring[1:], ring[0]], strict=True):
        side = (x2 - x1) * (y - y1) - (x - x1) * (y2 - y1)
        if y1 <= y < y2 and side > 0:
            turns += 1
        elif y2 <= y < y1 and side < 0:
            turns -= 1
    return turns
