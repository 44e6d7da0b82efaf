"""A plan as KML 2.2 with absolute altitudes (metres AMSL), for Google Earth and its kin."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from core.geodesy import Wgs84Point
from planner.flight_plan import FlightPlan, Leg, RoutePoint

_NAMESPACE = "http://www.opengis.net/kml/2.2"


def to_kml(plan: FlightPlan) -> str:
    """The KML document as text; coordinates are longitude,latitude,altitude."""
    ElementTree.register_namespace("", _NAMESPACE)
    root = ElementTree.Element(f"{{{_NAMESPACE}}}kml")
    document = _child(root, "Document")
    _child(document, "name", f"{plan.drone_id} → {plan.landing_point_id}")
    _child(
        document,
        "description",
        f"{plan.plan_id}; airspace {plan.airspace_version}; "
        f"{plan.timing.time_to_patient_s:.0f} s to the patient; {plan.energy.total_wh:.0f} Wh",
    )
    # KML colours are aabbggrr.
    for style, colour in (("outbound", "ffc8641e"), ("inbound", "ff3ca03c"), ("fence", "ff808080")):
        element = _child(document, "Style")
        element.set("id", style)
        line = _child(element, "LineStyle")
        _child(line, "color", colour)
        _child(line, "width", "3")
        _child(_child(element, "PolyStyle"), "fill", "0")
    for name, legs in plan.sections().items():
        if legs:
            outwards = name == "outbound" or name.startswith("transfer")
            _way(document, name, "outbound" if outwards else "inbound", legs)
    fence = _placemark(document, "autopilot fence", "fence")
    polygon = _child(fence, "Polygon")
    _boundary(polygon, "outerBoundaryIs", plan.autopilot_fence.inclusion)
    for ring in plan.autopilot_fence.exclusions:
        _boundary(polygon, "innerBoundaryIs", ring)
    _point(document, f"home {plan.station_id}", plan.home)
    _point(document, f"delivery {plan.landing_point_id}", plan.delivery)
    for alternate in plan.alternates:
        _point(document, f"alternate {alternate.landing_point_id}", alternate.delivery)
    for index, rally in enumerate(plan.rally_points):
        _point(document, f"rally {index}", rally)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _child(parent: ElementTree.Element, tag: str, text: str | None = None) -> ElementTree.Element:
    element = ElementTree.SubElement(parent, f"{{{_NAMESPACE}}}{tag}")
    element.text = text
    return element


def _placemark(parent: ElementTree.Element, name: str, style: str | None = None) -> ElementTree.Element:
    placemark = _child(parent, "Placemark")
    _child(placemark, "name", name)
    if style is not None:
        _child(placemark, "styleUrl", f"#{style}")
    return placemark


def _text(point: RoutePoint) -> str:
    return f"{point.position.longitude_deg:.8f},{point.position.latitude_deg:.8f},{point.altitude_amsl_m:.2f}"


def _way(parent: ElementTree.Element, name: str, style: str, legs: Sequence[Leg]) -> None:
    line = _child(_placemark(parent, name, style), "LineString")
    _child(line, "altitudeMode", "absolute")
    _child(line, "coordinates", " ".join([_text(legs[0].start), *(_text(leg.end) for leg in legs)]))


def _point(parent: ElementTree.Element, name: str, point: RoutePoint) -> None:
    element = _child(_placemark(parent, name), "Point")
    _child(element, "altitudeMode", "absolute")
    _child(element, "coordinates", _text(point))


def _boundary(parent: ElementTree.Element, tag: str, ring: Sequence[Wgs84Point]) -> None:
    linear = _child(_child(parent, tag), "LinearRing")
    corners = [f"{point.longitude_deg:.8f},{point.latitude_deg:.8f}" for point in (*ring, ring[0])]
    _child(linear, "coordinates", " ".join(corners))
