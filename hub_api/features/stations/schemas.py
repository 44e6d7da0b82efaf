"""Stations as the API shows them."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from hub_api.moments import Moment


class WindView(BaseModel):
    """Wind at a station. ``from_deg``: where it comes from, clockwise from true north."""

    from_deg: float
    speed_m_s: float
    gust_m_s: float | None
    measured_at: datetime
    age_s: float
    usable: bool = Field(description="False when the reading is too old to decide on.")


class StationView(BaseModel):
    """A station, its drones and its wind; WGS-84, heights above mean sea level."""

    station_id: str
    name: str
    name_zh: str
    latitude_deg: float
    longitude_deg: float
    ground_amsl_m: float
    position_quality: str = Field(description="surveyed | published | approximate")
    drone_ids: list[str]
    ready_drone_ids: list[str]
    wind: WindView | None = Field(description="null while nothing measured here is known.")


class StationList(BaseModel):
    """All stations of the site."""

    site_id: str
    name: str
    name_zh: str
    stations: list[StationView]


class WeatherReading(BaseModel):
    """What a station's sensor measured."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        json_schema_extra={
            "examples": [
                {"from_deg": 45.0, "speed_m_s": 4.2, "gust_m_s": 6.0, "measured_at": "2026-03-01T08:00:00Z"},
                {
                    "from_deg": 45.0,
                    "speed_m_s": 4.2,
                    "rain_rate_mm_h": 0.0,
                    "visibility_m": 12000.0,
                    "temperature_deg_c": 21.5,
                    "pressure_hpa": 1013.2,
                    "measured_at": "2026-03-01T08:00:00Z",
                },
            ]
        },
    )

    from_deg: float | None = Field(None, ge=0, le=360, description="Where the wind comes from, true north.")
    speed_m_s: float | None = Field(
        None, ge=0, le=100, description="Ten-minute mean, or the best the sensor has; with from_deg."
    )
    gust_m_s: float | None = Field(None, ge=0, le=150, description="Strongest gust; not below the mean.")
    rain_rate_mm_h: float | None = Field(
        None, ge=0, le=500, description="Rain rate; the strongest hour ever measured had about 400 mm."
    )
    visibility_m: float | None = Field(None, ge=0, le=100_000, description="Meteorological visibility.")
    temperature_deg_c: float | None = Field(
        None, ge=-90, le=60, description="Of the air in shade; the records of the Earth are -89 and 57."
    )
    pressure_hpa: float | None = Field(
        None, ge=500, le=1100, description="At the station, not reduced to sea level."
    )
    measured_at: Moment = Field(description="RFC 3339 with its offset.")
