"""Weather as the API shows it. SI units, in the names."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from hub_api.features.fields import ReasonView, Text2000
from planner.weather import Hazard


class ReadingView(BaseModel):
    """One quantity as its sensor measured it last."""

    value: float
    measured_at: datetime
    age_s: float
    usable: bool = Field(description="False when it is too old to decide on.")


class CountsView(BaseModel):
    """What a decision uses now, and where it comes from."""

    value: float
    measured_at: datetime
    source: str


class StationWeatherView(BaseModel):
    """Everything known at one station. null: not known, which refuses where it is required."""

    station_id: str
    readings: dict[str, ReadingView] = Field(
        description="By quantity: from_deg, speed_m_s, gust_m_s, rain_rate_mm_h, visibility_m, temperature_deg_c, "
        "pressure_hpa (at the station, not reduced to sea level)."
    )
    rain_rate_mm_h: CountsView | None
    visibility_m: CountsView | None
    temperature_deg_c: CountsView | None
    hazards: list[Hazard]
    against: dict[str, list[ReasonView]] = Field(
        description="By airframe of this station's drones: what in the weather speaks against a flight now."
    )
    warnings: dict[str, list[ReasonView]] = Field(
        description="By airframe: what forecasts say about the next half hour. Nobody is refused for it."
    )


class SpanView(BaseModel):
    """One line of a forecast."""

    start: datetime
    end: datetime
    temporary: bool
    wind_m_s: float | None
    gust_m_s: float | None
    visibility_m: float | None
    rain_rate_mm_h: float | None
    hazards: list[Hazard]


class ReportView(BaseModel):
    """A METAR or TAF as it was understood."""

    kind: str
    place: str
    place_name: str
    latitude_deg: float
    longitude_deg: float
    issued_at: datetime
    valid_until: datetime | None
    holds: bool = Field(description="False when it is too old.")
    raw: str
    not_understood: list[str] = Field(
        description="Groups that the library set aside; no absence of weather is concluded then."
    )
    wind_from_deg: float | None
    wind_m_s: float | None
    gust_m_s: float | None
    visibility_m: float | None
    temperature_deg_c: float | None
    qnh_hpa: float | None
    rain_rate_mm_h: float | None = Field(description="Upper end of the reported band.")
    hazards: list[Hazard]
    spans: list[SpanView]
    distances_m: dict[str, float] = Field(description="By station.")


class WeatherView(BaseModel):
    """The weather at every station, and the reports behind it."""

    at: datetime
    required: list[str] = Field(description="What must be known beside wind before anything flies.")
    stations: list[StationWeatherView]
    reports: list[ReportView]


class ReportsRequest(BaseModel):
    """METAR, SPECI and TAF as they were issued, one text each."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [{"reports": ["METAR ZGSZ 010800Z 09004MPS 9999 FEW033 22/15 Q1018 NOSIG"]}]
        },
    )

    reports: list[Annotated[Text2000, Field(min_length=1)]] = Field(min_length=1, max_length=50)


class ReportOutcome(BaseModel):
    """What became of one text."""

    taken: bool
    place: str | None = None
    kind: str | None = None
    issued_at: datetime | None = None
    newest: bool = Field(False, description="False when a newer one of that place was known already.")
    not_understood: list[str] = Field(default_factory=list)
    refused: ReasonView | None = Field(None, description="Why it was not taken.")


class ReportsView(BaseModel):
    """One outcome a text, in their order."""

    outcomes: list[ReportOutcome]
