"""Sentences for refusals, in English and Chinese: which zone, why, where and when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta, timezone

from core.geodesy import AltitudeDatum
from geofences.applicability import TimeWindow
from geofences.intervals import Intervals
from geofences.model import Restriction, VerticalLimit, Volume, Zone
from geofences.schedule import from_us
from geofences.verdict import Forbidden

_CHINA = timezone(timedelta(hours=8))
_DATUM_ZH = {
    AltitudeDatum.AMSL: "海拔",
    AltitudeDatum.AGL: "真高",
    AltitudeDatum.ELLIPSOID: "椭球高",
}
_REASON = {
    Restriction.PROHIBITED: "prohibited",
    Restriction.REQ_AUTHORISATION: "authorisation_required",
    Restriction.CONDITIONAL: "conditions_unconfirmed",
}
_SENTENCE = {
    Restriction.PROHIBITED: "is prohibited",
    Restriction.REQ_AUTHORISATION: "requires an authorisation, and none covers this place, height and time",
    Restriction.CONDITIONAL: "has conditions, and nobody has confirmed them for this place, height and time",
}
_SENTENCE_ZH = {
    Restriction.PROHIBITED: "禁止飞行",
    Restriction.REQ_AUTHORISATION: "须经批准，现有批准不覆盖该位置、高度和时间",
    Restriction.CONDITIONAL: "有附加条件，尚未确认满足",
}


def forbidden_by_zone(
    zone: Zone, volume: Volume, entered_after_m: float, moments: Intervals, terrain: str
) -> Forbidden:
    """The refusal by ``zone``, first met ``entered_after_m`` along the way."""
    name = zone.name or zone.zone_id
    name_zh = zone.name_zh or name
    where = f", entered after {entered_after_m:.0f} m" if entered_after_m >= 1.0 else ""
    where_zh = f"，航段 {entered_after_m:.0f} 米处进入" if entered_after_m >= 1.0 else ""
    when = when_zh = ""
    if not zone.applicability.permanent:
        since = from_us(int(moments[0][0]))
        when = f", in force at {since:%Y-%m-%d %H:%M:%S}Z"
        when_zh = f"，{since.astimezone(_CHINA):%Y-%m-%d %H:%M:%S}（北京时间）有效"
    floor, ceiling = describe_limits(volume)
    floor_zh, ceiling_zh = describe_limits_zh(volume)
    quality = " (approximate outline)" if zone.position_quality.value == "approximate" else ""
    return Forbidden(
        zone_id=zone.zone_id,
        zone_name=name,
        reason=_REASON[zone.restriction],
        detail=f"Zone {zone.zone_id} «{name}»{quality} {_SENTENCE[zone.restriction]}"
        f" from {floor} to {ceiling}{when}{where}.",
        detail_zh=f"区域 {zone.zone_id}「{name_zh}」{_SENTENCE_ZH[zone.restriction]}"
        f"（{floor_zh}至{ceiling_zh}{when_zh}{where_zh}）。",
        terrain=terrain,
    )


def condition(zone: Zone) -> str:
    """The condition of a CONDITIONAL zone, for those who fly in it."""
    return f"{zone.zone_id}: {zone.conditions or zone.message or 'conditions not published in the data'}"


def operating_area_closed(zones: Sequence[Zone], window: TimeWindow, terrain: str) -> Forbidden:
    """The refusal when operating areas exist and none applies then."""
    names, names_zh = _names(zones)
    return Forbidden(
        zone_id=None,
        zone_name=names,
        reason="operating_area_closed",
        detail=f"No operating area applies at {window.start:%Y-%m-%d %H:%M:%S}Z (known: {names}).",
        detail_zh=f"{window.start.astimezone(_CHINA):%Y-%m-%d %H:%M:%S}（北京时间）"
        f"没有有效的运行区域（已知：{names_zh}）。",
        terrain=terrain,
    )


def outside_operating_area(zones: Sequence[Zone], terrain: str) -> Forbidden:
    """The refusal outside the union of the operating areas."""
    names, names_zh = _names(zones)
    return Forbidden(
        zone_id=None,
        zone_name=names,
        reason="outside_operating_area",
        detail=f"Not wholly inside the operating area ({names}) in place, height and time.",
        detail_zh=f"位置、高度或时间超出运行区域（{names_zh}）。",
        terrain=terrain,
    )


def describe_limits(volume: Volume) -> tuple[str, str]:
    """Floor and ceiling for a person."""
    floor = "the ground" if _on_ground(volume.floor) else volume.floor.describe()
    return floor, volume.ceiling.describe()


def describe_limits_zh(volume: Volume) -> tuple[str, str]:
    """Floor and ceiling for a person, in Chinese."""
    return (
        "地面" if _on_ground(volume.floor) else _limit_zh(volume.floor),
        "不限" if volume.ceiling.altitude is None else _limit_zh(volume.ceiling),
    )


def _on_ground(floor: VerticalLimit) -> bool:
    return floor.altitude is None or (floor.datum is AltitudeDatum.AGL and floor.above_datum_m() <= 0.0)


def _limit_zh(limit: VerticalLimit) -> str:
    assert limit.datum is not None
    return f"{_DATUM_ZH[limit.datum]} {limit.above_datum_m():g} 米"


def _names(zones: Sequence[Zone]) -> tuple[str, str]:
    unique = {zone.zone_id: zone for zone in zones}.values()
    return (
        ", ".join(zone.name or zone.zone_id for zone in unique),
        "、".join(zone.name_zh or zone.name or zone.zone_id for zone in unique),
    )
