"""Reading METAR and TAF with avwx-engine (MIT); nothing of the code is interpreted by hand.

The library is lenient: what it does not understand it sets aside. Here that has consequences: a report with a
group that nobody understood is shown as such, and no absence is concluded from it (no «no rain»). Values
become SI; a report that fails to say where or when it is from is refused with the reason.

Rain codes stand for bands (WMO-No. 8: light < 2.5 mm/h, moderate < 10 mm/h, heavy < 50 mm/h); the upper
end of the band is taken, because the band is all that is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from planner.weather import Hazard

LONGEST_REPORT = 2000
"""Characters; chosen: the longest TAF is a few hundred."""
_TO_M_S = {"m/s": 1.0, "kt": 1852.0 / 3600.0, "km/h": 1.0 / 3.6}
_TO_M = {"m": 1.0, "km": 1000.0, "sm": 1609.344}
_TO_HPA = {"hPa": 1.0, "inHg": 33.8639}
_RAIN_MM_H = {"-": 2.5, "": 10.0, "+": 50.0}
_PRECIPITATION = ("DZ", "RA", "SN", "SG", "PL", "UP", "GR", "GS", "IC")
_HAZARDS = {
    "TS": Hazard.THUNDERSTORM,
    "FZRA": Hazard.FREEZING_PRECIPITATION,
    "FZDZ": Hazard.FREEZING_PRECIPITATION,
    "FZUP": Hazard.FREEZING_PRECIPITATION,
    "GR": Hazard.HAIL,
    "GS": Hazard.HAIL,
    "SQ": Hazard.SQUALL,
    "FC": Hazard.FUNNEL_CLOUD,
    "SS": Hazard.SANDSTORM,
    "DS": Hazard.SANDSTORM,
    "VA": Hazard.VOLCANIC_ASH,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One line of a forecast. ``temporary``: TEMPO or PROB."""

    start: datetime
    end: datetime
    temporary: bool
    wind_m_s: float | None = None
    gust_m_s: float | None = None
    visibility_m: float | None = None
    rain_rate_mm_h: float | None = None
    hazards: tuple[Hazard, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A METAR, SPECI or TAF as understood. ``issued_at`` is the report's own time; position in WGS-84.

    ``not_understood``: groups that the library set aside. ``rain_rate_mm_h`` is the upper end of the reported band.
    """

    kind: Literal["METAR", "TAF"]
    place: str
    place_name: str
    latitude_deg: float
    longitude_deg: float
    issued_at: datetime
    raw: str
    not_understood: tuple[str, ...] = ()
    valid_until: datetime | None = None
    wind_from_deg: float | None = None
    wind_m_s: float | None = None
    gust_m_s: float | None = None
    visibility_m: float | None = None
    temperature_deg_c: float | None = None
    qnh_hpa: float | None = None
    rain_rate_mm_h: float | None = None
    hazards: tuple[Hazard, ...] = ()
    spans: tuple[Span, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class NotAReport:
    """Why a text is refused."""

    why: str
    why_zh: str


def read_report(text: str, now: datetime) -> Report | NotAReport:
    """One METAR, SPECI or TAF. ``now`` decides the month that a report leaves out.

    Takes tens of milliseconds, and a second the first time: run it in a thread.
    """
    words = text.strip().rstrip("=").split()
    if not words or not text.isascii() or len(text) > LONGEST_REPORT:
        return NotAReport("it is empty, too long, or no plain text", "报文为空、过长或含非法字符")
    # Imported here: its list of aerodromes takes a second to load, which a restart must not wait for.
    from avwx.current.metar import Metar
    from avwx.current.taf import Taf

    forecast = words[0] == "TAF"
    try:
        parser = (Taf if forecast else Metar).from_report(" ".join(words), issued=now.date())
    except Exception as fault:
        # The library raises whatever comes; the text is outside input and must not take the hub with it.
        return NotAReport(
            f"the library cannot read it ({type(fault).__name__})",
            f"解析库无法读取（{type(fault).__name__}）",
        )
    if parser is None or parser.data is None or parser.station is None or parser.units is None:
        return NotAReport("it names no known aerodrome", "未包含已知机场代码")
    data: Any = parser.data
    place = parser.station
    if place.latitude is None or place.longitude is None:
        return NotAReport(f"the position of {place.icao} is not known", f"{place.icao} 的位置未知")
    if data.time is None or data.time.dt is None:
        return NotAReport("it does not say when it was made", "未包含发布时间")
    lines = data.forecast if forecast else [data]
    aside = tuple(dict.fromkeys(word for line in lines for word in line.other if word != "NSW"))
    if "NIL" in aside or "CNL" in aside:
        return NotAReport("it says that there is no report", "报文为空报或已取消")
    head: dict[str, Any] = {
        "place": place.icao or data.station,
        "place_name": place.name,
        "latitude_deg": place.latitude,
        "longitude_deg": place.longitude,
        "issued_at": data.time.dt,
        "raw": " ".join(words),
        "not_understood": aside,
    }
    try:
        if forecast:
            return _taf(head, data, parser.units, now)
        return _metar(head, data, parser.units, now, words)
    except (KeyError, ValueError, TypeError) as fault:
        return NotAReport(f"a value in it cannot be used ({fault})", f"报文中含有无法使用的数值（{fault}）")


def _metar(
    head: dict[str, Any], data: Any, units: Any, now: datetime, words: Sequence[str]
) -> Report | NotAReport:
    if data.time.dt - now > timedelta(minutes=15):
        return NotAReport("it is from the future", "报文时间在未来")
    codes = [code.repr for code in data.wx_codes]
    # «//» instead of the weather: the sensor for it is out of order. Groups that nobody understood may be weather.
    blind = bool(head["not_understood"]) or "//" in words
    rain = _rain(codes)
    return Report(
        **head,
        kind="METAR",
        wind_from_deg=_value(data.wind_direction),
        wind_m_s=_scaled(data.wind_speed, _TO_M_S, units.wind_speed),
        gust_m_s=_scaled(data.wind_gust, _TO_M_S, units.wind_speed),
        visibility_m=_scaled(data.visibility, _TO_M, units.visibility),
        temperature_deg_c=_value(data.temperature),
        qnh_hpa=_scaled(data.altimeter, _TO_HPA, units.altimeter),
        rain_rate_mm_h=None if blind and rain == 0.0 else rain,
        hazards=_hazards(codes),
    )


def _taf(head: dict[str, Any], data: Any, units: Any, now: datetime) -> Report | NotAReport:
    if data.end_time is None or data.end_time.dt is None:
        return NotAReport("it does not say until when it holds", "未包含有效时段")
    if data.end_time.dt <= now:
        return NotAReport("its time is over", "预报有效期已过")
    spans = []
    for line in data.forecast:
        begins = line.transition_start or line.start_time
        if begins is None or line.end_time is None or begins.dt is None or line.end_time.dt is None:
            continue
        codes = [code.repr for code in line.wx_codes]
        spans.append(
            Span(
                start=begins.dt,
                end=line.end_time.dt,
                temporary=line.type in ("TEMPO", "PROB") or line.probability is not None,
                wind_m_s=_scaled(line.wind_speed, _TO_M_S, units.wind_speed),
                gust_m_s=_scaled(line.wind_gust, _TO_M_S, units.wind_speed),
                visibility_m=_scaled(line.visibility, _TO_M, units.visibility),
                rain_rate_mm_h=_rain(codes) or None,
                hazards=_hazards(codes),
            )
        )
    if not spans:
        return NotAReport("it forecasts nothing that could be understood", "预报内容无法理解")
    return Report(**head, kind="TAF", valid_until=data.end_time.dt, spans=tuple(spans))


def _value(number: Any) -> float | None:
    return None if number is None or number.value is None else float(number.value)


def _scaled(number: Any, factors: dict[str, float], unit: str) -> float | None:
    value = _value(number)
    return None if value is None else value * factors[unit]


def _rain(codes: Sequence[str]) -> float:
    """The upper end of the heaviest band; 0 without precipitation at the place itself."""
    rates = [
        _RAIN_MM_H[code[0] if code[0] in "+-" else ""]
        for code in codes
        if not code.lstrip("+-").startswith("VC") and any(kind in code for kind in _PRECIPITATION)
    ]
    return max(rates, default=0.0)


def _hazards(codes: Sequence[str]) -> tuple[Hazard, ...]:
    """Thunderstorms count in the vicinity too: lightning and gusts reach farther than rain."""
    found = (hazard for code in codes for mark, hazard in _HAZARDS.items() if mark in code)
    return tuple(dict.fromkeys(found))
