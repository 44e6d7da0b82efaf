"""Readings of stations' sensors, weather reports as they came, and network identification that is owed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Text
from sqlmodel import Field

from hub_api.store.tables import Row, UtcDateTime


class StationReadingRow(Row, table=True):
    """One reading; a second one for the same moment corrects the first."""

    __tablename__ = "station_readings"
    __table_args__ = (Index("ix_station_readings_measured_at", "measured_at"),)

    station_id: str = Field(primary_key=True, max_length=80)
    measured_at: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    received_at: datetime = Field(sa_type=UtcDateTime)
    from_deg: float | None = None
    speed_m_s: float | None = None
    gust_m_s: float | None = None
    rain_rate_mm_h: float | None = None
    visibility_m: float | None = None
    temperature_deg_c: float | None = None
    pressure_hpa: float | None = None


class WeatherReportRow(Row, table=True):
    """One METAR or TAF as it came; a correction of the same time takes its place. ``understood`` is what was read."""

    __tablename__ = "weather_reports"
    __table_args__ = (Index("ix_weather_reports_issued_at", "issued_at"),)

    kind: str = Field(primary_key=True, max_length=8)
    place: str = Field(primary_key=True, max_length=8)
    issued_at: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    received_at: datetime = Field(sa_type=UtcDateTime)
    raw: str = Field(sa_type=Text)
    understood: str = Field(sa_type=Text)


class IdentificationRow(Row, table=True):
    """One signed batch of positions that the authority has not taken yet; sent in the order of ``seq``."""

    __tablename__ = "identification_batches"

    seq: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    reports: int
    body: str = Field(sa_type=Text)
