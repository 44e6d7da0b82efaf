"""KML 2.2 for people's globes and maps, with the zone's properties beside the drawing.

What is drawn is a picture: polygons pulled up to their ceiling, circles circumscribed. What counts for
our reader is the ``zone`` entry of ExtendedData; see :mod:`geofences.readers.kml`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from core.geodesy import AltitudeDatum
from geofences.explain import describe_limits
from geofences.model import CircleArea, Restriction, Volume, Zone
from geofences.writers.geojson import outline, ring_coordinates, volume_limits, zone_properties

_COLOURS = {
    # aabbggrr
    Restriction.PROHIBITED: "600000ff",
    Restriction.REQ_AUTHORISATION: "6000a5ff",
    Restriction.CONDITIONAL: "6000ffff",
    Restriction.NO_RESTRICTION: "60808080",
    Restriction.KEEP_IN: "3000ff00",
}


def to_kml(zones: Iterable[Zone], *, name: str = "zones") -> str:
    """A KML document of the zones."""
    root = Element("kml", xmlns="http://www.opengis.net/kml/2.2")
    document = SubElement(root, "Document")
    SubElement(document, "name").text = name
    for restriction, colour in _COLOURS.items():
        style = SubElement(document, "Style", id=restriction.value)
        SubElement(SubElement(style, "PolyStyle"), "color").text = colour
    for zone in zones:
        _placemark(document, zone)
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _placemark(document: Element, zone: Zone) -> None:
    placemark = SubElement(document, "Placemark")
    SubElement(placemark, "name").text = zone.name or zone.zone_id
    floor, ceiling = describe_limits(zone.volumes[0])
    rule = f"{zone.zone_id} {zone.name_zh}: {zone.restriction.value}, {floor} – {ceiling}."
    SubElement(placemark, "description").text = f"{rule} {zone.message} {zone.message_zh}"
    SubElement(placemark, "styleUrl").text = f"#{zone.restriction.value}"
    properties = zone_properties(zone) | {"volumes": [_volume_properties(v) for v in zone.volumes]}
    data = SubElement(SubElement(placemark, "ExtendedData"), "Data", name="zone")
    SubElement(data, "value").text = json.dumps(properties, ensure_ascii=False)
    shapes = SubElement(placemark, "MultiGeometry")
    for volume in zone.volumes:
        _polygon(shapes, volume)


def _volume_properties(volume: Volume) -> dict[str, object]:
    result: dict[str, object] = dict(volume_limits(volume))
    if isinstance(volume.area, CircleArea):
        result["centre"] = [volume.area.centre.longitude_deg, volume.area.centre.latitude_deg]
    return result


def _polygon(parent: Element, volume: Volume) -> None:
    polygon = SubElement(parent, "Polygon")
    height_m = 0.0
    if volume.ceiling.altitude is not None:
        height_m = volume.ceiling.above_datum_m()
        above_ground = volume.ceiling.datum is AltitudeDatum.AGL
        SubElement(polygon, "extrude").text = "1"
        SubElement(polygon, "altitudeMode").text = "relativeToGround" if above_ground else "absolute"
    rings = outline(volume.area)
    for i, ring in enumerate(rings):
        boundary = SubElement(polygon, "outerBoundaryIs" if i == 0 else "innerBoundaryIs")
        SubElement(SubElement(boundary, "LinearRing"), "coordinates").text = " ".join(
            f"{longitude!r},{latitude!r},{height_m!r}" for longitude, latitude in ring_coordinates(ring)
        )
