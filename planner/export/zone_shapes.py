"""Outlines of zones in the plane, for drawing only: judging is the airspace's business."""

from __future__ import annotations

from collections.abc import Sequence

import shapely

from core.errors import DroneAedError
from core.geodesy import LocalFrame
from geofences.model import Area, CircleArea, Zone


def zone_shapes(frame: LocalFrame, zone: Zone) -> list[shapely.Polygon]:
    """The volumes' outlines in frame metres; those that reach beyond the frame are left out."""
    return area_shapes(frame, [volume.area for volume in zone.volumes])


def area_shapes(frame: LocalFrame, areas: Sequence[Area]) -> list[shapely.Polygon]:
    """Outlines in frame metres; areas that reach beyond the frame are left out."""
    shapes = []
    for area in areas:
        try:
            if isinstance(area, CircleArea):
                centre = frame.to_enu(area.centre)
                point = shapely.Point(centre.east_m, centre.north_m)
                shapes.append(shapely.buffer(point, area.radius_m, quad_segs=24))
            else:
                rings = [
                    frame.project([(point.longitude_deg, point.latitude_deg) for point in ring])
                    for ring in (area.exterior, *area.holes)
                ]
                shapes.append(shapely.Polygon(rings[0], rings[1:]))
        except DroneAedError:
            continue
    return shapes
