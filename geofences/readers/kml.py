"""KML 2.2: polygons of Placemarks, with the zone's rules in ExtendedData.

KML draws; it has no word for a restriction, a floor or a schedule. A ``Data`` entry ``zone`` holds the
properties of :mod:`geofences.readers.geojson` as JSON (what our writer writes); otherwise each
``Data`` or ``SimpleData`` name is one of those properties. ``restriction`` may be given by the caller for
files that carry none. Heights in coordinates show how high a shape is drawn; they are no limits
and are ignored, so that a zone without limits reaches through all heights.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from core.errors import AirspaceError, ZoneFileError
from core.geodesy import Wgs84Point
from geofences.model import CircleArea, Restriction, Zone
from geofences.readers.drafts import build_zones
from geofences.readers.fields import MAX_BYTES, quote
from geofences.readers.geojson import draft_feature
from geofences.readers.result import ReadResult, Report
from geofences.shapes import circle_corners

_MAX_DEPTH = 64
"""Chosen: a Placemark lies some five levels deep; folders in folders seldom add ten."""
_METRES_PER_DEGREE = 111_320.0
_SAME_CORNER_M = 0.05
"""A drawn circle whose corners are off by more than this was edited by hand."""


def read_kml(data: bytes | str, *, restriction: Restriction | None = None) -> tuple[Zone, ...]:
    """The zones of a KML file; 3101 naming the Placemark, field and reason when it cannot be used."""
    return parse_kml(data, restriction=restriction).zones


def parse_kml(data: bytes | str, *, restriction: Restriction | None = None) -> ReadResult:
    """As :func:`read_kml`, with notes. ``restriction`` holds for Placemarks that name none."""
    report = Report()
    features = [
        feature
        for index, placemark in enumerate(_placemarks(_parse(data)))
        if (feature := _feature(placemark, index, restriction, report)) is not None
    ]
    drafts = [draft_feature(feature, index, report) for index, feature in enumerate(features)]
    return ReadResult("KML", build_zones(drafts, report), tuple(report.notes))


class _ShallowTree(TreeBuilder):
    """Refuses depth before the tree exists: deep trees cost more to walk than to send."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0

    def start(self, tag: Any, attrs: Any, /) -> Element:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise ZoneFileError(f"the file is nested deeper than {_MAX_DEPTH} elements")
        # Namespaces differ between versions of KML; the names do not.
        return super().start(tag.rpartition("}")[2], attrs)

    def end(self, tag: Any, /) -> Element:
        self._depth -= 1
        return super().end(tag.rpartition("}")[2])


def _parse(data: bytes | str) -> Element:
    if len(data) > MAX_BYTES:
        raise ZoneFileError(f"the file has {len(data)} bytes, at most {MAX_BYTES} are read")
    if isinstance(data, bytes) and data.startswith(b"PK"):
        raise ZoneFileError("the file is a KMZ archive: read it as kmz")
    parser = DefusedXMLParser(target=_ShallowTree(), forbid_dtd=True)
    try:
        parser.feed(data)
        root: Element = parser.close()
    except ParseError as error:
        raise ZoneFileError(f"the file is not XML: {error}") from error
    except (DefusedXmlException, ValueError) as error:
        raise ZoneFileError(f"the file is not acceptable XML: {error}") from error
    return root


def _placemarks(root: Element) -> Iterator[Element]:
    if root.tag not in ("kml", "Document", "Folder", "Placemark"):
        raise ZoneFileError(f"the file is not KML: its root is {quote(root.tag)}")
    link = next(root.iter("NetworkLink"), None)
    if link is not None:
        # Taking the rest alone would leave zones out without a word.
        target = (link.findtext(".//href") or "").strip()
        raise ZoneFileError(
            f"refers to another file, {quote(target)}, which is not read: join them first",
            feature=(link.findtext("name") or "").strip() or None,
            field="NetworkLink",
        )
    yield from root.iter("Placemark")


