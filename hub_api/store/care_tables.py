"""What people and cabinets report about drones on the ground."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, Text
from sqlmodel import Field

from hub_api.store.tables import Row, UtcDateTime


class OutOfServiceRow(Row, table=True):
    """A drone that a person took out. The row goes when it is put back; the audit log keeps both."""

    __tablename__ = "out_of_service"

    drone_id: str = Field(primary_key=True, max_length=80)
    since: datetime = Field(sa_type=UtcDateTime)
    by: str = Field(max_length=120)
    reason: str = Field(sa_type=Text)


class AedReportRow(Row, table=True):
    """The newest report about the AED on a drone."""

    __tablename__ = "aed_reports"

    drone_id: str = Field(primary_key=True, max_length=80)
    serial: str = Field(max_length=80)
    model: str | None = Field(default=None, max_length=80)
    firmware: str | None = Field(default=None, max_length=80)
    battery_fraction: float | None = Field(default=None)
    pads_expire_on: str | None = Field(default=None, max_length=10)
    self_tested_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    self_test_passed: bool | None = Field(default=None)
    self_test_detail: str = Field(sa_type=Text)
    reported_at: datetime = Field(sa_type=UtcDateTime)
    reported_by: str = Field(max_length=120)


class DockReportRow(Row, table=True):
    """The newest report of a station's dock."""

    __tablename__ = "dock_reports"

    station_id: str = Field(primary_key=True, max_length=80)
    door: str = Field(max_length=10)
    mains_power: bool | None = Field(default=None)
    backup_fraction: float | None = Field(default=None)
    charging_drone_ids: list[str] = Field(sa_type=JSON)
    temperature_c: float | None = Field(default=None)
    measured_at: datetime = Field(sa_type=UtcDateTime)


class MaintenanceRuleRow(Row, table=True):
    """Work that an airframe needs after flights, hours or days."""

    __tablename__ = "maintenance_rules"

    airframe_id: str = Field(primary_key=True, max_length=80)
    rule_id: str = Field(primary_key=True, max_length=40)
    name: str = Field(max_length=120)
    name_zh: str = Field(max_length=120)
    every_flights: int | None = Field(default=None)
    every_air_h: float | None = Field(default=None)
    every_days: int | None = Field(default=None)
    grounds: bool
    set_at: datetime = Field(sa_type=UtcDateTime)


class MaintenanceDoneRow(Row, table=True):
    """Work that was done, append-only: a drone's history."""

    __tablename__ = "maintenance_done"

    seq: int | None = Field(default=None, primary_key=True)
    drone_id: str = Field(max_length=80, index=True)
    rule_id: str = Field(max_length=40)
    done_at: datetime = Field(sa_type=UtcDateTime)
    flights_then: int
    air_h_then: float
    by: str = Field(max_length=120)
    note: str = Field(sa_type=Text)
