"""From the airspace to GeoJSON. (longitude, latitude) exists only here and in geometry adapters."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote
from weakref import WeakKeyDictionary

from pydantic import TypeAdapter

from core.geodesy import Wgs84Point, destination
from geofences.airspace import Airspace
from geofences.applicability import TimePeriod
from geofences.model import CircleArea, PolygonArea, VerticalLimit, Volume, Zone
from hub_api.features.zones.schemas import (
    AuthorisationView,
    CircleView,
    LimitView,
    ZoneCollection,
    ZoneFeature,
    ZoneProperties,
)

CIRCLE_CORNERS = 72
"""Chosen: a drawn circle of 5 km is at most 5 m inside the exact one, which the properties carry."""

_PERIODS = TypeAdapter(tuple[TimePeriod, ...])


def _ring(points: tuple[Wgs84Point, ...] | list[Wgs84Point]) -> list[list[float]]:
    corners = [[point.longitude_deg, point.latitude_deg] for point in points]
    return [*corners, corners[0]]


def geometry_of(area: PolygonArea | CircleArea) -> dict[str, Any]:
    """A GeoJSON Polygon; circles are drawn, counter-clockwise."""
    if isinstance(area, PolygonArea):
        rings = [_ring(area.exterior), *(_ring(hole) for hole in area.holes)]
    else:
        step_deg = 360.0 / CIRCLE_CORNERS
        rings = [
            _ring([destination(area.centre, -i * step_deg, area.radius_m) for i in range(CIRCLE_CORNERS)])
        ]
    return {"type": "Polygon", "coordinates": rings}


def _limit(limit: VerticalLimit) -> LimitView | None:
    if limit.altitude is None or limit.datum is None:
        return None
    return LimitView.model_validate({"metres": limit.above_datum_m(), "datum": str(limit.datum)})


def _feature(zone: Zone, number: int, volume: Volume) -> ZoneFeature:
    area = volume.area
    circle = None
    if isinstance(area, CircleArea):
        circle = CircleView(
            latitude_deg=area.centre.latitude_deg,
            longitude_deg=area.centre.longitude_deg,
            radius_m=area.radius_m,
        )
    return ZoneFeature(
        id=zone.zone_id if len(zone.volumes) == 1 else f"{zone.zone_id}/{number}",
        geometry=geometry_of(area),
        properties=ZoneProperties(
            zone_id=zone.zone_id,
            volume=number,
            name=zone.name,
            name_zh=zone.name_zh,
            restriction=str(zone.restriction),
            reasons=list(zone.reasons),
            conditions=zone.conditions,
            message=zone.message,
            message_zh=zone.message_zh,
            floor=_limit(volume.floor),
            ceiling=_limit(volume.ceiling),
            circle=circle,
            permanent=zone.applicability.permanent,
            periods=_PERIODS.dump_python(zone.applicability.periods, mode="json"),
            authorities=[authority.name for authority in zone.authorities],
            position_quality=str(zone.position_quality),
            source=zone.source.description,
        ),
    )


def features_of(zones: Iterable[Zone]) -> list[ZoneFeature]:
    """One feature for each volume."""
    return [_feature(zone, number, volume) for zone in zones for number, volume in enumerate(zone.volumes)]


_FEATURES = TypeAdapter(list[ZoneFeature])
_COMPRESSION = 4
"""Chosen: a city's 6.7 MB become 0.3 MB in a tenth of a second; the best level takes five times as long for a fifth less."""


@dataclass(frozen=True, slots=True)
class _Rendered:
    """The document of one airspace with what holds at this moment."""

    tag: str
    plain: bytes
    compressed: bytes


_features: WeakKeyDictionary[Airspace, bytes] = WeakKeyDictionary()
"""The features of airspaces in use as JSON: a city's take a second to make and never change."""
_rendered: WeakKeyDictionary[Airspace, _Rendered] = WeakKeyDictionary()
"""The newest document of each."""


def holding(airspace: Airspace, now: datetime) -> str:
    """Which authorisations hold now, in a short word: that changes with the clock while the version stays."""
    held = [item.valid_from <= now <= item.valid_until for item in airspace.authorisations]
    return hashlib.sha256(bytes(held)).hexdigest()[:8]


def tag_of(airspace: Airspace, now: datetime) -> str:
    """The ETag of the document: the version, and what holds now."""
    # A version may be in any letters; a header holds few.
    return f'"{quote(airspace.version, safe="+:")}.{holding(airspace, now)}"'


def document(airspace: Airspace, now: datetime, *, compressed: bool) -> bytes:
    """The airspace as one document (:class:`ZoneCollection`), as it is or by gzip. For a worker thread: the first time
    it takes long.
    """
    tag = tag_of(airspace, now)
    found = _rendered.get(airspace)
    if found is None or found.tag != tag:
        plain = _collection_json(airspace, now)
        found = _rendered[airspace] = _Rendered(tag, plain, gzip.compress(plain, _COMPRESSION, mtime=0))
    return found.compressed if compressed else found.plain


def _collection_json(airspace: Airspace, now: datetime) -> bytes:
    features = _features.get(airspace)
    if features is None:
        features = _features[airspace] = _FEATURES.dump_json(features_of(airspace.zones))
    rest = ZoneCollection(
        version=airspace.version,
        terrain=airspace.terrain.description,
        features=[],
        authorisations=[
            AuthorisationView(
                authorisation_id=item.authorisation_id,
                zone_ids=list(item.zone_ids),
                authority=item.authority,
                number=item.number,
                valid_from=item.valid_from,
                valid_until=item.valid_until,
                valid_now=item.valid_from <= now <= item.valid_until,
            )
            for item in airspace.authorisations
        ],
    ).model_dump_json(exclude={"features"})
    return rest[:-1].encode() + b',"features":' + features + b"}"
