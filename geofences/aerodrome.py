"""Protective areas built from the published ends of runways and positions of heliports.

China publishes, per airport, the outline of its protected area; that outline is not in the sources
this project may carry. So it is rebuilt from the runway ends by stated rules, and every zone built
here says so in its ``source`` and carries the quality of its input positions:

- prohibited core: a strip around each runway, and along each extended centre line the approach and
  take-off funnel of ICAO Annex 14 Vol. I table 4-1 for a code 4 instrument runway (MH 5001-2021 uses
  the same figures): it starts 60 m beyond the end, 280 m wide, and widens by 15 % on each side. It is
  cut at 6,600 m, where that surface (2 % over 3,000 m, then 2.5 %) is 150 m above the end;
- obstacle limitation area: everything within 6,000 m of a runway, the reach of the inner horizontal
  (4,000 m) and conical (2,000 m at 5 %) surfaces;
- clearance protection area (净空保护区): 10 km on either side of the centre line and 20 km beyond both ends
  (民用机场净空保护 rules of CAAC; not seen in a primary source by the authors).

How wide the strip is, and the circles around heliports, are chosen here and marked so in the data.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import shapely

from core.errors import AirspaceError, ZoneFileError
from core.geodesy import LocalFrame, Wgs84Point
from geofences.model import (
    GROUND,
    UNLIMITED,
    Authority,
    CircleArea,
    DataSource,
    PolygonArea,
    PositionQuality,
    Restriction,
    Volume,
    Zone,
)
from geofences.readers.fields import Fields, load_json, quote
from geofences.readers.limits import DATUMS, make_limit
from geofences.readers.result import Report

FUNNEL_START_M = 60.0
FUNNEL_INNER_HALF_WIDTH_M = 140.0
FUNNEL_DIVERGENCE = 0.15
FUNNEL_END_M = 6_600.0
OBSTACLE_LIMITATION_REACH_M = 6_000.0
CLEARANCE_BESIDE_M = 10_000.0
CLEARANCE_BEYOND_M = 20_000.0
_ARC_SEGMENTS = 16
"""Per quarter circle; arcs are circumscribed, so 16 segments add 0.12 % (7 m at 6 km)."""

_QUALITIES = {quality.value: quality for quality in PositionQuality}
_RESTRICTIONS = {r.value: r for r in (Restriction.PROHIBITED, Restriction.REQ_AUTHORISATION)}


def read_aerodromes(data: bytes | str) -> tuple[Zone, ...]:
    """Zones around the aerodromes of a file in the form of ``data/aerodromes.json``; 3101 if wrong."""
    top = Fields(load_json(data), feature="", path="", report=Report())
    zones: list[Zone] = []
    for section, name, read in (
        ("airports", "icao", _airport_zones),
        ("heliports", "name", _heliport_zones),
    ):
        for aerodrome in top.children(section):
            aerodrome.feature = aerodrome.text(name, None)
            try:
                zones.extend(read(aerodrome))
            except ZoneFileError:
                raise
            except AirspaceError as error:
                field = f"{aerodrome.path}.{error.field}" if error.field else aerodrome.path
                raise ZoneFileError(error.detail, feature=aerodrome.feature, field=field) from error
    return tuple(zones)


def _point(fields: Fields) -> Wgs84Point:
    latitude_deg, longitude_deg = fields.number("latitude_deg"), fields.number("longitude_deg")
    if latitude_deg is None or longitude_deg is None:
        fields.refuse("latitude_deg", "a position needs latitude_deg and longitude_deg")
    return Wgs84Point(latitude_deg, longitude_deg)


def _ends(runway: Fields) -> list[Wgs84Point]:
    ends = [_point(end) for end in runway.children("ends")]
    if len(ends) != 2:
        runway.refuse("ends", "a runway has two ends")
    if ends[0] == ends[1]:
        runway.refuse("ends", "the two ends of a runway are one point")
    return ends


def _airport_zones(airport: Fields) -> list[Zone]:
    runways = [_ends(runway) for runway in airport.children("runways")]
    if not runways:
        airport.refuse("runways", "is missing")
    frame = LocalFrame(runways[0][0])
    lines = [frame.project([(p.longitude_deg, p.latitude_deg) for p in ends]) for ends in runways]
    shapes: dict[str, Callable[[Fields], list[shapely.Polygon]]] = {
        "runway_core": lambda rule: [
            part
            for line in lines
            for part in _core(line, _metres(rule, "strip_beside_m"), _metres(rule, "strip_beyond_m"))
        ],
        "obstacle_limitation": lambda rule: [_around(line, OBSTACLE_LIMITATION_REACH_M) for line in lines],
        "clearance": lambda rule: [_box(line, CLEARANCE_BESIDE_M, CLEARANCE_BEYOND_M) for line in lines],
    }
    zones = []
    for rule in airport.children("zones"):
        build = shapes[rule.choice("shape", {name: name for name in shapes})]
        areas = [
            PolygonArea(tuple(Wgs84Point(lat, lon) for lon, lat in ring.tolist()))
            for polygon in build(rule)
            for ring in [frame.unproject(shapely.get_coordinates(polygon.exterior)[:-1])]
        ]
        zones.append(_zone(rule, airport, tuple(Volume(area, GROUND, UNLIMITED) for area in areas)))
    return zones


def _heliport_zones(heliport: Fields) -> list[Zone]:
    centre = _point(heliport)
    zones = []
    for rule in heliport.children("zones"):
        floor = GROUND
        if rule.has("floor_m_agl"):
            floor = make_limit(_metres(rule, "floor_m_agl"), DATUMS["AGL"])
        area = CircleArea(centre, _metres(rule, "radius_m"))
        zones.append(_zone(rule, heliport, (Volume(area, floor, UNLIMITED),)))
    return zones


def _zone(rule: Fields, aerodrome: Fields, volumes: tuple[Volume, ...]) -> Zone:
    values: dict[str, Any] = {name: rule.text(name) for name in ("name", "name_zh", "message", "message_zh")}
    return Zone(
        zone_id=rule.text("identifier", None),
        restriction=rule.choice("restriction", _RESTRICTIONS),
        volumes=volumes,
        reasons=("AIR_TRAFFIC",),
        country="CHN",
        authorities=(Authority(name=aerodrome.text("authority"), purpose="AUTHORIZATION"),),
        position_quality=aerodrome.choice("position_quality", _QUALITIES),
        source=DataSource(description=f"{aerodrome.text('source', None)} Rule: {rule.text('rule', None)}"),
        **values,
    )


def _metres(rule: Fields, name: str) -> float:
    metres = rule.number(name)
    if metres is None:
        rule.refuse(name, "is missing")
    if metres < 0.0:
        rule.refuse(name, f"{quote(rule.raw(name))} is not a number from 0 up")
    return metres


def _axes(line: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    along = (line[1] - line[0]) / math.dist(line[0], line[1])
    return along, np.array([-along[1], along[0]])


def _box(line: np.ndarray[Any, Any], beside_m: float, beyond_m: float) -> shapely.Polygon:
    along, across = _axes(line)
    start, end = line[0] - beyond_m * along, line[1] + beyond_m * along
    return shapely.Polygon(
        [
            start + beside_m * across,
            start - beside_m * across,
            end - beside_m * across,
            end + beside_m * across,
        ]
    )


def _core(line: np.ndarray[Any, Any], beside_m: float, beyond_m: float) -> list[shapely.Polygon]:
    along, across = _axes(line)
    outer_half_width_m = FUNNEL_INNER_HALF_WIDTH_M + FUNNEL_DIVERGENCE * (FUNNEL_END_M - FUNNEL_START_M)
    parts = [_box(line, beside_m, beyond_m)]
    for end, outwards in ((line[0], -along), (line[1], along)):
        near, far = end + FUNNEL_START_M * outwards, end + FUNNEL_END_M * outwards
        parts.append(
            shapely.Polygon(
                [
                    near + FUNNEL_INNER_HALF_WIDTH_M * across,
                    near - FUNNEL_INNER_HALF_WIDTH_M * across,
                    far - outer_half_width_m * across,
                    far + outer_half_width_m * across,
                ]
            )
        )
    return parts


def _around(line: np.ndarray[Any, Any], reach_m: float) -> shapely.Polygon:
    circumscribed_m = reach_m / math.cos(math.pi / (4 * _ARC_SEGMENTS))
    around = shapely.buffer(shapely.LineString(line), circumscribed_m, quad_segs=_ARC_SEGMENTS)
    assert isinstance(around, shapely.Polygon)
    return around
