"""The part of PIDF-LO that says where: a point or a small circle in WGS-84. Source: RFC 5491, RFC 5139.

An address alone is no position and is not geocoded here: a wrong house would send the AED to a wrong door.
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

from core.errors import DispatchError
from hub_api.adapters.common import parse_xml, unmappable

_GML = "{http://www.opengis.net/gml}"
_SHAPES = "{http://www.opengis.net/pidflo/1.0}"
_CIVIC = "{urn:ietf:params:xml:ns:pidf:geopriv10:civicAddr}"
_WGS84 = {"urn:ogc:def:crs:EPSG::4326", "urn:ogc:def:crs:EPSG::4979"}
"""RFC 5491, 5.1: two and three dimensions, latitude before longitude."""
LARGEST_RADIUS_M = 500.0
_NUMBER = re.compile(r"-?\d{1,4}(?:\.\d+)?")


def position_of(document: str, where: str) -> tuple[dict[str, object], str | None]:
    """(position, civic address in words). Raises 4009 where the document gives no usable position."""
    try:
        root = parse_xml(document, what="the location")
    except DispatchError as error:
        raise unmappable(where, error.detail.split(" · ")[0], "位置对象无效") from None
    shape = root.find(f".//{_GML}Point")
    circle = root.find(f".//{_SHAPES}Circle")
    shape = circle if shape is None else shape
    if shape is None:
        raise unmappable(where, "it has no point; an address is not geocoded here", "缺少坐标，不做地址解析")
    if shape.get("srsName") not in _WGS84:
        raise unmappable(where, "its reference system is not WGS-84 (EPSG 4326 or 4979)", "坐标系不是 WGS-84")
    numbers = ((shape.findtext(f"{_GML}pos") or "").split())[:2]
    if len(numbers) != 2 or not all(_NUMBER.fullmatch(number) for number in numbers):
        raise unmappable(where, "gml:pos is «latitude longitude»", "gml:pos 格式错误")
    if circle is not None and shape is circle:
        radius = (circle.findtext(f"{_SHAPES}radius") or "").strip()
        if not _NUMBER.fullmatch(radius) or float(radius) > LARGEST_RADIUS_M:
            raise unmappable(where, f"its radius is larger than {LARGEST_RADIUS_M:.0f} m", "位置精度不足")
    place: dict[str, object] = {
        "reference_system": "WGS-84",
        "latitude_deg": float(numbers[0]),
        "longitude_deg": float(numbers[1]),
    }
    return place, _address(root)


def _address(root: Element) -> str | None:
    civic = root.find(f".//{_CIVIC}civicAddress")
    if civic is None:
        return None
    words = [
        f"{item.tag.rpartition('}')[2]} {item.text.strip()}"
        for item in civic
        if item.text and item.text.strip()
    ]
    return ", ".join(words)[:300] or None