def _feature(
    placemark: Element, index: int, restriction: Restriction | None, report: Report
) -> dict[str, Any] | None:
    """The Placemark as a GeoJSON feature, None when it has no area."""
    name = (placemark.findtext("name") or "").strip()
    place = name or f"Placemark[{index}]"
    properties = _properties(placemark, place)
    if "identifier" not in properties:
        properties.setdefault("name", name)
    identifier = str(properties.get("identifier") or placemark.get("id") or name)
    place = identifier or place
    properties["identifier"] = identifier
    if restriction is not None:
        properties.setdefault("restriction", restriction.value)
    if "applicability" not in properties and (span := placemark.find("TimeSpan")) is not None:
        properties["applicability"] = [
            {"startDateTime": span.findtext("begin"), "endDateTime": span.findtext("end")}
        ]
    polygons = [_polygon(element, place, report) for element in placemark.iter("Polygon")]
    if not polygons:
        point = placemark.findtext("Point/coordinates")
        if point is not None and "radius_m" in properties:
            (position,) = _positions(point, place, "Point.coordinates", report)
            return _as_feature(properties, {"type": "Point", "coordinates": position})
        report.ignored(place, "Placemark", "a pin, line or picture without an area")
        return None
    geometries: list[dict[str, Any]] = [{"type": "Polygon", "coordinates": rings} for rings in polygons]
    volumes = properties.get("volumes")
    if not isinstance(volumes, list) or len(volumes) != len(geometries):
        properties.pop("volumes", None)
        if volumes is not None:
            report.tolerated(place, "volumes", "limits of another number of outlines: taken as all heights")
        return _as_feature(
            properties, {"type": "MultiPolygon", "coordinates": [g["coordinates"] for g in geometries]}
        )
    for i, volume in enumerate(volumes):
        if isinstance(volume, dict) and "centre" in volume:
            volumes[i], geometries[i] = _circle(volume, geometries[i], place, report)
    return _as_feature(properties, {"type": "GeometryCollection", "geometries": geometries})


def _as_feature(properties: dict[str, Any], geometry: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def _properties(placemark: Element, place: str) -> dict[str, Any]:
    result: dict[str, Any] = {}
    extended = placemark.find("ExtendedData")
    if extended is None:
        return result
    for data in extended.iter("Data"):
        result[data.get("name", "")] = (data.findtext("value") or "").strip()
    for data in extended.iter("SimpleData"):
        result[data.get("name", "")] = (data.text or "").strip()
    packed = result.pop("zone", None)
    if packed is not None:
        try:
            unpacked = json.loads(packed)
        except (ValueError, RecursionError) as error:
            raise ZoneFileError(f"is not JSON: {error}", feature=place, field="ExtendedData.zone") from error
        if not isinstance(unpacked, dict):
            raise ZoneFileError("is not a JSON object", feature=place, field="ExtendedData.zone")
        result |= unpacked
    return result


def _polygon(element: Element, place: str, report: Report) -> list[list[list[float]]]:
    rings = []
    for boundary in ("outerBoundaryIs", "innerBoundaryIs"):
        for outer in element.findall(boundary):
            for ring in outer.iter("coordinates"):
                rings.append(_positions(ring.text or "", place, f"Polygon.{boundary}", report))
    if not rings:
        raise ZoneFileError("has no outer boundary", feature=place, field="Polygon.outerBoundaryIs")
    return rings


def _positions(text: str, place: str, path: str, report: Report) -> list[list[float]]:
    positions = []
    for word in text.split():
        numbers = word.split(",")
        try:
            position = [float(number) for number in numbers]
        except ValueError:
            position = []
        if not 2 <= len(position) <= 3:
            raise ZoneFileError(
                f"{quote(word)} is not longitude,latitude[,height]", feature=place, field=path
            )
        positions.append(position[:2])
        if len(position) == 3 and position[2] != 0.0:
            report.ignored(place, path, "heights in coordinates: limits come from the properties")
    return positions


def _circle(
    volume: dict[str, Any], drawn: dict[str, Any], place: str, report: Report
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Limits and geometry of a circle that was drawn as a polygon, unless the polygon was edited."""
    limits = {name: value for name, value in volume.items() if name not in ("centre", "radius_m")}
    try:
        longitude_deg, latitude_deg = volume["centre"]
        circle = CircleArea(Wgs84Point(latitude_deg, longitude_deg), volume["radius_m"])
        expected = circle_corners(circle)
        ring = drawn["coordinates"][0]
        same = len(drawn["coordinates"]) == 1 and len(ring) == len(expected) + 1
        scale = math.cos(math.radians(latitude_deg))
        for (x, y), corner in zip(ring, expected, strict=False):
            off_deg = math.hypot((x - corner.longitude_deg) * scale, y - corner.latitude_deg)
            same = same and off_deg * _METRES_PER_DEGREE <= _SAME_CORNER_M
    except (KeyError, TypeError, ValueError, OverflowError, AirspaceError) as error:
        raise ZoneFileError(f"is no circle: {error}", feature=place, field="volumes") from error
    if not same:
        report.tolerated(place, "volumes", "the circle's outline was edited: taken as drawn")
        return limits, drawn
    point = {"type": "Point", "coordinates": [longitude_deg, latitude_deg]}
    return limits | {"radius_m": circle.radius_m}, point
