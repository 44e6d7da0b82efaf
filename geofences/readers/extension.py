"""What our zones carry beyond ED-269 and ED-318, under ``extendedProperties.droneAed``.

Chinese texts, how far an outline may be trusted, operating areas (which the standards do not have)
and the sentence saying where the data comes from. Both standards allow ``extendedProperties``;
readers that do not know ours skip it. An operating area is published as NO_RESTRICTION, since
any of the standard's restrictions would close the very area it opens.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from geofences.model import DataSource, PositionQuality, Restriction, Zone
from geofences.readers.fields import Fields

MEMBER = "droneAed"
_QUALITIES = {quality.value.upper(): quality for quality in PositionQuality}


def read_extension(properties: Fields, values: dict[str, Any]) -> None:
    """Overwrite ``values`` of a zone with what the extension says, if it is there."""
    extended = properties.raw("extendedProperties")
    if not isinstance(extended, Mapping) or MEMBER not in extended:
        return
    own = Fields(
        extended[MEMBER],
        feature=properties.feature,
        path=properties.at(f"extendedProperties.{MEMBER}"),
        report=properties.report,
    )
    values["name_zh"] = own.text("nameZh", values.get("name_zh", ""))
    values["message_zh"] = own.text("messageZh", values.get("message_zh", ""))
    if own.has("positionQuality"):
        quality = own.text("positionQuality").upper()
        if quality not in _QUALITIES:
            own.refuse("positionQuality", f"{quality!r} is not one of {', '.join(PositionQuality)}")
        values["position_quality"] = _QUALITIES[quality]
    if own.has("source"):
        known: DataSource = values.get("source", DataSource())
        values["source"] = DataSource(
            description=own.text("source"),
            author=known.author,
            created_at=known.created_at,
            updated_at=known.updated_at,
        )
    if own.has("restriction"):
        if own.text("restriction") != Restriction.KEEP_IN:
            own.refuse("restriction", f"only {Restriction.KEEP_IN} is known here")
        values["restriction"] = Restriction.KEEP_IN


def write_extension(zone: Zone) -> dict[str, Any]:
    """The ``extendedProperties`` of a zone, empty when it has nothing of its own to say."""
    own: dict[str, Any] = {}
    if zone.name_zh:
        own["nameZh"] = zone.name_zh
    if zone.message_zh:
        own["messageZh"] = zone.message_zh
    if zone.position_quality is not PositionQuality.PUBLISHED:
        own["positionQuality"] = zone.position_quality.value
    if zone.source.description:
        own["source"] = zone.source.description
    if zone.restriction is Restriction.KEEP_IN:
        own["restriction"] = Restriction.KEEP_IN.value
    return {MEMBER: own} if own else {}
