"""Rain, sight, cold and hazards: what an airframe bears, what is known at a station, and what speaks against flying.

Wind is judged apart (:mod:`planner.wind`), because plans are made with it. A value that is not known is
no value: where the operator requires it, its absence refuses, and nothing is filled in. Forecasts only warn.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from planner.checks import check_aware, check_number
from planner.reasons import Reason


class Quantity(StrEnum):
    """What the operator may require to be known before anything flies. Wind is always required."""

    RAIN = "rain"
    VISIBILITY = "visibility"
    TEMPERATURE = "temperature"


class Hazard(StrEnum):
    """Weather that no airframe here is made for, whatever its figures; the names are those of ICAO Annex 3."""

    THUNDERSTORM = "thunderstorm"
    FREEZING_PRECIPITATION = "freezing_precipitation"
    HAIL = "hail"
    SQUALL = "squall"
    FUNNEL_CLOUD = "funnel_cloud"
    SANDSTORM = "sandstorm"
    VOLCANIC_ASH = "volcanic_ash"


_HAZARD_WORDS = {
    Hazard.THUNDERSTORM: ("a thunderstorm", "雷暴"),
    Hazard.FREEZING_PRECIPITATION: ("freezing precipitation", "冻降水"),
    Hazard.HAIL: ("hail", "冰雹"),
    Hazard.SQUALL: ("squalls", "飑"),
    Hazard.FUNNEL_CLOUD: ("a funnel cloud", "漏斗云"),
    Hazard.SANDSTORM: ("a sand or dust storm", "沙尘暴"),
    Hazard.VOLCANIC_ASH: ("volcanic ash", "火山灰"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WeatherLimits:
    """What an airframe bears beside wind. Rain as a rate, sight as meteorological visibility."""

    rain_max_mm_h: float
    visibility_min_m: float
    temperature_min_deg_c: float
    temperature_max_deg_c: float

    def __post_init__(self) -> None:
        check_number("weather.rain_max_mm_h", self.rain_max_mm_h, minimum=0.0, maximum=200.0)
        check_number("weather.visibility_min_m", self.visibility_min_m, minimum=0.0, maximum=20_000.0)
        check_number("weather.temperature_min_deg_c", self.temperature_min_deg_c, minimum=-60.0, maximum=60.0)
        check_number(
            "weather.temperature_max_deg_c",
            self.temperature_max_deg_c,
            above=self.temperature_min_deg_c,
            maximum=70.0,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One value, when it was measured, and by whom in words («the station's sensor», «ZGSZ, 7 km away»)."""

    value: float
    measured_at: datetime
    source: str

    def __post_init__(self) -> None:
        check_number("measured.value", self.value)
        check_aware("measured.measured_at", self.measured_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What a forecast says for a span; None where it says nothing. ``temporary``: now and then, or perhaps."""

    source: str
    start: datetime
    end: datetime
    temporary: bool
    strongest_wind_m_s: float | None
    visibility_m: float | None
    rain_rate_mm_h: float | None
    hazards: tuple[Hazard, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """What is known at a station and young enough to decide on; None is «not known»."""

    rain_rate_mm_h: Measured | None = None
    visibility_m: Measured | None = None
    temperature_deg_c: Measured | None = None
    hazards: tuple[Hazard, ...] = ()
    hazards_source: str = ""
    forecasts: tuple[Forecast, ...] = ()


UNKNOWN = Weather()


def objections(weather: Weather, limits: WeatherLimits, required: Collection[Quantity]) -> tuple[Reason, ...]:
    """Every reason not to fly this airframe in this weather."""
    found: list[Reason] = []
    rain, sight, warmth = weather.rain_rate_mm_h, weather.visibility_m, weather.temperature_deg_c
    if rain is None:
        if Quantity.RAIN in required:
            found.append(rain_unknown())
    elif rain.value > limits.rain_max_mm_h:
        found.append(rain_above_limit(rain, limits.rain_max_mm_h))
    if sight is None:
        if Quantity.VISIBILITY in required:
            found.append(visibility_unknown())
    elif sight.value < limits.visibility_min_m:
        found.append(visibility_below_limit(sight, limits.visibility_min_m))
    if warmth is None:
        if Quantity.TEMPERATURE in required:
            found.append(temperature_unknown())
    elif not limits.temperature_min_deg_c <= warmth.value <= limits.temperature_max_deg_c:
        found.append(temperature_outside_limits(warmth, limits))
    found.extend(hazardous_weather(hazard, weather.hazards_source) for hazard in weather.hazards)
    return tuple(found)


def warnings(
    weather: Weather, limits: WeatherLimits, wind_limit_m_s: float, *, start: datetime, end: datetime
) -> tuple[Reason, ...]:
    """What forecasts say against flying between two moments. Nobody is refused for it: a forecast is no measurement."""
    found: list[Reason] = []
    for forecast in weather.forecasts:
        if forecast.end <= start or forecast.start >= end:
            continue
        wind, sight, rain = (
            forecast.strongest_wind_m_s,
            forecast.visibility_m,
            forecast.rain_rate_mm_h,
        )
        if wind is not None and wind > wind_limit_m_s:
            found.append(
                _forecast("wind", f"wind up to {wind:.0f} m/s", f"风速可达{wind:.0f}米/秒", forecast)
            )
        if sight is not None and sight < limits.visibility_min_m:
            found.append(
                _forecast("visibility", f"visibility of {sight:.0f} m", f"能见度{sight:.0f}米", forecast)
            )
        if rain is not None and rain > limits.rain_max_mm_h:
            found.append(
                _forecast("rain", f"rain of up to {rain:.0f} mm/h", f"降雨可达每小时{rain:.0f}毫米", forecast)
            )
        for hazard in forecast.hazards:
            found.append(_forecast("hazard", *_HAZARD_WORDS[hazard], forecast))
    return tuple(dict.fromkeys(found))


def _forecast(kind: str, what: str, what_zh: str, forecast: Forecast) -> Reason:
    span = f"{forecast.start:%H:%M}–{forecast.end:%H:%M} UTC"
    sure, sure_zh = (" at times", "短时") if forecast.temporary else ("", "")
    return Reason(
        f"forecast_{kind}",
        f"{forecast.source} expects {what}{sure}, {span}.",
        f"{forecast.source}预报{span}{sure_zh}{what_zh}。",
    )


def rain_unknown() -> Reason:
    return Reason(
        "rain_unknown",
        "Neither the station nor a weather report near it says how much it rains.",
        "站点及附近气象报告均无降雨数据。",
    )


def rain_above_limit(rain: Measured, limit_mm_h: float) -> Reason:
    return Reason(
        "rain_above_limit",
        f"{rain.source} reports up to {rain.value:.1f} mm/h of rain, the airframe bears {limit_mm_h:.1f} mm/h.",
        f"{rain.source}报告降雨可达每小时{rain.value:.1f}毫米，超过机型限制{limit_mm_h:.1f}毫米。",
    )


def visibility_unknown() -> Reason:
    return Reason(
        "visibility_unknown",
        "Neither the station nor a weather report near it says how far one sees.",
        "站点及附近气象报告均无能见度数据。",
    )


def visibility_below_limit(sight: Measured, limit_m: float) -> Reason:
    return Reason(
        "visibility_below_limit",
        f"{sight.source} reports a visibility of {sight.value:.0f} m, at least {limit_m:.0f} m are needed.",
        f"{sight.source}报告能见度{sight.value:.0f}米，低于要求的{limit_m:.0f}米。",
    )


def temperature_unknown() -> Reason:
    return Reason(
        "temperature_unknown",
        "Neither the station nor a weather report near it gives the temperature.",
        "站点及附近气象报告均无气温数据。",
    )


def temperature_outside_limits(warmth: Measured, limits: WeatherLimits) -> Reason:
    low, high = limits.temperature_min_deg_c, limits.temperature_max_deg_c
    return Reason(
        "temperature_outside_limits",
        f"{warmth.source} reports {warmth.value:.0f} °C, the airframe flies from {low:.0f} to {high:.0f} °C.",
        f"{warmth.source}报告气温{warmth.value:.0f}℃，机型允许{low:.0f}至{high:.0f}℃。",
    )


def hazardous_weather(hazard: Hazard, source: str) -> Reason:
    what, what_zh = _HAZARD_WORDS[hazard]
    return Reason("hazardous_weather", f"{source} reports {what}.", f"{source}报告{what_zh}。")
